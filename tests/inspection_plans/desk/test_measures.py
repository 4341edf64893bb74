"""DR-16, DR-25, DR-42: indicators, allocation and targets over filings."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.vocabulary import NATIONAL
from tests.inspection_plans.desk import judging
from tests.inspection_plans.desk.judging import (
    RULES,
    Rows,
    also,
    outcomes,
    results,
    row_by_row,
    said,
    with_row,
)

CLASS = {
    "id": "c1",
    "institution_id": "山西大学",
    "occupation": "人工智能",
    "level": "middle",
    "start_on": "2024-06-10",
    "end_on": "2024-08-10",
    "venue_region": 140105,
}
LESSON = {
    "id": "l1",
    "class_id": "c1",
    "held_on": "2024-06-10",
    "starts_at": 540,
    "ends_at": 600,
    "mode": "offline",
    "kind": "theory",
}


def trainees(count: int, prefix: str = "t") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{prefix}{n}",
            "class_id": "c1",
            "person": f"{prefix}{n}",
            "enrolled_on": "2024-06-01",
        }
        for n in range(count)
    ]


TAUGHT: Rows = {
    "classes": [CLASS],
    "trainees": trainees(3),
    "lessons": [LESSON, {**LESSON, "id": "l2"}, {**LESSON, "id": "l3", "delivered_minutes": 0}],
    "attendance": [
        {"trainee_id": "t0", "attended": ["l1", "l2", "l3"]},
        {"trainee_id": "t1", "attended": ["l1"], "due": ["l1"]},
    ],
    "employments": [
        {"id": "e1", "trainee_id": "t0", "kind": "employed", "since": "2024-09-01"},
        {"id": "e2", "trainee_id": "t0", "kind": "started_up", "since": "2024-09-01"},
        {"id": "e3", "trainee_id": "t1", "kind": "started_up", "since": "2024-09-01"},
    ],
}
EXAM: Rows = {
    "exam_batches": [
        {
            "id": "b1",
            "institution_id": "i2",
            "occupation": "人工智能",
            "level": "middle",
            "start_on": "2024-09-01",
            "venue_region": 140105,
        }
    ],
    "candidates": [{"id": f"n{n}", "batch_id": "b1", "person": f"t{n}"} for n in range(5)],
    "scores": [
        {"candidate_id": "n0", "theory": "60", "ability": "60"},
        {"candidate_id": "n1", "theory": "59.9", "ability": "60"},
        {"candidate_id": "n2", "theory": "60"},
        {"candidate_id": "n3"},
    ],
}


def shown(rows: Rows, about: str, place: str = "CN-14") -> tuple[Any, Any, Any]:
    found = results("DR-16", place, rows)[about]
    return tuple(found.inputs[name] for name in ("numerator", "denominator", "value"))  # type: ignore[return-value]  # three names


def test_attendance_counts_person_lessons_that_were_held_and_due() -> None:
    # t0: two of two, t1: one of the one that is due, t2: none of two; l3 was not held.
    assert shown(TAUGHT, "classes/c1/attendance") == (3, 5, "0.6")
    assert shown(
        with_row(TAUGHT, "lessons", 2, delivered_minutes=45), "classes/c1/attendance"
    ) == (
        4,
        7,
        "0.5714",
    )


def test_work_and_start_up_count_a_person_once() -> None:
    assert shown(TAUGHT, "classes/c1/employment_startup") == (2, 3, "0.6667")


def test_the_pass_rate_is_of_those_who_sat() -> None:
    assert shown(EXAM, "exam_batches/b1/pass_rate") == (1, 3, "0.3333")
    nobody = {**EXAM, "scores": []}
    assert said("DR-16", "national", nobody, "exam_batches/b1/pass_rate") == "nobody"


def test_an_indicator_needs_its_registers() -> None:
    for rows, about in (
        ({**TAUGHT, "lessons": None}, "classes/c1/attendance"),
        ({**TAUGHT, "employments": None}, "classes/c1/employment_startup"),
        ({**EXAM, "scores": None}, "exam_batches/b1/pass_rate"),
    ):
        known = {name: listed for name, listed in rows.items() if listed is not None}
        assert said("DR-16", "CN-37", known, about) == "missing"
    assert said("DR-16", "CN-37", {**TAUGHT, "trainees": []}, "classes/c1/attendance") == "nobody"


@pytest.mark.parametrize(
    ("threshold", "outcome"), [(None, "shown"), ("0.6", "reached"), ("0.6001", "below")]
)
def test_a_threshold_is_only_what_an_office_sets(
    threshold: str | None, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dict(RULES.settings)
    key = ("attendance_threshold", NATIONAL)
    settings[key] = replace(settings[key], value=threshold)
    monkeypatch.setattr(judging, "RULES", replace(RULES, settings=MappingProxyType(settings)))
    assert said("DR-16", "CN-37", TAUGHT, "classes/c1/attendance") == outcome


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8))
def test_attendance_is_that_of_counting_pairs(marks: list[tuple[int, int]]) -> None:
    attended: dict[str, list[str]] = {}
    for person, lesson in marks:
        attended.setdefault(f"t{person}", []).append(f"l{lesson}")
    rows: Rows = {
        "classes": [CLASS],
        "trainees": trainees(4),
        "lessons": [{**LESSON, "id": f"l{n}"} for n in range(3)],
        "attendance": [{"trainee_id": who, "attended": what} for who, what in attended.items()],
        "employments": [],
    }
    assert shown(rows, "classes/c1/attendance")[:2] == (len(set(marks)), 12)


def enrolled(count: int, **change: Any) -> Rows:
    return with_row({"classes": [CLASS], "trainees": trainees(count)}, "classes", **change)


@pytest.mark.parametrize(
    ("institution", "occupation", "plan"),
    [
        ("山西大学", "人工智能", 100),
        ("山西大学", "数字化管理", 100),
        ("太原理工大学", "区块链", 50),
        ("太原理工大学", "大数据", 150),
        ("太原科技大学", "智能制造", 100),
    ],
)
def test_nobody_enrols_more_than_the_plan(institution: str, occupation: str, plan: int) -> None:
    for count, outcome in ((plan - 1, "within"), (plan, "within"), (plan + 1, "over")):
        rows = enrolled(count, institution_id=institution, occupation=occupation)
        found = results("DR-25", "CN-14", rows)["classes/c1"]
        assert (found.outcome, found.inputs["planned"]) == (outcome, plan)


def test_classes_of_a_year_are_added_and_another_year_has_no_line() -> None:
    rows = also(enrolled(60), "classes", id="c2")
    more = [{**row, "class_id": "c2"} for row in trainees(41, "u")]
    rows = {**rows, "trainees": [*rows["trainees"], *more]}
    assert set(outcomes("DR-25", "CN-14", rows).values()) == {"over"}
    later = with_row(rows, "classes", 1, start_on="2025-01-10")
    assert outcomes("DR-25", "CN-14", later) == {"classes/c1": "within", "classes/c2": "no_line"}
    filed = {**later, "allocations": [allotted("a1", "人工智能", 40, year=2025)]}
    assert said("DR-25", "CN-14", filed, "classes/c2") == "over"
    assert (
        said("DR-25", "CN-14", with_row(filed, "allocations", persons=41), "classes/c2")
        == "within"
    )
    assert said("DR-25", "CN-14", {"classes": [CLASS]}, "classes/c1") == "missing"
    assert outcomes("DR-25", "CN-37", rows) == {}


def allotted(key: str, occupation: str, persons: int, year: int = 2024) -> dict[str, Any]:
    return {
        "id": key,
        "institution_id": "山西大学",
        "occupation": occupation,
        "year": year,
        "persons": persons,
    }


@pytest.mark.parametrize(
    ("second", "outcome"), [(399, "other_total"), (400, "adds_up"), (401, "other_total")]
)
def test_the_table_comes_to_what_the_notice_says(second: int, outcome: str) -> None:
    rows: Rows = {"allocations": [allotted("a1", "大数据", 100), allotted("a2", "区块链", second)]}
    assert outcomes("DR-25", "CN-14", rows) == {"allocations/a1/total": outcome}


@pytest.mark.parametrize(
    ("place", "trained", "outcome"),
    [
        ("national", 79_999, "under_way"),
        ("national", 80_000, "reached"),
        ("CN-37", 5_999, "under_way"),
        ("CN-37", 6_000, "reached"),
        ("CN-14", 499, "under_way"),
        ("CN-14", 500, "reached"),
        ("CN-3710", 500, "no_target"),
        ("CN-23", 500, "no_target"),
        ("CN-11", 500, "no_target"),
    ],
)
def test_progress_is_shown_beside_the_places_own_target(
    place: str, trained: int, outcome: str
) -> None:
    rows: Rows = {"targets": [{"id": "y", "year": 2024, "trained": trained}]}
    assert outcomes("DR-42", place, rows) == {"targets/y": outcome}


def test_a_target_has_its_years_and_counts_finished_classes() -> None:
    for year, outcome in (
        (2022, "no_target"),
        (2023, "reached"),
        (2030, "reached"),
        (2031, "no_target"),
    ):
        rows: Rows = {"targets": [{"id": "y", "year": year, "trained": 6000}]}
        assert outcomes("DR-42", "CN-37", rows) == {"targets/y": outcome}
    counted = {**TAUGHT, "targets": [{"id": "y", "year": 2024}]}
    assert results("DR-42", "CN-14", counted)["targets/y"].inputs["trained"] == 3
    later = with_row(counted, "classes", end_on="2025-01-01")
    assert results("DR-42", "CN-14", later)["targets/y"].inputs["trained"] == 0
    assert (
        said("DR-42", "CN-14", {"targets": [{"id": "y", "year": 2024}]}, "targets/y") == "missing"
    )


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        ("DR-16", "CN-23", {**TAUGHT, **EXAM}),
        (
            "DR-25",
            "CN-14",
            {**also(TAUGHT, "classes", id="c2"), "allocations": [allotted("a1", "x", 1)]},
        ),
        ("DR-42", "CN-14", {**TAUGHT, "targets": [{"id": "y", "year": 2024}]}),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(
    rule: str, place: str, rows: Rows
) -> None:
    row_by_row(rule, place, rows)
