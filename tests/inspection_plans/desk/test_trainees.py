"""DR-13, DR-17 to DR-19: who may be trained, and what a certificate rests on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspection_plans.desk.judging import (
    Rows,
    also,
    outcomes,
    results,
    row_by_row,
    said,
    with_row,
)

LESSON = {
    "id": "l1",
    "class_id": "c1",
    "held_on": "2024-07-02",
    "starts_at": 540,
    "ends_at": 780,
    "mode": "offline",
    "kind": "theory",
    "delivered_minutes": 240,
}
TRAINED: Rows = {
    "classes": [
        {
            "id": "c1",
            "institution_id": "i1",
            "occupation": "大数据",
            "level": "junior",
            "start_on": "2024-07-01",
            "venue_region": 370100,
        }
    ],
    "trainees": [{"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-30"}],
    "lessons": [LESSON, {**LESSON, "id": "l2"}],
    "attendance": [{"trainee_id": "t1", "attended": ["l1", "l2"]}],
    "standards": [{"id": "s1", "occupation": "大数据", "level": "junior", "minutes_min": 480}],
    "completions": [
        {"trainee_id": "t1", "passed": True, "certificate": "tc1", "certified_on": "2024-07-31"}
    ],
}
MINUTES = "completions/t1/minutes"
PASSED = "completions/t1/exam"


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("completions", {}, "attended"),
        ("completions", {"certificate": None}, "none"),
        ("standards", {"minutes_min": 481}, "short"),
        ("standards", {"minutes_min": 479}, "attended"),
        ("lessons", {"delivered_minutes": 239}, "short"),
        ("attendance", {"attended": ["l1"]}, "short"),
        ("attendance", {"attended": ["l1", "l1"]}, "short"),
        ("standards", {"minutes_min": None}, "missing"),
        ("standards", {"level": "senior"}, "missing"),
        ("lessons", {"delivered_minutes": None}, "missing"),
        ("lessons", {"class_id": "c2"}, "missing"),
        ("attendance", {"trainee_id": "t2"}, "missing"),
        ("attendance", {"attended": ["l9"]}, "missing"),
        ("trainees", {"id": "t2"}, "missing"),
        ("trainees", {"class_id": "c2"}, "missing"),
    ],
)
def test_a_training_certificate_rests_on_the_hours_of_the_standard(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    assert said("DR-13", "CN-37", with_row(TRAINED, register, **change), MINUTES) == outcome


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "passed"),
        ({"passed": False}, "failed"),
        ({"passed": None}, "missing"),
        ({"passed": False, "certificate": None}, "none"),
    ],
)
def test_a_training_certificate_rests_on_the_completion_exam(
    change: dict[str, Any], outcome: str
) -> None:
    found = results("DR-13", "CN-37", with_row(TRAINED, "completions", **change))[PASSED]
    assert found.outcome == outcome
    assert found.clauses == (
        "national-2021-71/3.4/completion-exam",
        "shandong-2022-156/4.2/completion-exam",
        "national-2021-71/3.4/training-certificate",
        "shandong-2022-156/4.2/training-certificate",
    )


@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.integers(0, 900))
def test_attended_minutes_are_added_up(minutes: list[int], required: int) -> None:
    lessons = [{**LESSON, "id": f"l{n}", "delivered_minutes": m} for n, m in enumerate(minutes)]
    attended = {"trainee_id": "t1", "attended": [row["id"] for row in lessons]}
    rows = {**with_row(TRAINED, "standards", minutes_min=required), "lessons": lessons}
    found = results("DR-13", "national", {**rows, "attendance": [attended]})[MINUTES]
    assert found.inputs == {"attended": sum(minutes), "required": required}
    assert found.outcome == ("attended" if sum(minutes) >= required else "short")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"retired_on": "2024-07-01"}, "retired"),
        ({"retired_on": "2024-06-30"}, "retired"),
        ({"retired_on": "2024-07-02"}, "later"),
        ({"retired": False}, "working"),
        ({"retired": True}, "missing"),
        ({}, "missing"),
        ({"retired": False, "retired_on": "2024-07-01"}, "retired"),
        ({"retired": False, "class_id": "c2"}, "missing"),
    ],
)
def test_retired_people_are_not_trained_in_shandong(change: dict[str, Any], outcome: str) -> None:
    rows = with_row(TRAINED, "trainees", **change)
    assert said("DR-17", "CN-37", rows, "trainees/t1") == outcome
    assert said("DR-17", "CN-3710", rows, "trainees/t1") == outcome
    for place in ("national", "CN-14", "CN-23"):
        assert outcomes("DR-17", place, rows) == {}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"ground": "current_graduate"}, "graduate"),
        ({"ground": "matching_graduate", "employment": "employed"}, "graduate"),
        ({"left_school_on": "2022-06-30", "employment": "none"}, "within"),
        ({"left_school_on": "2022-06-29", "employment": "none"}, "too_long"),
        ({"left_school_on": "2022-06-30", "employment": "employed"}, "at_work"),
        ({"employment": "self_employed"}, "at_work"),
        ({"employment": "none"}, "missing"),
        ({"left_school_on": "2022-06-30"}, "missing"),
        ({"ground": "practitioner"}, "missing"),
    ],
)
def test_shanxi_trains_graduates_and_those_two_years_out_of_school(
    change: dict[str, Any], outcome: str
) -> None:
    found = results("DR-18", "CN-14", with_row(TRAINED, "trainees", **change))["trainees/t1"]
    assert found.outcome == outcome
    assert found.verdict.value != "finding"
    assert outcomes("DR-18", "CN-37", TRAINED) == {}


@pytest.mark.parametrize(
    ("change", "shandong", "weihai", "heilongjiang"),
    [
        ({"ground": "none"}, "no_ground", "no_ground", "no_ground"),
        ({}, "missing", "missing", "missing"),
        ({"ground": "current_graduate"}, "other_graduate", "other_graduate", "other_graduate"),
        ({"ground": "willing"}, "eligible", "missing", "missing"),
        (
            {"ground": "willing", "home_region": 371002},
            "eligible",
            "eligible",
            "missing",
        ),
        (
            {"ground": "practitioner", "home_region": 110100, "work_region": 371002},
            "eligible",
            "eligible",
            "outside_province",
        ),
        (
            {"ground": "matching_graduate", "home_region": 230100, "work_region": 370100},
            "eligible",
            "outside_city",
            "eligible",
        ),
    ],
)
def test_elsewhere_a_group_is_declared_and_lies_in_its_place(
    change: dict[str, Any], shandong: str, weihai: str, heilongjiang: str
) -> None:
    rows = with_row(TRAINED, "trainees", **change)
    expected = {"CN-37": shandong, "CN-3710": weihai, "CN-23": heilongjiang}
    found = {place: said("DR-19", place, rows, "trainees/t1") for place in expected}
    assert found == expected
    assert outcomes("DR-19", "CN-14", rows) == outcomes("DR-19", "national", rows) == {}


def test_mainly_is_a_question_and_the_city_a_finding() -> None:
    away = {"ground": "willing", "home_region": 110100, "work_region": 120100}
    rows = with_row(TRAINED, "trainees", **away)
    verdicts = {"CN-3710": "finding", "CN-23": "question"}
    for place, verdict in verdicts.items():
        found = results("DR-19", place, rows)["trainees/t1"]
        assert (found.verdict.value, len(found.clauses)) == (verdict, 1)


@pytest.mark.parametrize(
    ("rule", "place"),
    [("DR-13", "CN-37"), ("DR-17", "CN-37"), ("DR-18", "CN-14"), ("DR-19", "CN-3710")],
)
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str, place: str) -> None:
    rows = also(TRAINED, "trainees", id="t2", ground="willing", retired_on="2024-01-01")
    row_by_row(rule, place, rows)
