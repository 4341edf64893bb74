"""Grants beside each other: twice within the window, lower after higher."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.windows import Grant, Order, lowered, repeated

RANKS = {"junior": 0, "middle": 1, "senior": 2}
DAY = date(2024, 3, 15)


def a_grant(key: str, on: date = DAY, level: str = "middle", person: str = "p1") -> Grant:
    return Grant(id=key, person=person, occupation="大数据", level=level, on=on)


def a_month(start: date) -> date:
    return start + timedelta(days=30)


def test_the_last_day_of_the_window_is_inside() -> None:
    for days, found in ((29, 1), (30, 1), (31, 0)):
        later = a_grant("g2", DAY + timedelta(days=days))
        assert len(list(repeated([a_grant("g1"), later], a_month))) == found


def test_an_earlier_window_names_its_grants_and_its_last_day() -> None:
    grants = [
        a_grant("g1"),
        a_grant("g2", DAY + timedelta(days=10)),
        a_grant("g3", DAY + timedelta(days=35)),
    ]
    second, third = repeated(grants, a_month)
    assert (second.grant.id, [one.id for one in second.earlier]) == ("g2", ["g1"])
    assert second.until == DAY + timedelta(days=30)
    assert (third.grant.id, [one.id for one in third.earlier]) == ("g3", ["g2"])


def test_times_lets_as_many_through() -> None:
    grants = [a_grant(f"g{n}") for n in range(4)]
    for times in (1, 2, 3):
        found = [one.grant.id for one in repeated(grants, a_month, times=times)]
        assert found == [f"g{n}" for n in range(times, 4)]


def test_without_a_window_nothing_is_repeated() -> None:
    assert list(repeated([a_grant("g1"), a_grant("g2")], lambda _: None)) == []


@pytest.mark.parametrize("other", [{"person": "p2"}, {"level": "senior"}])
def test_only_the_same_person_and_level_repeats(other: dict[str, str]) -> None:
    assert list(repeated([a_grant("g1"), a_grant("g2", **other)], a_month)) == []


days = st.integers(0, 90).map(lambda n: DAY + timedelta(days=n))
grants = st.lists(
    st.tuples(days, st.sampled_from(sorted(RANKS)), st.sampled_from("pq")), max_size=8
)


def of(drawn: Sequence[tuple[date, str, str]]) -> list[Grant]:
    return [a_grant(f"g{n}", on, level, who) for n, (on, level, who) in enumerate(drawn)]


@given(grants, st.randoms(use_true_random=False))
def test_repeated_is_that_of_comparing_every_pair(
    drawn: list[tuple[date, str, str]], shuffler: object
) -> None:
    listed = of(drawn)
    shuffled = listed[:]
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    found = {one.grant.id for one in repeated(shuffled, a_month)}
    assert found == {
        later.id
        for later in listed
        for earlier in listed
        if (earlier.on, earlier.id) < (later.on, later.id)
        and (earlier.person, earlier.level) == (later.person, later.level)
        and later.on <= a_month(earlier.on)
    }


@given(grants)
def test_lowered_is_that_of_comparing_every_pair(drawn: list[tuple[date, str, str]]) -> None:
    listed = of(drawn)
    found = {(one.grant.id, one.order) for one in lowered(listed, RANKS)}
    after, same_day = set(), set()
    for lower in listed:
        for higher in listed:
            if lower.person == higher.person and RANKS[lower.level] < RANKS[higher.level]:
                if higher.on < lower.on:
                    after.add(lower.id)
                elif higher.on == lower.on:
                    same_day.add(lower.id)
    assert {key for key, _ in found} == after | same_day
    assert {key for key, order in found if order is Order.AFTER} <= after
    assert {key for key, order in found if order is Order.SAME_DAY} <= same_day
    assert list(lowered(listed[::-1], RANKS)) == list(lowered(listed, RANKS))
