"""DR-39, DR-40, DR-45: the bar, two places at once, the place of teaching."""

from dataclasses import replace
from types import MappingProxyType

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
    "venue_region": 230102,
}
BARRED: Rows = {
    "classes": [CLASS],
    "trainees": [{"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-01"}],
    "bad_records": [
        {"id": "r1", "subject": "institution", "subject_id": "i1", "entered_on": "2021-06-10"}
    ],
}


@pytest.mark.parametrize(
    ("entered", "outcome"),
    [
        ("2021-06-10", "free"),
        ("2021-06-11", "barred"),
        ("2024-06-10", "barred"),
        ("2024-06-11", "free"),
    ],
)
def test_the_bar_runs_three_years_from_its_entry(entered: str, outcome: str) -> None:
    rows = with_row(BARRED, "bad_records", entered_on=entered)
    found = outcomes("DR-39", "CN-23", rows)
    assert found == {"classes/c1": outcome, "trainees/t1": "free"}
    person = with_row(rows, "bad_records", subject="person", subject_id="p1")
    found = outcomes("DR-39", "CN-23", person)
    assert found == {"classes/c1": "free", "trainees/t1": outcome}
    assert outcomes("DR-39", "CN-37", rows) == {}


def test_a_bar_may_run_from_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dict(RULES.settings)
    key = ("bad_record_start", NATIONAL)
    settings[key] = replace(settings[key], value="decision_day")
    monkeypatch.setattr(judging, "RULES", replace(RULES, settings=MappingProxyType(settings)))
    assert said("DR-39", "CN-23", BARRED, "classes/c1") == "missing"
    rows = with_row(BARRED, "bad_records", decided_on="2021-06-11")
    assert said("DR-39", "CN-23", rows, "classes/c1") == "barred"


def test_without_the_register_nobody_is_called_free() -> None:
    rows = {name: listed for name, listed in BARRED.items() if name != "bad_records"}
    assert set(outcomes("DR-39", "CN-23", rows).values()) == {"missing"}


LESSON = {
    "id": "l1",
    "class_id": "c1",
    "held_on": "2024-06-10",
    "starts_at": 540,
    "ends_at": 600,
    "mode": "offline",
    "kind": "theory",
    "teacher": "f1",
}
TAUGHT: Rows = {
    **BARRED,
    "lessons": [LESSON],
    "attendance": [{"trainee_id": "t1", "attended": ["l1"]}],
    "completions": [{"trainee_id": "t1", "examined_on": "2024-06-10"}],
    "photos": [{"id": "f1", "class_id": "c1", "sha256": "0" * 64}],
}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"starts_at": 599, "ends_at": 700}, "teacher_twice"),
        ({"starts_at": 600, "ends_at": 700}, "teacher_once"),
        ({"starts_at": 400, "ends_at": 541}, "teacher_twice"),
        ({"starts_at": 400, "ends_at": 540}, "teacher_once"),
        ({"held_on": "2024-06-11"}, "teacher_once"),
        ({"teacher": "f2"}, "teacher_once"),
        ({"delivered_minutes": 0}, "teacher_once"),
    ],
)
def test_a_teacher_is_in_one_lesson_at_a_time(change: dict[str, object], outcome: str) -> None:
    rows = also(TAUGHT, "lessons", id="l2", class_id="c2", **change)
    found = outcomes("DR-40", "national", rows)
    assert {found["lessons/l1"], found["lessons/l2"]} == {outcome}
    nameless = with_row(rows, "lessons", teacher=None)
    assert "lessons/l1" not in outcomes("DR-40", "national", nameless)


@given(*(st.integers(0, 6) for _ in range(4)))
def test_lessons_overlap_when_they_share_a_minute(
    start: int, length: int, other: int, its: int
) -> None:
    rows = with_row(TAUGHT, "lessons", starts_at=start, ends_at=start + length)
    rows = also(rows, "lessons", id="l2", starts_at=other, ends_at=other + its)
    shared = set(range(start, start + length)) & set(range(other, other + its))
    # A lesson without length inside another one shares no minute with it but stands in its time.
    if length and its:
        found = said("DR-40", "national", rows, "lessons/l1")
        assert (found == "teacher_twice") == bool(shared)


def both(**change: object) -> Rows:
    rows = also(also(TAUGHT, "classes", id="c2"), "trainees", id="t2", class_id="c2")
    rows = also(rows, "lessons", id="l2", class_id="c2", teacher="f2", **change)
    return also(rows, "attendance", trainee_id="t2", attended=["l2"])


def test_a_person_is_in_one_lesson_at_a_time() -> None:
    found = outcomes("DR-40", "national", both())
    assert {found["trainees/t1"], found["trainees/t2"]} == {"person_twice"}
    for change in ({"held_on": "2024-06-11"}, {"starts_at": 600, "ends_at": 660}):
        assert said("DR-40", "national", both(**change), "trainees/t2") == "person_once"
    other = with_row(both(), "trainees", 1, person="p2")
    assert said("DR-40", "national", other, "trainees/t1") == "person_once"
    absent = with_row(both(), "attendance", 1, attended=[])
    assert said("DR-40", "national", absent, "trainees/t1") == "person_once"


def test_a_photograph_belongs_to_one_class() -> None:
    same = also(TAUGHT, "photos", id="f2")
    assert said("DR-40", "national", same, "photos/f1") == "photo_once"
    twice = also(TAUGHT, "photos", id="f2", class_id="c2")
    assert said("DR-40", "national", twice, "photos/f1") == "photo_twice"
    other = also(TAUGHT, "photos", id="f2", class_id="c2", sha256="1" * 64)
    assert said("DR-40", "national", other, "photos/f2") == "photo_once"


@pytest.mark.parametrize(
    ("held_on", "outcome"),
    [("2024-06-09", "outside"), ("2024-06-10", "inside"), ("2024-06-11", "outside")],
)
def test_nobody_attends_before_the_start_or_after_the_exam(held_on: str, outcome: str) -> None:
    rows = with_row(TAUGHT, "lessons", held_on=held_on)
    assert said("DR-40", "national", rows, "attendance/t1") == outcome
    unexamined = with_row(rows, "completions", examined_on=None)
    expected = "outside" if held_on < "2024-06-10" else "inside"
    assert said("DR-40", "national", unexamined, "attendance/t1") == expected
    lone = {"attendance": TAUGHT["attendance"]}
    assert said("DR-40", "national", lone, "attendance/t1") == "missing"


@pytest.mark.parametrize(
    ("region", "outcome"),
    [(230100, "in_place"), (230199, "in_place"), (230200, "other_place"), (220100, "other_place")],
)
def test_a_venue_outside_harbin_is_a_question(region: int, outcome: str) -> None:
    rows = with_row({"classes": [CLASS]}, "classes", venue_region=region)
    assert outcomes("DR-45", "CN-23", rows) == {"classes/c1": outcome}
    assert outcomes("DR-45", "CN-37", rows) == {}


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        ("DR-39", "CN-23", with_row(BARRED, "bad_records", entered_on="2023-01-01")),
        ("DR-40", "national", also(both(), "photos", id="f2", class_id="c2")),
        ("DR-45", "CN-23", {"classes": [CLASS]}),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(
    rule: str, place: str, rows: Rows
) -> None:
    row_by_row(rule, place, rows)
