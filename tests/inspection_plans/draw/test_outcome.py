"""From selection to visits: whose team, whose area, whose days."""

from inspection_plans.draw import outcome

SELECTION = [
    {"stratum": "S", "must": ["c"], "certain": ["b"], "random": ["a"], "reserve": ["d"]},
    {"stratum": "T", "must": [], "certain": [], "random": ["e"], "reserve": []},
]
OBJECTS = [
    {"id": "a", "stratum": "S", "days": ["2027-02-01"]},
    {"id": "b", "stratum": "S", "area": "W"},
    {"id": "c", "stratum": "S", "area": ""},
    {"id": "d", "stratum": "S"},
    {"id": "e", "stratum": "T", "area": None},
]
PLAN = {
    "strata": [{"id": "S"}, {"id": "T", "team": {"size": 3, "skills": ["exam"]}}],
    "team": {"size": 2},
    "days": ["2027-01-11"],
}


def test_everybody_drawn_and_no_reserve() -> None:
    assert outcome.drawn(SELECTION) == ["c", "b", "a", "e"]


def test_visits_take_the_nearest_team_and_days() -> None:
    week = PLAN["days"]
    assert outcome.visits_of(PLAN, OBJECTS, outcome.drawn(SELECTION)) == [
        {"id": "c", "size": 2, "area": "", "days": week},
        {"id": "b", "size": 2, "area": "W", "days": week},
        {"id": "a", "size": 2, "days": ["2027-02-01"]},
        {"id": "e", "size": 3, "skills": ["exam"], "days": week},
    ]


def test_a_plan_without_team_or_days_leaves_both_out() -> None:
    plan = {"strata": [{"id": "S"}]}
    assert outcome.visits_of(plan, OBJECTS, ["d", "a"]) == [
        {"id": "d"},
        {"id": "a", "days": ["2027-02-01"]},
    ]
    days = outcome.draw_days("sha256", "ab" * 32, plan, OBJECTS[:4], SELECTION[:1])
    assert days == {"a": "2027-02-01"}


def test_only_the_pairs_of_the_visits_count() -> None:
    visits = [{"id": "a"}, {"id": "b"}]
    pairs = [["p", "a"], ["p", "z"], ["q", "a"]]
    assert outcome.blocks_of(pairs, visits) == {"a": ["p", "q"], "b": []}
