"""Reserves in order, substitutes by the seed, nobody else disturbed."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import replace
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.select import select
from inspection_plans.draw.send import assign
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import Row, a_seed, random_crew

SELECTION = [
    {"stratum": "S", "reserve": ["r1", "r2", "r3"]},
    {"stratum": "T", "reserve": []},
]


def test_reserves_are_used_in_their_order() -> None:
    assert replace.next_reserve(SELECTION, "S") == "r1"
    assert replace.next_reserve(SELECTION, "S", ["r1"]) == "r2"
    assert replace.next_reserve(SELECTION, "S", ["r1", "r3", "r2"]) is None
    assert replace.next_reserve(SELECTION, "T") is None
    with pytest.raises(DrawRefusal, match="E_STRATUM"):
        replace.next_reserve(SELECTION, "U")


def test_a_hidden_reserve_depends_on_a_link_of_the_chain() -> None:
    first = a_seed(1)
    tip = replace.next_link("sha256", replace.next_link("sha256", first))
    again = hashlib.sha256(hashlib.sha256(bytes.fromhex(first)).digest()).hexdigest()
    assert tip == again
    seeds = {replace.replacement_seed("sha256", a_seed(2), a_seed(i)) for i in range(30)}
    text = b"ssj1.replseed".ljust(32, b"\0") + bytes.fromhex(a_seed(2) + a_seed(0))
    assert hashlib.sha256(text).hexdigest() in seeds
    chosen = {replace.next_hidden_reserve("sha256", one, SELECTION, "S") for one in seeds}
    assert chosen == {"r1", "r2", "r3"}
    for one in seeds:
        order = sorted(["r1", "r2"], key=lambda i: naive.ticket(one, "ssj1.ticket", i.encode()))
        assert replace.next_hidden_reserve("sha256", one, SELECTION, "S", ["r3"]) == order[0]
    assert replace.next_hidden_reserve("sha256", a_seed(1), SELECTION, "T") is None


def test_the_fourth_recusal_of_a_visit_is_decided_by_a_person() -> None:
    assert [replace.recusal_is_automatic(n) for n in range(5)] == [True] * 3 + [False] * 2


def test_a_real_reserve_follows_the_drawn_ones() -> None:
    rows = [{"id": f"{i}", "stratum": "S"} for i in range(9)]
    plan = {"mode": "ratio", "reserve": 2, "strata": [{"id": "S", "ratio": "1/3"}]}
    more = {**plan, "strata": [{"id": "S", "ratio": "4/9"}]}
    drawn = select("sha256", a_seed(1), plan, rows)
    [four] = select("sha256", a_seed(1), more, rows)
    assert replace.next_reserve(drawn, "S") == four["random"][3]


def expected(seed: str, case: Row, got: Row, visit: str, place: int, event: int) -> Any:
    """Section 8 read slowly: who may take the place, and who does."""
    teams = {team["visit"]: list(team["team"]) for team in got["teams"]}
    released = teams[visit][place]
    loads = dict(got["loads"])
    if released is not None:
        loads[released] -= 1
    teams[visit][place] = None
    row = next(v for v in case["visits"] if v["id"] == visit)
    role = naive.roles(row)[place]
    blocked = {tuple(pair) for pair in case["blocked"]} | {(released, visit)}
    order = sorted(
        case["inspectors"],
        key=lambda p: (naive.ticket(seed, "ssj1.iorder", p["id"].encode()), p["id"]),
    )
    free = [
        p["id"]
        for p in order
        if naive.fits(p, row, role, blocked)
        and p["id"] not in teams[visit]
        and loads[p["id"]] < p["cap"]
    ]
    low = min((loads[p] for p in free), default=0)
    free = [p for p in free if loads[p] == low]
    if not free:
        return None
    label = visit.encode() + b"\0" + str(place).encode() + b"\0" + str(event).encode()
    return free[naive.uniform(seed, "ssj1.sub", label, len(free))]


@given(st.integers(0, 10**6), st.integers(0, 12), st.data())
def test_a_substitute_is_the_least_loaded_by_the_seed(
    number: int, event: int, data: st.DataObject
) -> None:
    case, seed = random_crew(number), a_seed(number)
    got = assign("sha256", seed, case["visits"], case["inspectors"], case["blocked"])
    if not got["teams"]:
        return
    team = data.draw(st.sampled_from(got["teams"]))
    place = data.draw(st.integers(0, len(team["team"]) - 1))
    crew = {**case, "teams": got["teams"]}
    after = replace.substitute("sha256", seed, crew, visit=team["visit"], place=place, event=event)
    assert after["released"] == team["team"][place]
    assert after["inspector"] == expected(seed, case, got, team["visit"], place, event)
    assert after["inspector"] is None or after["inspector"] != after["released"]
    proof = after["certificate"]
    assert (proof is None) == (after["inspector"] is not None)
    if proof:
        assert proof["slots"] == [[team["visit"], place]]
        assert (proof["need"], proof["supply"]) == (1, 0)


def a_crew() -> Row:
    staff = [{"id": f"p{i}", "lead": True, "skills": [], "areas": [], "cap": 1} for i in range(3)]
    return {
        "visits": [{"id": "v"}],
        "inspectors": staff,
        "blocked": [],
        "teams": [{"visit": "v", "team": ["p0", "p1"]}],
    }


def test_who_was_released_before_cannot_come_back() -> None:
    crew = a_crew()
    first = replace.substitute("sha256", a_seed(1), crew, visit="v", place=0, event=0)
    assert (first["released"], first["inspector"]) == ("p0", "p2")
    later = {
        **crew,
        "blocked": [["p0", "v"]],
        "teams": [{"visit": "v", "team": ["p2", "p1"]}],
    }
    second = replace.substitute("sha256", a_seed(1), later, visit="v", place=0, event=1)
    assert second["inspector"] is None
    assert second["certificate"]["inspectors"] == []


@pytest.mark.parametrize(
    ("change", "visit", "place"),
    [
        ({}, "w", 0),
        ({}, "v", 2),
        ({}, "v", -1),
        ({"teams": [{"visit": "w", "team": []}]}, "v", 0),
        ({"teams": [{"visit": "v", "team": ["p0"]}]}, "v", 0),
        ({"teams": [{"visit": "v", "team": ["p0", "q"]}]}, "v", 0),
    ],
)
def test_unknown_visits_places_and_people(change: Row, visit: str, place: int) -> None:
    with pytest.raises(DrawRefusal, match="E_BLOCK_REF"):
        replace.substitute(
            "sha256", a_seed(1), {**a_crew(), **change}, visit=visit, place=place, event=0
        )
