"""The visit day is drawn too, for a chosen day can be steered (draw.md section 6b)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .crew import check_ids
from .errors import DrawRefusal
from .seed import chooser

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_days(value: object) -> list[str]:
    """Give back ISO dates that are sorted, without repetition, at least one. Raises: E_DAYS."""
    if not isinstance(value, (list, tuple)) or not value:
        raise DrawRefusal("E_DAYS", "days")
    for day in value:
        if not isinstance(day, str) or not _DATE.fullmatch(day):
            raise DrawRefusal("E_DAYS", "days", day=str(day))
        try:
            date.fromisoformat(day)
        except ValueError:
            raise DrawRefusal("E_DAYS", "days", day=day) from None
    if sorted(set(value)) != list(value):
        raise DrawRefusal("E_DAYS", "days")
    return list(value)


def days(alg: str, seed: str, visits: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Draw visit id -> ISO date out of each visit's `days`. Raises: E_DUP_VISIT, E_ID, E_DAYS."""
    ids = check_ids(visits, "E_DUP_VISIT", "visits")
    lists = [check_days(visit.get("days")) for visit in visits]
    choose = chooser(alg, seed, "ssj1.day")
    return {
        ident: lists[at][choose(ident.encode(), len(lists[at]))] for at, ident in enumerate(ids)
    }
