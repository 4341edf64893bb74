"""The risk class: capped, fading, monotone, without order, of verified facts alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.ask import table
from inspection_plans.loader import load_rulebook, load_settings
from inspection_plans.risk import (
    Breach,
    Fact,
    Factor,
    Facts,
    Grade,
    Overdue,
    RiskClass,
    Start,
    grade,
)
from inspection_plans.vocabulary import Jurisdiction, Severity

TODAY = date(2026, 6, 30)
SHANDONG = Jurisdiction("CN-37")
days = st.dates(date(2022, 1, 1), TODAY + timedelta(days=30))
facts_on = st.builds(Fact, on=days, verified=st.booleans(), in_appeal=st.booleans())
breaches = st.builds(
    Breach,
    on=days,
    verified=st.booleans(),
    in_appeal=st.booleans(),
    severity=st.sampled_from(list(Severity)),
)
late = st.builds(Overdue, due_on=days, done_on=st.none() | days, in_appeal=st.booleans())


@st.composite
def dossiers(draw: st.DrawFn) -> Facts:
    """Facts of one institution."""
    return Facts(
        start=draw(
            st.none() | st.builds(Start, risk_class=st.sampled_from(list(RiskClass)), on=days)
        ),
        breaches=tuple(draw(st.lists(breaches, max_size=6))),
        overdue=tuple(draw(st.lists(late, max_size=4))),
        obstructions=tuple(draw(st.lists(facts_on, max_size=4))),
        clean=tuple(draw(st.lists(days, max_size=4))),
    )


def graded(facts: Facts, on: date = TODAY) -> Grade:
    """Grade by our own settings."""
    return grade(facts, load_settings(), SHANDONG, on)


def factor(found: Grade, name: str) -> Factor:
    """Return one factor by its name."""
    return next(one for one in found.factors if one.name == name)


def a_breach(severity: Severity = Severity.CRITICAL, on: date = TODAY) -> Breach:
    """A verified breach that nobody contests."""
    return Breach(on=on, verified=True, severity=severity)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 0, 0), ("A", 0)),
        ((0, 0, 3), ("A", 15)),
        ((0, 1, 0), ("A", 15)),
        ((0, 0, 4), ("B", 20)),
        ((1, 0, 0), ("B", 40)),
        ((1, 0, 1), ("B", 45)),
        ((1, 0, 2), ("C", 50)),
        ((1, 2, 1), ("C", 75)),
        ((1, 2, 2), ("D", 80)),
        ((0, 0, 9), ("B", 20)),
        ((0, 9, 0), ("C", 60)),
        ((9, 9, 9), ("D", 200)),
    ],
)
def test_points_thresholds_and_caps(
    numbers: tuple[int, int, int], expected: tuple[str, int]
) -> None:
    kinds = (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR)
    some = tuple(
        a_breach(kind) for kind, number in zip(kinds, numbers, strict=True) for _ in range(number)
    )
    found = graded(Facts(breaches=some))
    assert (found.risk_class, found.points) == expected


@pytest.mark.parametrize("risk_class", list(RiskClass))
def test_an_institution_without_facts_keeps_the_class_it_was_imported_with(
    risk_class: RiskClass,
) -> None:
    found = graded(Facts(start=Start(risk_class=risk_class, on=TODAY)))
    assert found.risk_class is risk_class
    faded = graded(Facts(start=Start(risk_class=risk_class, on=TODAY - timedelta(days=1095))))
    assert faded.risk_class is RiskClass.A


def test_a_fact_counts_in_full_on_its_day_and_not_at_all_at_its_end() -> None:
    facts = Facts(breaches=(a_breach(on=date(2026, 1, 1)),))
    ends = date(2026, 1, 1) + timedelta(days=1095)
    seen = [graded(facts, day).points for day in (date(2025, 12, 31), date(2026, 1, 1), ends)]
    assert seen == [0, 40, 0]
    assert graded(facts, ends - timedelta(days=548)).points == 40 * 548 // 1095


def test_suspicions_and_contested_facts_are_shown_and_do_not_count() -> None:
    suspected = replace(a_breach(), verified=False)
    contested = replace(a_breach(), in_appeal=True)
    refused = Fact(on=TODAY, verified=True, in_appeal=True)
    due = Overdue(due_on=date(2026, 1, 1), in_appeal=True)
    found = graded(Facts(breaches=(suspected, contested), obstructions=(refused,), overdue=(due,)))
    assert (found.points, found.risk_class) == (0, RiskClass.A)
    critical = factor(found, "critical")
    assert (critical.given, critical.counted) == (2, 0)


def test_an_overdue_rectification_counts_in_full_until_it_is_done() -> None:
    due = date(2025, 1, 1)
    assert graded(Facts(overdue=(Overdue(due_on=due),))).points == 15
    done = Overdue(due_on=due, done_on=date(2025, 6, 30))
    assert graded(Facts(overdue=(done,))).points == 15 * (1095 - 365) // 1095
    in_time = Overdue(due_on=due, done_on=due)
    assert graded(Facts(overdue=(in_time, Overdue(due_on=TODAY)))).points == 0


def test_clean_visits_take_off_up_to_a_cap_and_never_below_nothing() -> None:
    both = Facts(breaches=(a_breach(),), clean=(TODAY,))
    assert graded(both).points == 34
    assert graded(replace(both, clean=(TODAY,) * 9)).points == 22
    assert graded(Facts(clean=(TODAY,) * 9)).points == 0


def test_the_class_cannot_fall_while_a_case_is_open() -> None:
    found = graded(Facts(not_below=RiskClass.C))
    assert (found.risk_class, found.held) == (RiskClass.C, True)
    worse = graded(Facts(not_below=RiskClass.B, breaches=(a_breach(), a_breach())))
    assert (worse.risk_class, worse.held) == (RiskClass.D, False)


@given(dossiers(), breaches)
def test_one_more_breach_never_improves_the_grade(facts: Facts, more: Breach) -> None:
    before, after = graded(facts), graded(replace(facts, breaches=(*facts.breaches, more)))
    assert after.points >= before.points
    assert after.risk_class >= before.risk_class


@given(dossiers(), st.data())
def test_the_order_of_facts_changes_nothing(facts: Facts, data: st.DataObject) -> None:
    shuffled = replace(
        facts,
        breaches=tuple(data.draw(st.permutations(facts.breaches))),
        overdue=tuple(data.draw(st.permutations(facts.overdue))),
        obstructions=tuple(data.draw(st.permutations(facts.obstructions))),
        clean=tuple(data.draw(st.permutations(facts.clean))),
    )
    assert graded(shuffled) == graded(facts)


@given(dossiers(), st.integers(1, 2000))
def test_past_burdens_only_fade(facts: Facts, later: int) -> None:
    past = replace(
        facts,
        breaches=tuple(one for one in facts.breaches if one.on <= TODAY),
        obstructions=tuple(one for one in facts.obstructions if one.on <= TODAY),
        start=None,
        overdue=(),
        clean=(),
    )
    assert graded(past, TODAY + timedelta(days=later)).points <= graded(past).points


@given(dossiers())
def test_every_factor_is_shown_within_its_cap_and_they_sum_up(facts: Facts) -> None:
    found = graded(facts)
    assert all(abs(one.points) <= one.cap and one.counted <= one.given for one in found.factors)
    assert found.points == max(0, sum(one.points for one in found.factors))
    assert all(one.zh and one.en for one in found.factors)


def test_the_question_interface_explains_the_grade() -> None:
    asked = {
        "ask": "risk",
        "jurisdiction": "CN-37",
        "on": "2026-06-30",
        "facts": {"breaches": [{"severity": "critical", "on": "2026-06-30", "verified": True}]},
    }
    told = table.told(asked, load_rulebook())
    assert (told["risk_class"], told["points"], told["held"]) == ("B", 40, False)
    assert told["factors"][0] == {
        "name": "critical",
        "zh": "每项查实的红线问题",
        "en": "each verified critical breach",
        "given": 1,
        "counted": 1,
        "each": 40,
        "faded": 40,
        "cap": 120,
        "points": 40,
    }
    assert told["clauses"]
    assert {row["kind"] for row in told["basis"]} == {"house_default"}
    asked["facts"] = {"breaches": [{"severity": "grave", "on": "2026-06-30", "verified": True}]}
    assert table.told(asked, load_rulebook())["error"]["field"] == "facts.breaches.0.severity"
