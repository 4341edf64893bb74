"""The question interface: strict reading, places and sheets, and what it needs to run."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.ask.refusals import QuestionRefusal
from inspection_plans.ask.table import HANDLERS, answer, answer_line, parse, told
from tests.inspection_plans.question_table import rows

ROOT = Path(__file__).parents[2]
RULES = loader.load_rulebook()
SET = {"ask": "effective_set", "jurisdiction": "CN-3710", "on": "2024-07-01"}
SHEET = {"ask": "sheet", "sheet": "TI", "jurisdiction": "CN-14", "on": "2024-07-01"}


def ask(question: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer_line(json.dumps(question), RULES))
    return found


def wrong(question: object) -> tuple[str, str | None]:
    error = ask(question)["error"]
    assert set(error) == {"code", "field", "message"}
    assert error["message"]
    return error["code"], error["field"]


def test_the_effective_set_of_a_city_is_that_of_the_nation_the_province_and_the_city() -> None:
    found = ask(SET)
    assert found["papers"] == ["national-2021-71", "shandong-2022-156", "weihai-2023-25"]
    assert len(found["clauses"]) == 110 + 67 + 47
    bound = ask({**SET, "subject": "training_institution"})["clauses"]
    assert "weihai-2023-25/6.2/quarterly-form" in bound
    assert set(bound) < set(found["clauses"])


def test_a_paper_applies_from_its_first_day() -> None:
    assert "shanxi-2024-27" in ask({**SET, "jurisdiction": "CN-14", "on": "2024-05-23"})["papers"]
    before = ask({**SET, "jurisdiction": "CN-14", "on": "2024-05-22"})
    assert before["papers"] == ["national-2021-71"]
    assert ask({**SET, "on": "2021-10-07"}) == {"clauses": [], "papers": [], "basis": []}


def test_a_sheet_is_told_with_its_items_and_their_clauses() -> None:
    found = ask(SHEET)
    applied = RULES.library.sheet("TI", "CN-14", date(2024, 7, 1))
    assert found["version"] == applied.version
    assert [item["code"] for item in found["items"]] == [item.code for item in applied.items]
    assert all(item["clauses"] for item in found["items"])
    cited = {clause for item in found["items"] for clause in item["clauses"]}
    assert sorted(found["clauses"]) == sorted(cited)
    in_force = ask({**SET, "jurisdiction": "CN-14"})["clauses"]
    assert cited <= set(in_force)


@pytest.mark.parametrize(
    ("question", "code", "field"),
    [
        ([], "question.unreadable", None),
        ({}, "question.missing_field", "ask"),
        ({"ask": 1}, "question.wrong_field", "ask"),
        ({"ask": "weather"}, "question.unknown", "ask"),
        ({**SET, "on": "2024-02-30"}, "question.wrong_field", "on"),
        ({**SET, "on": "2023-02-29"}, "question.wrong_field", "on"),
        ({**SET, "on": "2024-7-1"}, "question.wrong_field", "on"),
        ({**SET, "on": 20240701}, "question.wrong_field", "on"),
        ({**SET, "on": None}, "question.wrong_field", "on"),
        ({**SET, "at": "2024-07-01"}, "question.unknown_field", "at"),
        ({"ask": "effective_set", "on": "2024-07-01"}, "question.missing_field", "jurisdiction"),
        ({**SET, "jurisdiction": "Weihai"}, "question.wrong_field", "jurisdiction"),
        ({**SET, "jurisdiction": "CN-371"}, "question.wrong_field", "jurisdiction"),
        ({**SET, "jurisdiction": "CN-３７"}, "question.wrong_field", "jurisdiction"),
        ({"ask": "pass", "theory": "６0", "ability": "60"}, "question.wrong_field", "theory"),
        ({"ask": "pass", "theory": "60.", "ability": "60"}, "question.wrong_field", "theory"),
        ({"ask": "pass", "theory": "-60", "ability": "60"}, "question.wrong_field", "theory"),
        ({"ask": "pass", "theory": 60, "ability": "60"}, "question.wrong_field", "theory"),
        ({**SET, "jurisdiction": "CN-99"}, "question.unknown_value", "jurisdiction"),
        ({**SET, "subject": "trainer"}, "question.unknown_value", "subject"),
        ({**SHEET, "sheet": "XX"}, "question.unknown_value", "sheet"),
        ({**SHEET, "on": "2021-10-07"}, "question.not_in_force", "on"),
    ],
)
def test_what_cannot_be_answered_is_told_with_its_field(
    question: object, code: str, field: str | None
) -> None:
    assert wrong(question) == (code, field)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"nothing", b"\xff", b'{"ask":NaN}', b"[" * 100_000, b"9" * 5000, b'"\\ud800"'],
)
def test_a_line_that_is_no_question_is_told_so(line: bytes) -> None:
    error = json.loads(answer_line(line, RULES))["error"]
    assert error["code"] == "question.unreadable"


def test_a_key_said_twice_is_not_guessed() -> None:
    line = json.dumps(SET)[:-1] + ',"on":"2023-01-01"}'
    assert json.loads(answer_line(line, RULES))["error"] == {
        "code": "question.unreadable",
        "field": "on",
        "message": "this key is said twice",
    }


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
days = st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(str)
fields = ["jurisdiction", "on", "sheet", "subject", "concept", "trigger", "days", "text"]


@given(
    st.sampled_from([*HANDLERS, "weather"]),
    st.dictionaries(st.sampled_from(fields), values | days | st.just("CN-37"), max_size=4),
)
def test_any_question_gets_an_answer_or_an_error(name: str, rest: dict[str, Any]) -> None:
    question = {"ask": name, **rest}
    line = json.dumps(question)
    found = json.loads(answer_line(line, RULES))
    assert found == ask(question)
    if "error" in found:
        assert found["error"]["code"].startswith("question.")
        assert found["error"]["message"]


def test_every_answer_names_its_clauses_and_what_is_a_setting() -> None:
    asked = {question["ask"] for question, _ in rows()}
    assert asked >= {"deadline", "sheet", "pass", "offline_share", "subsidy_batch"}
    for question, _ in [*rows(), (SET, {}), ({"ask": "paper", "number": "weihai-2023-25"}, {})]:
        found = ask(question)
        assert isinstance(found["clauses"], list), question
        assert isinstance(found["basis"], list), question


def test_a_refusal_names_itself() -> None:
    with pytest.raises(QuestionRefusal) as refused:
        answer({"ask": "weather"}, RULES)
    assert told({"ask": "weather"}, RULES)["error"]["code"] == refused.value.code
    assert parse(b'{"a": 1}') == {"a": 1}


def alone(home: Path) -> list[str]:
    """A command that sees the standard library, PyYAML and our rules, and nothing else."""
    for name in ("yaml", "_yaml"):
        (home / name).symlink_to(Path(yaml.__file__).parents[1] / name)
    (home / "inspection_plans").symlink_to(ROOT / "inspection_plans")
    start = f"import runpy, sys; sys.path.insert(0, {str(home)!r}); "
    start += "runpy.run_module('inspection_plans.ask', run_name='__main__')"
    return [sys.executable, "-I", "-S", "-c", start]


def test_it_runs_on_the_standard_library_and_yaml_alone(tmp_path: Path) -> None:
    lines = [json.dumps(SET), "", json.dumps({"ask": "weather"}), json.dumps(SHEET)]
    command = alone(tmp_path)
    blind = [*command[:-1], "import msgspec"]
    assert subprocess.run(blind, capture_output=True, check=False).returncode == 1
    done = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == [ask(SET), ask({"ask": "weather"}), ask(SHEET)]
