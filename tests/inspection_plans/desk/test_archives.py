"""DR-36, DR-38, DR-46, DR-47: papers that are kept, filed and sent."""

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

CLASS = {
    "id": "c1",
    "institution_id": "i1",
    "occupation": "大数据",
    "level": "middle",
    "start_on": "2024-06-10",
    "end_on": "2024-08-10",
    "venue_region": 371002,
    "subsidised": True,
}


def archive(medium: str, **fields: Any) -> Rows:
    return {"archives": [{"id": "a1", "medium": medium, "closed_on": "2022-03-01", **fields}]}


@pytest.mark.parametrize(
    ("medium", "destroyed", "outcome"),
    [
        ("paper", "2025-02-28", "destroyed_early"),
        ("paper", "2025-03-01", "destroyed_after"),
        ("electronic", "2027-02-28", "destroyed_early"),
        ("electronic", "2027-03-01", "destroyed_after"),
    ],
)
def test_records_are_kept_for_the_years_of_their_medium(
    medium: str, destroyed: str, outcome: str
) -> None:
    found = results("DR-36", "CN-37", archive(medium, destroyed_on=destroyed))["archives/a1"]
    assert found.outcome == outcome
    years = "retention-paper-3y" if medium == "paper" else "retention-electronic-5y"
    assert found.clauses == (f"national-2021-71/4.6.5/{years}",)


def test_what_is_there_is_held_and_what_was_never_closed_is_asked_for() -> None:
    assert said("DR-36", "national", archive("paper"), "archives/a1") == "held"
    rows = with_row(archive("paper", destroyed_on="2022-03-02"), "archives", closed_on=None)
    assert said("DR-36", "national", rows, "archives/a1") == "missing"


EXAMINED: Rows = {
    "classes": [CLASS],
    "trainees": [{"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-01"}],
    "completions": [{"trainee_id": "t1", "examined_on": "2024-08-10"}],
    "completion_standards": [{"id": "s1", "class_id": "c1", "filed_on": "2024-08-09"}],
}


@pytest.mark.parametrize(
    ("filed", "outcome"),
    [
        ("2024-08-09", "filed"),
        ("2024-08-10", "same_day"),
        ("2024-08-11", "late"),
        (None, "not_filed"),
    ],
)
def test_the_completion_standard_comes_before_the_exam(filed: str | None, outcome: str) -> None:
    rows = with_row(EXAMINED, "completion_standards", filed_on=filed)
    assert outcomes("DR-46", "CN-23", rows) == {"classes/c1": outcome}
    assert outcomes("DR-46", "CN-37", rows) == {}


def test_before_any_exam_nothing_is_late() -> None:
    unexamined = {**EXAMINED, "completions": []}
    assert said("DR-46", "CN-23", unexamined, "classes/c1") == "filed"
    nothing = {**unexamined, "completion_standards": []}
    assert said("DR-46", "CN-23", nothing, "classes/c1") == "no_exam_yet"
    assert said("DR-46", "CN-23", {"classes": [CLASS]}, "classes/c1") == "missing"


BATCH = {
    "id": "b1",
    "institution_id": "i2",
    "occupation": "大数据",
    "level": "middle",
    "start_on": "2024-08-10",
    "venue_region": 140105,
}
TRACED: Rows = {
    "classes": [CLASS],
    "exam_batches": [BATCH],
    "archives": [
        {"id": "a1", "medium": "paper", "class_id": "c1", "traces": ["written"]},
        {"id": "a2", "medium": "electronic", "class_id": "c1", "traces": ["photo", "video"]},
        {"id": "a3", "medium": "paper", "batch_id": "b1", "traces": ["written", "photo", "video"]},
    ],
}


def test_every_class_and_exam_leaves_all_traces() -> None:
    found = outcomes("DR-47", "CN-14", TRACED)
    assert found == {"classes/c1": "complete", "exam_batches/b1": "complete"}
    for trace in ("written", "photo", "video"):
        left = [other for other in ("written", "photo", "video") if other != trace]
        lacking = results("DR-47", "CN-14", with_row(TRACED, "archives", 2, traces=left))
        assert lacking["exam_batches/b1"].inputs["lacking"] == [trace]
        assert lacking["classes/c1"].outcome == "complete"
    none = {**TRACED, "archives": []}
    assert set(outcomes("DR-47", "CN-14", none).values()) == {"lacking"}


def test_traces_are_asked_for_when_it_is_over() -> None:
    assert outcomes("DR-47", "CN-14", TRACED, "2024-08-09") == {}
    assert len(outcomes("DR-47", "CN-14", TRACED, "2024-08-10")) == 2
    unknown = with_row(TRACED, "archives", traces=None)
    assert said("DR-47", "CN-14", unknown, "classes/c1") == "missing"
    unfiled = {"classes": [CLASS]}
    assert said("DR-47", "CN-14", unfiled, "classes/c1") == "missing"


FORM: dict[str, Any] = {
    "id": "f1",
    "institution_id": "i1",
    "quarter": "2024Q3",
    "sent_on": "2024-09-30",
    "filled_on": "2024-09-28",
    "filled_by": "u1",
    "sealed": True,
    "telephone_given": True,
    "measures": True,
    "experience": True,
    "problems": True,
    "rows": [
        {
            "occupation": "大数据",
            "classes": 1,
            "subsidised_classes": 1,
            "trained": 1,
            "certified": 1,
            "subsidised_persons": 1,
            "amount_fen": 300_000,
        }
    ],
}
FILED: Rows = {
    "classes": [CLASS],
    "trainees": EXAMINED["trainees"],
    "candidates": [{"id": "n1", "batch_id": "b1", "person": "p1", "trainee_id": "t1"}],
    "certificates": [
        {
            "id": "z1",
            "number": "1",
            "candidate_id": "n1",
            "institution_id": "i2",
            "occupation": "大数据",
            "level": "middle",
            "issued_on": "2024-09-30",
        }
    ],
    "payments": [
        {
            "id": "g1",
            "claimant": "trainee",
            "trainee_id": "t1",
            "amount_fen": 300_000,
            "granted_on": "2024-09-30",
        }
    ],
    "quarterly_forms": [FORM],
}
GOOD = {
    "quarterly_forms/f1/sent": "in_time",
    "quarterly_forms/f1/header": "full",
    "quarterly_forms/f1/count": "agrees",
}


def test_a_right_form_is_right_in_every_cell() -> None:
    assert outcomes("DR-38", "CN-3710", FILED) == GOOD
    assert outcomes("DR-38", "CN-37", FILED) == {}


@pytest.mark.parametrize(
    ("sent", "as_of", "outcome"),
    [
        ("2024-09-30", "2024-12-31", "in_time"),
        ("2024-10-01", "2024-12-31", "late"),
        (None, "2024-09-30", "not_yet"),
        (None, "2024-10-01", "not_sent"),
    ],
)
def test_the_form_is_due_on_the_last_day_of_the_quarter(
    sent: str | None, as_of: str, outcome: str
) -> None:
    rows = with_row(FILED, "quarterly_forms", sent_on=sent)
    assert said("DR-38", "CN-3710", rows, "quarterly_forms/f1/sent", as_of) == outcome


@pytest.mark.parametrize(
    "field",
    ["filled_on", "filled_by", "sealed", "telephone_given", "measures", "experience", "problems"],
)
def test_header_and_attachments_are_asked_for(field: str) -> None:
    found = results("DR-38", "CN-3710", with_row(FILED, "quarterly_forms", **{field: None}))
    assert found["quarterly_forms/f1/header"].inputs["empty"] == [field]


MEASURES = (
    "classes",
    "subsidised_classes",
    "trained",
    "certified",
    "subsidised_persons",
    "amount_fen",
)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("step", [-1, 1])
def test_any_other_cell_is_told(measure: str, step: int) -> None:
    row = {**FORM["rows"][0], measure: FORM["rows"][0][measure] + step}
    found = results("DR-38", "CN-3710", with_row(FILED, "quarterly_forms", rows=[row]))
    right = FORM["rows"][0][measure]
    told = found["quarterly_forms/f1/count"]
    assert told.outcome == "differs"
    assert told.inputs["cells"] == [f"大数据.{measure}: {right + step}/{right}"]


@pytest.mark.parametrize(
    "row",
    [
        {"classes": 0},
        {"certified": 2},
        {"subsidised_persons": 2},
        {"amount_fen": 0},
        {"subsidised_persons": 0},
    ],
)
def test_a_row_that_contradicts_itself_is_told(row: dict[str, int]) -> None:
    rows = with_row(FILED, "quarterly_forms", rows=[{**FORM["rows"][0], **row}])
    assert said("DR-38", "CN-3710", rows, "quarterly_forms/f1/row/大数据") == "contradicts"


def test_without_the_registers_the_form_is_not_counted() -> None:
    rows = {"quarterly_forms": [FORM]}
    assert said("DR-38", "CN-3710", rows, "quarterly_forms/f1/count") == "missing"


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        ("DR-36", "CN-37", archive("paper", destroyed_on="2023-01-01")),
        ("DR-38", "CN-3710", also(FILED, "classes", id="c2")),
        ("DR-46", "CN-23", EXAMINED),
        ("DR-47", "CN-14", TRACED),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(
    rule: str, place: str, rows: Rows
) -> None:
    row_by_row(rule, place, rows)
