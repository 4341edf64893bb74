"""What must hold before frames are frozen; afterwards nothing can be put right (section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .allot import check_plan, strata_of
from .crew import check_ids, read_inspector, read_shape
from .days import check_days
from .errors import DrawRefusal
from .frame import group
from .outcome import visits_of

_PAIR = 2  # an inspector and an object


def _last_day(plan: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> str | None:
    """Give the last day on which anybody may be visited; ISO dates sort as texts."""
    ends = [check_days(row["days"])[-1] for row in objects if row.get("days") is not None]
    ends += [check_days(plan["days"])[-1]] if plan.get("days") else []
    return max(ends, default=None)


def _check_pairs(
    pairs: Iterable[Sequence[str]], people: Iterable[str], idents: Iterable[str]
) -> None:
    staff, objects = set(people), set(idents)
    for pair in pairs:
        if len(pair) != _PAIR or pair[0] not in staff or pair[1] not in objects:
            raise DrawRefusal("E_BLOCK_REF", "blocked", pair=list(pair))


def check_frames(
    plan: Mapping[str, Any],
    frames: Mapping[str, Sequence[Any]],
    licences: Mapping[str, str],
) -> None:
    """Refuse what would end in half a draw; `licences` is inspector id -> last valid ISO date.

    Raises: the errors of selection for plan and objects (E_STRATUM for a row that no stratum
    takes, E_RATIO for "５%"), E_EMPTY when nobody can be drawn or sent, E_DAYS, the errors of
    inspectors, E_LICENCE for one without a licence to the last possible day, E_BLOCK_REF,
    E_TEAM_SIZE.
    """
    objects, people = frames["objects"], frames["inspectors"]
    strata = strata_of(plan)
    groups = group(objects, [stratum["id"] for stratum in strata])
    check_plan(plan, strata)
    if not any(part.eligible for part in groups.values()):
        raise DrawRefusal("E_EMPTY", "objects", rows=len(objects))
    staff = check_ids(people, "E_DUP_INSPECTOR", "inspectors")
    if not any(one.cap > one.load for one in map(read_inspector, people)):
        raise DrawRefusal("E_EMPTY", "inspectors", rows=len(people))
    last = _last_day(plan, objects)
    for ident in staff:
        until = licences.get(ident)
        if until is None or (last is not None and until < last):
            raise DrawRefusal("E_LICENCE", "inspectors", inspector=ident, until=until, last=last)
    _check_pairs(frames["blocked"], staff, (row["id"] for row in objects))
    for row in {row["stratum"]: row for row in objects}.values():
        [visit] = visits_of(plan, [row], [row["id"]])
        read_shape(visit)
