"""The legal clock against two public calendars, and its laws."""

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar  # type: ignore[import-untyped]  # ships no types
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.reading import PackRefusal
from inspection_plans.workdays import Calendar, CalendarBroken, Due, TermMalformed, Unit, Year

CALENDAR = loader.load_calendar()
YEARS = range(2021, 2027)
days = st.dates(date(2021, 1, 1), date(2026, 6, 1))
amounts = st.integers(1, 90)
units = st.sampled_from(list(Unit))


def every_day(year: int) -> list[date]:
    start = date(year, 1, 1)
    return [start + timedelta(days=n) for n in range((date(year + 1, 1, 1) - start).days)]


@pytest.mark.parametrize("year", YEARS)
def test_two_public_calendars_agree_with_the_tables(year: int) -> None:
    china = holidays.country_holidays("CN", years=year)
    for day in every_day(year):
        ours = CALENDAR.is_working_day(day)
        assert ours == chinese_calendar.is_workday(day), day
        assert ours == china.is_working_day(day), day


def test_the_year_without_a_notice_has_the_holidays_of_the_law_and_stays_provisional() -> None:
    china = holidays.country_holidays("CN", years=2027)
    for day in every_day(2027):
        assert CALENDAR.is_working_day(day) == china.is_working_day(day), day
    assert not CALENDAR.published(date(2027, 1, 1))
    assert CALENDAR.due(date(2026, 12, 2), 30, Unit.DAY) == Due(
        date(2027, 1, 4), date(2027, 1, 1), provisional=True
    )


def test_the_tables_reach_from_2021_to_2026_and_name_their_source() -> None:
    assert set(YEARS) == CALENDAR.years
    for year in YEARS:
        text = (loader.HOME / "workdays" / f"cn-{year}.yaml").read_text(encoding="utf-8")
        assert f"source: 国务院办公厅关于{year}年部分节假日安排的通知（国办发明电" in text


@given(days)
def test_rolling_is_never_earlier_and_ends_on_a_working_day(day: date) -> None:
    rolled = CALENDAR.next_working_day(day)
    assert rolled >= day
    assert CALENDAR.is_working_day(rolled)
    between = range((rolled - day).days)
    assert not any(CALENDAR.is_working_day(day + timedelta(days=n)) for n in between)


@given(days, amounts, units)
def test_a_term_ends_after_its_trigger_and_a_duty_on_a_working_day(
    day: date, amount: int, unit: Unit
) -> None:
    duty = CALENDAR.due(day, amount, unit)
    period = CALENDAR.due(day, amount, unit, duty=False)
    assert duty.on >= duty.arithmetical > day
    assert CALENDAR.is_working_day(duty.on)
    assert period.on == period.arithmetical == duty.arithmetical


@given(days, days, amounts, amounts, units)
def test_deadlines_are_monotone(day: date, other: date, one: int, two: int, unit: Unit) -> None:
    early, late = sorted((day, other))
    assert CALENDAR.due(early, one, unit).on <= CALENDAR.due(late, one, unit).on
    short, long = sorted((one, two))
    assert CALENDAR.due(day, short, unit).on <= CALENDAR.due(day, long, unit).on


@given(days, amounts)
def test_working_days_are_counted_one_by_one(day: date, amount: int) -> None:
    end = CALENDAR.due(day, amount, Unit.WORKING_DAY).on
    assert CALENDAR.working_days_between(day, end) == amount
    assert CALENDAR.working_days_between(end, day) == -amount
    assert CALENDAR.working_days_between(day, end - timedelta(days=1)) == amount - 1


@pytest.mark.parametrize(
    ("trigger", "amount", "unit", "due", "arithmetical"),
    [
        ("2024-07-01", 30, Unit.DAY, "2024-07-31", "2024-07-31"),
        ("2024-07-01", 15, Unit.DAY, "2024-07-16", "2024-07-16"),
        ("2024-09-01", 30, Unit.DAY, "2024-10-08", "2024-10-01"),
        ("2024-01-31", 1, Unit.MONTH, "2024-02-29", "2024-02-29"),
        ("2023-01-31", 1, Unit.MONTH, "2023-02-28", "2023-02-28"),
        ("2024-02-29", 3, Unit.YEAR, "2027-03-01", "2027-02-28"),
        ("2024-12-31", 1, Unit.MONTH, "2025-02-05", "2025-01-31"),
        ("2024-02-08", 1, Unit.WORKING_DAY, "2024-02-09", "2024-02-09"),
        ("2024-02-09", 1, Unit.WORKING_DAY, "2024-02-18", "2024-02-18"),
        ("2024-09-27", 2, Unit.WORKING_DAY, "2024-09-30", "2024-09-30"),
        ("2026-02-14", 1, Unit.DAY, "2026-02-24", "2026-02-15"),
    ],
)
def test_examples(trigger: str, amount: int, unit: Unit, due: str, arithmetical: str) -> None:
    found = CALENDAR.due(date.fromisoformat(trigger), amount, unit)
    assert found.on.isoformat() == due
    assert found.arithmetical.isoformat() == arithmetical


def test_a_term_that_needs_an_unpublished_year_is_provisional() -> None:
    late = date(2026, 12, 15)
    assert CALENDAR.due(late, 10, Unit.DAY) == Due(date(2026, 12, 25), date(2026, 12, 25), False)
    assert CALENDAR.due(late, 20, Unit.DAY).provisional
    assert CALENDAR.due(late, 20, Unit.WORKING_DAY).provisional
    assert not CALENDAR.due(late, 3, Unit.YEAR, duty=False).provisional
    assert CALENDAR.due(late, 3, Unit.YEAR).provisional
    # The last working day before an unpublished year needs no table of that year.
    assert not CALENDAR.due(date(2026, 12, 30), 1, Unit.WORKING_DAY).provisional
    assert not CALENDAR.published(date(2027, 1, 1))
    # Calendar days need no table of the year they started in, working days do.
    early = date(2020, 12, 31)
    assert CALENDAR.due(early, 30, Unit.DAY) == Due(date(2021, 2, 1), date(2021, 1, 30), False)
    assert not CALENDAR.due(early, 5, Unit.WORKING_DAY).provisional
    assert CALENDAR.due(date(2020, 12, 30), 5, Unit.WORKING_DAY).provisional


@pytest.mark.parametrize("amount", [0, -1, 10**7])
def test_a_term_is_a_positive_number_and_ends_in_time(amount: int) -> None:
    for unit in Unit:
        if amount < 1 or unit is not Unit.WORKING_DAY:
            with pytest.raises(TermMalformed):
                CALENDAR.due(date(2024, 1, 1), amount, unit)


def test_a_working_day_term_past_the_last_year_is_refused() -> None:
    with pytest.raises(TermMalformed):
        CALENDAR.due(date(9999, 12, 20), 30, Unit.WORKING_DAY)


def table(year: int = 2024, rest: tuple[date, ...] = (), make_up: tuple[date, ...] = ()) -> Year:
    return Year(
        year=year, source="a notice", issued=date(2023, 10, 25), rest=rest, make_up=make_up
    )


@pytest.mark.parametrize(
    "tables",
    [
        [table(), table()],
        [table(rest=(date(2024, 1, 6),))],
        [table(make_up=(date(2024, 1, 5),))],
        [table(rest=(date(2025, 1, 1),))],
        [table(rest=(date(2024, 1, 1), date(2024, 1, 1)))],
    ],
)
def test_a_broken_table_is_refused(tables: list[Year]) -> None:
    with pytest.raises(CalendarBroken):
        Calendar.of(tables)


def test_a_table_with_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    text = "year: 2024\nsource: a notice\nissued: 2023-10-25\nrest: [2024-02-30]\nmake_up: []\n"
    (tmp_path / "cn-2024.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PackRefusal) as refused:
        loader.read_calendar(tmp_path)
    assert refused.value.facts["file"] == "cn-2024.yaml"
