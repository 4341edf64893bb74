"""DR-49 to DR-51: the supervisors' own ledger, what follows a finding, the public look-up."""

from typing import Any

import pytest

from tests.inspection_plans.desk.judging import (
    Rows,
    also,
    outcomes,
    results,
    row_by_row,
    said,
    with_row,
)

DRAW: dict[str, Any] = {
    "id": "d1",
    "kind": "random",
    "held_on": "2024-06-10",
    "plan": "p1",
    "seed": "s1",
    "objects_drawn": 3,
    "inspectors_drawn": 2,
    "results_public_on": "2024-07-01",
}
DRAWN: Rows = {"inspections": [DRAW]}


@pytest.mark.parametrize(
    "field", ["plan", "seed", "objects_drawn", "inspectors_drawn", "results_public_on"]
)
def test_a_draw_has_plan_seed_both_picks_and_open_results(field: str) -> None:
    assert said("DR-49", "CN-23", DRAWN, "inspections/d1") == "complete"
    found = results("DR-49", "CN-23", with_row(DRAWN, "inspections", **{field: None}))
    told = found["inspections/d1"]
    assert (told.outcome, told.inputs["lacking"]) == ("incomplete", [field])
    if field.endswith("_drawn"):
        nobody = with_row(DRAWN, "inspections", **{field: 0})
        assert said("DR-49", "CN-23", nobody, "inspections/d1") == "incomplete"


@pytest.mark.parametrize("kind", ["routine", "exam_patrol", "document_request", "complaint"])
def test_other_kinds_are_counted_apart_and_say_what_was_done(kind: str) -> None:
    rows = also(DRAWN, "inspections", id="r1", kind=kind, papers_called=True, visited=False)
    rows = also(rows, "inspections", id="r2", kind=kind, papers_called=False, visited=True)
    rows = also(
        rows,
        "inspections",
        id="r3",
        kind=kind,
        papers_called=False,
        visited=False,
        held_on="2023-06-10",
    )
    found = results("DR-49", "CN-37", rows)
    counted = {about: one.inputs["count"] for about, one in found.items()}
    assert counted == {
        f"inspections/{key}": n
        for key, n in zip(("d1", "r1", "r2", "r3"), (1, 2, 2, 1), strict=True)
    }
    assert found["inspections/r1"].outcome == found["inspections/r2"].outcome == "recorded"
    assert found["inspections/r3"].outcome == "nothing_done"
    for field in ("papers_called", "visited"):
        unsaid = with_row(rows, "inspections", 1, **{field: None})
        assert said("DR-49", "CN-37", unsaid, "inspections/r1") == "missing"


CASE: dict[str, Any] = {
    "id": "k1",
    "institution_id": "i1",
    "severity": "critical",
    "verified_on": "2024-06-10",
    "proposed_removal_on": "2024-06-20",
    "handed_over_on": "2024-06-21",
    "receiver": "市场监管",
}
AFTER_CHEATING = {
    "recovered_on": "2024-07-01",
    "held_liable_on": "2024-07-02",
    "bad_record_id": "r1",
}
CASES: Rows = {"cases": [CASE]}


@pytest.mark.parametrize("field", ["proposed_removal_on", "handed_over_on", "receiver"])
def test_a_critical_finding_ends_in_a_proposal_and_a_hand_over(field: str) -> None:
    for place in ("national", "CN-37", "CN-3710", "CN-14"):
        assert said("DR-50", place, CASES, "cases/k1") == "complete"
        found = results("DR-50", place, with_row(CASES, "cases", **{field: None}))["cases/k1"]
        assert (found.outcome, found.inputs["lacking"]) == ("open", [field])
    major = with_row(CASES, "cases", severity="major", **{field: None})
    assert outcomes("DR-50", "national", major) == {}


@pytest.mark.parametrize("field", sorted(AFTER_CHEATING))
def test_only_heilongjiang_adds_recovery_liability_and_a_bad_record(field: str) -> None:
    assert said("DR-50", "CN-23", CASES, "cases/k1") == "missing"
    honest = with_row(CASES, "cases", subsidy_cheated=False)
    assert said("DR-50", "CN-23", honest, "cases/k1") == "complete"
    cheated = with_row(CASES, "cases", subsidy_cheated=True, **AFTER_CHEATING)
    assert said("DR-50", "CN-23", cheated, "cases/k1") == "complete"
    rows = with_row(cheated, "cases", **{field: None})
    assert results("DR-50", "CN-23", rows)["cases/k1"].inputs["lacking"] == [field]
    assert said("DR-50", "CN-37", rows, "cases/k1") == "complete"


def test_a_bad_record_that_is_named_must_exist() -> None:
    rows = with_row(CASES, "cases", subsidy_cheated=True, **AFTER_CHEATING)
    assert said("DR-50", "CN-23", {**rows, "bad_records": []}, "cases/k1") == "open"


LOOKED_UP: Rows = {
    "public_lookups": [
        {
            "id": "q1",
            "seen_on": "2024-06-10",
            "items": [
                "training_institutions",
                "evaluation_institutions",
                "validity",
                "occupation_scope",
                "standards",
                "certificates",
            ],
            "statistics": ["training_certificates", "level_certificates"],
            "credit_hours": True,
        }
    ]
}


def test_the_look_up_shows_all_items_and_both_statistics() -> None:
    row = LOOKED_UP["public_lookups"][0]
    assert outcomes("DR-51", "CN-14", LOOKED_UP) == {"public_lookups/q1": "complete"}
    for item in row["items"]:
        rest = [other for other in row["items"] if other != item]
        found = results("DR-51", "CN-14", with_row(LOOKED_UP, "public_lookups", items=rest))
        assert found["public_lookups/q1"].inputs["lacking"] == [item]
    for change in (
        {"stale": ["validity"]},
        {"statistics": ["level_certificates"]},
        {"statistics": ["training_certificates"]},
        {"credit_hours": False},
    ):
        rows = with_row(LOOKED_UP, "public_lookups", **change)
        assert said("DR-51", "CN-14", rows, "public_lookups/q1") == "lacking"
    for field in ("statistics", "credit_hours"):
        unsaid = with_row(LOOKED_UP, "public_lookups", **{field: None})
        assert said("DR-51", "CN-14", unsaid, "public_lookups/q1/statistics") == "missing"


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("DR-49", also(DRAWN, "inspections", id="d2", held_on="2023-01-01")),
        (
            "DR-50",
            {
                **with_row(CASES, "cases", subsidy_cheated=True, **AFTER_CHEATING),
                "bad_records": [
                    {
                        "id": "r1",
                        "subject": "institution",
                        "subject_id": "i1",
                        "entered_on": "2024-07-03",
                    }
                ],
            },
        ),
        ("DR-51", LOOKED_UP),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(rule: str, rows: Rows) -> None:
    row_by_row(rule, "CN-23", rows)
