"""Every kind of operation: its effect, told again, and another one under its id."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import op_kinds
from tests import field as worlds
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.phone import Phone, answers_sha

Body = dict[str, Any]


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    await desk.take("institutions", sheets.an_institution())
    training_class = await worlds.a_class(desk)
    return await worlds.a_field(desk, client, owner, training_class=training_class)


async def declared(phone: Phone) -> str:
    shot = phone.capture(worlds.a_jpeg())
    told = await phone.send(phone.op("evidence.declare", shot.body))
    assert told[0]["result"] == "applied"
    return shot.id


async def plain(body: Body) -> Body:
    return body


async def a_withdrawal(phone: Phone) -> Body:
    return {"evidence": await declared(phone), "reason": "误拍"}


async def a_copy(phone: Phone) -> Body:
    pieces = [await declared(phone)]
    return {"title": "签到表", "holder": "教务", "pages": 1, "compared": True, "evidence": pieces}


async def an_extract(phone: Phone) -> Body:
    pieces = [await declared(phone)]
    return {
        "system": "教务系统",
        "holder": "教务",
        "way": "导出",
        "content": "签到记录",
        "evidence": pieces,
    }


async def a_roll(phone: Phone) -> Body:
    roster = phone.task["roster"]
    marks = [{"trainee": one["id"], "state": "present"} for one in roster["trainees"][:3]]
    return {
        "training_class": phone.task["training_class"],
        "roster": roster["sha256"],
        "marks": marks,
        "strangers": 0,
    }


async def a_claim(_phone: Phone) -> Body:
    return {"items": [], "answers_sha": answers_sha([])}


def always(body: Body) -> Callable[[Phone], Awaitable[Body]]:
    return lambda _phone: plain(body)


BODIES: dict[str, Callable[[Phone], Awaitable[Body]]] = {
    "visit.start": always({}),
    "visit.checkin": lambda phone: plain(
        {"loc": {"st": "off", "crs": "?", "n": 0}, "chal": phone.task["challenge"]}
    ),
    "visit.finalize": a_claim,
    "certificate.shown": lambda phone: plain({"inspectors": [str(phone.inspector)], "to": "校长"}),
    "answer.set": always({"answers": [worlds.an_answer()]}),
    "rollcall.record": a_roll,
    "evidence.declare": lambda phone: plain(phone.capture(worlds.a_jpeg(9)).body),
    "evidence.withdraw": a_withdrawal,
    "interview.record": always(
        {"role": "trainee", "formal": False, "questions": [{"q": "几人", "a": "三十"}]}
    ),
    "party.statement": always({"role": "负责人", "text": "无异议"}),
    "recusal.declare": always({"ground": "亲属"}),
    "obstruction.record": always({"outcome": "closed", "text": "无人"}),
    "slip.issue": lambda _: plain({"slips": [{"id": str(new_id()), "code_sha256": "ab" * 32}]}),
    "document.copy": a_copy,
    "preservation.list": lambda _: plain(
        {
            "things": [{"name": "收据存根", "count": "3 本", "condition": "完好"}],
            "place": "教务室",
            "keeper": "王某",
        }
    ),
    "data.extract": an_extract,
    "contributor.list": lambda _: plain(
        {"dev": str(new_id()), "items": [{"id": str(new_id()), "sha256": "cd" * 32}]}
    ),
    "signature.record": always({"role": "party", "name": "王某", "over": "ab" * 32}),
}
# What each leaves that only it leaves; the events of the others are kept as signed.
EFFECTS = {
    "visit.start": "select count(*) from visit where started_at is not null",
    "visit.finalize": "select count(*) from claim",
    "answer.set": "select count(*) from answer where verdict = 'pass'",
    "rollcall.record": "select count(*) from rollcall where called_count = 3",
    "evidence.declare": "select count(*) from evidence where state = 'declared'",
    "evidence.withdraw": "select count(*) from evidence where state = 'withdrawn'",
    "recusal.declare": "select count(*) from assignment where state = 'recused'",
    "obstruction.record": "select count(*) from visit where state = 'closed'",
}
EVENT = "select count(*) from visit_event where kind = $1"


def test_every_kind_is_here() -> None:
    assert set(BODIES) == set(op_kinds.KINDS)


async def effect(field: worlds.Field, kind: str) -> int:
    arguments = () if kind in EFFECTS else (kind,)
    found: int = await field.owner.fetchval(EFFECTS.get(kind, EVENT), *arguments)
    return found


@pytest.mark.parametrize("kind", sorted(BODIES))
async def test_effect_duplicate_and_conflict(field: worlds.Field, kind: str) -> None:
    phone, op_id = field.phone, str(new_id())
    body = await BODIES[kind](phone)
    before = await effect(field, kind)
    sent = phone.op(kind, body, op_id=op_id)
    first = (await phone.send(sent))[0]
    assert first["result"] == "applied", first
    assert await effect(field, kind) == before + 1
    held, entries = await field.held(), await field.entries(kind)
    again = (await phone.send(sent))[0]
    assert (again["result"], again["outcome"]) == ("duplicate", first["outcome"])
    other = (await phone.send(phone.op(kind, body | {"at": 1}, op_id=op_id)))[0]
    assert other == {"op_id": op_id, "result": "conflict_digest"}
    assert (await field.held(), await field.entries(kind)) == (held, entries)
    assert await effect(field, kind) == before + 1
    boss = await world.signed_in(field.http, field.desk.who)
    alarms = (await field.http.get("/api/v1/devices/alarms", headers=boss)).json()["alarms"]
    assert [(one["kind"], one["subject"]) for one in alarms] == [("conflict_digest", op_id)]


async def test_a_capture_that_the_signed_record_lists_stays(field: worlds.Field) -> None:
    phone = field.phone
    shot = phone.capture(worlds.a_jpeg())
    await worlds.signed(phone, *field.inspectors[:2])
    await phone.send(phone.op("evidence.declare", shot.body))
    await field.owner.execute("update evidence set state = 'verified'")
    claim = {"items": [shot.listed], "answers_sha": answers_sha([])}
    await phone.send(phone.op("visit.finalize", claim))
    assert await field.state() == "complete"
    back = {"evidence": shot.id, "reason": "误拍"}
    told = (await phone.send(phone.op("evidence.withdraw", back)))[0]
    assert (told["result"], told["outcome"]["code"]) == ("rejected", "evidence.listed")
    state = await field.owner.fetchval("select state from evidence where id = $1", UUID(shot.id))
    assert state == "verified"
