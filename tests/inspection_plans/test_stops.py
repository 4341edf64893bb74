"""Stopped clocks: each names whose clock it is, and only that clock stands still."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import stops
from inspection_plans.loader import load_calendar
from inspection_plans.stops import Ground, Interval, StopOpen, StopOutOfOrder, Whose
from inspection_plans.workdays import Unit

CALENDAR = load_calendar()
DAY = timedelta(days=1)
SERVED = date(2026, 3, 2)
days = st.integers(0, 60).map(lambda n: SERVED + n * DAY)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    first = draw(days)
    last = draw(st.none() | st.integers(0, 20).map(lambda n: first + n * DAY))
    return Interval(draw(st.sampled_from(Whose)), draw(st.sampled_from(Ground)), first, last)


@given(st.lists(intervals(), max_size=6), st.lists(intervals(), max_size=6), days)
def test_the_offices_own_stops_never_move_the_partys_term(
    one: list[Interval], other: list[Interval], today: date
) -> None:
    party = [each for each in one if each.whose is Whose.PARTY]
    office = [each for each in other if each.whose is Whose.OFFICE]
    alone = stops.of(party, Whose.PARTY, until=today)
    assert stops.of([*office, *party], Whose.PARTY, until=today) == alone
    due = CALENDAR.due(SERVED, 10, Unit.WORKING_DAY, stops=alone)
    mixed = stops.of([*party, *office], Whose.PARTY, until=today)
    assert CALENDAR.due(SERVED, 10, Unit.WORKING_DAY, stops=mixed) == due


@given(intervals(), days)
def test_a_stop_never_brings_a_day_forward_and_an_open_one_lasts(
    one: Interval, today: date
) -> None:
    found = stops.of([one], one.whose, until=today)
    plain = CALENDAR.due(SERVED, 30, Unit.DAY).on
    assert CALENDAR.due(SERVED, 30, Unit.DAY, stops=found).on >= plain
    standing = stops.standing([one], one.whose, today=today)
    lasts = one.first <= today and (one.last is None or today <= one.last)
    assert (standing == one) == lasts
    assert stops.suspends([one], today=today) == (lasts and one.ground is Ground.STAY)


def test_what_is_recorded_lies_between_service_and_today_and_once() -> None:
    new = Interval(Whose.PARTY, Ground.HEARING, SERVED + DAY)
    stops.begin(new, [], since=SERVED, today=SERVED + DAY)
    for first, last in ((SERVED - DAY, None), (SERVED + 2 * DAY, None), (SERVED + DAY, SERVED)):
        wrong = Interval(Whose.PARTY, Ground.HEARING, first, last)
        with pytest.raises(StopOutOfOrder):
            stops.begin(wrong, [], since=SERVED, today=SERVED + DAY)
    with pytest.raises(StopOpen):
        stops.begin(new, [new], since=SERVED, today=SERVED + DAY)
    other = Interval(Whose.OFFICE, Ground.HEARING, SERVED + DAY)
    stops.begin(other, [new], since=SERVED, today=SERVED + DAY)
