"""中止: intervals in which a clock stands still, each naming whose clock it is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.workdays import Stop


class Whose(StrEnum):
    """Whose term stands still: the party's, or the office's own."""

    PARTY = "party"
    OFFICE = "office"


class Ground(StrEnum):
    """异议, 中止执行, 听证: what a clock may be stopped for."""

    OBJECTION = "objection"
    STAY = "stay"
    HEARING = "hearing"


class StopOpen(RuleRefusal):
    """The same clock stands still on this ground already."""

    code: ClassVar[str] = "stop.already_open"
    family: ClassVar[Family] = Family.CONFLICT


class StopOutOfOrder(RuleRefusal):
    """A stop lies between the service and today, and ends no earlier than it began."""

    code: ClassVar[str] = "stop.out_of_order"


@dataclass(frozen=True, slots=True)
class Interval:
    """One stop; ``last`` is None while it lasts, both days are stopped days."""

    whose: Whose
    ground: Ground
    first: date
    last: date | None = None


def of(intervals: Collection[Interval], whose: Whose, *, until: date) -> tuple[Stop, ...]:
    """Return the stops of one clock alone; an open one has lasted ``until`` so far.

    The office's own stops never shorten or stop the party's term, nor the other way round.
    Source: casework 1 (G12), 3.
    """
    return tuple(
        Stop(first=one.first, last=one.last or max(one.first, until))
        for one in intervals
        if one.whose is whose
    )


def standing(intervals: Collection[Interval], whose: Whose, *, today: date) -> Interval | None:
    """Return the stop under which a clock stands still today, the earliest first."""
    lasting = (
        one
        for one in intervals
        if one.whose is whose and one.first <= today and (one.last is None or today <= one.last)
    )
    return min(lasting, key=lambda one: one.first, default=None)


def suspends(intervals: Collection[Interval], *, today: date) -> bool:
    """Say whether a stay 中止执行 suspends the execution today, whoever's clock it names.

    Source: casework 1 (G12).
    """
    return any(
        one.ground is Ground.STAY
        and one.first <= today
        and (one.last is None or today <= one.last)
        for one in intervals
    )


def begin(new: Interval, known: Collection[Interval], *, since: date, today: date) -> None:
    """Hold a new stop against what is recorded.

    ``since`` is the day of service, before which no term runs.
    Raises: StopOutOfOrder ("stop.out_of_order"), StopOpen ("stop.already_open").
    """
    if not since <= new.first <= today or (new.last is not None and new.last < new.first):
        raise StopOutOfOrder(field="first", since=since.isoformat(), today=today.isoformat())
    same = (one for one in known if (one.whose, one.ground) == (new.whose, new.ground))
    if any(one.last is None for one in same):
        raise StopOpen(field="ground", whose=new.whose.value, ground=new.ground.value)
