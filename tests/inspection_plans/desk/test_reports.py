"""DR-08 to DR-11: reports and issue, by the day each paper says."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspection_plans.desk.judging import (
    RULES,
    Rows,
    also,
    outcomes,
    results,
    row_by_row,
    said,
    with_row,
)

DAY = timedelta(days=1)
PROVINCE, HARBIN = "hr_department_province", "hr_department_city:230100"
CLASS = {
    "id": "c1",
    "institution_id": "i1",
    "occupation": "大数据",
    "level": "junior",
    "start_on": "2024-06-03",
    "end_on": "2024-06-28",
    "ended_on": "2024-06-28",
    "completed_on": "2024-07-01",
    "venue_region": 370100,
}


def reports(**days: str | None) -> Rows:
    recipients = {"province": PROVINCE, "harbin": HARBIN}
    rows = [
        {"id": name, "class_id": "c1", "recipient": recipients[name], "reported_on": day}
        for name, day in days.items()
        if day
    ]
    return {"classes": [CLASS], "list_reports": rows}


@pytest.mark.parametrize("place", ["CN-37", "CN-3710", "CN-14"])
@pytest.mark.parametrize(("day", "outcome"), [("2024-07-31", "in_time"), ("2024-08-01", "late")])
def test_the_list_goes_to_the_province_in_thirty_days_of_completion(
    place: str, day: str, outcome: str
) -> None:
    assert said("DR-08", place, reports(province=day), "classes/c1") == outcome


@pytest.mark.parametrize(
    ("province", "harbin", "outcome", "to"),
    [
        ("2024-07-15", "2024-07-15", "in_time", None),
        ("2024-07-15", "2024-07-16", "late", [HARBIN]),
        ("2024-07-16", "2024-07-15", "late", [PROVINCE]),
        ("2024-07-15", None, "late", [HARBIN]),
        (None, None, "late", [PROVINCE, HARBIN]),
    ],
)
def test_in_heilongjiang_both_are_served_in_fifteen_days_of_the_end(
    province: str | None, harbin: str | None, outcome: str, to: list[str] | None
) -> None:
    # the 13th of July 2024, the fifteenth day, is a Saturday
    found = results("DR-08", "CN-23", reports(province=province, harbin=harbin))["classes/c1"]
    assert found.outcome == outcome
    assert found.inputs.get("recipients") == to


def test_nothing_is_late_before_the_day_due() -> None:
    rows = reports()
    for as_of, outcome in (("2024-07-31", "awaited"), ("2024-08-01", "late")):
        assert said("DR-08", "CN-37", rows, "classes/c1", as_of=as_of) == outcome
    half = reports(province="2024-07-01")
    assert said("DR-08", "CN-23", half, "classes/c1", as_of="2024-07-15") == "awaited"


def test_the_term_runs_from_its_own_event() -> None:
    running = with_row(reports(), "classes", completed_on=None)
    assert said("DR-08", "CN-37", running, "classes/c1") == "missing"
    assert said("DR-08", "CN-37", running, "classes/c1", as_of="2024-06-28") == "running"
    found = results("DR-08", "CN-37", running)["classes/c1"]
    assert found.inputs["missing"] == ("classes.completed_on",)
    ended = with_row(reports(), "classes", ended_on=None)
    assert results("DR-08", "CN-23", ended)["classes/c1"].inputs["missing"] == (
        "classes.ended_on",
    )
    early = reports(province="2024-07-01")
    assert said("DR-08", "CN-37", early, "classes/c1", as_of="2024-06-30") == "running"
    assert said("DR-08", "CN-37", {"classes": [CLASS]}, "classes/c1") == "missing"
    assert outcomes("DR-08", "national", reports()) == {}


def test_the_first_report_counts() -> None:
    again = also(reports(province="2024-07-31"), "list_reports", id="x", reported_on="2024-09-01")
    assert said("DR-08", "CN-37", again, "classes/c1") == "in_time"


BATCH = {
    "id": "b1",
    "institution_id": "i1",
    "occupation": "大数据",
    "level": "junior",
    "start_on": "2024-07-01",
    "end_on": "2024-07-01",
    "venue_region": 370100,
}


def reported(**fields: Any) -> Rows:
    row = {"id": "r1", "batch_id": "b1", **fields}
    return {"exam_batches": [BATCH], "certificate_reports": [row]}


MONTH = "national-2021-71/4.6.3/certificate-data-1-month"
THIRTY = {
    "CN-37": "shandong-2022-156/4.3/certificate-data-30d",
    "CN-14": "shanxi-2024-27/4.3/certificate-data-30d",
}


@pytest.mark.parametrize("place", ["CN-37", "CN-14"])
@pytest.mark.parametrize(
    ("day", "outcome", "papers"),
    [
        ("2024-07-31", "in_time", 2),
        ("2024-08-01", "late", 1),
        ("2024-08-02", "late", 2),
        (None, "lacking", 2),
    ],
)
def test_only_the_paper_whose_own_limit_is_passed_is_cited(
    place: str, day: str | None, outcome: str, papers: int
) -> None:
    fields = {} if day is None else {"reported_on": day}
    found = results("DR-09", place, reported(**fields))["exam_batches/b1"]
    assert found.outcome == outcome
    cited = {THIRTY[place]} if papers == 1 else {MONTH, THIRTY[place]}
    assert set(found.clauses) == cited


@pytest.mark.parametrize(("day", "outcome"), [("2024-08-01", "in_time"), ("2024-08-02", "late")])
@pytest.mark.parametrize("place", ["national", "CN-23"])
def test_elsewhere_the_month_alone_binds(place: str, day: str, outcome: str) -> None:
    found = results("DR-09", place, reported(reported_on=day))["exam_batches/b1"]
    assert (found.outcome, found.clauses) == (outcome, (MONTH,))


def test_weihai_inherits_the_thirty_days() -> None:
    found = results("DR-09", "CN-3710", reported(reported_on="2024-08-01"))["exam_batches/b1"]
    assert (found.outcome, found.clauses) == ("late", (THIRTY["CN-37"],))


def test_an_exam_is_over_when_it_has_ended() -> None:
    rows = reported()
    days = (("2024-07-01", "running"), ("2024-07-31", "awaited"), ("2024-08-01", "lacking"))
    for as_of, outcome in days:
        assert said("DR-09", "CN-37", rows, "exam_batches/b1", as_of=as_of) == outcome
    open_end = with_row(rows, "exam_batches", end_on=None)
    assert said("DR-09", "CN-37", open_end, "exam_batches/b1") == "missing"
    assert said("DR-09", "CN-37", open_end, "exam_batches/b1", as_of="2024-07-01") == "running"
    assert said("DR-09", "CN-37", {"exam_batches": [BATCH]}, "exam_batches/b1") == "missing"


@pytest.mark.parametrize(
    ("place", "day", "outcome"),
    [
        ("CN-37", "2024-07-15", "in_time"),
        ("CN-37", "2024-07-16", "late"),
        ("CN-3710", "2024-07-16", "late"),
        ("CN-14", "2024-07-11", "in_time"),
        ("CN-14", "2024-07-12", "late"),
        ("CN-37", None, "lacking"),
    ],
)
def test_the_province_handles_in_working_days_or_in_days(
    place: str, day: str | None, outcome: str
) -> None:
    fields = {"received_on": "2024-07-01"} | ({} if day is None else {"reported_up_on": day})
    assert said("DR-10", place, reported(**fields), "certificate_reports/r1") == outcome


def test_where_no_paper_gives_the_province_a_term_nothing_is_said() -> None:
    rows = reported(received_on="2024-07-01")
    assert outcomes("DR-10", "national", rows) == outcomes("DR-10", "CN-23", rows) == {}
    unknown = reported(reported_on="2024-07-01")
    assert said("DR-10", "CN-37", unknown, "certificate_reports/r1") == "missing"
    assert outcomes("DR-10", "CN-23", unknown) == {}
    for as_of, outcome in (("2024-07-15", "awaited"), ("2024-07-16", "lacking")):
        found = said("DR-10", "CN-37", rows, "certificate_reports/r1", as_of=as_of)
        assert found == outcome


def issued(on: str, audit: str | None = "2024-07-02") -> Rows:
    certificate = {
        "id": "z1",
        "number": "1",
        "candidate_id": "k1",
        "institution_id": "i1",
        "occupation": "大数据",
        "level": "junior",
        "issued_on": on,
    }
    rows = reported(**({} if audit is None else {"audit_passed_on": audit}))
    candidate = {"id": "k1", "batch_id": "b1", "person": "p1"}
    return {**rows, "candidates": [candidate], "certificates": [certificate]}


@pytest.mark.parametrize(
    ("place", "on", "outcome"),
    [
        ("CN-37", "2024-07-01", "before_audit"),
        ("CN-37", "2024-07-02", "in_time"),
        ("CN-37", "2024-08-01", "in_time"),
        ("CN-37", "2024-08-02", "late"),
        ("CN-3710", "2024-08-02", "late"),
        ("CN-14", "2024-08-01", "in_time"),
        ("CN-14", "2024-08-02", "late"),
        ("CN-14", "2024-07-01", "before_audit"),
        ("CN-23", "2024-07-01", "order_unusual"),
        ("CN-23", "2024-12-31", "in_order"),
        ("national", "2024-07-02", "in_order"),
    ],
)
def test_a_certificate_comes_after_the_audit_and_within_thirty_days_of_it(
    place: str, on: str, outcome: str
) -> None:
    assert said("DR-11", place, issued(on), "certificates/z1") == outcome


def test_the_order_is_a_finding_only_where_a_local_paper_speaks_of_it() -> None:
    found = results("DR-11", "CN-3710", issued("2024-07-01"))["certificates/z1"]
    assert set(found.clauses) == {
        "shandong-2022-156/4.3/issue-30d",
        "weihai-2023-25/4.3/issue-after-audit",
    }
    found = results("DR-11", "CN-23", issued("2024-07-01"))["certificates/z1"]
    assert (found.verdict.value, len(found.clauses)) == ("question", 1)
    assert said("DR-11", "CN-37", issued("2024-08-01", None), "certificates/z1") == "missing"


@given(st.dates(date(2023, 1, 1), date(2025, 6, 30)), st.integers(0, 70), st.sampled_from([1, 7]))
def test_reporting_earlier_is_never_worse(trigger: date, days: int, sooner: int) -> None:
    term = RULES.clock.deadline("trainee_list_report", "CN-37", trigger)
    assert term is not None
    for day in (trigger + days * DAY, trigger + max(days - sooner, 0) * DAY):
        rows = reports(province=day.isoformat())
        rows = with_row(rows, "classes", completed_on=trigger.isoformat())
        found = said("DR-08", "CN-37", rows, "classes/c1", as_of="2026-12-31")
        assert (found == "in_time") == (day <= term.due)


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("DR-08", reports(province="2024-07-31", harbin="2024-07-15")),
        ("DR-09", reported(reported_on="2024-07-31")),
        ("DR-10", reported(received_on="2024-07-31")),
        ("DR-11", issued("2024-08-02")),
    ],
)
@pytest.mark.parametrize("place", ["CN-3710", "CN-23"])
def test_a_row_taken_away_and_put_back_changes_nothing(rule: str, rows: Rows, place: str) -> None:
    row_by_row(rule, place, rows)
