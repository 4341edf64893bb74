"""DR-20 to DR-23: grants beside each other, and what they should have been."""

from datetime import date, timedelta

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
    "level": "middle",
    "start_on": "2024-01-08",
    "venue_region": 230100,
}
TRAINEE = {"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-01-02"}
GRANT = {
    "id": "g1",
    "claimant": "trainee",
    "trainee_id": "t1",
    "amount_fen": 500_000,
    "granted_on": "2024-03-15",
}
GRANTS: Rows = {"classes": [CLASS], "trainees": [TRAINEE], "payments": [GRANT], "certificates": []}
PERSON: Rows = {
    **GRANTS,
    "completions": [{"trainee_id": "t1", "certificate": "k1", "passed": True}],
    "employments": [
        {
            "id": "e1",
            "trainee_id": "t1",
            "kind": "employed",
            "since": "2023-09-01",
            "contract_region": 230102,
            "insured_months": 6,
        }
    ],
    "candidates": [{"id": "n1", "batch_id": "b1", "person": "p1", "trainee_id": "t1"}],
}
CERTIFICATE = {
    "id": "z1",
    "number": "1",
    "candidate_id": "n1",
    "institution_id": "i2",
    "occupation": "大数据",
    "level": "middle",
    "issued_on": "2024-03-01",
}


def second(on: str, **fields: object) -> Rows:
    return also(GRANTS, "payments", id="g2", granted_on=on, **fields)


@pytest.mark.parametrize(
    ("place", "on", "outcome"),
    [
        ("CN-37", "2025-03-15", "repeated"),
        ("CN-37", "2025-03-16", "once"),
        ("CN-3710", "2025-03-15", "repeated"),
        ("CN-3710", "2025-03-16", "once"),
        ("CN-14", "2025-03-15", "repeated"),
        ("CN-14", "2025-03-16", "once"),
        ("CN-23", "2024-12-31", "repeated"),
        ("CN-23", "2025-01-01", "once"),
    ],
)
def test_the_window_is_a_rolling_or_a_calendar_year(place: str, on: str, outcome: str) -> None:
    found = outcomes("DR-20", place, second(on))
    # Shanxi's paper is in force from 2024-05-23 on: it looks back, but does not judge what was.
    assert found.pop("payments/g1", None) == (None if place == "CN-14" else "once")
    assert found == {"payments/g2": outcome}


@pytest.mark.parametrize(
    "other", [{"level": "senior"}, {"occupation": "区块链"}, {"trainee_id": None, "person": "p2"}]
)
def test_another_level_occupation_or_person_is_another_grant(other: dict[str, object]) -> None:
    taught = {"occupation": "大数据", "level": "middle"}
    rows = with_row(second("2024-04-01"), "payments", 1, **{**taught, **other})
    assert said("DR-20", "CN-37", rows, "payments/g2") == "once"


def test_stages_of_a_class_are_one_grant_and_other_classes_are_not() -> None:
    claim = {"claimant": "institution", "class_id": "c1", "trainee_id": None}
    rows = with_row(second("2024-07-01"), "payments", 0, granted_on="2024-06-01", **claim)
    stages = with_row(rows, "payments", 1, **claim)
    assert set(outcomes("DR-20", "CN-14", stages).values()) == {"once"}
    rows = also(also(stages, "classes", id="c2"), "trainees", id="t2", class_id="c2")
    rows = with_row(rows, "payments", 1, class_id="c2")
    found = results("DR-20", "CN-14", rows)["payments/g2"]
    assert (found.outcome, found.inputs["repeated"]) == ("repeated", 1)


def test_a_grant_of_nobody_or_of_nothing_cannot_be_compared() -> None:
    assert said("DR-20", "CN-37", {"payments": [GRANT]}, "payments/g1") == "missing"
    nobody = {**GRANT, "trainee_id": "t9", "occupation": "大数据", "level": "junior"}
    assert said("DR-20", "CN-37", {**GRANTS, "payments": [nobody]}, "payments/g1") == "missing"
    assert outcomes("DR-20", "CN-11", GRANTS) == {}


@pytest.mark.parametrize(
    ("first", "then", "on", "outcome"),
    [
        ("senior", "middle", "2024-03-16", "lowered"),
        ("senior", "junior", "2026-03-16", "lowered"),
        ("senior", "junior", "2024-03-15", "same_day"),
        ("junior", "senior", "2024-03-16", "in_order"),
        ("middle", "middle", "2024-03-16", "in_order"),
    ],
)
def test_no_lower_level_after_a_higher_one(first: str, then: str, on: str, outcome: str) -> None:
    rows = with_row(second(on, level=then), "payments", level=first)
    assert said("DR-21", "CN-23", rows, "payments/g2") == outcome
    assert said("DR-21", "CN-23", rows, "payments/g1") == "in_order"


def test_a_higher_level_in_another_occupation_is_no_bar() -> None:
    rows = with_row(second("2024-05-01", level="junior"), "payments", 1, occupation="区块链")
    assert said("DR-21", "CN-23", rows, "payments/g2") == "in_order"
    missing = with_row(GRANTS, "payments", trainee_id=None)
    assert said("DR-21", "CN-23", missing, "payments/g1") == "missing"


@pytest.mark.parametrize(
    ("level", "bonus", "fen"),
    [
        ("junior", False, 400_000),
        ("middle", False, 500_000),
        ("senior", False, 600_000),
        ("junior", True, 450_000),
        ("middle", True, 550_000),
        ("senior", True, 700_000),
    ],
)
@pytest.mark.parametrize(("step", "outcome"), [(-1, "differs"), (0, "equal"), (1, "differs")])
def test_a_person_is_paid_to_the_fen(
    level: str, bonus: bool, fen: int, step: int, outcome: str
) -> None:
    rows = with_row(PERSON, "payments", level=level, amount_fen=fen + step)
    if bonus:
        rows = {**rows, "certificates": [{**CERTIFICATE, "level": level}]}
    found = results("DR-22", "CN-23", rows)["payments/g1"]
    assert (found.outcome, found.inputs["expected_fen"]) == (outcome, fen)


@pytest.mark.parametrize(
    ("register", "change"),
    [
        ("employments", {"insured_months": 5}),
        ("employments", {"contract_region": 370100}),
        ("employments", {"kind": "started_up"}),
        ("employments", {"since": "2024-03-16"}),
        ("completions", {"certificate": None}),
    ],
)
def test_who_lacks_a_condition_gets_nothing(register: str, change: dict[str, object]) -> None:
    rows = with_row(PERSON, register, **change)
    assert said("DR-22", "CN-23", rows, "payments/g1") == "unmet"
    rows = with_row(rows, "payments", amount_fen=0)
    assert said("DR-22", "CN-23", rows, "payments/g1") == "nothing"


def test_the_extra_needs_the_certificate_by_the_day_of_the_grant() -> None:
    rows = {**PERSON, "certificates": [{**CERTIFICATE, "issued_on": "2024-03-16"}]}
    assert said("DR-22", "CN-23", rows, "payments/g1") == "equal"
    other = {**PERSON, "certificates": [{**CERTIFICATE, "level": "senior"}]}
    assert said("DR-22", "CN-23", other, "payments/g1") == "equal"


@pytest.mark.parametrize("register", ["completions", "employments", "certificates", "trainees"])
def test_what_is_not_filed_is_not_guessed(register: str) -> None:
    rows = {name: listed for name, listed in PERSON.items() if name != register}
    assert said("DR-22", "CN-23", rows, "payments/g1") == "missing"


def test_an_unknown_contract_is_asked_for() -> None:
    for field in ("contract_region", "insured_months"):
        found = results("DR-22", "CN-23", with_row(PERSON, "employments", **{field: None}))
        assert found["payments/g1"].inputs["missing"] == (f"employments.{field}",)


def a_class(trained: int, employed: int, *, days: int, fen: int) -> Rows:
    trainees = [{**TRAINEE, "id": f"t{n}", "person": f"p{n}"} for n in range(trained)]
    jobs = [
        {"id": f"e{n}", "trainee_id": f"t{n}", "kind": "employed", "since": "2024-06-01"}
        for n in range(employed)
    ]
    claim = {
        "id": "g1",
        "claimant": "institution",
        "class_id": "c1",
        "granted_on": "2024-07-15",
        "amount_fen": fen,
        "days": days,
    }
    return {"classes": [CLASS], "trainees": trainees, "employments": jobs, "payments": [claim]}


@pytest.mark.parametrize(
    ("trained", "employed", "days", "fen"),
    [
        (5, 4, 10, 5 * 150_000),
        (5, 3, 10, 3 * 150_000),
        (10, 8, 11, 10 * 160_000),
        (10, 7, 11, 7 * 160_000),
        (1, 1, 44, 490_000),
        (1, 1, 45, 500_000),
        (1, 1, 46, 500_000),
        (1, 0, 46, 0),
    ],
)
def test_a_class_is_paid_by_days_heads_and_cap(
    trained: int, employed: int, days: int, fen: int
) -> None:
    for step, outcome in ((-1, "less"), (0, "equal"), (1, "too_much")):
        if fen + step >= 0:
            rows = a_class(trained, employed, days=days, fen=fen + step)
            found = results("DR-23", "CN-14", rows)["payments/g1"]
            assert (found.outcome, found.inputs["expected_fen"]) == (outcome, fen)


def test_stages_add_up_and_the_one_that_goes_over_is_found() -> None:
    rows = a_class(5, 5, days=10, fen=400_000)
    rows = also(rows, "payments", id="g2", granted_on="2024-08-01", amount_fen=350_001)
    found = outcomes("DR-23", "CN-14", rows)
    assert found == {"payments/g1": "less", "payments/g2": "too_much"}


def test_heads_and_days_are_not_taken_on_trust() -> None:
    rows = with_row(a_class(5, 3, days=10, fen=1), "payments", heads=4)
    assert said("DR-23", "CN-14", rows, "payments/g1") == "too_many_heads"
    assert said("DR-23", "CN-14", with_row(rows, "payments", heads=3), "payments/g1") == "less"
    lesson = {"id": "l1", "class_id": "c1", "held_on": "2024-01-08", "starts_at": 540}
    lesson |= {"ends_at": 600, "mode": "offline", "kind": "theory"}
    held = {**a_class(1, 1, days=10, fen=15_001), "lessons": [lesson, {**lesson, "id": "l2"}]}
    assert results("DR-23", "CN-14", held)["payments/g1"].inputs["expected_fen"] == 15_000
    undone = with_row(held, "lessons", delivered_minutes=0)
    assert results("DR-23", "CN-14", undone)["payments/g1"].inputs["days"] == 1
    assert (
        said("DR-23", "CN-14", with_row(rows, "payments", days=None), "payments/g1") == "missing"
    )


def test_a_start_up_is_no_employment_here() -> None:
    rows = with_row(a_class(1, 1, days=1, fen=0), "employments", kind="started_up")
    assert results("DR-23", "CN-14", rows)["payments/g1"].inputs["heads"] == 0


days = st.integers(0, 800).map(lambda n: date(2024, 1, 1) + timedelta(days=n))


@given(st.lists(st.tuples(days, st.sampled_from(["junior", "middle"])), min_size=1, max_size=5))
def test_order_of_rows_and_the_way_they_come_in_change_nothing(
    grants: list[tuple[date, str]],
) -> None:
    listed = [
        {**GRANT, "id": f"g{n}", "granted_on": on.isoformat(), "level": level}
        for n, (on, level) in enumerate(grants)
    ]
    rows: Rows = {**GRANTS, "payments": listed}
    for rule, place in (("DR-20", "CN-37"), ("DR-20", "CN-23"), ("DR-21", "CN-23")):
        found = outcomes(rule, place, rows)
        assert found == outcomes(rule, place, {**rows, "payments": listed[::-1]})
    for level in ("junior", "middle"):
        same = [row["id"] for row in listed if row["level"] == level]
        if same:
            first = min(same, key=lambda key: (listed[int(key[1:])]["granted_on"], key))
            assert outcomes("DR-20", "CN-37", rows)[f"payments/{first}"] == "once"


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        ("DR-20", "CN-37", second("2024-06-01")),
        ("DR-21", "CN-23", second("2024-06-01", level="junior")),
        ("DR-22", "CN-23", {**PERSON, "certificates": [CERTIFICATE]}),
        ("DR-23", "CN-14", a_class(3, 2, days=12, fen=100)),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(
    rule: str, place: str, rows: Rows
) -> None:
    row_by_row(rule, place, rows)
