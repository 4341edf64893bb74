"""DR-01 to DR-05: who is listed for what, until when, and the yearly papers."""

from datetime import date, timedelta
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

CLASS = {
    "id": "c1",
    "institution_id": "i1",
    "occupation": "大数据",
    "direction": "分析",
    "level": "middle",
    "start_on": "2024-03-01",
    "end_on": "2024-03-29",
    "venue_region": 370100,
}
BATCH = {key: value for key, value in CLASS.items() if key != "id"} | {"id": "b1"}
ENTRY = {
    "id": "e1",
    "institution_id": "i1",
    "side": "training",
    "valid_from": "2024-03-01",
    "valid_until": "2024-03-29",
    "scope": [{"occupation": "大数据", "levels": ["junior", "middle"], "directions": ["分析"]}],
}
LISTED: Rows = {
    "classes": [CLASS],
    "catalogue_entries": [ENTRY],
    "occupations": [{"id": "大数据", "in_fields": True}],
}
EXAMINED: Rows = {
    "exam_batches": [BATCH],
    "catalogue_entries": [{**ENTRY, "side": "evaluation"}],
    "occupations": [{"id": "大数据", "in_fields": True}],
    "candidates": [{"id": "k1", "batch_id": "b1", "person": "p1"}],
    "certificates": [
        {
            "id": "z1",
            "number": "1",
            "candidate_id": "k1",
            "institution_id": "i1",
            "occupation": "大数据",
            "direction": "分析",
            "level": "middle",
            "issued_on": "2024-05-01",
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "listed"),
        ({"valid_until": "2024-03-28"}, "straddles"),
        ({"valid_until": "2024-03-30"}, "listed"),
        ({"valid_from": "2024-03-02"}, "not_listed"),
        ({"valid_from": "2024-02-29"}, "listed"),
        ({"valid_from": "2023-03-01", "valid_until": "2024-02-29"}, "lapsed"),
        ({"valid_from": "2023-03-01", "valid_until": "2024-03-01"}, "straddles"),
        ({"side": "evaluation"}, "not_listed"),
        ({"institution_id": "i2"}, "not_listed"),
    ],
)
def test_the_institution_is_listed_from_the_first_to_the_last_day(
    change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(LISTED, "catalogue_entries", **change)
    assert said("DR-01", "CN-37", rows, "classes/c1") == outcome


def test_the_last_lesson_counts_where_it_is_known() -> None:
    for ended, outcome in (("2024-03-29", "listed"), ("2024-03-30", "straddles")):
        rows = with_row(LISTED, "classes", ended_on=ended)
        assert said("DR-01", "CN-37", rows, "classes/c1") == outcome
    open_end = with_row(LISTED, "classes", end_on=None)
    assert said("DR-01", "CN-37", open_end, "classes/c1") == "missing"
    no_register = {"classes": [CLASS]}
    assert said("DR-01", "CN-37", no_register, "classes/c1") == "missing"


@pytest.mark.parametrize(
    ("second_from", "outcome"), [("2024-03-11", "listed"), ("2024-03-12", "straddles")]
)
def test_two_versions_without_a_gap_count_as_one(second_from: str, outcome: str) -> None:
    first = with_row(LISTED, "catalogue_entries", valid_until="2024-03-10")
    later = {"id": "e2", "valid_from": second_from, "valid_until": "2027-03-11"}
    rows = also(first, "catalogue_entries", **later)
    assert said("DR-01", "CN-37", rows, "classes/c1") == outcome


def test_an_exam_is_judged_by_the_catalogue_of_evaluators_and_its_clauses() -> None:
    assert said("DR-01", "CN-3710", EXAMINED, "exam_batches/b1") == "listed"
    wrong = with_row(EXAMINED, "catalogue_entries", side="training")
    assert said("DR-01", "CN-3710", wrong, "exam_batches/b1") == "not_listed"
    exam = results("DR-01", "CN-3710", EXAMINED)["exam_batches/b1"]
    lesson = results("DR-01", "CN-3710", LISTED)["classes/c1"]
    for_evaluators = "weihai-2023-25/4.3/evaluator-in-catalogue"
    assert for_evaluators in exam.clauses
    assert for_evaluators not in lesson.clauses


@pytest.mark.parametrize(
    ("scope", "outcome"),
    [
        ({}, "in_scope"),
        ({"directions": []}, "in_scope"),
        ({"directions": ["治理"]}, "direction_outside"),
        ({"levels": ["junior", "senior"]}, "level_outside"),
        ({"occupation": "区块链"}, "occupation_outside"),
    ],
)
@pytest.mark.parametrize(
    ("rows", "about"),
    [(LISTED, "classes/c1"), (EXAMINED, "exam_batches/b1"), (EXAMINED, "certificates/z1")],
)
def test_occupation_level_and_direction_lie_in_the_listed_scope(
    rows: Rows, about: str, scope: dict[str, Any], outcome: str
) -> None:
    listed = {**ENTRY["scope"][0], **scope}  # type: ignore[dict-item]  # the one row written above
    changed = with_row(rows, "catalogue_entries", scope=[listed])
    assert said("DR-02", "CN-37", changed, about) == outcome


def test_a_certificate_is_judged_by_the_scope_of_the_exam_day() -> None:
    rows = with_row(EXAMINED, "exam_batches", start_on="2024-03-30")
    assert said("DR-02", "CN-37", rows, "certificates/z1") == "missing"
    lost = with_row(EXAMINED, "candidates", batch_id="b2")
    assert said("DR-02", "CN-37", lost, "certificates/z1") == "missing"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"in_fields": False}, "outside_fields"),
        ({"in_fields": None}, "missing"),
        ({"id": "元宇宙"}, "occupation_unknown"),
        ({"valid_from": "2024-03-01"}, "in_scope"),
        ({"valid_from": "2024-03-02"}, "occupation_unknown"),
        ({"valid_until": "2024-03-01"}, "in_scope"),
        ({"valid_until": "2024-02-29"}, "occupation_unknown"),
    ],
)
def test_an_occupation_outside_the_open_list_is_a_question(
    change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(LISTED, "occupations", **change)
    found = results("DR-02", "CN-37", rows)["classes/c1"]
    assert found.outcome == outcome
    assert found.verdict.value in ("ok", "question", "not_computable")


def test_what_the_scope_cannot_be_compared_with_is_named() -> None:
    undirected = with_row(LISTED, "classes", direction=None)
    found = results("DR-02", "CN-37", undirected)["classes/c1"]
    assert found.inputs == {"missing": ("direction",)}
    unknown = {name: rows for name, rows in LISTED.items() if name != "occupations"}
    found = results("DR-02", "CN-37", unknown)["classes/c1"]
    assert found.inputs == {"missing": ("occupations",)}


@pytest.mark.parametrize(
    ("valid_until", "outcome"),
    [
        ("2024-10-30", "valid"),
        ("2024-10-29", "expiring"),
        ("2024-07-31", "expiring"),
        ("2024-07-30", "expired"),
    ],
)
def test_an_entry_warns_ninety_days_before_its_end(valid_until: str, outcome: str) -> None:
    rows = with_row(LISTED, "catalogue_entries", valid_until=valid_until)
    about = "catalogue_entries/e1"
    assert said("DR-03", "CN-37", rows, about, as_of="2024-07-31") == outcome
    followed = also(rows, "catalogue_entries", id="e2", valid_until="2027-01-01")
    assert said("DR-03", "CN-37", followed, about, as_of="2024-07-31") == "renewed"
    other_side = also(rows, "catalogue_entries", id="e2", side="evaluation")
    assert said("DR-03", "CN-37", other_side, about, as_of="2024-07-31") == outcome


@pytest.mark.parametrize(
    ("published_on", "outcome"),
    [("2024-10-08", "early"), ("2024-10-09", "full"), (None, "unpublished")],
)
def test_a_list_is_published_after_fifteen_working_days(
    published_on: str | None, outcome: str
) -> None:
    row = {"id": "p1", "started_on": "2024-09-10", "published_on": published_on}
    assert said("DR-04", "national", {"publicity": [row]}, "publicity/p1") == outcome


def papers(*filed: tuple[int, str, str]) -> Rows:
    rows = [
        {"id": f"a{place}", "institution_id": "i1", "year": year, "kind": kind, "filed_on": day}
        for place, (year, kind, day) in enumerate(filed)
    ]
    entry = {**ENTRY, "valid_from": "2023-11-01", "valid_until": "2026-11-01"}
    owner = {"id": "i1", "home_region": 370100}
    return {"institutions": [owner], "catalogue_entries": [entry], "annual_filings": rows}


def test_every_listed_year_has_a_plan_and_a_summary() -> None:
    rows = papers((2024, "plan", "2024-12-31"), (2024, "summary", "2024-12-31"))
    found = outcomes("DR-05", "CN-37", rows, as_of="2025-03-01")
    assert found == {
        "institutions/i1/2023/plan": "plan_lacking",
        "institutions/i1/2023/summary": "summary_lacking",
        "institutions/i1/2024/plan": "plan_filed",
        "institutions/i1/2024/summary": "summary_filed",
        "institutions/i1/2025/plan": "plan_awaited",
        "institutions/i1/2025/summary": "summary_awaited",
    }
    late = papers((2024, "plan", "2025-01-01"), (2024, "summary", "2025-01-01"))
    found = outcomes("DR-05", "CN-37", late, as_of="2025-03-01")
    assert found["institutions/i1/2024/plan"] == "plan_late"
    assert found["institutions/i1/2024/summary"] == "summary_late"


def test_the_year_runs_to_its_last_day() -> None:
    for as_of, outcome in (("2024-12-31", "awaited"), ("2025-01-01", "lacking")):
        found = outcomes("DR-05", "CN-37", papers(), as_of=as_of)
        assert found["institutions/i1/2024/plan"] == f"plan_{outcome}"
        assert found["institutions/i1/2024/summary"] == f"summary_{outcome}"


def test_each_paper_cites_its_own_clause() -> None:
    found = results("DR-05", "CN-3710", papers(), as_of="2024-12-31")
    plan = found["institutions/i1/2024/plan"]
    assert plan.clauses == (
        "national-2021-71/4.6.1/annual-plan",
        "weihai-2023-25/4.1/annual-training-plan",
    )
    summary = found["institutions/i1/2024/summary"]
    assert summary.clauses == ("national-2021-71/4.6.1/annual-summary",)
    unknown = {"institutions": [{"id": "i1", "home_region": 370100}]}
    assert said("DR-05", "CN-37", unknown, "institutions/i1") == "missing"


@given(
    st.dates(date(2022, 1, 1), date(2025, 1, 1)),
    st.integers(0, 400),
    st.dates(date(2022, 1, 1), date(2025, 1, 1)),
    st.integers(0, 60),
)
def test_a_longer_listing_never_makes_it_worse(
    valid_from: date, length: int, start: date, lasts: int
) -> None:
    worse = ["listed", "straddles", "lapsed", "not_listed"]

    def outcome(days: int) -> str:
        until = valid_from + timedelta(days=days)
        rows = with_row(
            LISTED,
            "catalogue_entries",
            valid_from=valid_from.isoformat(),
            valid_until=until.isoformat(),
        )
        end = start + timedelta(days=lasts)
        rows = with_row(rows, "classes", start_on=start.isoformat(), end_on=end.isoformat())
        return said("DR-01", "national", rows, "classes/c1")

    ranks = [worse.index(outcome(length)), worse.index(outcome(length + 1))]
    assert ranks[1] <= ranks[0]
    in_time = valid_from <= start and lasts + (start - valid_from).days <= length
    assert (ranks[0] == 0) == in_time


@pytest.mark.parametrize("rule", ["DR-01", "DR-02", "DR-03", "DR-05"])
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str) -> None:
    evaluator = {**ENTRY, "id": "e2", "side": "evaluation"}
    entries = [ENTRY, evaluator]
    if rule == "DR-03":
        entries.append({**ENTRY, "id": "e3", "valid_until": "2025-03-29"})
    both: Rows = {**LISTED, **EXAMINED, "catalogue_entries": entries}
    rows = papers((2024, "plan", "2024-01-05")) if rule == "DR-05" else both
    row_by_row(rule, "CN-3710", rows)
