"""送达的方式: which way to serve next, so that a paper not opened never stops a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from inspection_plans.workdays import Calendar


class Way(StrEnum):
    """电子, 直接, 留置, 邮寄, 公告送达."""

    ELECTRONIC = "electronic"
    IN_PERSON = "in_person"
    LEFT_WITH_WITNESS = "left_with_witness"
    POST = "post"
    ANNOUNCEMENT = "announcement"


class Outcome(StrEnum):
    """How an attempt ended that did not serve the paper, or did not reach its reader."""

    NOT_OPENED = "not_opened"
    ABSENT = "absent"
    REFUSED = "refused"
    RETURNED = "returned"


class Why(StrEnum):
    """The reason for the way that is proposed."""

    CONSENTED = "consented"
    NO_CONSENT = "no_consent"
    NOT_OPENED = "not_opened"
    REFUSED = "refused"
    ABSENT = "absent"
    RETURNED = "returned"
    OPENED = "opened"
    SERVED = "served"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that failed."""

    way: Way
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next way and why; no way where the paper was opened."""

    way: Way | None
    why: Why


# What follows a failed attempt; a paper refused in person is left there before a witness.
_NEXT = {
    Outcome.NOT_OPENED: (Way.IN_PERSON, Why.NOT_OPENED),
    Outcome.REFUSED: (Way.LEFT_WITH_WITNESS, Why.REFUSED),
    Outcome.ABSENT: (Way.POST, Why.ABSENT),
    Outcome.RETURNED: (Way.ANNOUNCEMENT, Why.RETURNED),
}


def propose(*, consented: bool, opened: bool, attempts: Sequence[Attempt]) -> Proposal:
    """Return the next way of service; announcement 公告 only after the others failed.

    ``attempts`` are in their order; the last one decides.
    Source: casework 4 (a ladder proposes the next way).
    """
    if opened:
        return Proposal(None, Why.OPENED)
    if not attempts:
        if consented:
            return Proposal(Way.ELECTRONIC, Why.CONSENTED)
        return Proposal(Way.IN_PERSON, Why.NO_CONSENT)
    way, why = _NEXT[attempts[-1].outcome]
    tried = {one.way for one in attempts}
    # Who was found nowhere gets it by post first, whatever failed last.
    if way is Way.ANNOUNCEMENT and Way.POST not in tried:
        way = Way.POST
    if way in tried and way is not Way.ANNOUNCEMENT:
        way = Way.ANNOUNCEMENT if Way.POST in tried else Way.POST
    return Proposal(way, why)


def unopened(*, arrived_on: date, working_days: int, today: date, calendar: Calendar) -> bool:
    """Say whether an electronic paper has waited longer than the term to be opened."""
    return calendar.working_days_between(arrived_on, today) > working_days
