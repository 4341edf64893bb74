"""DR-24, DR-37, DR-43, DR-44, DR-53: who has the right to a subsidy."""

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

STAGES = (
    "enrolment",
    "class_opening",
    "training",
    "certificate_issue",
    "fund_application",
    "subsidy_payment",
)
CLASS = {
    "id": "c1",
    "institution_id": "i1",
    "occupation": "大数据",
    "level": "middle",
    "start_on": "2024-06-10",
    "venue_region": 371002,
    "subsidised": True,
}
PAID: Rows = {
    "classes": [CLASS],
    "trainees": [{"id": "t1", "class_id": "c1", "person": "p1", "enrolled_on": "2024-06-01"}],
    "payments": [
        {
            "id": "g1",
            "claimant": "trainee",
            "trainee_id": "t1",
            "amount_fen": 1,
            "granted_on": "2024-09-01",
        }
    ],
    "completions": [{"trainee_id": "t1", "certificate": "k1", "passed": True}],
    "candidates": [{"id": "n1", "batch_id": "b1", "person": "p1", "trainee_id": "t1"}],
    "certificates": [
        {
            "id": "z1",
            "number": "1",
            "candidate_id": "n1",
            "institution_id": "i2",
            "occupation": "大数据",
            "level": "middle",
            "issued_on": "2024-08-01",
            "issue_region": 140100,
        }
    ],
    "local_catalogues": [
        {
            "id": "e1",
            "region": 371000,
            "institution_id": "i1",
            "occupation": "大数据",
            "valid_from": "2024-06-10",
            "valid_until": "2024-06-10",
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"issue_region": 149900}, "at_home"),
        ({"issue_region": 150100}, "elsewhere"),
        ({"issue_region": None}, "missing"),
    ],
)
def test_a_certificate_of_another_province_pays_nothing(
    change: dict[str, object], outcome: str
) -> None:
    rows = with_row(PAID, "certificates", **change)
    assert said("DR-24", "CN-14", rows, "payments/g1") == outcome
    assert outcomes("DR-24", "CN-37", rows) == {}


def test_an_exception_needs_a_reason_and_an_approver() -> None:
    rows = with_row(PAID, "certificates", issue_region=370100)
    for excuse in ({"override_reason": "随军"}, {"override_by": "u1"}):
        changed = with_row(rows, "payments", **excuse)
        assert said("DR-24", "CN-14", changed, "payments/g1") == "elsewhere"
    both = with_row(rows, "payments", override_reason="随军", override_by="u1")
    assert said("DR-24", "CN-14", both, "payments/g1") == "excepted"


def test_a_class_claim_covers_the_certificates_of_its_trainees() -> None:
    claim = {"claimant": "institution", "class_id": "c1", "trainee_id": None}
    rows = with_row(with_row(PAID, "payments", **claim), "certificates", issue_region=370100)
    found = results("DR-24", "CN-14", rows)["payments/g1"]
    assert (found.outcome, found.inputs["certificates"]) == ("elsewhere", ["z1"])
    named = with_row(PAID, "payments", certificate_id="z1")
    told = results("DR-24", "CN-14", named)["payments/g1"]
    assert (told.outcome, told.inputs["certificates"]) == ("at_home", 1)
    unheld = with_row(PAID, "payments", certificate_id="z9")
    assert results("DR-24", "CN-14", unheld)["payments/g1"].inputs["certificates"] == 0
    unknown = {name: listed for name, listed in PAID.items() if name != "certificates"}
    assert said("DR-24", "CN-14", unknown, "payments/g1") == "missing"


def records(*stages: str, **change: object) -> list[dict[str, object]]:
    return [
        {"id": f"r{stage}", "trainee_id": "t1", "stage": stage, "person": "p1", "verified": True}
        | change
        for stage in stages
    ]


def test_every_stage_is_recorded_before_anything_is_paid() -> None:
    full: Rows = {**PAID, "real_name_records": records(*STAGES)}
    assert said("DR-37", "CN-37", full, "trainees/t1") == "complete"
    for stage in STAGES:
        left = [other for other in STAGES if other != stage]
        rows: Rows = {**PAID, "real_name_records": records(*left)}
        found = results("DR-37", "CN-37", rows)["trainees/t1"]
        assert (found.outcome, found.inputs["lacking"]) == ("paid_without", [stage])
        for unpaid in ({**rows, "payments": []}, with_row(rows, "payments", amount_fen=0)):
            assert said("DR-37", "CN-37", unpaid, "trainees/t1") == "under_way"


def test_a_record_of_somebody_else_is_found_and_no_subsidy_asks_for_nothing() -> None:
    for change in ({"verified": False}, {"person": "p2"}):
        rows: Rows = {**PAID, "real_name_records": records(*STAGES, **change)}
        assert said("DR-37", "CN-37", rows, "trainees/t1") == "other_person"
    assert said("DR-37", "CN-37", PAID, "trainees/t1") == "missing"
    free = with_row({**PAID, "payments": []}, "classes", subsidised=False)
    assert outcomes("DR-37", "CN-37", free) == {}
    assert outcomes("DR-37", "CN-14", PAID) == {}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "listed"),
        ({"valid_from": "2024-06-11", "valid_until": None}, "not_listed"),
        ({"valid_from": "2024-01-01", "valid_until": "2024-06-09"}, "not_listed"),
        ({"region": 370000}, "listed"),
        ({"region": 371002}, "listed"),
        ({"region": 371100}, "not_listed"),
        ({"level": "senior"}, "not_listed"),
        ({"level": "middle"}, "listed"),
        ({"direction": "运维"}, "not_listed"),
        ({"occupation": "区块链"}, "not_listed"),
        ({"institution_id": "i9"}, "not_listed"),
    ],
)
def test_a_subsidised_course_stands_in_the_local_catalogue(
    change: dict[str, object], outcome: str
) -> None:
    rows = with_row(PAID, "local_catalogues", **change)
    assert said("DR-43", "CN-3710", rows, "classes/c1") == outcome


def test_only_a_subsidised_class_must_be_listed() -> None:
    assert outcomes("DR-43", "CN-37", with_row(PAID, "classes", subsidised=False)) == {}
    unsaid = with_row(PAID, "classes", subsidised=None)
    assert said("DR-43", "CN-37", unsaid, "classes/c1") == "missing"
    assert said("DR-43", "CN-37", {"classes": [CLASS]}, "classes/c1") == "missing"


@pytest.mark.parametrize(
    ("place", "register", "change", "lacking"),
    [
        ("national", "completions", {"certificate": None}, ["training_certificate"]),
        ("national", "completions", {"passed": False}, []),
        ("CN-37", "completions", {"passed": False}, ["passed"]),
        ("CN-37", "completions", {"certificate": None}, []),
        ("CN-37", "classes", {"subsidised": False}, ["planned_class"]),
        ("CN-3710", "certificates", {"issued_on": "2024-09-02"}, ["level_certificate"]),
        ("CN-3710", "certificates", {"issued_on": "2024-09-01"}, []),
        ("CN-3710", "completions", {"passed": False}, ["passed"]),
        ("CN-3710", "local_catalogues", {"occupation": "区块链"}, ["listed_course"]),
        ("CN-23", "completions", {"certificate": None}, ["training_certificate"]),
        ("CN-11", "completions", {"certificate": None}, ["training_certificate"]),
    ],
)
def test_each_place_asks_for_its_own_proofs(
    place: str, register: str, change: dict[str, object], lacking: list[str]
) -> None:
    assert said("DR-44", place, PAID, "payments/g1") == "entitled"
    found = results("DR-44", place, with_row(PAID, register, **change))["payments/g1"]
    assert (found.outcome, found.inputs["lacking"]) == (
        "lacking" if lacking else "entitled",
        lacking,
    )


def test_who_may_claim_depends_on_the_place() -> None:
    institution = with_row(PAID, "payments", claimant="institution", class_id="c1")
    assert said("DR-44", "CN-14", PAID, "payments/g1") == "wrong_claimant"
    assert said("DR-44", "CN-14", institution, "payments/g1") == "entitled"
    assert said("DR-44", "CN-37", institution, "payments/g1") == "wrong_claimant"
    unknown = {name: listed for name, listed in PAID.items() if name != "completions"}
    assert said("DR-44", "national", unknown, "payments/g1") == "missing"
    assert said("DR-44", "national", {"payments": PAID["payments"]}, "payments/g1") == "missing"


LESSON = {
    "id": "l1",
    "class_id": "c1",
    "held_on": "2024-06-10",
    "starts_at": 540,
    "ends_at": 600,
    "mode": "offline",
    "kind": "theory",
    "delivered_minutes": 60,
}
HOURS: Rows = {
    **PAID,
    "lessons": [LESSON],
    "attendance": [{"trainee_id": "t1", "attended": ["l1"]}],
    "standards": [{"id": "s1", "occupation": "大数据", "level": "middle", "minutes_min": 60}],
}


def test_a_grant_without_attendance_or_trainee_is_suspicious() -> None:
    assert outcomes("DR-53", "national", HOURS) == {"payments/g1": "regular"}
    short = with_row(HOURS, "standards", minutes_min=61)
    assert outcomes("DR-53", "national", short) == {"payments/g1/attendance": "too_few_hours"}
    for change in ({"trainee_id": "t9"}, {"trainee_id": None, "person": "p9"}, {"person": "p9"}):
        rows = with_row(HOURS, "payments", **change)
        assert said("DR-53", "national", rows, "payments/g1/roll") == "not_on_roll"
    assert said("DR-53", "national", {"payments": PAID["payments"]}, "payments/g1") == "missing"


def test_a_person_on_the_roll_may_be_named_without_the_enrolment() -> None:
    rows = with_row(HOURS, "payments", trainee_id=None, person="p1")
    assert outcomes("DR-53", "national", rows) == {"payments/g1": "regular"}


def test_a_stage_is_asked_for_by_the_papers_of_the_first_payment() -> None:
    rows: Rows = {
        **also(PAID, "payments", id="g2", granted_on="2024-11-01"),
        "real_name_records": [],
    }
    assert str(results("DR-37", "CN-37", rows)["trainees/t1"].on) == "2024-09-01"


def test_closed_and_shared_accounts_and_too_many_heads_are_suspicious() -> None:
    closed = with_row(HOURS, "payments", account_open=False)
    assert outcomes("DR-53", "national", closed) == {"payments/g1/account": "closed_account"}
    own = also(with_row(HOURS, "payments", account="a"), "payments", id="g2", account="a")
    assert set(outcomes("DR-53", "national", own).values()) == {"regular"}
    rows = also(own, "trainees", id="t2", person="p2")
    rows = with_row(rows, "payments", 1, trainee_id="t2")
    found = results("DR-53", "national", rows)["payments/g1/account_shared"]
    assert (found.outcome, found.inputs["others"]) == ("shared_account", ["g2"])
    claim = {"claimant": "institution", "trainee_id": None, "class_id": "c1"}
    heads = with_row(HOURS, "payments", heads=2, **claim)
    assert said("DR-53", "national", heads, "payments/g1/heads") == "more_heads"
    heads = with_row(heads, "payments", heads=1)
    assert outcomes("DR-53", "national", heads) == {"payments/g1": "regular"}


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        ("DR-24", "CN-14", PAID),
        ("DR-37", "CN-37", {**PAID, "real_name_records": records(*STAGES)}),
        ("DR-43", "CN-3710", PAID),
        ("DR-44", "CN-3710", PAID),
        ("DR-44", "CN-37", PAID),
        ("DR-53", "national", also(HOURS, "payments", id="g2", account="a")),
    ],
)
def test_one_change_comes_to_the_same_as_judging_everything(
    rule: str, place: str, rows: Rows
) -> None:
    row_by_row(rule, place, rows)
