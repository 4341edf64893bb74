"""Rows of the object frame: checked, then grouped by stratum (draw.md sections 2.3 and 12)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .canon import ID_BYTES, UNFIT, check_id
from .errors import DrawRefusal

HEAVIEST = 2**32
_WIDEST = 4  # bytes of one character in UTF-8
_BARE = 2  # keys of a row that says no more than its id and its stratum


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
    if text.isascii():
        return text.isprintable() and max(map(len, ids)) <= ID_BYTES
    fit = not UNFIT.search(text) and unicodedata.is_normalized("NFC", text)
    return fit and max(map(len, ids)) * _WIDEST <= ID_BYTES


def _part(
    rows: Sequence[Any], strata: Collection[str]
) -> tuple[dict[str, list[str]], list[Mapping[str, Any]]]:
    """Part the ids of bare rows by stratum from the rows that say more, in one pass."""
    bare: dict[str, list[str]] = {stratum: [] for stratum in strata}
    put = {stratum: ids.append for stratum, ids in bare.items()}
    telling = []
    for row in rows:
        if len(row) == _BARE:
            put[row["stratum"]](row["id"])
        else:
            telling.append(row)
    return bare, telling


def _surely_good(bare: Mapping[str, list[str]], telling: Sequence[Mapping[str, Any]]) -> bool:
    """Tell in a few passes at the speed of C that no row breaks a rule; False proves nothing."""
    ids = [row["id"] for row in telling]
    for part in bare.values():
        ids += part
    if not ids:
        return True
    once = set(ids)
    return (
        len(once) == len(ids)
        and "" not in once
        and _good_ids(ids)
        and {row["stratum"] for row in telling} <= set(bare)
        and all(_is_weight(row.get("w", 1)) for row in telling)
        and not any(row.get("must") and row.get("excl") for row in telling)
    )


def _check_each(rows: Sequence[Any], strata: Collection[str]) -> None:
    seen: set[str] = set()
    for row in rows:
        _check_row(row, seen, strata)


def group(rows: Sequence[Any], strata: Collection[str]) -> dict[str, Group]:
    """Check the rows and part them by stratum; excluded ones count in `rows` only.

    Raises, row by row: E_ID, errors of text, E_DUP_ID, E_STRATUM, E_WEIGHT, E_MUST_EXCL.
    """
    try:
        bare, telling = _part(rows, strata)
        good = _surely_good(bare, telling)
    except (TypeError, KeyError, AttributeError):
        _check_each(rows, strata)
        raise
    if not good:
        _check_each(rows, strata)
    groups = {stratum: Group(bare[stratum]) for stratum in strata}
    for row in telling:
        groups[row["stratum"]].add(row)
    return groups
