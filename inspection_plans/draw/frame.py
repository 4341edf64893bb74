"""Rows of the object frame: checked, then grouped by stratum (draw.md sections 2.3 and 12)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .canon import ID_BYTES, check_id
from .errors import DrawRefusal

HEAVIEST = 2**32
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_WIDEST = 4  # bytes of one character in UTF-8
_BARE = 2  # keys of a row that says no more than its id and its stratum


class Group:
    """The rows of one stratum, parted by what the draw does with them."""

    def __init__(self) -> None:
        self.rows = 0
        self.must: list[str] = []
        self.pool: list[str] = []
        # Only weights other than 1: a frame of a million plain rows keeps none.
        self.weights: dict[str, int] = {}

    @property
    def eligible(self) -> int:
        return len(self.must) + len(self.pool)

    def add(self, row: Mapping[str, Any]) -> None:
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
    fit = not _UNFIT.search(text) and unicodedata.is_normalized("NFC", text)
    return fit and max(map(len, ids)) * _WIDEST <= ID_BYTES


def _surely_good(rows: Sequence[Any], strata: Collection[str]) -> bool:
    """Tell in a few passes at the speed of C that no row breaks a rule; False proves nothing."""
    try:
        ids = [row["id"] for row in rows]
        once = set(ids)
        if len(once) != len(ids) or "" in once or not _good_ids(ids):
            return False
        if not {row["stratum"] for row in rows} <= set(strata):
            return False
        telling = [row for row in rows if len(row) > _BARE]
        return all(
            _is_weight(row.get("w", 1)) and not (row.get("must") and row.get("excl"))
            for row in telling
        )
    except (TypeError, KeyError, IndexError, AttributeError):
        return False


def check_rows(rows: Sequence[Any], strata: Collection[str]) -> None:
    """Row by row: E_ID, errors of text, E_DUP_ID, E_STRATUM, E_WEIGHT, E_MUST_EXCL."""
    if rows and not _surely_good(rows, strata):
        seen: set[str] = set()
        for row in rows:
            _check_row(row, seen, strata)


def group(rows: Sequence[Mapping[str, Any]], strata: Collection[str]) -> dict[str, Group]:
    """Part checked rows by stratum; rows that are excluded count in `rows` only."""
    groups = {stratum: Group() for stratum in strata}
    bare = {stratum: groups[stratum].pool.append for stratum in strata}
    counts = dict.fromkeys(strata, 0)
    for row in rows:
        stratum = row["stratum"]
        counts[stratum] += 1
        if len(row) == _BARE:
            bare[stratum](row["id"])
        else:
            groups[stratum].add(row)
    for stratum, count in counts.items():
        groups[stratum].rows = count
    return groups
