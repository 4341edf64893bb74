"""Every term from every day of 2021 to 2026, every 调休 day among them, counted by hand too."""

from datetime import date, timedelta
from functools import cache

import chinese_calendar  # type: ignore[import-untyped]  # ships no types
import pytest

from inspection_plans.loader import load_calendar
from inspection_plans.workdays import Stop, Unit

CALENDAR = load_calendar()
DAY = timedelta(days=1)
FIRST, LAST = date(2021, 1, 1), date(2026, 10, 31)
EVERY = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
TERMS = ((1, "w"), (3, "w"), (5, "w"), (10, "w"), (20, "w"), (15, "d"), (30, "d"), (60, "d"))


@cache
def worked(day: date) -> bool:
    """Whether another library says that a day is worked."""
    return bool(chinese_calendar.is_workday(day))


def by_hand(trigger: date, amount: int, unit: str) -> date:
    """Count day by day as a clerk does."""
    day = trigger
    if unit == "w":
        while amount:
            day += DAY
            amount -= worked(day)
        return day
    day += amount * DAY
    while not worked(day):
        day += DAY
    return day


@pytest.mark.parametrize(("amount", "unit"), TERMS)
def test_every_trigger_of_six_years(amount: int, unit: str) -> None:
    kind = Unit.WORKING_DAY if unit == "w" else Unit.DAY
    for trigger in EVERY:
        if trigger + 90 * DAY > date(2026, 12, 31):
            continue
        assert CALENDAR.due(trigger, amount, kind).on == by_hand(trigger, amount, unit), trigger


def test_every_make_up_day_counts_and_every_rest_day_does_not() -> None:
    swapped = [day for day in EVERY if worked(day) != (day.weekday() < 5)]
    assert len(swapped) == 150
    for day in swapped:
        before = CALENDAR.due(day - DAY, 1, Unit.WORKING_DAY).on
        assert (before == day) == worked(day)
        assert CALENDAR.working_days_between(day - DAY, day) == worked(day)


def test_a_stop_over_every_week_of_six_years_moves_a_term_by_its_working_days() -> None:
    for trigger in EVERY[:-60:7]:
        stop = Stop(first=trigger + DAY, last=trigger + 7 * DAY)
        stopped = sum(worked(trigger + n * DAY) for n in range(1, 8))
        due = CALENDAR.due(trigger, 5, Unit.WORKING_DAY, stops=[stop]).on
        assert due == by_hand(trigger, 5 + stopped, "w"), trigger
