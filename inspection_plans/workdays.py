"""The legal clock: calendar days, working days with 调休, months and years; tables are data."""

import calendar
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.records import Meta, Record
from inspection_plans.vocabulary import Line

_SATURDAY = 5
_DAY = timedelta(days=1)
_LONGEST_STOP = 3660  # days; a bound against slips of the pen, no term of the law


class Year(Record, frozen=True, kw_only=True):
    """One year's notice of the State Council office: where it differs from the ordinary week.

    ``rest``: days off that fall on Monday to Friday; ``make_up``: worked Saturdays and Sundays.
    ``provisional``: no notice yet, only the holidays of the law; terms that need it stay so.
    """

    year: Annotated[int, Meta(ge=2000, le=2100)]
    source: Line
    issued: date
    rest: tuple[date, ...]
    make_up: tuple[date, ...]
    provisional: bool = False


class Unit(StrEnum):
    """Units of a term; days and working days are never converted into each other."""

    DAY = "day"
    WORKING_DAY = "working_day"
    MONTH = "month"
    YEAR = "year"


class Stop(Record, frozen=True, kw_only=True):
    """中止: the clock stands still from the first to the last day, both included."""

    first: date
    last: date


class StopBroken(RuleRefusal):
    """A stop of the clock ends before it starts, or lasts longer than any procedure does."""

    code: ClassVar[str] = "workdays.broken_stop"


class CalendarBroken(RuleRefusal):
    """A year's table lists a day of another year, a day that changes nothing, or a year twice."""

    code: ClassVar[str] = "workdays.broken_year"


class TermMalformed(RuleRefusal):
    """A term is a positive number of units and ends before the year 9999."""

    code: ClassVar[str] = "workdays.bad_term"
    family: ClassVar[Family] = Family.MALFORMED


@dataclass(frozen=True)
class Due:
    """期限: the day a term ends.

    ``on`` after rolling, ``arithmetical`` before it; ``provisional`` when a year without a
    published table was needed.
    """

    on: date
    arithmetical: date
    provisional: bool


@dataclass(frozen=True)
class Calendar:
    """工作日历: rest and make-up days; years without any table count as ordinary weeks.

    ``years`` are those whose notice is published.
    """

    years: frozenset[int]
    rest: frozenset[date]
    make_up: frozenset[date]

    @classmethod
    def of(cls, years: Iterable[Year]) -> Self:
        """Put yearly tables together.

        Raises: CalendarBroken ("workdays.broken_year").
        """
        seen: set[int] = set()
        published: set[int] = set()
        rest: set[date] = set()
        make_up: set[date] = set()
        for table in years:
            days = (*table.rest, *table.make_up)
            ordinary = [day for day in table.rest if day.weekday() >= _SATURDAY]
            ordinary += [day for day in table.make_up if day.weekday() < _SATURDAY]
            foreign = [day for day in days if day.year != table.year]
            if ordinary or foreign or table.year in seen or len(set(days)) != len(days):
                raise CalendarBroken(field="year", year=table.year)
            seen.add(table.year)
            if not table.provisional:
                published.add(table.year)
            rest.update(table.rest)
            make_up.update(table.make_up)
        return cls(frozenset(published), frozenset(rest), frozenset(make_up))

    def published(self, on: date) -> bool:
        """Say whether the notice of the day's year is published."""
        return on.year in self.years

    def is_working_day(self, on: date) -> bool:
        """Say whether a day is worked: Monday to Friday without rest days, plus make-up days."""
        return on in self.make_up or (on.weekday() < _SATURDAY and on not in self.rest)

    def next_working_day(self, on: date) -> date:
        """Return the day itself if it is worked, else the next one that is."""
        while not self.is_working_day(on):
            on += _DAY
        return on

    def due(
        self,
        trigger: date,
        amount: int,
        unit: Unit,
        *,
        duty: bool = True,
        stops: Collection[Stop] = (),
    ) -> Due:
        """Return the last day of a term that starts the day after its trigger.

        A duty to act rolls to the next working day; validity, retention, bans and windows
        (``duty=False``) do not. Months and years end on the same date or the month's last day.
        A stopped day is not counted, and nothing falls due on it.
        Raises: TermMalformed ("workdays.bad_term").
        Source: casework section 3; Civil Code 民法典 articles 201 to 203.
        """
        if amount < 1:
            raise TermMalformed(field="amount", amount=amount)
        try:
            stopped = _days_of(stops)
            return self._due(trigger, amount, Unit(unit), duty=duty, stopped=stopped)
        except (OverflowError, ValueError):
            raise TermMalformed(field="amount", amount=amount, unit=str(unit)) from None

    def _due(
        self, trigger: date, amount: int, unit: Unit, *, duty: bool, stopped: Collection[date]
    ) -> Due:
        if unit is Unit.WORKING_DAY:
            end = self._after_working_days(trigger, amount, stopped)
            # Every day since the trigger was classified, so every year between had to be known.
            unsure = not self._known(trigger + _DAY, end)
            return Due(end, end, unsure)
        end = _ENDS[unit](trigger, amount)
        if stopped:
            end = _later(trigger, end, stopped)
        if not duty:
            return Due(end, end, provisional=False)
        rolled = self.next_working_day(end)
        while rolled in stopped:
            rolled = self.next_working_day(rolled + _DAY)
        return Due(rolled, end, not self._known(end, rolled))

    def _known(self, first: date, last: date) -> bool:
        return all(year in self.years for year in range(first.year, last.year + 1))

    def _after_working_days(self, start: date, amount: int, stopped: Collection[date]) -> date:
        day = start
        while amount:
            day += _DAY
            amount -= day not in stopped and self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and including ``end``; negative if past."""
        if end < start:
            return -self.working_days_between(end, start)
        days = range(1, (end - start).days + 1)
        return sum(self.is_working_day(start + timedelta(days=place)) for place in days)


def _days_of(stops: Collection[Stop]) -> Collection[date]:
    """Return every stopped day once.

    Raises: StopBroken ("workdays.broken_stop").
    """
    found: set[date] = set()
    for stop in stops:
        length = (stop.last - stop.first).days
        if not 0 <= length <= _LONGEST_STOP:
            raise StopBroken(field="stops", first=str(stop.first), last=str(stop.last))
        found.update(stop.first + timedelta(days=place) for place in range(length + 1))
    return found


def _later(trigger: date, end: date, stopped: Collection[date]) -> date:
    """Move an end by one day for every stopped day that the term has met by then."""
    waiting = sorted(day for day in stopped if day > trigger)
    for day in waiting:
        if day > end:
            break
        end += _DAY
    return end


def _after_days(start: date, days: int) -> date:
    return start + timedelta(days=days)


def _after_years(start: date, years: int) -> date:
    return _after_months(start, 12 * years)


def _after_months(start: date, months: int) -> date:
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


_ENDS: dict[Unit, Callable[[date, int], date]] = {
    Unit.DAY: _after_days,
    Unit.MONTH: _after_months,
    Unit.YEAR: _after_years,
}
