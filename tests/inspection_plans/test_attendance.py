"""The roll-call bound against counting every possible call."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.attendance import CountsDisagree, at_least_absent


def by_enumeration(roster: int, called: int, absent: int) -> int:
    """Smallest number of absentees whose chance of showing so many is above one in twenty."""
    for total in range(absent, roster - (called - absent) + 1):
        missing = set(range(total))
        calls = list(combinations(range(roster), called))
        hits = sum(len(missing.intersection(call)) >= absent for call in calls)
        if Fraction(hits, len(calls)) > Fraction(1, 20):
            return total
    raise AssertionError


@pytest.mark.parametrize("roster", range(9))
def test_the_bound_is_that_of_counting_every_call(roster: int) -> None:
    for called in range(roster + 1):
        for absent in range(called + 1):
            assert at_least_absent(roster, called, absent) == by_enumeration(
                roster, called, absent
            ), (roster, called, absent)


@pytest.mark.parametrize(
    ("roster", "called", "absent", "bound"),
    [
        (40, 12, 3, 4),
        (40, 40, 7, 7),
        (40, 12, 0, 0),
        (40, 12, 1, 1),
        (40, 12, 12, 33),
        (40, 0, 0, 0),
        (0, 0, 0, 0),
        (1600, 200, 50, 326),
    ],
)
def test_examples(roster: int, called: int, absent: int, bound: int) -> None:
    assert at_least_absent(roster, called, absent) == bound


@st.composite
def calls(draw: st.DrawFn) -> tuple[int, int, int]:
    roster = draw(st.integers(0, 120))
    called = draw(st.integers(0, roster))
    return roster, called, draw(st.integers(0, called))


@given(calls())
def test_the_bound_lies_between_what_was_seen_and_what_is_possible(
    call: tuple[int, int, int],
) -> None:
    roster, called, absent = call
    bound = at_least_absent(roster, called, absent)
    assert absent <= bound <= roster - (called - absent)
    if absent < called:
        assert bound <= at_least_absent(roster, called, absent + 1)
    if called == roster:
        assert bound == absent


@pytest.mark.parametrize("counts", [(10, 11, 0), (10, 5, 6), (10, 5, -1), (-1, -1, -1)])
def test_counts_that_disagree_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(CountsDisagree):
        at_least_absent(*counts)
