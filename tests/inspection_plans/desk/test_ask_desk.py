"""``desk_review`` and ``filings_schema``, asked in one line as any integrator would."""

import json
from typing import Any

import pytest

from inspection_plans.ask.table import answer_line
from inspection_plans.records import plain
from tests.inspection_plans.desk.judging import RULES

EXAMPLE: dict[str, list[dict[str, Any]]] = plain(RULES.example)


def ask(**fields: Any) -> dict[str, Any]:
    question = {"ask": "desk_review", "jurisdiction": "CN-37", "as_of": "2024-08-01", **fields}
    found: dict[str, Any] = json.loads(answer_line(json.dumps(question), RULES))
    return found


def test_the_list_of_trainees_in_the_words_of_the_issue() -> None:
    only = {"classes": EXAMPLE["classes"], "list_reports": EXAMPLE["list_reports"]}
    found = ask(filings=only, rules=["DR-08"])
    (result,) = found["results"]
    assert result == {
        "rule": "DR-08",
        "name": {"zh": "学员名单报送时限", "en": "Report of the list of trainees"},
        "severity": "major",
        "verdict": "ok",
        "outcome": "in_time",
        "object": "classes/class-1",
        "on": "2024-07-01",
        "inputs": {
            "trigger": "2024-07-01",
            "due": "2024-07-31",
            "reported": {"hr_department_province": "2024-07-20"},
            "reported_on": "2024-07-20",
        },
        "explanation": {
            "zh": "自2024-07-01起，期限2024-07-31，已于2024-07-20向各接收单位报送。",
            "en": "From 2024-07-01, due 2024-07-31; reported to all recipients by 2024-07-20.",
        },
        "clauses": ["shandong-2022-156/4.2/trainee-list-30d"],
    }
    assert found["clauses"] == ["shandong-2022-156/4.2/trainee-list-30d"]
    assert [one["setting"] for one in found["basis"]] == ["trainee_list_report.counting"]


def test_a_setting_is_shown_with_its_basis() -> None:
    found = ask(filings=EXAMPLE, rules=["DR-03"])
    (setting,) = found["basis"]
    assert (setting["setting"], setting["value"]) == ("expiry_warning_days", 90)
    assert setting["zh"]


def test_verdicts_can_be_chosen_and_rows_come_in_any_order() -> None:
    whole = ask(filings=EXAMPLE, jurisdiction="CN-23")
    wanted = ["finding", "question"]
    assert {one["verdict"] for one in whole["results"]} >= {"ok", *wanted}
    chosen = ask(filings=EXAMPLE, jurisdiction="CN-23", verdicts=wanted)["results"]
    assert chosen == [one for one in whole["results"] if one["verdict"] in wanted]
    turned = {name: listed[::-1] for name, listed in reversed(EXAMPLE.items())}
    assert ask(filings=turned, jurisdiction="CN-23") == whole


def test_the_example_is_in_order_where_it_was_written_for() -> None:
    assert {one["verdict"] for one in ask(filings=EXAMPLE)["results"]} == {"ok"}


def test_no_filings_no_results() -> None:
    assert ask(filings={}) == {"results": [], "clauses": [], "basis": []}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"filings": {}, "as_of": "2024-02-30"}, "wrong_field", "as_of"),
        ({}, "missing_field", "filings"),
        ({"filings": {"lunches": []}}, "unknown_field", "filings.lunches"),
        ({"filings": {"classes": [{}]}}, "missing_field", "filings.classes.0.id"),
        (
            {"filings": {"publicity": [{"id": "p", "started_on": 1}]}},
            "wrong_field",
            "filings.publicity.0.started_on",
        ),
        (
            {"filings": {"scores": [{"candidate_id": "c", "theory": "60.0x"}]}},
            "wrong_field",
            "filings.scores.0.theory",
        ),
        (
            {"filings": {"publicity": EXAMPLE["publicity"] * 2}},
            "wrong_field",
            "filings.publicity.1.id",
        ),
        ({"filings": {}, "rules": ["DR-99"]}, "unknown_value", "rules"),
        ({"filings": {}, "rules": []}, "wrong_field", "rules"),
        ({"filings": {}, "verdicts": ["perhaps"]}, "unknown_value", "verdicts.0"),
        ({"filings": {}, "jurisdiction": "CN-99"}, "unknown_value", "jurisdiction"),
    ],
)
def test_a_wrong_question_is_told_where_it_is_wrong(
    fields: dict[str, Any], code: str, field: str
) -> None:
    error = ask(**fields)["error"]
    assert (error["code"], error["field"]) == (f"question.{code}", field)
    assert error["message"]


def test_the_schema_is_answered_too() -> None:
    found = json.loads(answer_line('{"ask":"filings_schema"}', RULES))
    assert found["schema"]["properties"]["publicity"]["examples"] == [EXAMPLE["publicity"]]
