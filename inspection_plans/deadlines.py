"""期限: by when something is due, or until when it runs, from the clauses in force.

The numbers stand in the clauses, how they are counted in ``packs/deadlines.yaml``, what no notice
says in the settings. ``clock.Clock`` counts them.
"""

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal

from inspection_plans.errors import RuleRefusal
from inspection_plans.records import Record
from inspection_plans.vocabulary import Basis, Bilingual, Clause, ClauseId, Code, Line, Setting
from inspection_plans.workdays import Unit

_MONTHS_OF_A_QUARTER = 3
_DECEMBER = 12


class Asks(StrEnum):
    """What a term is asked by: a day that triggers it, a quarter or a year."""

    DAY = "day"
    QUARTER = "quarter"
    YEAR = "year"


class Ends(StrEnum):
    """How a term ends; see ``packs/deadlines.yaml``."""

    DUTY = "duty"
    PERIOD = "period"
    SPAN = "span"
    BY = "by"


class Strictest(StrEnum):
    """Which of several last days binds."""

    EARLIEST = "earliest"
    LATEST = "latest"


class Counting(Record, frozen=True, kw_only=True):
    """How the term of one concept is counted.

    ``amount`` is the parameter with the number, ``unit`` its unit where the parameter's name
    says it, ``choose`` a parameter the question must choose; ``window`` and ``grace`` are
    settings that are counted with, ``settings`` those that are only shown. ``judged_later``: a
    trigger older than the paper counts too, because a later act is judged by the paper.
    """

    concept: Code
    zh: Line
    en: Line
    asks: Asks
    trigger: Bilingual
    ends: Ends
    strictest: Strictest
    basis: Basis
    amount: Code | None = None
    unit: Unit | None = None
    choose: Literal["medium"] | None = None
    window: Code | None = None
    grace: Code | None = None
    settings: tuple[Code, ...] = ()
    judged_later: bool = False


class BrokenTerm(RuleRefusal):
    """A clause gives a number without a unit the clock knows."""

    code: ClassVar[str] = "deadline.broken_term"


@dataclass(frozen=True, slots=True)
class Term:
    """The number of one clause; ``amount`` 0 where the term ends with a span or by a day."""

    clause: ClauseId
    amount: int
    unit: Unit
    recipients: tuple[str, ...]
    chosen: str | None


@dataclass(frozen=True, slots=True)
class Each:
    """What one clause says."""

    clause: ClauseId
    due: date
    arithmetical: date
    provisional: bool
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """期限: ``due`` is the strictest of ``each``.

    ``follows``: first day after a period (the next working day for working-day periods), None
    for duties. ``recipients``: all must be served. ``settings``: what was counted with.
    """

    due: date
    arithmetical: date
    follows: date | None
    provisional: bool
    recipients: tuple[str, ...]
    each: tuple[Each, ...]
    settings: tuple[Setting, ...]


def quarter_end(quarter: str) -> date:
    """Return the last day of a quarter "2024Q1".

    Source: weihai-2023-25/6.2/quarterly-form (每季度末).
    """
    year, number = quarter.split("Q")
    month = int(number) * _MONTHS_OF_A_QUARTER
    return date(int(year), month, calendar.monthrange(int(year), month)[1])


def year_end(year: int) -> date:
    """Return the last day of a year.

    Source: national-2021-71/4.6.1/annual-summary (年终).
    """
    return date(year, _DECEMBER, 31)


def in_time(due: date, recipients: Collection[str], served: Mapping[str, date]) -> bool:
    """Say whether every recipient was served by the day due; one who never was is not.

    Source: heilongjiang-2023-13/3.1.3/trainee-list-15d (province and Harbin).
    """
    return all(name in served and served[name] <= due for name in recipients)


def unit_of(clause: Clause, counting: Counting) -> Unit:
    """Return the unit of a clause's number; days are working days only where it says so.

    Raises: BrokenTerm ("deadline.broken_term").
    """
    if counting.unit is not None:
        return counting.unit
    said = (clause.parameters.get("unit"), clause.parameters.get("day_type", "calendar"))
    if said == ("day", "working"):
        return Unit.WORKING_DAY
    if said[1] == "calendar" and said[0] in (Unit.DAY, Unit.MONTH, Unit.YEAR):
        return Unit(str(said[0]))
    raise BrokenTerm(field="unit", clause=clause.id, unit=said[0], day_type=said[1])


def term_of(clause: Clause, counting: Counting) -> Term | None:
    """Read the term of a clause; None where the clause gives none.

    Raises: BrokenTerm ("deadline.broken_term").
    """
    given = clause.parameters
    ends = counting.ends
    unit, amount = Unit.DAY, 0
    if ends in (Ends.DUTY, Ends.PERIOD):
        number = given.get(counting.amount or "")
        if number is None:
            return None
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise BrokenTerm(field=counting.amount, clause=clause.id, amount=number)
        unit, amount = unit_of(clause, counting), number
    elif not _ends_without_number(clause, counting):
        return None
    named = given.get("recipient", [])
    recipients = tuple(str(one) for one in (named if isinstance(named, list) else [named]))
    chosen = given.get(counting.choose) if counting.choose else None
    return Term(clause.id, amount, unit, recipients, None if chosen is None else str(chosen))


def _ends_without_number(clause: Clause, counting: Counting) -> bool:
    if counting.ends is Ends.SPAN:
        return clause.parameters.get("period") == counting.asks
    return "before" in clause.parameters
