"""A batch is told the same whether its operations went together or one by one."""

from typing import Any

import asyncpg
import httpx
import pytest

from backend.services import op_kinds, op_runs
from tests import field as worlds
from tests.backend.desk import Desk
from tests.phone import Phone


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


def answer(phone: Phone, item: str, **changes: Any) -> bytes:
    return phone.op("answer.set", {"answers": [worlds.an_answer(item, **changes)]})


def words(told: list[dict[str, Any]]) -> list[str]:
    return [line["result"] for line in told]


async def test_known_and_new_operations_in_one_batch(field: worlds.Field) -> None:
    phone = field.phone
    old, new = answer(phone, "TI-11"), answer(phone, "TI-12")
    first = await phone.send(old)
    told = await phone.send(old, new)
    assert words(told) == ["duplicate", "applied"]
    assert told[0]["outcome"] == first[0]["outcome"]
    held = await field.held()
    assert (held["op"], held["answer"], await field.entries("answer.set")) == (2, 2, 2)
    assert words(await phone.send(old, new)) == ["duplicate", "duplicate"]
    assert await field.held() == held


async def test_one_refusal_undoes_nothing_but_itself(field: worlds.Field) -> None:
    phone = field.phone
    batch = [answer(phone, "TI-11"), answer(phone, "TI-99"), answer(phone, "TI-12")]
    told = await phone.send(*batch)
    assert words(told) == ["applied", "rejected", "applied"]
    assert told[1]["outcome"]["code"] == "checklist.unknown_item"
    held = await field.held()
    assert (held["op"], held["answer"]) == (3, 2)
    assert await field.entries("op.rejected") == 1
    assert await field.entries("answer.set") == 2


async def test_an_operation_twice_in_one_batch_has_its_effect_once(field: worlds.Field) -> None:
    phone = field.phone
    sent = answer(phone, "TI-11")
    assert words(await phone.send(sent, sent)) == ["applied", "duplicate"]
    assert (await field.held())["op"] == 1


async def test_a_recusal_counts_for_what_follows_in_the_batch(field: worlds.Field) -> None:
    phone = field.phone
    told = await phone.send(
        phone.op("recusal.declare", {"ground": "亲属在该机构任职"}), answer(phone, "TI-11")
    )
    assert words(told) == ["applied", "applied"]
    assert told[1]["outcome"]["flags"] == ["stale_assignment"]


async def test_two_visits_in_one_batch(field: worlds.Field) -> None:
    phone = field.phone
    other = await worlds.a_visit(field.desk, field.institution, field.inspectors[:2])
    one = answer(phone, "TI-11")
    await phone.fetch_task(other)
    told = await phone.send(one, answer(phone, "TI-11"), answer(phone, "TI-12"))
    assert words(told) == ["applied"] * 3
    visits = await field.owner.fetch("select visit, count(*) as n from op group by 1")
    assert {row["visit"]: row["n"] for row in visits} == {field.visit: 1, other: 2}


async def test_a_runs_operations_share_a_transaction(field: worlds.Field) -> None:
    phone = field.phone
    await phone.send(answer(phone, "TI-11"), answer(phone, "TI-12"))
    counted: int = await field.owner.fetchval(
        "select count(distinct xid) from aud.entry where body ->> 'verb' = 'answer.set'"
    )
    assert counted == 1


def test_kinds_that_move_nothing_are_kinds() -> None:
    assert set(op_kinds.KINDS) > op_runs.STEADY
    assert not {"visit.start", "visit.finalize", "recusal.declare"} & op_runs.STEADY
