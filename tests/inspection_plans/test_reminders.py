"""Reminders: one a day at most, each step once a term, the day it is due."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import reminders
from inspection_plans.loader import load_calendar
from inspection_plans.reminders import Step

CALENDAR = load_calendar()
DAY = timedelta(days=1)


def year_of(served: date, due: date, asked: list[date]) -> list[tuple[date, Step]]:
    """What a clerk that looks on these days sends, in order."""
    sent: list[tuple[date, Step]] = []
    for today in asked:
        step = reminders.due(
            served_on=served,
            due_on=due,
            today=today,
            sent=[one for _, one in sent],
            calendar=CALENDAR,
        )
        if step is not None:
            sent.append((today, step))
    return sent


def test_the_steps_of_a_term_of_thirty_days() -> None:
    served, due = date(2026, 3, 2), date(2026, 4, 1)
    assert year_of(served, due, [served + n * DAY for n in range(40)]) == [
        (date(2026, 3, 2), Step.SERVED),
        (date(2026, 3, 17), Step.HALF),
        (date(2026, 3, 27), Step.THREE),
        (date(2026, 3, 31), Step.ONE),
        (date(2026, 4, 2), Step.OVERDUE),
    ]


def test_working_days_are_counted_over_a_make_up_week() -> None:
    """Due on the first day after the National Day week, with two worked weekends around it."""
    served, due = date(2024, 9, 10), date(2024, 10, 8)
    looks = [served + n * DAY for n in range(40)]
    found = {step: day for day, step in year_of(served, due, looks)}
    assert found[Step.THREE] == date(2024, 9, 27)  # 29 and 30 September are worked
    assert found[Step.ONE] == date(2024, 9, 30)
    assert found[Step.OVERDUE] == date(2024, 10, 9)


@given(
    st.dates(date(2021, 1, 1), date(2026, 6, 1)),
    st.integers(1, 90),
    st.lists(st.integers(0, 120), unique=True, max_size=40).map(sorted),
)
def test_whenever_it_looks_each_step_comes_once_in_order_and_in_its_time(
    served: date, length: int, looks: list[int]
) -> None:
    due = CALENDAR.next_working_day(served + length * DAY)
    sent = year_of(served, due, [served + n * DAY for n in looks])
    steps = [step for _, step in sent]
    assert steps == sorted(set(steps), key=list(Step).index)
    assert len({day for day, _ in sent}) == len(sent)
    for day, step in sent:
        assert (step is Step.OVERDUE) == (day > due)
        if step is Step.ONE:
            assert CALENDAR.working_days_between(day, due) <= 1
        if step is Step.THREE:
            assert CALENDAR.working_days_between(day, due) <= 3


@given(st.dates(date(2021, 1, 1), date(2026, 6, 1)), st.integers(5, 60))
def test_a_term_put_off_starts_its_own_row(served: date, length: int) -> None:
    due = CALENDAR.next_working_day(served + length * DAY)
    later = CALENDAR.next_working_day(due + 20 * DAY)
    assert Step.OVERDUE in [s for _, s in year_of(served, due, [due + DAY])]
    assert Step.OVERDUE not in [s for _, s in year_of(served, later, [due + DAY])]
