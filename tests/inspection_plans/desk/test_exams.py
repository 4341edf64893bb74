"""DR-12, DR-33 to DR-35: scores, certificates, candidates."""

from decimal import Decimal
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

ABOUT = "candidates/k1"
EXAM: Rows = {
    "exam_batches": [
        {
            "id": "b1",
            "institution_id": "i1",
            "occupation": "大数据",
            "level": "junior",
            "start_on": "2024-07-10",
            "end_on": "2024-07-11",
            "venue_region": 370100,
        }
    ],
    "candidates": [
        {
            "id": "k1",
            "batch_id": "b1",
            "person": "p1",
            "trainee_id": "t1",
            "confirmed": True,
            "condition": "work_1y",
            "commitment_id": "w1",
        }
    ],
    "scores": [{"candidate_id": "k1", "theory": "60", "ability": "60"}],
    "certificates": [
        {
            "id": "z1",
            "number": "37A-1",
            "candidate_id": "k1",
            "institution_id": "i1",
            "occupation": "大数据",
            "level": "junior",
            "issued_on": "2024-08-01",
            "layout": "v2",
        }
    ],
    "certificate_layouts": [{"id": "v2", "valid_from": "2024-08-01", "prefix": "37A"}],
    "certificate_reports": [{"id": "r1", "batch_id": "b1", "audit_passed_on": "2024-07-15"}],
    "completions": [
        {"trainee_id": "t1", "passed": True, "certificate": "tc1", "certified_on": "2024-07-10"}
    ],
    "commitments": [{"id": "w1", "person": "p1", "signed_on": "2024-07-10"}],
    "standards": [
        {
            "id": "s1",
            "occupation": "大数据",
            "level": "junior",
            "conditions": ["work_1y", "degree"],
        }
    ],
}
UNCERTIFIED: Rows = {**EXAM, "certificates": []}


@pytest.mark.parametrize(
    ("theory", "ability", "passed"),
    [
        ("60", "60", True),
        ("60.0", "60.00", True),
        ("59.9", "60", False),
        ("60", "59.9", False),
        ("59.9999", "100", False),
        ("60.0001", "60", True),
        ("100", None, False),
        (None, "100", False),
        ("9", "9", False),
    ],
)
def test_both_results_reach_sixty_exactly(
    theory: str | None, ability: str | None, passed: bool
) -> None:
    with_certificate = with_row(EXAM, "scores", theory=theory, ability=ability)
    found = said("DR-12", "CN-37", with_certificate, ABOUT)
    assert found == ("earned" if passed else "unearned")
    without = with_row(UNCERTIFIED, "scores", theory=theory, ability=ability)
    found = said("DR-12", "CN-37", without, ABOUT)
    assert found == ("withheld" if passed else "not_passed")


scores = st.decimals(0, 100, places=2).map(str) | st.none()


@given(scores, scores, st.sampled_from(["national", "CN-3710", "CN-23"]))
def test_sixty_is_compared_without_rounding(
    theory: str | None, ability: str | None, place: str
) -> None:
    rows = with_row(EXAM, "scores", theory=theory, ability=ability)
    reached = all(score is not None and Decimal(score) >= 60 for score in (theory, ability))
    assert (said("DR-12", place, rows, ABOUT) == "earned") == reached


def test_a_passed_candidate_waits_until_the_issue_is_due() -> None:
    # thirty days after the audit, the 14th of August 2024
    for as_of, outcome in (("2024-08-14", "awaited"), ("2024-08-15", "withheld")):
        assert said("DR-12", "CN-37", UNCERTIFIED, ABOUT, as_of=as_of) == outcome
    assert said("DR-12", "CN-23", UNCERTIFIED, ABOUT) == "awaited"
    unaudited = with_row(UNCERTIFIED, "certificate_reports", audit_passed_on=None)
    assert said("DR-12", "CN-37", unaudited, ABOUT) == "awaited"


def test_missing_scores_are_not_passed_and_missing_registers_are_told() -> None:
    assert said("DR-12", "CN-37", {**EXAM, "scores": []}, ABOUT) == "unearned"
    for register in ("scores", "certificates", "exam_batches"):
        rows = {name: found for name, found in EXAM.items() if name != register}
        found = results("DR-12", "CN-37", rows)[ABOUT]
        assert found.inputs == {"missing": (register,)}


def test_no_number_stands_on_two_certificates() -> None:
    about = "certificates/z1/number"
    assert said("DR-33", "CN-37", EXAM, about) == "unique"
    other = also(EXAM, "certificates", id="z2", number="37A-2")
    assert said("DR-33", "CN-37", other, about) == "unique"
    twice = also(EXAM, "certificates", id="z2")
    found = results("DR-33", "CN-37", twice)
    assert (found[about].outcome, found[about].inputs["others"]) == ("doubled", ["z2"])
    assert found["certificates/z2/number"].inputs["others"] == ["z1"]


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("certificates", {}, "layout_known"),
        ("certificates", {"layout": None}, "missing"),
        ("certificates", {"layout": "v1"}, "layout_unknown"),
        ("certificates", {"number": "37B-1"}, "prefix_wrong"),
        ("certificates", {"issued_on": "2024-07-31"}, "layout_unknown"),
        ("certificate_layouts", {"prefix": None}, "missing"),
        ("certificate_layouts", {"valid_until": "2024-08-01"}, "layout_known"),
        (
            "certificate_layouts",
            {"valid_from": "2024-07-01", "valid_until": "2024-07-31"},
            "layout_unknown",
        ),
    ],
)
def test_the_layout_was_in_force_and_the_number_fits(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(EXAM, register, **change)
    assert said("DR-33", "CN-37", rows, "certificates/z1/layout") == outcome


def test_who_examined_issues() -> None:
    about = "certificates/z1/issuer"
    assert said("DR-33", "CN-37", EXAM, about) == "issuer_fits"
    foreign = with_row(EXAM, "certificates", institution_id="i2")
    found = results("DR-33", "CN-37", foreign)[about]
    assert (found.outcome, found.clauses) == (
        "foreign_issuer",
        ("national-2021-71/3.7/responsibility",),
    )
    assert said("DR-33", "CN-37", {**EXAM, "exam_batches": []}, about) == "missing"
    unlisted = {name: rows for name, rows in EXAM.items() if name != "certificate_layouts"}
    assert said("DR-33", "CN-37", unlisted, "certificates/z1/layout") == "missing"


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("completions", {}, "trained"),
        ("completions", {"certified_on": "2024-07-09"}, "trained"),
        ("completions", {"certified_on": "2024-07-11"}, "later"),
        ("completions", {"certified_on": None}, "missing"),
        ("completions", {"certificate": None}, "untrained"),
        ("candidates", {"trainee_id": None}, "missing"),
        ("candidates", {"trainee_id": "t2"}, "untrained"),
        ("candidates", {"batch_id": "b2"}, "missing"),
    ],
)
def test_training_comes_before_the_exam_in_weihai_and_heilongjiang(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(EXAM, register, **change)
    assert said("DR-34", "CN-23", rows, ABOUT) == outcome
    assert outcomes("DR-34", "CN-37", rows) == {}
    if change.get("batch_id") is None:
        assert said("DR-34", "CN-3710", rows, ABOUT) == outcome
    unknown = {name: found for name, found in rows.items() if name != "completions"}
    assert said("DR-34", "CN-23", unknown, ABOUT) == "missing"


@pytest.mark.parametrize(
    ("part", "register", "change", "outcome"),
    [
        ("list", "candidates", {}, "confirmed"),
        ("list", "candidates", {"confirmed": False}, "unconfirmed"),
        ("list", "candidates", {"confirmed": None}, "missing"),
        ("condition", "candidates", {}, "condition_met"),
        ("condition", "candidates", {"condition": "degree"}, "condition_met"),
        ("condition", "candidates", {"condition": "friendship"}, "condition_unknown"),
        ("condition", "candidates", {"condition": None}, "missing"),
        ("condition", "standards", {"level": "senior"}, "missing"),
        ("condition", "standards", {"conditions": []}, "missing"),
        ("condition", "standards", {"direction": "治理"}, "missing"),
        ("condition", "standards", {"valid_from": "2024-07-10"}, "condition_met"),
        ("condition", "standards", {"valid_from": "2024-07-11"}, "missing"),
        ("commitment", "candidates", {}, "committed"),
        ("commitment", "candidates", {"commitment_id": None}, "commitment_lacking"),
        ("commitment", "candidates", {"commitment_id": "w2"}, "commitment_lacking"),
        ("commitment", "commitments", {"person": "p2"}, "commitment_foreign"),
        ("commitment", "commitments", {"signed_on": "2024-07-11"}, "commitment_late"),
    ],
)
def test_a_candidate_is_on_the_list_meets_a_condition_and_has_committed(
    part: str, register: str, change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(EXAM, register, **change)
    for place in ("national", "CN-3710", "CN-14", "CN-23"):
        assert said("DR-35", place, rows, f"{ABOUT}/{part}") == outcome


def test_the_nearest_and_newest_standard_counts() -> None:
    special = {"id": "s2", "direction": "分析", "conditions": ["degree"]}
    rows = also(with_row(EXAM, "exam_batches", direction="分析"), "standards", **special)
    about = f"{ABOUT}/condition"
    assert said("DR-35", "CN-37", rows, about) == "condition_unknown"
    newer = also(EXAM, "standards", id="s0", valid_from="2024-01-01", conditions=["degree"])
    assert said("DR-35", "CN-37", newer, about) == "condition_unknown"


def test_each_part_cites_its_own_concept() -> None:
    found = results("DR-35", "CN-37", EXAM)
    assert found[f"{ABOUT}/commitment"].clauses == (
        "national-2021-71/3.5/application-commitment",
        "shandong-2022-156/4.3/application-commitment",
    )
    assert found[f"{ABOUT}/list"].clauses == (
        "national-2021-71/3.6/eligibility-review",
        "shandong-2022-156/4.3/eligibility-review",
    )
    unknown = {name: rows for name, rows in EXAM.items() if name != "commitments"}
    assert said("DR-35", "CN-37", unknown, f"{ABOUT}/commitment") == "missing"
    assert said("DR-35", "CN-37", {**EXAM, "exam_batches": []}, ABOUT) == "missing"


@pytest.mark.parametrize("rule", ["DR-12", "DR-33", "DR-34", "DR-35"])
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str) -> None:
    for rows in (EXAM, UNCERTIFIED, also(EXAM, "certificates", id="z2")):
        row_by_row(rule, "CN-3710", rows)
