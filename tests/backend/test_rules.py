"""The rules over HTTP: sheets as the packs write them, and the one question interface."""

import json
from typing import Any

import httpx
import pytest

from inspection_plans.ask.table import MOST, answer_line
from inspection_plans.loader import load_rulebook
from tests import world
from tests.conftest import StillClock

URL = "/api/v1/rules/ask"
DEADLINE = {
    "ask": "deadline",
    "concept": "trainee_list_report",
    "jurisdiction": "CN-37",
    "trigger": "2024-07-01",
}
SHEET = {"ask": "sheet", "sheet": "TI", "jurisdiction": "CN-37", "on": "2024-07-01"}


@pytest.fixture
async def caller(client: httpx.AsyncClient, clock: StillClock) -> dict[str, str]:
    return await world.signed_in(client, await world.a_person(clock(), "supervisor"))


def by_line(question: object) -> Any:
    return json.loads(answer_line(json.dumps(question), load_rulebook()))


async def test_a_question_gets_the_answer_of_the_command_line(
    client: httpx.AsyncClient, caller: dict[str, str]
) -> None:
    for question in (DEADLINE, SHEET):
        told = await client.post(URL, json=question, headers=caller)
        assert (told.status_code, told.json()) == (200, by_line(question))
    assert by_line(DEADLINE)["due"] == "2024-07-31"


async def test_a_list_is_answered_in_order_and_one_by_one(
    client: httpx.AsyncClient, caller: dict[str, str]
) -> None:
    asked: list[object] = [DEADLINE, {"ask": "weather"}, {**DEADLINE, "trigger": "2024-02-30"}, 5]
    told = await client.post(URL, json=asked, headers=caller)
    assert told.status_code == 200
    assert told.json() == [by_line(question) for question in asked]
    assert [answer.get("error", {}).get("field") for answer in told.json()] == [
        None,
        "ask",
        "trigger",
        None,
    ]
    assert (await client.post(URL, json=[], headers=caller)).json() == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (json.dumps({"ask": "weather"}), "question.unknown", "ask"),
        (json.dumps({**DEADLINE, "trigger": "2024-02-30"}), "question.wrong_field", "trigger"),
        (json.dumps({**DEADLINE, "trigger": None}), "question.missing_field", "trigger"),
        (json.dumps({**DEADLINE, "more": 1}), "question.unknown_field", "more"),
        (json.dumps({**SHEET, "sheet": "XX"}), "question.unknown_value", "sheet"),
        (json.dumps({**SHEET, "on": "2020-01-01"}), "question.not_in_force", "on"),
        (json.dumps([{}] * (MOST + 1)), "question.too_many", None),
        ("{", "question.unreadable", None),
        ("", "question.unreadable", None),
        ("5", "question.unreadable", None),
        ('{"ask":"sheet","ask":"deadline"}', "question.unreadable", "ask"),
        ("\\xff", "question.unreadable", None),
    ],
)
async def test_a_bad_question_is_a_problem(
    client: httpx.AsyncClient, caller: dict[str, str], body: str, code: str, field: str | None
) -> None:
    headers = {**caller, "Content-Type": "application/json"}
    told = await client.post(URL, content=body.encode(), headers=headers)
    problem = told.json()
    assert (told.status_code, problem["code"], problem.get("field")) == (422, code, field)
    assert problem["facts"]["message"]


async def test_the_most_that_is_answered_at_once(
    client: httpx.AsyncClient, caller: dict[str, str]
) -> None:
    told = await client.post(URL, json=[DEADLINE] * MOST, headers=caller)
    assert (told.status_code, len(told.json())) == (200, MOST)


async def test_a_stranger_is_not_answered(client: httpx.AsyncClient) -> None:
    assert (await client.post(URL, json=DEADLINE)).status_code == 401


async def test_a_sheet_is_sent_as_the_packs_write_it(
    client: httpx.AsyncClient, caller: dict[str, str]
) -> None:
    told = await client.get("/api/v1/rules/sheets/TI?region=370000&on=2024-07-01", headers=caller)
    sheet = told.json()["sheet"]
    assert sheet["items"] == by_line(SHEET)["items"]
    assert told.json()["version"] == by_line(SHEET)["version"]
    first = sheet["items"][0]
    assert first["answer"][0]["type"] == "yes_no_na"
    assert "jurisdictions" not in first["answer"][0]
