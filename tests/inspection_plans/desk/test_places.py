"""DR-26 and DR-27: classes outside the province, and the way that is allowed."""

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
    "level": "junior",
    "start_on": "2024-07-01",
    "venue_region": 140100,
}
SHANXI: Rows = {
    "institutions": [{"id": "i1", "home_region": 140200}],
    "classes": [CLASS],
    "catalogue_entries": [
        {
            "id": "e1",
            "institution_id": "i1",
            "side": "training",
            "valid_from": "2024-07-01",
            "valid_until": "2024-07-01",
            "scope": [{"occupation": "大数据", "levels": ["junior"]}],
        }
    ],
    "employer_approvals": [],
}
APPROVED: Rows = {
    **SHANXI,
    "employer_approvals": [
        {
            "id": "a1",
            "class_id": "c1",
            "requested_on": "2024-05-01",
            "approved_on": "2024-07-01",
        }
    ],
}


@pytest.mark.parametrize(
    ("register", "change", "outcome"),
    [
        ("classes", {}, "ordinary"),
        ("classes", {"venue_region": 149900}, "ordinary"),
        ("classes", {"venue_region": 150100}, "lacking"),
        ("classes", {"occupation": "区块链"}, "lacking"),
        ("catalogue_entries", {"side": "evaluation"}, "lacking"),
        (
            "catalogue_entries",
            {"valid_from": "2024-06-01", "valid_until": "2024-06-30"},
            "lacking",
        ),
        (
            "catalogue_entries",
            {"valid_from": "2024-07-02", "valid_until": "2025-07-01"},
            "lacking",
        ),
        ("institutions", {"home_region": 370100}, "lacking"),
    ],
)
def test_outside_the_province_or_the_open_occupations_an_approval_is_needed(
    register: str, change: dict[str, Any], outcome: str
) -> None:
    assert said("DR-26", "CN-14", with_row(SHANXI, register, **change), "classes/c1") == outcome
    allowed = said("DR-26", "CN-14", with_row(APPROVED, register, **change), "classes/c1")
    assert allowed == ("ordinary" if outcome == "ordinary" else "approved")
    assert outcomes("DR-26", "CN-37", SHANXI) == {}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"approved_on": "2024-07-02"}, "late"),
        ({"approved_on": None}, "lacking"),
        ({"requested_on": None}, "lacking"),
        ({"class_id": "c2"}, "lacking"),
    ],
)
def test_an_approval_needs_a_request_and_comes_before_the_class(
    change: dict[str, Any], outcome: str
) -> None:
    rows = with_row(APPROVED, "employer_approvals", **change)
    outside = with_row(rows, "classes", venue_region=370100)
    assert said("DR-26", "CN-14", outside, "classes/c1") == outcome


@pytest.mark.parametrize("register", ["catalogue_entries", "institutions", "employer_approvals"])
def test_an_approval_is_not_judged_without_its_registers(register: str) -> None:
    outside = with_row(SHANXI, "classes", venue_region=370100)
    rows = {name: found for name, found in outside.items() if name != register}
    found = results("DR-26", "CN-14", rows)["classes/c1"]
    assert found.inputs == {"missing": (register,)}


ACROSS: Rows = {
    "institutions": [{"id": "i1", "home_region": 370100}],
    "classes": [{**CLASS, "venue_region": 110100}],
    "exam_batches": [{**CLASS, "id": "b1", "venue_region": 110100}],
}
VENUE = "classes/c1/venue"


@pytest.mark.parametrize(
    ("place", "home", "venue", "outcome", "ban_at"),
    [
        ("CN-37", 370100, 371002, "at_home", None),
        ("CN-37", 370100, 110100, "across", ["CN-37"]),
        ("CN-37", 110100, 370100, "across", ["CN-37"]),
        ("CN-37", 370100, 230100, "across", ["CN-37", "CN-23"]),
        ("CN-3710", 370100, 110100, "across", ["CN-37"]),
        ("CN-14", 140100, 110100, "across", ["CN-14"]),
        ("CN-23", 110100, 230100, "across", ["CN-23"]),
    ],
)
def test_a_class_in_another_province_is_suspected(
    place: str, home: int, venue: int, outcome: str, ban_at: list[str] | None
) -> None:
    rows = with_row(
        with_row(ACROSS, "institutions", home_region=home), "classes", venue_region=venue
    )
    found = results("DR-27", place, rows)[VENUE]
    assert (found.outcome, found.inputs.get("ban_at")) == (outcome, ban_at)
    assert outcomes("DR-27", "national", rows) == {}


def test_evaluators_are_bound_in_heilongjiang_alone() -> None:
    about = "exam_batches/b1/venue"
    for place, bound in (("CN-37", False), ("CN-14", False), ("CN-23", True)):
        found = outcomes("DR-27", place, ACROSS)
        assert (found.get(about) == "across") == bound
        assert (about in found) == bound


def test_an_approval_clears_in_shanxi_alone() -> None:
    approval = {"employer_approvals": APPROVED["employer_approvals"]}
    for place, outcome in (("CN-14", "approved"), ("CN-37", "across"), ("CN-23", "across")):
        assert said("DR-27", place, {**ACROSS, **approval}, VENUE) == outcome
    late = with_row(approval, "employer_approvals", approved_on="2024-07-02")
    assert said("DR-27", "CN-14", {**ACROSS, **late}, VENUE) == "across"
    assert said("DR-27", "CN-14", {"classes": ACROSS["classes"]}, VENUE) == "missing"


def test_before_the_paper_there_is_no_ban() -> None:
    for day, banned in (("2024-05-22", False), ("2024-05-23", True)):
        rows = with_row(ACROSS, "classes", start_on=day)
        assert (VENUE in outcomes("DR-27", "CN-14", rows)) == banned


def photo(place: int | None) -> Rows:
    row = {"id": "x1", "class_id": "c1", "sha256": "0" * 64}
    return {**ACROSS, "photos": [row | ({} if place is None else {"region": place})]}


def test_a_photograph_from_elsewhere_is_a_question() -> None:
    about = "classes/c1/photos"
    found = results("DR-27", "CN-37", photo(370100))[about]
    assert (found.outcome, found.inputs["photos"]) == ("photos_elsewhere", ["CN-37"])
    for place in (110108, None):
        assert about not in outcomes("DR-27", "CN-37", photo(place))


def homes(*regions: int | None) -> Rows:
    rows = [
        {"id": f"t{n}", "class_id": "c1", "person": f"p{n}", "enrolled_on": "2024-06-01"}
        | ({} if region is None else {"home_region": region})
        for n, region in enumerate(regions)
    ]
    return {**ACROSS, "trainees": rows}


@pytest.mark.parametrize(
    ("regions", "outcome"),
    [
        ((370100, 110100), "homes_here"),
        ((370100, 110100, 120100), "homes_elsewhere"),
        ((370100, 110100, None, None), "homes_here"),
        ((110100, None), "homes_elsewhere"),
        ((None, None), "missing"),
        ((), "missing"),
    ],
)
def test_more_than_half_from_elsewhere_is_only_a_question(
    regions: tuple[int | None, ...], outcome: str
) -> None:
    found = results("DR-27", "CN-37", homes(*regions))["classes/c1/homes"]
    assert found.outcome == outcome
    assert found.verdict.value != "finding"


@given(st.lists(st.sampled_from([370100, 371002, 110100, None]), max_size=12))
def test_the_share_of_known_homes_is_exact(regions: list[int | None]) -> None:
    known = [region for region in regions if region is not None]
    outside = known.count(110100)
    found = said("DR-27", "CN-37", homes(*regions), "classes/c1/homes")
    if known:
        assert (found == "homes_elsewhere") == (2 * outside > len(known))
    else:
        assert found == "missing"


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("DR-26", also(APPROVED, "catalogue_entries", id="e2", side="evaluation")),
        ("DR-26", with_row(APPROVED, "classes", venue_region=370100)),
        ("DR-27", {**APPROVED, **homes(370100, 110100), **photo(370100)}),
    ],
)
@pytest.mark.parametrize("place", ["CN-14", "CN-23"])
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str, rows: Rows, place: str) -> None:
    row_by_row(rule, place, rows)
