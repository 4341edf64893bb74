"""Sending inspectors: equal to the naive reading, and optimal by a public graph library."""

import random
from itertools import product
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.send import assign
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import Row, a_seed, random_crew


def sent(number: int, alg: str = "sha256") -> tuple[Row, Row]:
    case = random_crew(number)
    return case, assign(alg, a_seed(number), case["visits"], case["inspectors"], case["blocked"])


def network(case: Row) -> nx.DiGraph:
    """Source -> one arc a turn, cost 2 load + 1 -> (inspector, visit) -> place -> sink."""
    graph = nx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    blocked = {tuple(pair) for pair in case["blocked"]}

    def join(tail: Any, tip: Any, cost: int = 0) -> None:
        graph.add_edge(tail, tip, capacity=1, weight=cost)

    for one in case["inspectors"]:
        for turn in range(one.get("load", 0), one["cap"]):
            join("source", ("turn", one["id"], turn), 2 * turn + 1)
            join(("turn", one["id"], turn), ("person", one["id"]))
    for one, visit in product(case["inspectors"], case["visits"]):
        pair = ("pair", one["id"], visit["id"])
        join(("person", one["id"]), pair)
        for j, role in enumerate(naive.roles(visit)):
            join(("place", visit["id"], j), "sink")
            if naive.fits(one, visit, role, blocked):
                join(pair, ("place", visit["id"], j))
    return graph


def best_flow(case: Row) -> tuple[int, int]:
    """Most places that can be filled, and the least sum of squared loads at that number."""
    graph = network(case)
    flow = nx.max_flow_min_cost(graph, "source", "sink")
    filled = sum(flow["source"].values())
    assert filled == nx.maximum_flow_value(graph, "source", "sink")
    before = sum(one.get("load", 0) ** 2 for one in case["inspectors"])
    return filled, before + nx.cost_of_flow(graph, flow)


@pytest.mark.parametrize("block", range(10))
def test_equals_the_naive_reading(block: int) -> None:
    for number in range(block * 80, block * 80 + 80):
        case, got = sent(number)
        assert got == naive.assign(a_seed(number), case), number


def test_the_random_crews_reach_every_corner() -> None:
    got = [sent(number)[1] for number in range(800)]
    assert sum(1 for one in got if one["status"] == "infeasible") > 160
    assert sum(1 for one in got if one["status"] == "complete") > 160
    assert sum(1 for one in got if one["moves"]) > 40


@pytest.mark.parametrize("block", range(5))
def test_as_many_places_as_a_flow_and_loads_as_even(block: int) -> None:
    for number in range(block * 60, block * 60 + 60):
        case, got = sent(number)
        places = sum(len(naive.roles(visit)) for visit in case["visits"])
        filled, squares = best_flow(case)
        assert len(got["open"]) == places - filled, number
        assert (got["status"] == "complete") == (places == filled)
        assert sum(load**2 for load in got["loads"].values()) == squares, number
        proof = got["certificate"] or {"need": 0, "supply": 0}
        assert proof["need"] - proof["supply"] == len(got["open"])


def test_loads_are_as_even_as_trying_everything_finds() -> None:
    for number in range(60):
        rng = random.Random(number)
        staff: list[Row] = [
            {
                "id": f"p{i}",
                "lead": rng.random() < 0.7,
                "skills": [],
                "areas": [],
                "cap": 3,
                "load": rng.randint(0, 2),
            }
            for i in range(4)
        ]
        visits: list[Row] = [{"id": f"v{i}"} for i in range(2)]
        pairs = [[p["id"], v["id"]] for p in staff for v in visits]
        case = {
            "visits": visits,
            "inspectors": staff,
            "blocked": [pair for pair in pairs if rng.random() < 0.2],
        }
        got = assign("sha256", a_seed(number), visits, staff, case["blocked"])
        least = brute(case)
        if least is None:
            assert got["status"] == "infeasible"
        else:
            assert sum(load**2 for load in got["loads"].values()) == least


def brute(case: Row) -> int | None:
    """Least sum of squares over every complete sending, None when there is none."""
    blocked = {tuple(pair) for pair in case["blocked"]}
    places = [(v, role) for v in case["visits"] for role in naive.roles(v)]
    best = None
    for chosen in product(case["inspectors"], repeat=len(places)):
        rows = list(zip(places, chosen, strict=True))
        if any(not naive.fits(p, v, role, blocked) for (v, role), p in rows):
            continue
        if len({(v["id"], p["id"]) for (v, _), p in rows}) < len(rows):
            continue
        loads = {p["id"]: p["load"] for p in case["inspectors"]}
        for p in chosen:
            loads[p["id"]] += 1
        if any(loads[p["id"]] > p["cap"] for p in chosen):
            continue
        squares = sum(load**2 for load in loads.values())
        best = squares if best is None else min(best, squares)
    return best


@given(st.integers(0, 10**6))
def test_no_team_breaks_a_rule(number: int) -> None:
    case, got = sent(number, "sm3")
    staff = {p["id"]: p for p in case["inspectors"]}
    visits = {v["id"]: v for v in case["visits"]}
    blocked = {tuple(pair) for pair in case["blocked"]}
    loads = {ident: p.get("load", 0) for ident, p in staff.items()}
    unfilled = []
    for team in got["teams"]:
        visit = visits[team["visit"]]
        people = [p for p in team["team"] if p is not None]
        assert len(set(people)) == len(people)
        assert len(team["team"]) == len(naive.roles(visit)) >= 2
        for j, (ident, role) in enumerate(zip(team["team"], naive.roles(visit), strict=True)):
            if ident is None:
                unfilled.append([visit["id"], j])
                continue
            assert naive.fits(staff[ident], visit, role, blocked)
            loads[ident] += 1
    assert got["loads"] == loads
    assert got["open"] == sorted(unfilled)
    for ident, p in staff.items():
        assert loads[ident] <= max(p["cap"], p.get("load", 0))
    proof = got["certificate"]
    assert (proof is None) == (not unfilled)
    if proof:
        assert proof["need"] - proof["supply"] == len(unfilled)


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter(number: int, rng: random.Random) -> None:
    case, got = sent(number)
    mixed = {name: rng.sample(rows, len(rows)) for name, rows in case.items()}
    # Pairs twice and names of people change nothing either.
    mixed["blocked"] = mixed["blocked"] + case["blocked"]
    named = [{**p, "name": "甲"} for p in mixed["inspectors"]]
    assert assign("sha256", a_seed(number), mixed["visits"], named, mixed["blocked"]) == got


@given(st.integers(0, 10**6))
def test_blocks_may_come_as_pairs_or_by_visit(number: int) -> None:
    case, got = sent(number)
    lists: dict[str, list[str]] = {}
    for inspector, visit in case["blocked"]:
        lists.setdefault(visit, []).append(inspector)
    seed = a_seed(number)
    assert assign("sha256", seed, case["visits"], case["inspectors"], lists) == got
    stream = iter(case["blocked"])
    assert assign("sha256", seed, case["visits"], case["inspectors"], stream) == got


def test_many_open_places_stay_quick() -> None:
    """Closed regions are not searched again: 300 leads are missing, one search finds it."""
    visits = [{"id": f"v{i:04d}"} for i in range(800)]
    staff = [
        {"id": f"p{i:03d}", "lead": i < 50, "skills": [], "areas": [], "cap": 40 if i > 50 else 10}
        for i in range(90)
    ]
    got = assign("sha256", a_seed(1), visits, staff, [])
    assert len(got["open"]) == 300
    assert got["certificate"]["need"] - got["certificate"]["supply"] == 300


PERSON = {"id": "p", "lead": True, "skills": [], "areas": [], "cap": 1}


@pytest.mark.parametrize(
    ("visits", "staff", "blocked", "code"),
    [
        ([{"id": "v"}, {"id": "v", "size": 1}], [], [], "E_DUP_VISIT"),
        ([{"id": "v"}, {"id": "v"}, {"id": ""}], [], [], "E_DUP_VISIT"),
        ([{"id": ""}], [PERSON, PERSON], [], "E_ID"),
        ([{}], [], [], "E_ID"),
        ([{"id": ["v"]}], [], [], "E_ID"),
        ([{"id": "v\x00"}], [], [], "E_CONTROL"),
        ([{"id": "e\u0301"}], [], [], "E_NFC"),
        ([{"id": "v", "size": 1}], [PERSON, PERSON], [], "E_DUP_INSPECTOR"),
        ([], [{**PERSON, "id": "\ud800"}], [], "E_SURROGATE"),
        ([{"id": "v", "size": 1}], [PERSON], [["q", "v"]], "E_BLOCK_REF"),
        ([{"id": "v"}], [PERSON], [["p", "w"]], "E_BLOCK_REF"),
        ([{"id": "v"}], [PERSON], [["p"]], "E_BLOCK_REF"),
        ([{"id": "v"}], [PERSON], [[["p"], "v"]], "E_BLOCK_REF"),
        ([{"id": "v"}], [PERSON], {"w": ["p"]}, "E_BLOCK_REF"),
        ([{"id": "v"}], [PERSON], {"v": ["q"]}, "E_BLOCK_REF"),
        ([{"id": "v", "size": 1}], [PERSON], [], "E_TEAM_SIZE"),
        ([{"id": "v", "size": True}], [PERSON], [], "E_TEAM_SIZE"),
        ([{"id": "v", "size": "2"}], [PERSON], [], "E_TEAM_SIZE"),
        ([{"id": "v", "size": None}], [PERSON], [], "E_TEAM_SIZE"),
        ([{"id": "v"}], [{**PERSON, "cap": None}], [], "E_TYPE"),
        ([{"id": "v"}], [{**PERSON, "load": -1}], [], "E_TYPE"),
        ([{"id": "v"}], [{**PERSON, "areas": "A"}], [], "E_TYPE"),
        ([{"id": "v", "area": 3}], [PERSON], [], "E_TYPE"),
        ([{"id": "v", "skills": [3]}], [PERSON], [], "E_TYPE"),
        ("v", [PERSON], [], "E_TYPE"),
        (["v"], [PERSON], [], "E_TYPE"),
    ],
)
def test_refusals(visits: Any, staff: Any, blocked: Any, code: str) -> None:
    with pytest.raises(DrawRefusal) as refusal:
        assign("sha256", a_seed(1), visits, staff, blocked)
    assert refusal.value.code == code


def test_an_empty_area_is_an_area_and_none_is_everywhere() -> None:
    staff = [{**PERSON, "id": f"p{i}", "areas": [""] if i else []} for i in range(3)]
    anywhere = assign("sha256", a_seed(1), [{"id": "v", "area": None, "size": 3}], staff, [])
    assert anywhere["status"] == "complete"
    somewhere = assign("sha256", a_seed(1), [{"id": "v", "area": "", "size": 3}], staff, [])
    assert somewhere["open"] == [["v", 2]]


def test_the_team_grows_with_the_skills() -> None:
    staff = [{**PERSON, "id": f"p{i}", "skills": ["a", "b"]} for i in range(5)]
    visit = {"id": "v", "size": 2, "skills": ["b", "a", "b"]}
    [team] = assign("sha256", a_seed(1), [visit], staff, [])["teams"]
    assert len(set(team["team"])) == 3


def test_nobody_to_send_and_nothing_to_visit() -> None:
    empty = assign("sha256", a_seed(1), [], [PERSON], [])
    assert (empty["status"], empty["teams"], empty["loads"]) == ("complete", [], {"p": 0})
    alone = assign("sha256", a_seed(1), [{"id": "v"}], [], [])
    assert alone["certificate"] == {
        "slots": [["v", 0], ["v", 1]],
        "inspectors": [],
        "need": 2,
        "supply": 0,
    }


def test_a_far_prior_load_costs_no_time() -> None:
    staff = [
        {**PERSON, "id": "a", "load": 10**12, "cap": 10**13},
        {**PERSON, "id": "b", "cap": 5},
    ]
    got = assign("sha256", a_seed(1), [{"id": "v"}], staff, [])
    assert got["loads"] == {"a": 10**12 + 1, "b": 1}
