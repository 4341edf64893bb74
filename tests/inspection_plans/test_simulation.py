"""Simulated years: the engine's own draws, counted so that every share shows both numbers."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.records import plain
from inspection_plans.simulation import Candidate, Order, Scenario, Stage, merged, simulate

CITIES = ("370100", "370200")


def a_stage(month: int, candidates: tuple[Candidate, ...], **changes: Any) -> Stage:
    ratios = changes.pop("ratios", {"n": "1/2", "b": "1/2"})
    plan = {
        "mode": "ratio",
        "base": "frame",
        "reserve": 1,
        "strata": [{"id": name, "ratio": ratio} for name, ratio in ratios.items()],
        "days": [f"2026-{month:02}-{day:02}" for day in (3, 4, 5)],
        "team": {"size": 2, "skills": []},
    }
    given = {"cool_down_days": 0, "window_from": date(2026, month, 3)}
    return Stage(code=f"m{month}", plan=plan, candidates=candidates, **(given | changes))


def candidates(count: int, **changes: Any) -> tuple[Candidate, ...]:
    given = {"risk": "B", "never": "n", "before": "b", "cap": 9}
    return tuple(
        Candidate(
            id=f"{who:03}/training",
            who=f"{who:03}",
            city=CITIES[who % 2],
            area=CITIES[who % 2],
            **(given | changes),
        )
        for who in range(count)
    )


def inspectors(count: int, cap: int = 99) -> tuple[dict[str, Any], ...]:
    one = {"lead": True, "skills": [], "areas": list(CITIES), "cap": cap}
    return tuple({"id": f"p{number}", **one} for number in range(count))


def an_order(*stages: Stage, years: int = 6, staff: int = 4, cap: int = 99) -> Order:
    scenario = Scenario(stages=stages, inspectors=inspectors(staff, cap))
    return Order(scenario=scenario, seed="07" * 32, years=years)


@given(st.integers(2, 9), st.integers(1, 7), st.sampled_from(["0", "1/3", "0.5", "1"]))
def test_counts_agree_with_each_other(count: int, years: int, ratio: str) -> None:
    stage = a_stage(3, candidates(count), ratios={"n": ratio, "b": ratio})
    report = simulate(an_order(stage, a_stage(9, candidates(count)), years=years))
    assert (report.years, report.terms, report.draws) == (years, years // 3, 2 * years)
    visits = sum(share.visits for share in report.cities.values())
    assert visits == sum(share.visits for share in report.classes.values())
    assert sum(share.institutions for share in report.cities.values()) == count
    sent = sum(times * number for times, number in report.loads.items())
    assert sent == sum(report.inspector_visits.values()) == 2 * visits
    assert sum(report.loads.values()) == 4 * years
    assert sum(report.missing.values()) == report.draws
    assert all(0 <= times <= report.terms for times in report.unseen.values())
    unseen = sum(share.unseen_terms for share in report.cities.values())
    assert unseen == sum(report.unseen.values())
    for share in (*report.cities.values(), *report.classes.values()):
        assert share.seen <= min(share.visits, share.institutions * years)


def test_the_same_order_gives_the_same_report_and_parts_add_up() -> None:
    order = an_order(a_stage(3, candidates(7)))
    first, again = simulate(order), simulate(order)
    assert first == again
    both = merged([first, again])
    assert both.years == 2 * first.years
    assert both.unseen == {who: 2 * times for who, times in first.unseen.items()}
    assert both.cities[CITIES[0]].institutions == first.cities[CITIES[0]].institutions
    other = simulate(Order(scenario=order.scenario, seed="08" * 32, years=order.years))
    assert other != first


def test_a_tenth_a_year_leaves_about_seven_of_ten_unseen_after_three() -> None:
    stage = a_stage(3, candidates(40, before="n"), ratios={"n": "1/10"})
    report = simulate(an_order(stage, years=600))
    share = sum(report.unseen.values()) * 1000 // (report.terms * 40)
    # Four of forty a year, by lot: (9/10) ** 3 = 0.729, one thousandth is 2.4 deviations of 8000.
    assert 714 <= share <= 744


def test_a_stratum_of_the_never_visited_reaches_everybody_in_the_last_year() -> None:
    stage = a_stage(3, candidates(12), ratios={"n": "1/2", "b": "0"})
    assert sum(simulate(an_order(stage)).unseen.values()) > 0
    everybody = a_stage(9, candidates(12), ratios={"n": "1", "b": "0"})
    report = simulate(an_order(stage, everybody, years=3))
    assert set(report.unseen.values()) == {0}


def test_caps_and_rest_are_counted_as_conflicts() -> None:
    many = candidates(10, cap=1)
    all_of = {"n": "1", "b": "1"}
    report = simulate(
        an_order(a_stage(3, many, ratios=all_of), a_stage(9, many, ratios=all_of), years=1)
    )
    assert report.exclusions == {"CAP_REACHED": 10}
    assert report.shortfall == 10
    tired = simulate(
        an_order(
            a_stage(3, candidates(10), ratios=all_of),
            a_stage(4, candidates(10), ratios=all_of, cool_down_days=60),
            years=1,
        )
    )
    assert tired.exclusions == {"COOLDOWN": 10}


def test_missing_inspectors_are_counted_where_they_are_missing() -> None:
    stage = a_stage(3, candidates(10), ratios={"n": "1", "b": "1"})
    enough = simulate(an_order(stage, years=2, staff=2, cap=10))
    assert (enough.infeasible, enough.missing) == (0, {0: 2})
    short = simulate(an_order(stage, years=2, staff=2, cap=8))
    assert (short.infeasible, short.missing) == (2, {4: 2})
    assert sum(short.missing_where.values()) == sum(short.missing_role.values()) == 8
    assert set(short.missing_where) <= set(CITIES)


def test_blocked_inspectors_are_not_sent_to_whom_they_know() -> None:
    stage = a_stage(3, candidates(1), ratios={"n": "1", "b": "1"})
    scenario = Scenario(
        stages=(stage,), inspectors=inspectors(3), blocked=(("p0", "000"), ("p9", "900"))
    )
    report = simulate(Order(scenario=scenario, seed="07" * 32, years=5))
    assert report.inspector_visits == {"p0": 0, "p1": 5, "p2": 5}


def test_it_runs_as_a_program_of_its_own() -> None:
    order = an_order(a_stage(3, candidates(3)))
    done = subprocess.run(
        [sys.executable, "-m", "inspection_plans.simulation"],
        input=json.dumps(plain(order)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads(json.dumps(asdict(simulate(order))))
    assert Counter(json.loads(done.stdout).keys())["draws"] == 1
