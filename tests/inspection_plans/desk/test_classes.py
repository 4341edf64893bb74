"""DR-06, DR-07, DR-14, DR-15, DR-31, DR-32: papers before a class, its lessons, its notice."""

from fractions import Fraction
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
    "ended_on": "2024-07-31",
    "venue_region": 371002,
}
PROVINCE, CITY = "hr_department_province", "hr_department_city"


def plans(province: str | None, city: str | None, kind: str = "training") -> list[dict[str, Any]]:
    days = {PROVINCE: province, CITY: city}
    return [
        {
            "id": f"{kind}-{recipient}",
            "class_id": "c1",
            "kind": kind,
            "recipient": recipient,
            "filed_on": day,
        }
        for recipient, day in days.items()
        if day
    ]


@pytest.mark.parametrize(
    ("province", "city", "outcome"),
    [
        ("2024-06-30", "2024-07-01", "filed"),
        ("2024-07-01", "2024-07-01", "filed"),
        ("2024-07-02", "2024-06-01", "late"),
        ("2024-06-01", "2024-07-02", "late"),
        ("2024-06-01", None, "lacking"),
        (None, "2024-06-01", "lacking"),
    ],
)
@pytest.mark.parametrize("kind", ["training", "exam"])
@pytest.mark.parametrize("place", ["CN-37", "CN-3710"])
def test_both_plans_are_filed_with_both_before_the_class(
    province: str | None, city: str | None, outcome: str, kind: str, place: str
) -> None:
    other = "exam" if kind == "training" else "training"
    filed = plans(province, city, kind) + plans("2024-05-05", "2024-05-05", other)
    rows: Rows = {"classes": [CLASS], "plan_filings": filed}
    assert outcomes("DR-06", place, rows) == {
        f"classes/c1/{kind}": outcome,
        f"classes/c1/{other}": "filed",
    }


def test_a_plan_is_awaited_until_the_class_begins_and_the_first_filing_counts() -> None:
    rows: Rows = {"classes": [CLASS], "plan_filings": []}
    about = "classes/c1/training"
    assert said("DR-06", "CN-37", rows, about, as_of="2024-06-30") == "awaited"
    found = results("DR-06", "CN-37", rows, as_of="2024-07-01")[about]
    assert (found.outcome, found.inputs["recipients"]) == ("lacking", [CITY, PROVINCE])
    again = [*plans("2024-06-01", "2024-06-01"), {**plans("2024-08-01", None)[0], "id": "again"}]
    assert said("DR-06", "CN-37", {"classes": [CLASS], "plan_filings": again}, about) == "filed"
    assert said("DR-06", "CN-37", {"classes": [CLASS]}, about) == "missing"
    assert outcomes("DR-06", "CN-14", rows) == {}


def approval(**fields: Any) -> Rows:
    row = {"id": "a1", "class_id": "c1", "status": "approved", **fields}
    return {"classes": [CLASS], "class_approvals": [row]}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (approval(decided_on="2024-07-01"), "approved"),
        (approval(decided_on="2024-07-02"), "late"),
        (approval(), "missing"),
        (approval(status="refused", decided_on="2024-06-01"), "refused"),
        (approval(status="submitted"), "lacking"),
        ({"classes": [CLASS], "class_approvals": []}, "lacking"),
        ({"classes": [CLASS]}, "missing"),
        (with_row(approval(), "classes", venue_region=370202), "elsewhere"),
        (with_row(approval(), "classes", venue_region=371000), "missing"),
        (also(approval(decided_on="2024-07-02"), "class_approvals", id="a0"), "late"),
        (
            also(
                approval(decided_on="2024-07-02"),
                "class_approvals",
                id="a2",
                decided_on="2024-06-28",
            ),
            "approved",
        ),
    ],
)
def test_a_class_in_weihai_is_approved_by_its_first_day(rows: Rows, outcome: str) -> None:
    assert said("DR-07", "CN-3710", rows, "classes/c1") == outcome
    assert outcomes("DR-07", "CN-37", rows) == {}


def test_an_approval_is_awaited_until_the_class_begins() -> None:
    rows: Rows = {"classes": [CLASS], "class_approvals": []}
    for as_of, outcome in (("2024-06-30", "awaited"), ("2024-07-01", "lacking")):
        assert said("DR-07", "CN-3710", rows, "classes/c1", as_of=as_of) == outcome


def lessons(offline: int | None, online: int | None, **fields: Any) -> Rows:
    rows = [
        {
            "id": mode,
            "class_id": "c1",
            "held_on": "2024-07-02",
            "starts_at": 540,
            "ends_at": 720,
            "mode": mode,
            "kind": kind,
            "delivered_minutes": minutes,
        }
        for mode, kind, minutes in (("offline", "theory", offline), ("online", "practice", online))
    ]
    kept = [{key: value for key, value in row.items() if value is not None} for row in rows]
    return {"classes": [{**CLASS, **fields}], "lessons": kept}


@pytest.mark.parametrize(
    ("offline", "online", "outcome"),
    [
        (2880, 1920, "enough"),
        (2879, 1921, "short"),
        (2881, 1919, "enough"),
        (3, 2, "enough"),
        (1, 1, "short"),
        (1, 0, "enough"),
        (0, 1, "short"),
        (0, 0, "missing"),
        (None, 100, "missing"),
    ],
)
def test_sixty_percent_are_offline(offline: int | None, online: int | None, outcome: str) -> None:
    assert said("DR-14", "CN-23", lessons(offline, online), "classes/c1") == outcome
    assert outcomes("DR-14", "CN-37", lessons(offline, online)) == {}


def test_a_class_that_still_runs_is_only_asked_about() -> None:
    for as_of, outcome in (("2024-07-30", "short_so_far"), ("2024-07-31", "short")):
        found = said("DR-14", "CN-23", lessons(1, 1), "classes/c1", as_of=as_of)
        assert found == outcome
    assert said("DR-14", "CN-23", {"classes": [CLASS]}, "classes/c1") == "missing"


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_share_is_exact_and_more_offline_never_hurts(offline: int, online: int) -> None:
    def enough(minutes: int) -> bool:
        return said("DR-14", "CN-23", lessons(minutes, online), "classes/c1") == "enough"

    if offline + online:
        assert enough(offline) == (Fraction(offline, offline + online) >= Fraction(6, 10))
        assert enough(offline + 1) >= enough(offline)


@pytest.mark.parametrize("place", ["CN-37", "CN-3710", "CN-14"])
def test_a_mode_or_kind_that_is_not_there_is_asked_about(place: str) -> None:
    rows = lessons(60, 60)
    assert said("DR-15", place, rows, "classes/c1") == "all_four"
    found = results("DR-15", place, with_row(rows, "lessons", 1, delivered_minutes=0))
    assert found["classes/c1"].outcome == "one_sided"
    assert found["classes/c1"].inputs["lacking"] == ["online", "practice"]
    theory = with_row(rows, "lessons", 1, kind="theory")
    assert results("DR-15", place, theory)["classes/c1"].inputs["lacking"] == ["practice"]
    assert said("DR-15", place, lessons(None, None), "classes/c1") == "all_four"
    assert said("DR-15", place, {"classes": [CLASS]}, "classes/c1") == "missing"
    assert outcomes("DR-15", "CN-23", rows) == {}


def notice(**fields: Any) -> Rows:
    row = {
        "id": "n1",
        "class_id": "c1",
        "published_on": "2024-05-31",
        "opens_on": "2024-06-01",
        "direction": "分析",
        "content": "算法",
        "mode": "线下为主",
        "fee": "1800元",
        **fields,
    }
    kept = {key: value for key, value in row.items() if value is not None}
    return {"classes": [CLASS], "enrolment_notices": [kept]}


@pytest.mark.parametrize(
    ("rows", "prospectus", "announcement"),
    [
        (notice(), "complete", "announced"),
        (notice(published_on="2024-06-01"), "complete", "announced"),
        (notice(published_on="2024-06-02"), "late", "late"),
        (notice(published_on=None), "missing", "missing"),
        (notice(opens_on=None), "missing", "missing"),
        (notice(fee=None), "incomplete", "announced"),
        (notice(content=" "), "incomplete", "announced"),
        ({"classes": [CLASS], "enrolment_notices": []}, "lacking", "lacking"),
        ({"classes": [CLASS]}, "missing", "missing"),
    ],
)
def test_the_notice_is_public_before_enrolment_and_in_heilongjiang_has_four_items(
    rows: Rows, prospectus: str, announcement: str
) -> None:
    assert said("DR-31", "CN-23", rows, "classes/c1") == prospectus
    for place in ("CN-23", "CN-37", "CN-14"):
        assert said("DR-32", place, rows, "classes/c1") == announcement
    assert outcomes("DR-31", "CN-37", rows) == outcomes("DR-32", "national", rows) == {}


@pytest.mark.parametrize(
    ("field", "item"),
    [
        ("direction", "专业方向"),
        ("content", "培训内容"),
        ("mode", "培训方式"),
        ("fee", "收费标准"),
    ],
)
def test_each_of_the_four_items_is_asked_for(field: str, item: str) -> None:
    found = results("DR-31", "CN-23", notice(**{field: None}))["classes/c1"]
    assert (found.outcome, found.inputs["items"]) == ("incomplete", [item])


def test_one_whole_notice_is_enough_and_before_the_class_nothing_is_late() -> None:
    two = also(
        notice(fee=None), "enrolment_notices", id="n2", fee="免费", published_on="2024-06-02"
    )
    assert said("DR-31", "CN-23", two, "classes/c1") == "late"
    assert said("DR-32", "CN-23", two, "classes/c1") == "announced"
    rows: Rows = {"classes": [CLASS], "enrolment_notices": []}
    for rule in ("DR-31", "DR-32"):
        assert said(rule, "CN-23", rows, "classes/c1", as_of="2024-06-30") == "awaited"


@pytest.mark.parametrize(
    ("rule", "place", "rows"),
    [
        (
            "DR-06",
            "CN-3710",
            {"classes": [CLASS], "plan_filings": plans("2024-06-01", "2024-07-03")},
        ),
        ("DR-07", "CN-3710", approval(decided_on="2024-07-01")),
        ("DR-14", "CN-23", lessons(60, 60)),
        ("DR-15", "CN-37", lessons(60, 60)),
        ("DR-31", "CN-23", notice()),
        ("DR-32", "CN-37", notice()),
    ],
)
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str, place: str, rows: Rows) -> None:
    row_by_row(rule, place, rows)
