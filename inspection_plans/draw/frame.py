"""Rows of the object frame: checked, then grouped by stratum (draw.md sections 2.3 and 12)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from operator import lt
from typing import Any

from .canon import ID_BYTES, UNFIT, check_id
from .errors import DrawRefusal

HEAVIEST = 2**32
_WIDEST = 4  # bytes of one character in UTF-8
_PIECE = 1 << 10
_BARE = 2  # keys of a row that says no more than its id and its stratum
_TELLING = frozenset({"w", "must", "excl"})


class Group:
    """The rows of one stratum, parted by what the draw does with them."""

    def __init__(self, pool: list[str]) -> None:
        self.rows = len(pool)
        self.must: list[str] = []
        self.pool = pool
        # Only weights other than 1: a frame of a million plain rows keeps none.
        self.weights: dict[str, int] = {}

    @property
    def eligible(self) -> int:
        return len(self.must) + len(self.pool)

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows += 1
        if row.get("excl"):
            return
        ident = row["id"]
        if row.get("must"):
            self.must.append(ident)
        else:
            self.pool.append(ident)
            if row.get("w", 1) != 1:
                self.weights[ident] = row["w"]


def _is_weight(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HEAVIEST


def _check_row(row: object, seen: set[str], strata: Collection[str]) -> None:
    if not isinstance(row, Mapping):
        raise DrawRefusal("E_ID", "rows")
    ident = check_id(row.get("id"))
    if ident in seen:
        raise DrawRefusal("E_DUP_ID", "id", id=ident)
    seen.add(ident)
    stratum = row.get("stratum")
    if not isinstance(stratum, str) or stratum not in strata:
        raise DrawRefusal("E_STRATUM", "stratum", id=ident)
    if not _is_weight(row.get("w", 1)):
        raise DrawRefusal("E_WEIGHT", "w", id=ident)
    if row.get("must") and row.get("excl"):
        raise DrawRefusal("E_MUST_EXCL", "must", id=ident)


def _good_ids(ids: list[str]) -> bool:
    # A blank between ids joins with nothing, so the whole is NFC exactly when each id is.
    text = " ".join(ids)
    if not all(ids):
        return False
    if text.isascii():
        return text.isprintable() and max(map(len, ids)) <= ID_BYTES
    fit = not UNFIT.search(text) and unicodedata.is_normalized("NFC", text)
    return fit and max(map(len, ids)) * _WIDEST <= ID_BYTES


class Sieve:
    """Parts bare rows by stratum from the rows that say more, and looks at every id.

    `good` tells in a few passes at the speed of C that no row breaks a rule; False proves nothing.
    """

    def __init__(self, strata: Collection[str]) -> None:
        self.bare: dict[str, list[str]] = {stratum: [] for stratum in strata}
        self.telling: list[Mapping[str, Any]] = []
        self._put = {stratum: ids.append for stratum, ids in self.bare.items()}
        self._fit = True
        self._rising = True
        self._last = ""

    def add(self, rows: Sequence[Any]) -> None:
        ids = [self._last]
        keep, put = ids.append, self._put
        for row in rows:
            ident = row["id"]
            keep(ident)
            if len(row) == _BARE or _TELLING.isdisjoint(row):
                put[row["stratum"]](ident)
            else:
                self.telling.append(row)
        self._fit = self._fit and _good_ids(ids[1:])
        # A frame comes in the order of its ids: neighbours tell, no set of a million is made.
        self._rising = self._rising and all(map(lt, ids, islice(ids, 1, None)))
        self._last = ids[-1]

    def good(self) -> bool:
        telling = self.telling
        return (
            self._fit
            and (self._rising or self._distinct())
            and {row["stratum"] for row in telling} <= set(self.bare)
            and all(_is_weight(row.get("w", 1)) for row in telling)
            and not any(row.get("must") and row.get("excl") for row in telling)
        )

    def _distinct(self) -> bool:
        once = {row["id"] for row in self.telling}.union(*self.bare.values())
        return len(once) == len(self.telling) + sum(map(len, self.bare.values()))


def _check_each(rows: Sequence[Any], strata: Collection[str]) -> None:
    seen: set[str] = set()
    for row in rows:
        _check_row(row, seen, strata)


def group(rows: Sequence[Any], strata: Collection[str]) -> dict[str, Group]:
    """Check the rows and part them by stratum; excluded ones count in `rows` only.

    Raises, row by row: E_ID, errors of text, E_DUP_ID, E_STRATUM, E_WEIGHT, E_MUST_EXCL.
    """
    try:
        sieve = Sieve(strata)
        # Small pieces are still in the processor's cache when their ids are looked at.
        for at in range(0, len(rows), _PIECE):
            sieve.add(rows[at : at + _PIECE])
        good = sieve.good()
    except (TypeError, KeyError, AttributeError):
        _check_each(rows, strata)
        raise
    if not good:
        _check_each(rows, strata)
    groups = {stratum: Group(sieve.bare[stratum]) for stratum in strata}
    for row in sieve.telling:
        groups[row["stratum"]].add(row)
    return groups
