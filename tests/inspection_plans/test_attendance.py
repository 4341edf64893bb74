"""The roll-call bound against counting every possible call; the counts of one lesson."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import comb
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.attendance import (
    CONFIDENCE,
    CountsDisagree,
    Lesson,
    at_least_absent,
    reconcile,
)
from inspection_plans.vocabulary import NATIONAL
from tests.inspection_plans.asking import RULES, ask, refused


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


def tail(roster: int, called: int, absent: int, total: int) -> Fraction:
    """Chance of meeting so many absentees or more when ``total`` of the roster are absent."""
    ways = (comb(total, n) * comb(roster - total, called - n) for n in range(absent, called + 1))
    return Fraction(sum(ways), comb(roster, called))


@given(calls(), st.sampled_from([Fraction(9, 10), Fraction(19, 20), Fraction(99, 100)]))
def test_the_bound_is_the_first_total_that_is_not_too_rare(
    call: tuple[int, int, int], confidence: Fraction
) -> None:
    roster, called, absent = call
    bound = at_least_absent(roster, called, absent, confidence=confidence)
    assert tail(roster, called, absent, bound) > 1 - confidence
    if bound > absent:
        assert tail(roster, called, absent, bound - 1) <= 1 - confidence


def test_more_confidence_proves_less() -> None:
    found = [at_least_absent(40, 12, 3, confidence=Fraction(n, 1000)) for n in (900, 950, 999)]
    assert found == sorted(found, reverse=True)
    assert found[1] == 4


CALLED = {"roster": 40, "called": 12, "absent": 3}


def codes(**counts: int) -> dict[str, dict[str, int]]:
    return {one.code: one.numbers for one in reconcile(Lesson(**{**CALLED, **counts}))}


@pytest.mark.parametrize(
    ("counts", "code", "least"),
    [
        ({"heads": 38}, "more_heads_than_roster", 1),
        ({"heads": 8}, "answered_but_not_there", 1),
        ({"heads": 30, "strangers": 2}, "strangers_in_class", None),
        ({"signed": 38}, "more_signed_than_possible", 1),
        ({"signed": 39, "signed_absent": 2}, "signed_though_absent", 2),
        ({"heads": 30, "signed": 31}, "more_signed_than_heads", 1),
        ({"heads": 30, "signed": 29}, "there_but_not_signed", 1),
        ({"minutes": 45, "claimed_minutes": 37 * 45 + 1}, "hours_exceed_present", 1),
        ({"heads": 30, "minutes": 45, "claimed_minutes": 30 * 45 + 1}, "hours_exceed_present", 1),
    ],
)
def test_each_contradiction_is_named_with_its_numbers(
    counts: dict[str, int], code: str, least: int | None
) -> None:
    found = codes(**counts)
    assert set(found) == {code}
    if least is not None:
        assert found[code]["least"] == least


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"minutes": 45},
        {"claimed_minutes": 9999},
        {"heads": 37},
        {"heads": 9},
        {"signed": 37},
        {"heads": 30, "signed": 30},
        {"minutes": 45, "claimed_minutes": 36 * 45},
        {"heads": 30, "minutes": 45, "claimed_minutes": 30 * 45},
    ],
)
def test_one_less_contradicts_nothing(counts: dict[str, int]) -> None:
    assert codes(**counts) == {}


def test_hours_beyond_the_bound_are_told_as_not_certain() -> None:
    lesson = Lesson(**CALLED, minutes=45, claimed_minutes=36 * 45 + 1)
    (one,) = reconcile(lesson)
    assert (one.code, one.certain, one.numbers["persons"]) == ("hours_exceed_present", False, 36)
    (sure,) = reconcile(Lesson(**CALLED, minutes=45, claimed_minutes=37 * 45 + 1))
    assert (sure.certain, sure.numbers["persons"]) == (True, 37)
    assert reconcile(lesson, confidence=Fraction(999, 1000)) == ()


@st.composite
def honest(draw: st.DrawFn) -> Lesson:
    """What an honest lesson leaves: who is there signs, and only they have hours."""
    roster = draw(st.integers(0, 60))
    away = draw(st.sets(st.integers(0, roster - 1))) if roster else set()
    called = draw(st.sets(st.integers(0, roster - 1))) if roster else set()
    there = roster - len(away)
    return Lesson(
        roster=roster,
        called=len(called),
        absent=len(called & away),
        heads=draw(st.sampled_from([None, there])),
        signed=draw(st.sampled_from([None, there])),
        minutes=45,
        claimed_minutes=draw(st.integers(0, there * 45)),
    )


@given(honest())
def test_an_honest_lesson_contradicts_nothing_for_certain(lesson: Lesson) -> None:
    assert [one for one in reconcile(lesson) if one.certain] == []


@given(honest(), st.integers(1, 30))
def test_what_is_added_to_a_full_count_is_told(lesson: Lesson, more: int) -> None:
    there = lesson.heads
    if there is not None:
        log = replace(lesson, signed=there + more)
        assert "more_signed_than_heads" in {one.code for one in reconcile(log)}
        hours = replace(lesson, claimed_minutes=there * 45 + more)
        told = {one.code: one.numbers for one in reconcile(hours)}
        assert told["hours_exceed_present"]["least"] == more


@pytest.mark.parametrize(
    ("counts", "field"),
    [
        ({"strangers": 1}, "strangers"),
        ({"heads": 3, "strangers": 4}, "strangers"),
        ({"signed_absent": 1}, "signed_absent"),
        ({"signed": 40, "signed_absent": 4}, "signed_absent"),
        ({"absent": 13}, "absent"),
        ({"called": 41}, "absent"),
    ],
)
def test_counts_of_a_lesson_that_disagree_are_refused(counts: dict[str, int], field: str) -> None:
    with pytest.raises(CountsDisagree):
        reconcile(Lesson(**{**CALLED, **counts}))
    assert refused("attendance", **{**CALLED, **counts}) == ("question.wrong_field", field)


def test_the_question_says_what_a_call_proves_in_both_languages() -> None:
    found = ask("attendance", **CALLED, heads=38)
    assert (found["at_least_absent"], found["certainly_absent"], found["full"]) == (4, 3, False)
    assert "4" in found["explanation"]["zh"]
    assert "at least 4" in found["explanation"]["en"]
    (one,) = found["discrepancies"]
    assert one["explanation"]["zh"]
    assert "at least 1" in one["explanation"]["en"]
    assert found["basis"][0]["setting"] == "roll_call_confidence"
    assert set(found["clauses"]) == {
        "national-2021-71/4.6.2/attendance-system",
        "national-2021-71/6.2/evaluation-mechanism",
        "national-2021-71/6.3/fraud",
    }
    full = ask("attendance", roster=40, called=40, absent=7)
    assert (full["at_least_absent"], full["full"], full["basis"]) == (7, True, [])
    assert set(full["clauses"]) == set(found["clauses"]) - {"national-2021-71/6.3/fraud"}
    weihai = ask("attendance", **CALLED, jurisdiction="CN-3710")
    assert "weihai-2023-25/6.2/attendance" in weihai["clauses"]


def test_the_confidence_is_the_setting() -> None:
    assert Fraction(str(RULES.setting("roll_call_confidence", "CN-37").value)) == CONFIDENCE
    settings = dict(RULES.settings)
    key = ("roll_call_confidence", NATIONAL)
    settings[key] = replace(settings[key], value="0.999")
    rules = replace(RULES, settings=MappingProxyType(settings))
    assert ask("attendance", rules, **CALLED)["at_least_absent"] == 3


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"roster": -1}, "question.wrong_field", "roster"),
        ({"roster": 2001}, "question.wrong_field", "roster"),
        ({"heads": "30"}, "question.wrong_field", "heads"),
        ({"minutes": 0}, "question.wrong_field", "minutes"),
        ({"late": 1}, "question.unknown_field", "late"),
    ],
)
def test_a_wrong_question_is_not_guessed(change: dict[str, Any], code: str, field: str) -> None:
    assert refused("attendance", **{**CALLED, **change}) == (code, field)
