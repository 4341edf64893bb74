"""Every term of the notices: by when, or until when, with the clauses it rests on."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.ask.table import answer_line
from inspection_plans.clock import UnknownConcept
from inspection_plans.deadlines import Asks, Ends, in_time, quarter_end, year_end
from inspection_plans.library import Library
from inspection_plans.workdays import Calendar, Stop, StopBroken, Unit

RULES = loader.load_rulebook()
CALENDAR = RULES.calendar
DAY = timedelta(days=1)
PLACES = ["national", "CN-37", "CN-3710", "CN-14", "CN-23"]
CONCEPTS = sorted(RULES.library.deadlines)
DUTIES = [c for c in CONCEPTS if RULES.library.deadlines[c].ends is Ends.DUTY]
PERIODS = [c for c in CONCEPTS if RULES.library.deadlines[c].ends is Ends.PERIOD]
days = st.dates(date(2021, 10, 1), date(2026, 6, 30))


def ask(concept: str, place: str, **fields: object) -> dict[str, Any]:
    question = {"ask": "deadline", "concept": concept, "jurisdiction": place, **fields}
    found: dict[str, Any] = json.loads(answer_line(json.dumps(question), RULES))
    return found


def last(concept: str, place: str, trigger: str, **fields: object) -> tuple[str, str, str | None]:
    found = ask(concept, place, trigger=trigger, **fields)
    return found["due"], found["arithmetical"], found["from"]


DUTY_DAYS = [
    # the list of trainees: 30 days, in Heilongjiang 15
    ("trainee_list_report", "CN-37", "2024-07-01", "2024-07-31", "2024-07-31"),
    ("trainee_list_report", "CN-3710", "2024-07-01", "2024-07-31", "2024-07-31"),
    ("trainee_list_report", "CN-14", "2024-07-01", "2024-07-31", "2024-07-31"),
    ("trainee_list_report", "CN-23", "2024-07-01", "2024-07-16", "2024-07-16"),
    ("trainee_list_report", "CN-23", "2024-06-29", "2024-07-15", "2024-07-14"),
    ("trainee_list_report", "CN-37", "2024-09-01", "2024-10-08", "2024-10-01"),
    # certificate data: the earlier of a month and 30 days
    ("certificate_data_report", "national", "2024-01-31", "2024-02-29", "2024-02-29"),
    ("certificate_data_report", "CN-23", "2024-07-01", "2024-08-01", "2024-08-01"),
    ("certificate_data_report", "CN-37", "2024-07-01", "2024-07-31", "2024-07-31"),
    ("certificate_data_report", "CN-37", "2024-01-31", "2024-02-29", "2024-02-29"),
    ("certificate_data_report", "CN-3710", "2023-02-01", "2023-03-01", "2023-03-01"),
    ("certificate_data_report", "CN-14", "2025-02-10", "2025-03-10", "2025-03-10"),
    # confirmation: ten working days in Shandong, ten days in Shanxi
    ("province_confirmation", "CN-37", "2024-07-01", "2024-07-15", "2024-07-15"),
    ("province_confirmation", "CN-37", "2024-09-27", "2024-10-16", "2024-10-16"),
    ("province_confirmation", "CN-14", "2024-07-01", "2024-07-11", "2024-07-11"),
    ("province_confirmation", "CN-14", "2024-06-26", "2024-07-08", "2024-07-06"),
    # issue: 30 days after the audit
    ("certificate_issue", "CN-37", "2024-07-02", "2024-08-01", "2024-08-01"),
    ("certificate_issue", "CN-3710", "2024-07-02", "2024-08-01", "2024-08-01"),
    ("certificate_issue", "CN-14", "2024-07-05", "2024-08-05", "2024-08-04"),
]


@pytest.mark.parametrize(("concept", "place", "trigger", "due", "arithmetical"), DUTY_DAYS)
def test_a_duty_is_due_on_a_working_day(
    concept: str, place: str, trigger: str, due: str, arithmetical: str
) -> None:
    assert last(concept, place, trigger) == (due, arithmetical, None)


@pytest.mark.parametrize(
    ("concept", "place", "trigger", "due", "follows"),
    [
        ("publicity_period", "CN-37", "2024-09-10", "2024-10-08", "2024-10-09"),
        ("publicity_period", "national", "2024-06-17", "2024-07-08", "2024-07-09"),
        ("publicity_period", "CN-23", "2024-07-05", "2024-07-26", "2024-07-29"),
        ("catalogue_validity", "CN-14", "2021-12-31", "2024-12-31", "2025-01-01"),
        ("catalogue_validity", "CN-37", "2024-02-29", "2027-02-28", "2027-03-01"),
        ("bad_record_ban", "CN-23", "2024-07-06", "2027-07-06", "2027-07-07"),
        ("no_duplicate_subsidy", "CN-37", "2024-03-15", "2025-03-15", "2025-03-16"),
        ("no_duplicate_subsidy", "CN-3710", "2024-03-15", "2025-03-15", "2025-03-16"),
        ("no_duplicate_subsidy", "CN-14", "2024-06-01", "2025-06-01", "2025-06-02"),
        ("no_duplicate_subsidy", "CN-23", "2024-03-15", "2024-12-31", "2025-01-01"),
        ("no_duplicate_subsidy", "CN-23", "2024-12-31", "2024-12-31", "2025-01-01"),
        ("no_duplicate_subsidy", "CN-23", "2025-01-01", "2025-12-31", "2026-01-01"),
        ("trainee_eligibility", "CN-14", "2024-06-30", "2026-06-30", "2026-07-01"),
        # what is judged later, counts from before the paper too
        ("trainee_eligibility", "CN-14", "2022-06-30", "2024-06-30", "2024-07-01"),
        ("trainee_eligibility", "CN-14", "2020-02-29", "2022-02-28", "2022-03-01"),
        ("no_duplicate_subsidy", "CN-14", "2024-05-22", "2025-05-22", "2025-05-23"),
        ("no_duplicate_subsidy", "CN-3710", "2022-12-01", "2023-12-01", "2023-12-02"),
    ],
)
def test_a_period_runs_out_on_its_last_day_whatever_day_that_is(
    concept: str, place: str, trigger: str, due: str, follows: str
) -> None:
    assert last(concept, place, trigger) == (due, due, follows)


def test_records_are_kept_three_years_on_paper_and_five_electronically() -> None:
    paper = last("archive_retention", "CN-14", "2024-07-01", medium="paper")
    electronic = last("archive_retention", "CN-14", "2024-07-01", medium="electronic")
    assert paper == ("2027-07-01", "2027-07-01", "2027-07-02")
    assert electronic == ("2029-07-01", "2029-07-01", "2029-07-02")
    found = ask("archive_retention", "CN-23", trigger="2024-07-01", medium="paper")
    assert found["clauses"] == ["national-2021-71/4.6.5/retention-paper-3y"]
    assert [ground["setting"] for ground in found["basis"]] == [
        "archive_retention.counting",
        "archive_retention_start",
    ]


@pytest.mark.parametrize(
    ("quarter", "due", "follows"),
    [
        ("2024Q1", "2024-03-31", "2024-04-01"),
        ("2024Q2", "2024-06-30", "2024-07-01"),
        ("2024Q3", "2024-09-30", "2024-10-01"),
        ("2023Q4", "2023-12-31", "2024-01-01"),
    ],
)
def test_the_quarterly_form_is_due_on_the_last_day_even_a_sunday(
    quarter: str, due: str, follows: str
) -> None:
    found = ask("quarterly_form", "CN-3710", quarter=quarter)
    assert (found["due"], found["from"]) == (due, follows)
    assert found["clauses"] == ["weihai-2023-25/6.2/quarterly-form"]
    assert found["recipients"] == ["hr_department_city"]


def test_the_summary_of_a_year_is_due_at_its_end() -> None:
    found = ask("annual_summary", "CN-37", year=2024)
    assert (found["due"], found["from"]) == ("2024-12-31", "2025-01-01")
    assert "annual_summary_grace_days" in [ground["setting"] for ground in found["basis"]]


def test_a_plan_is_filed_by_the_day_the_class_starts() -> None:
    found = ask("plan_filing", "CN-3710", trigger="2024-07-01")
    assert (found["due"], found["from"]) == ("2024-07-01", None)
    assert found["recipients"] == ["hr_department_province", "hr_department_city"]


def test_each_clause_is_told_and_the_strictest_binds() -> None:
    found = ask("certificate_data_report", "CN-3710", trigger="2024-07-01")
    month, thirty = found["each"]
    assert (month["clause"], month["due"]) == (
        "national-2021-71/4.6.3/certificate-data-1-month",
        "2024-08-01",
    )
    assert (thirty["clause"], thirty["due"]) == (
        "shandong-2022-156/4.3/certificate-data-30d",
        "2024-07-31",
    )
    assert found["due"] == "2024-07-31"
    assert found["clauses"] == [month["clause"], thirty["clause"]]
    both = ask("trainee_list_report", "CN-3710", trigger="2024-07-01")
    assert both["clauses"] == [
        "shandong-2022-156/4.2/trainee-list-30d",
        "weihai-2023-25/4.2/trainee-list-30d",
    ]


def test_heilongjiang_is_in_time_only_when_both_were_served() -> None:
    found = RULES.clock.deadline("trainee_list_report", "CN-23", date(2024, 7, 1))
    assert found is not None
    province, harbin = found.recipients
    assert (province, harbin) == ("hr_department_province", "hr_department_city:230100")
    on_time, late = found.due, found.due + DAY
    assert in_time(found.due, found.recipients, {province: on_time, harbin: on_time})
    assert not in_time(found.due, found.recipients, {province: on_time, harbin: late})
    assert not in_time(found.due, found.recipients, {province: late, harbin: on_time})
    assert not in_time(found.due, found.recipients, {province: on_time})


@pytest.mark.parametrize(
    ("concept", "place", "trigger"),
    [
        ("trainee_list_report", "national", "2024-07-01"),
        ("trainee_list_report", "CN-11", "2024-07-01"),
        ("certificate_issue", "CN-23", "2024-07-01"),
        ("province_confirmation", "CN-23", "2024-07-01"),
        ("trainee_eligibility", "CN-37", "2024-07-01"),
        ("bad_record_ban", "CN-37", "2024-07-01"),
        # one day before Shanxi's paper, before the national paper, and without any later one
        ("trainee_list_report", "CN-14", "2024-05-22"),
        ("catalogue_validity", "CN-37", "2021-10-07"),
        ("trainee_eligibility", "CN-11", "2020-06-30"),
    ],
)
def test_where_no_paper_gives_a_term_none_is_guessed(
    concept: str, place: str, trigger: str
) -> None:
    found = ask(concept, place, trigger=trigger)
    assert found["due"] is None
    assert found["clauses"] == found["each"] == []
    assert found["why"]


def test_the_papers_of_the_trigger_decide_unless_another_day_is_asked() -> None:
    assert ask("trainee_list_report", "CN-14", trigger="2024-05-23")["due"] == "2024-06-24"
    early = ask("trainee_list_report", "CN-14", trigger="2024-05-22", on="2024-06-01")
    assert early["due"] == "2024-06-21"
    assert ask("quarterly_form", "CN-3710", quarter="2023Q1")["due"] is None
    assert ask("quarterly_form", "CN-3710", quarter="2023Q2")["due"] == "2023-06-30"


def test_a_term_into_a_year_without_a_table_is_provisional() -> None:
    def sure(concept: str, trigger: str) -> bool:
        found = ask(concept, "CN-37", trigger=trigger)
        return not found["provisional"]

    assert sure("trainee_list_report", "2026-12-01")
    assert not sure("trainee_list_report", "2026-12-02")
    assert not sure("province_confirmation", "2026-12-25")
    assert sure("publicity_period", "2026-12-09")
    assert not sure("publicity_period", "2026-12-10")
    assert sure("catalogue_validity", "2026-12-02")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"concept": "lunch", "trigger": "2024-07-01"}, "unknown_value", "concept"),
        ({"concept": "certificate_issue"}, "missing_field", "trigger"),
        ({"concept": "certificate_issue", "quarter": "2024Q1"}, "missing_field", "trigger"),
        (
            {"concept": "certificate_issue", "trigger": "2024-07-01", "quarter": "2024Q1"},
            "unknown_field",
            "quarter",
        ),
        (
            {"concept": "certificate_issue", "trigger": "2024-07-01", "medium": "paper"},
            "unknown_field",
            "medium",
        ),
        ({"concept": "archive_retention", "trigger": "2024-07-01"}, "missing_field", "medium"),
        (
            {"concept": "archive_retention", "trigger": "2024-07-01", "medium": "stone"},
            "unknown_value",
            "medium",
        ),
        ({"concept": "quarterly_form"}, "missing_field", "quarter"),
        ({"concept": "quarterly_form", "trigger": "2024-07-01"}, "missing_field", "quarter"),
        ({"concept": "quarterly_form", "quarter": "2024Q5"}, "wrong_field", "quarter"),
        ({"concept": "quarterly_form", "quarter": "2024-1"}, "wrong_field", "quarter"),
        ({"concept": "quarterly_form", "quarter": "２０２４Q1"}, "wrong_field", "quarter"),
        ({"concept": "quarterly_form", "quarter": "202４Q1"}, "wrong_field", "quarter"),
        ({"concept": "certificate_issue", "trigger": "2024-07-0１"}, "wrong_field", "trigger"),
        ({"concept": "annual_summary", "year": "2024"}, "wrong_field", "year"),
        ({"concept": "annual_summary", "year": -1}, "wrong_field", "year"),
        ({"concept": "certificate_issue", "trigger": "9999-12-31"}, "wrong_field", "trigger"),
        ({"concept": "catalogue_validity", "trigger": "9996-12-31"}, "wrong_field", "trigger"),
        (
            {
                "concept": "certificate_issue",
                "trigger": "2024-07-01",
                "stops": [{"first": "2024-07-03", "last": "2024-07-02"}],
            },
            "wrong_field",
            "stops",
        ),
        (
            {
                "concept": "quarterly_form",
                "quarter": "2024Q1",
                "stops": [{"first": "2024-03-03", "last": "2024-03-04"}],
            },
            "unknown_field",
            "stops",
        ),
    ],
)
def test_a_term_is_asked_by_its_own_fields(
    fields: dict[str, object], code: str, field: str
) -> None:
    concept = str(fields.pop("concept"))
    found = ask(concept, "CN-37", **fields)["error"]
    assert (found["code"], found["field"]) == (f"question.{code}", field)


def test_a_concept_without_a_term_is_refused() -> None:
    with pytest.raises(UnknownConcept):
        RULES.clock.deadline("training_loan", "CN-37", date(2024, 7, 1))


def medium_of(concept: str) -> str | None:
    return "paper" if RULES.library.deadlines[concept].choose else None


@given(st.sampled_from(DUTIES + PERIODS), st.sampled_from(PLACES), days, days)
def test_a_later_trigger_is_never_due_earlier(
    concept: str, place: str, one: date, other: date
) -> None:
    on = date(2025, 1, 1)
    medium = medium_of(concept)
    early, late = (
        RULES.clock.deadline(concept, place, day, on=on, chosen=medium)
        for day in sorted((one, other))
    )
    assert (early is None) == (late is None)
    if early is not None and late is not None:
        assert early.due <= late.due
        assert early.follows is None or late.follows is None or early.follows <= late.follows


@given(st.sampled_from(DUTIES + PERIODS), st.sampled_from(PLACES), days)
def test_a_duty_rolls_forward_to_a_working_day_and_a_period_does_not(
    concept: str, place: str, trigger: date
) -> None:
    found = RULES.clock.deadline(concept, place, trigger, chosen=medium_of(concept))
    if found is None:
        return
    assert found.due >= found.arithmetical
    later = RULES.library.deadlines[concept].judged_later
    on = RULES.library.newest(place) if later else trigger
    in_force = {clause.id for clause in RULES.library.effective_set(place, max(on, trigger))}
    assert {one.clause for one in found.each} <= in_force
    if concept in DUTIES:
        assert found.due == min(one.due for one in found.each) > trigger
        assert CALENDAR.is_working_day(found.due)
        assert found.follows is None
    else:
        assert found.due == found.arithmetical
        assert found.follows is not None
        assert found.follows > found.due


@given(st.permutations(sorted(RULES.library.clauses)), st.sampled_from(PLACES), days)
def test_the_order_of_the_clauses_changes_no_day(
    order: list[Any], place: str, trigger: date
) -> None:
    known = RULES.library.clauses
    shuffled = Library(
        terms=RULES.library.terms,
        packs=dict(sorted(RULES.library.packs.items(), reverse=True)),
        clauses={clause: known[clause] for clause in order},
        sheets=RULES.library.sheets,
        gates=RULES.library.gates,
        wordings=RULES.library.wordings,
        deadlines=RULES.library.deadlines,
    )
    clock = type(RULES.clock)(shuffled, RULES.settings, CALENDAR)
    for concept in ("certificate_data_report", "trainee_list_report", "no_duplicate_subsidy"):
        ours = RULES.clock.deadline(concept, place, trigger)
        theirs = clock.deadline(concept, place, trigger)
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert (ours.due, ours.follows) == (theirs.due, theirs.follows)
            assert Counter(ours.each) == Counter(theirs.each)


@given(days, st.integers(1, 60), st.sampled_from(Unit))
def test_a_clock_that_never_stops_counts_as_ever(trigger: date, amount: int, unit: Unit) -> None:
    outside = Stop(first=trigger - DAY * 9, last=trigger)
    plain = CALENDAR.due(trigger, amount, unit)
    assert CALENDAR.due(trigger, amount, unit, stops=[outside]) == plain


@given(days, st.integers(1, 60), st.sampled_from(Unit), st.integers(1, 40), st.integers(0, 20))
def test_a_stop_moves_the_end_by_the_days_it_took(
    trigger: date, amount: int, unit: Unit, after: int, length: int
) -> None:
    stop = Stop(first=trigger + DAY * after, last=trigger + DAY * (after + length))
    plain = CALENDAR.due(trigger, amount, unit, duty=False)
    period = CALENDAR.due(trigger, amount, unit, duty=False, stops=[stop])
    duty = CALENDAR.due(trigger, amount, unit, stops=[stop])
    assert duty.on >= duty.arithmetical >= plain.on
    assert not stop.first <= duty.on <= stop.last
    taken = sum(trigger < stop.first + DAY * n <= period.on for n in range(length + 1))
    if unit is Unit.WORKING_DAY:
        counted = [trigger + DAY * n for n in range(1, (period.on - trigger).days + 1)]
        live = [d for d in counted if not stop.first <= d <= stop.last]
        assert sum(CALENDAR.is_working_day(day) for day in live) == amount
    else:
        assert period.on == plain.on + DAY * taken
    assert CALENDAR.due(trigger, amount, unit, stops=[stop, stop]) == duty


def test_a_stop_holds_the_clock_of_a_question() -> None:
    stops = [{"first": "2024-07-10", "last": "2024-07-12"}]
    found = ask("trainee_list_report", "CN-37", trigger="2024-07-01", stops=stops)
    assert (found["arithmetical"], found["due"]) == ("2024-08-03", "2024-08-05")


def test_nothing_falls_due_while_the_clock_stands_still() -> None:
    """The end, a Saturday, would move to Monday; on Monday and Tuesday the clock stands still."""
    stop = Stop(first=date(2024, 7, 8), last=date(2024, 7, 9))
    found = CALENDAR.due(date(2024, 7, 1), 5, Unit.DAY, stops=[stop])
    assert (found.arithmetical, found.on) == (date(2024, 7, 6), date(2024, 7, 10))


def test_a_stop_that_is_none_is_refused() -> None:
    for first, length in ((1, -1), (1, 4000)):
        start = date(2024, 7, first)
        with pytest.raises(StopBroken):
            CALENDAR.due(start, 1, Unit.DAY, stops=[Stop(first=start, last=start + DAY * length)])


def test_quarters_and_years_end() -> None:
    assert quarter_end("2024Q1") == date(2024, 3, 31)
    assert quarter_end("2023Q4") == year_end(2023) == date(2023, 12, 31)
    assert {row.asks for row in RULES.library.deadlines.values()} == set(Asks)
    assert isinstance(CALENDAR, Calendar)
