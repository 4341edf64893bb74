"""DR-41, DR-48, DR-52: who may be selected, by which way, and what a class must have."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspection_plans.desk.judging import Rows, outcomes, row_by_row, said, with_row

STEPS = ("applied_on", "recommended_on", "reviewed_on", "audited_on", "decided_on")
APPLICATION: dict[str, Any] = {
    "id": "a1",
    "institution_id": "i1",
    "side": "training",
    "legal_person": True,
    "registered": True,
    "clean_record": True,
    "years_active": 5,
    "person_times_per_year": 2000,
    "recommended_by": "province",
    **{step: f"2024-0{month}-01" for month, step in enumerate(STEPS, 1)},
}
APPLIED: Rows = {"applications": [APPLICATION]}


@pytest.mark.parametrize(
    ("field", "value", "outcome"),
    [
        ("legal_person", False, "unmet"),
        ("registered", False, "unmet"),
        ("clean_record", False, "unmet"),
        ("years_active", 4, "soft"),
        ("years_active", 5, "met"),
        ("person_times_per_year", 1999, "soft"),
        ("person_times_per_year", 2000, "met"),
        ("legal_person", None, "missing"),
        ("years_active", None, "missing"),
    ],
)
@pytest.mark.parametrize("side", ["training", "evaluation"])
def test_every_condition_is_judged_by_itself(
    side: str, field: str, value: object, outcome: str
) -> None:
    rows = with_row(APPLIED, "applications", side=side, **{field: value})
    found = outcomes("DR-41", "CN-23", rows)
    assert len(found) == 5
    assert found.pop(f"applications/a1/{field}") == outcome
    assert set(found.values()) == {"met"}


def test_the_way_to_a_selection_is_whole_and_in_order() -> None:
    assert outcomes("DR-52", "national", APPLIED) == {"applications/a1": "in_order"}
    for step in STEPS[:-1]:
        rows = with_row(APPLIED, "applications", **{step: None})
        assert said("DR-52", "national", rows, "applications/a1") == "skipped"
    unfinished = with_row(APPLIED, "applications", decided_on=None, audited_on=None)
    assert said("DR-52", "national", unfinished, "applications/a1") == "in_order"
    nameless = with_row(APPLIED, "applications", recommended_by=None)
    assert said("DR-52", "national", nameless, "applications/a1") == "skipped"
    nothing = with_row(APPLIED, "applications", **dict.fromkeys(STEPS))
    assert said("DR-52", "national", nothing, "applications/a1") == "missing"


@given(st.lists(st.integers(1, 28), min_size=5, max_size=5))
def test_days_in_order_never_go_back(days: list[int]) -> None:
    told = {step: f"2024-05-{day:02d}" for step, day in zip(STEPS, days, strict=True)}
    found = said("DR-52", "national", with_row(APPLIED, "applications", **told), "applications/a1")
    assert (found == "in_order") == all(one <= other for one, other in pairwise(days))


TAUGHT: Rows = {
    "classes": [
        {
            "id": "c1",
            "institution_id": "i1",
            "occupation": "大数据",
            "level": "middle",
            "start_on": "2024-06-10",
            "venue_region": 370100,
            "teachers": 2,
            "places": 40,
            "planned_minutes": 4800,
        }
    ],
    "trainees": [
        {"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-01", "education": 3}
    ],
    "standards": [
        {
            "id": "s1",
            "occupation": "大数据",
            "level": "middle",
            "teachers_min": 2,
            "places_min": 40,
            "minutes_min": 4800,
            "education_min": 3,
        }
    ],
}


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ("classes/c1/teachers", "teachers_min"),
        ("classes/c1/places", "places_min"),
        ("classes/c1/planned_minutes", "minutes_min"),
        ("trainees/t1/education", "education_min"),
    ],
)
def test_each_element_reaches_the_standard(about: str, field: str) -> None:
    right = TAUGHT["standards"][0][field]
    for least, outcome in ((right - 1, "fits"), (right, "fits"), (right + 1, "short")):
        rows = with_row(TAUGHT, "standards", **{field: least})
        found = outcomes("DR-48", "CN-37", rows)
        assert found.pop(about) == outcome
        assert set(found.values()) == {"fits"}
    unasked = with_row(TAUGHT, "standards", **{field: None})
    assert about not in outcomes("DR-48", "CN-37", unasked)
    register, _, element = about.split("/")
    unsaid = with_row(TAUGHT, register, **{element: None})
    assert said("DR-48", "CN-37", unsaid, about) == "missing"


def test_without_a_standard_nothing_is_compared() -> None:
    rows = {**TAUGHT, "standards": []}
    assert outcomes("DR-48", "CN-37", rows) == {"classes/c1": "missing"}
    old = with_row(TAUGHT, "standards", valid_until="2024-06-09")
    assert outcomes("DR-48", "CN-37", old) == {"classes/c1": "missing"}
    assert outcomes("DR-48", "CN-37", with_row(TAUGHT, "standards", valid_until="2024-06-10"))


@pytest.mark.parametrize(
    ("rule", "rows"), [("DR-41", APPLIED), ("DR-48", TAUGHT), ("DR-52", APPLIED)]
)
def test_one_change_comes_to_the_same_as_judging_everything(rule: str, rows: Rows) -> None:
    row_by_row(rule, "CN-37", rows)
