"""DR-29 and DR-30: who pays whom, and how much."""

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

CHARGED: Rows = {
    "institutions": [{"id": "i1", "home_region": 370100, "base": False}],
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
    "trainees": [{"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-15"}],
    "charges": [
        {
            "id": "m1",
            "trainee_id": "t1",
            "amount_fen": 180_000,
            "charged_on": "2024-06-15",
            "payer": "trainee",
            "payee_id": "i1",
            "instalments": 1,
        }
    ],
    "fee_notices": [
        {
            "id": "f1",
            "institution_id": "i1",
            "side": "training",
            "amount_fen": 180_000,
            "valid_from": "2024-06-15",
            "valid_until": "2024-06-15",
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "paid_at_once"),
        ({"payer": "employer"}, "paid_at_once"),
        ({"payer": "lender"}, "lender"),
        ({"payer": "lender", "instalments": None}, "lender"),
        ({"instalments": 2}, "instalments"),
        ({"payer": None, "instalments": 2}, "instalments"),
        ({"instalments": None}, "missing"),
        ({"payer": None}, "missing"),
    ],
)
def test_a_lender_is_suspected_and_instalments_are_asked_about(
    change: dict[str, Any], outcome: str
) -> None:
    found = results("DR-29", "CN-37", with_row(CHARGED, "charges", **change))["charges/m1/payer"]
    assert found.outcome == outcome
    assert set(found.clauses) == {"national-2021-71/6.3/loan", "shandong-2022-156/6.2/loan"}


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("charges", {}, "payee_fits"),
        ("charges", {"payee_id": "i2"}, "foreign_payee"),
        ("charges", {"payee_id": None}, "missing"),
        ("charges", {"trainee_id": "t2"}, "missing"),
        ("trainees", {"class_id": "c2"}, "missing"),
    ],
)
def test_whoever_else_is_paid_is_suspected(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(CHARGED, register, **change)
    found = results("DR-29", "national", rows)["charges/m1/payee"]
    assert found.outcome == outcome
    assert set(found.clauses) == {
        "national-2021-71/6.3/subcontract",
        "national-2021-71/6.3/transfer",
    }


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("charges", {}, "as_published"),
        ("charges", {"amount_fen": 180_001}, "above"),
        ("charges", {"amount_fen": 179_999}, "as_published"),
        ("fee_notices", {"valid_from": "2024-06-14", "valid_until": "2024-06-14"}, "unpublished"),
        ("fee_notices", {"valid_from": "2024-06-16", "valid_until": None}, "unpublished"),
        ("fee_notices", {"valid_until": None}, "as_published"),
        ("fee_notices", {"side": "evaluation"}, "unpublished"),
        ("fee_notices", {"occupation": "区块链"}, "unpublished"),
        ("fee_notices", {"level": "junior"}, "as_published"),
        ("fee_notices", {"level": "senior"}, "unpublished"),
        ("trainees", {"class_id": "c2"}, "missing"),
    ],
)
def test_no_more_is_charged_than_was_published_on_the_day(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(CHARGED, register, **change)
    assert said("DR-30", "CN-23", rows, "trainees/t1/fee") == outcome


def test_instalments_are_added_up_and_the_nearest_notice_counts() -> None:
    about = "trainees/t1/fee"
    two = also(CHARGED, "charges", id="m2", amount_fen=1)
    assert results("DR-30", "CN-37", two)[about].inputs["charged_fen"] == 180_001
    special = {"id": "f2", "occupation": "大数据", "amount_fen": 170_000}
    assert said("DR-30", "CN-37", also(CHARGED, "fee_notices", **special), about) == "above"
    alike = also(CHARGED, "fee_notices", id="f0", amount_fen=170_000)
    assert said("DR-30", "CN-37", alike, about) == "above"
    unknown = {name: rows for name, rows in CHARGED.items() if name != "fee_notices"}
    assert said("DR-30", "CN-37", unknown, about) == "missing"
    assert about not in outcomes("DR-30", "CN-37", {**CHARGED, "charges": []})


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=4), st.integers(0, 400_000))
def test_the_sum_is_compared_with_the_fee(amounts: list[int], fee: int) -> None:
    rows = with_row(CHARGED, "fee_notices", amount_fen=fee)
    charge = CHARGED["charges"][0]
    charges = [{**charge, "id": f"m{n}", "amount_fen": fen} for n, fen in enumerate(amounts)]
    found = said("DR-30", "national", {**rows, "charges": charges}, "trainees/t1/fee")
    assert found == ("above" if sum(amounts) > fee else "as_published")


@pytest.mark.parametrize(
    ("fee", "outcome"), [("1800元", "fee_stated"), (" ", "fee_unstated"), (None, "fee_unstated")]
)
def test_an_announcement_states_the_fee(fee: str | None, outcome: str) -> None:
    notice = {"id": "n1", "class_id": "c1", "published_on": "2024-06-01", "fee": fee}
    kept = {key: value for key, value in notice.items() if value is not None}
    found = said("DR-30", "CN-37", {"enrolment_notices": [kept]}, "enrolment_notices/n1")
    assert found == outcome


@pytest.mark.parametrize(
    ("place", "base", "cost", "outcome"),
    [
        ("CN-37", False, None, "free_to_set"),
        ("CN-37", True, 180_000, "at_cost"),
        ("CN-37", True, 179_999, "above_cost"),
        ("CN-37", True, None, "missing"),
        ("CN-37", None, 180_000, "missing"),
        ("CN-14", False, 179_999, "above_cost"),
        ("CN-14", None, 180_000, "at_cost"),
        ("CN-23", True, 179_999, "above_cost"),
        ("CN-23", False, 179_999, "free_to_set"),
    ],
)
def test_a_base_charges_cost_and_in_shanxi_everybody_does(
    place: str, base: bool | None, cost: int | None, outcome: str
) -> None:
    rows = with_row(CHARGED, "institutions", base=base)
    rows = with_row(rows, "fee_notices", cost_fen=cost)
    assert said("DR-30", place, rows, "fee_notices/f1") == outcome


@pytest.mark.parametrize("rule", ["DR-29", "DR-30"])
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str) -> None:
    for place in ("CN-14", "CN-37"):
        row_by_row(rule, place, also(CHARGED, "fee_notices", id="f2", amount_fen=1))
