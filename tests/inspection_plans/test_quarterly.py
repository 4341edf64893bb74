"""Weihai's quarterly form: counted from filings, and held against the one filed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import quarterly
from inspection_plans.desk.view import View
from inspection_plans.filings import Filings
from inspection_plans.filings.oversight import FormRow
from inspection_plans.parameters import BrokenParameter
from inspection_plans.quarterly import Counting
from inspection_plans.records import decode
from inspection_plans.vocabulary import NATIONAL
from tests.inspection_plans.asking import RULES, ask, refused
from tests.inspection_plans.desk.test_archives import FILED, FORM
from tests.inspection_plans.test_amounts import broken

WEIHAI = RULES.in_force("CN-3710")
ASKED = {"jurisdiction": "CN-3710", "quarter": "2024Q3", "institution": "i1"}
PRESET = ("智能制造", "大数据", "区块链")
EMPTY = {
    "classes": 0,
    "subsidised_classes": 0,
    "trained": 0,
    "certified": 0,
    "subsidised_persons": 0,
    "amount_fen": 0,
}


def rows_of(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row.pop("occupation"): row for row in found["rows"]}


def test_the_form_is_counted_with_its_preset_rows_and_its_heads() -> None:
    found = ask("quarterly_form_generate", **ASKED, filings=FILED)
    assert found["due"] == "2024-09-30"
    assert found["columns"]["occupation"] == "名称"
    assert found["columns"]["amount_fen"] == "发放培训补贴金额"
    assert list(found["header"].values()) == ["填报单位（盖章）", "填报时间", "填表人", "联系电话"]
    assert len(found["attachments"]) == 3
    assert found["filed"] == [{"id": "f1", "differences": []}]
    assert found["basis"][0]["setting"] == "quarterly_counting"
    assert "weihai-2023-25/annex/form-columns" in found["clauses"]
    rows = rows_of(found)
    assert tuple(rows) == PRESET
    written = dict(FORM["rows"][0])
    assert rows[written.pop("occupation")] == written
    assert rows["区块链"] == EMPTY


def test_other_occupations_follow_by_name() -> None:
    classes = [
        {**FILED["classes"][0], "id": key, "occupation": key} for key in ("物联网", "云计算")
    ]
    found = ask("quarterly_form_generate", **ASKED, filings={**FILED, "classes": classes})
    assert tuple(rows_of(found)) == (*PRESET, "云计算", "物联网")


@pytest.mark.parametrize(
    ("ended", "counting", "classes"),
    [
        ("2024-06-30", "quarterly", 0),
        ("2024-07-01", "quarterly", 1),
        ("2024-09-30", "quarterly", 1),
        ("2024-10-01", "quarterly", 0),
        ("2023-12-31", "cumulative", 0),
        ("2024-01-01", "cumulative", 1),
        ("2024-09-30", "cumulative", 1),
        ("2024-10-01", "cumulative", 0),
    ],
)
def test_a_class_counts_in_the_period_it_was_finished_in(
    ended: str, counting: str, classes: int
) -> None:
    settings = dict(RULES.settings)
    key = ("quarterly_counting", NATIONAL)
    settings[key] = replace(settings[key], value=counting)
    rules = replace(RULES, settings=MappingProxyType(settings))
    filings = {**FILED, "classes": [{**FILED["classes"][0], "completed_on": ended}]}
    found = ask("quarterly_form_generate", rules, **ASKED, filings=filings)
    assert rows_of(found)["大数据"]["classes"] == classes
    assert found["basis"][0]["value"] == counting


def test_certificates_and_subsidies_count_up_to_the_last_day() -> None:
    for register, field, measure in (
        ("certificates", "issued_on", "certified"),
        ("payments", "granted_on", "subsidised_persons"),
    ):
        for on, count in (("2024-09-30", 1), ("2024-10-01", 0)):
            filings = {**FILED, register: [{**FILED[register][0], field: on}]}
            found = ask("quarterly_form_generate", **ASKED, filings=filings)
            assert rows_of(found)["大数据"][measure] == count


def test_a_person_counts_once_and_every_grant_is_added() -> None:
    more = {**FILED["payments"][0], "id": "g2", "amount_fen": 1}
    shared = {**more, "id": "g3", "trainee_id": None, "class_id": "c1", "claimant": "institution"}
    again = {**FILED["trainees"][0], "id": "t2"}
    filings = {
        **FILED,
        "payments": [*FILED["payments"], more, {k: v for k, v in shared.items() if v is not None}],
        "trainees": [*FILED["trainees"], again],
    }
    row = rows_of(ask("quarterly_form_generate", **ASKED, filings=filings))["大数据"]
    assert (row["trained"], row["subsidised_persons"], row["amount_fen"]) == (1, 1, 300_002)


def test_another_institution_and_no_register_are_told() -> None:
    other = ask("quarterly_form_generate", **{**ASKED, "institution": "i9"}, filings=FILED)
    assert all(row == EMPTY for row in rows_of(other).values())
    assert other["filed"] == []
    bare = ask("quarterly_form_generate", **ASKED, filings={"classes": FILED["classes"]})
    assert bare["rows"] is None
    assert bare["missing"] == ["trainees", "candidates", "certificates", "payments"]
    elsewhere = ask("quarterly_form_generate", **{**ASKED, "jurisdiction": "CN-37"}, filings=FILED)
    assert (elsewhere["rows"], elsewhere["clauses"]) == (None, [])
    assert elsewhere["why"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"quarter": "2024Q5"}, "question.wrong_field", "quarter"),
        ({"quarter": "2024-Q1"}, "question.wrong_field", "quarter"),
        ({"institution": ""}, "question.wrong_field", "institution"),
        ({"filings": {"classes": [{}]}}, "question.missing_field", "filings.classes.0.id"),
        (
            {"filings": {"classes": FILED["classes"] * 2}},
            "question.wrong_field",
            "filings.classes.1.id",
        ),
    ],
)
def test_a_wrong_question_is_not_guessed(change: dict[str, Any], code: str, field: str) -> None:
    question = {**ASKED, "filings": FILED, **change}
    assert refused("quarterly_form_generate", **question) == (code, field)


def form(*rows: dict[str, Any]) -> quarterly.QuarterlyForm:
    told = [{"occupation": "大数据", **EMPTY, **row} for row in rows]
    return decode({**FORM, "rows": told}, quarterly.QuarterlyForm)


MEASURES = tuple(EMPTY)


def test_cells_are_compared_and_a_row_that_is_not_there_is_zero() -> None:
    counted = [FormRow(occupation="大数据", **{**EMPTY, "trained": 3})]
    assert list(quarterly.differences(form({"trained": 3}), counted, MEASURES)) == []
    twice = form({"trained": 1}, {"trained": 2})
    assert list(quarterly.differences(twice, counted, MEASURES)) == []
    (one,) = quarterly.differences(form(), counted, MEASURES)
    assert (one.occupation, one.measure, one.filed, one.counted) == ("大数据", "trained", 0, 3)
    (other,) = quarterly.differences(form({"occupation": "x", "classes": 2}), [], MEASURES)
    assert (other.occupation, other.filed, other.counted) == ("x", 2, 0)


@given(
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_every_cell_that_differs_is_told_once(filed: list[int], counted: list[int]) -> None:
    told = form(dict(zip(MEASURES, filed, strict=True)))
    right = [FormRow(occupation="大数据", **dict(zip(MEASURES, counted, strict=True)))]
    found = [(one.filed, one.counted) for one in quarterly.differences(told, right, MEASURES)]
    assert found == [pair for pair in zip(filed, counted, strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize("quarter", [1, 2, 3, 4])
def test_a_quarter_ends_where_the_next_begins(quarter: int) -> None:
    first, last = quarterly.period(f"2024Q{quarter}", Counting.QUARTERLY)
    assert (first.day, first.month) == (1, 3 * quarter - 2)
    since, until = quarterly.period(f"2024Q{quarter}", Counting.CUMULATIVE)
    assert (since, until) == (date(2024, 1, 1), last)
    after = date.fromordinal(last.toordinal() + 1)
    following = f"2024Q{quarter + 1}" if quarter < 4 else "2025Q1"
    assert quarterly.period(following, Counting.QUARTERLY)[0] == after


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("form-columns", {"columns": ["一"]}),
        ("form-header", {"fields": []}),
        ("form-attachments", {"attachments": ["一"]}),
    ],
)
def test_a_form_with_other_columns_is_told(ending: str, change: dict[str, Any]) -> None:
    with pytest.raises(BrokenParameter):
        quarterly.layout(broken(WEIHAI, ending, **change), RULES.figures)


def test_a_closed_form_has_its_preset_rows_alone() -> None:
    layout = quarterly.layout(broken(WEIHAI, "form-columns", rows_open=False), RULES.figures)
    assert layout is not None
    assert (layout.open_rows, layout.preset) == (False, PRESET)
    view = View.of(decode({"classes": []}, Filings))
    assert quarterly.unknown(view) == ("trainees", "candidates", "certificates", "payments")
