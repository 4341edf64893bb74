"""Blind recounts: a second person counts, not knowing what was declared, and only once."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.services.signals import reading
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture
from tests.signals import scenes

DECLARED = {"roster": "ab" * 32, "present": 28, "absent": 2, "count": 28}


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def photographed(field: worlds.Field, work: Work) -> Capture:
    """A verified head-count picture with 28 declared."""
    phone = field.phone
    shot = phone.capture(scenes.jpeg(scenes.scene(5)), roll=DECLARED)
    assert (await phone.send(phone.op("evidence.declare", shot.body)))[0]["result"] == "applied"
    await phone.upload(shot)
    await phone.complete(shot)
    await work.drain()
    return shot


class Caller:
    """One signed-in person."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.http, self.headers = http, headers

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/api/v1{path}", json=body, headers=self.headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(f"/api/v1{path}", headers=self.headers)


async def a_caller(field: worlds.Field, *roles: str) -> tuple[Caller, world.Login]:
    who = await world.a_person(field.clock(), *roles)
    return Caller(field.http, await world.signed_in(field.http, who)), who


async def test_a_second_person_counts_without_knowing(field: worlds.Field, work: Work) -> None:
    shot, state = await photographed(field, work), await field.state()
    boss = Caller(field.http, await world.signed_in(field.http, field.desk.who))
    ordered = await boss.post(f"/visits/{field.visit}/recounts", {"evidence": shot.id})
    assert ordered.status_code == 201, ordered.text
    again = await boss.post(f"/visits/{field.visit}/recounts", {"evidence": shot.id})
    assert (again.status_code, again.json()["code"]) == (409, "recount.already_ordered")
    counter, _ = await a_caller(field, "approver")
    (asked,) = (await counter.get("/recounts")).json()["recounts"]
    assert set(asked) == {"id", "ordered_at"}, "no visit, no institution, no number"
    path = f"/recounts/{asked['id']}"
    picture = await counter.get(f"{path}/picture")
    assert picture.status_code == 303
    async with httpx.AsyncClient() as store:
        raw = (await store.get(picture.headers["location"])).content
    kept = await field.owner.fetchval(
        "select sha256 from derivative where kind = 'preview' and evidence = $1", UUID(shot.id)
    )
    assert sha256(raw).hexdigest() == kept
    assert await field.entries("evidence.viewed") == 1
    assert (await counter.post(f"{path}/count", {"heads": 10_001})).status_code == 422
    assert (await counter.post(f"{path}/count", {"heads": 12})).status_code == 204
    twice = await counter.post(f"{path}/count", {"heads": 28})
    assert (twice.status_code, twice.json()["code"]) == (409, "recount.already_counted")
    seen = (await boss.get(f"/visits/{field.visit}/recounts")).json()["recounts"]
    assert [(one["heads"], one["evidence"]) for one in seen] == [(12, shot.id)]
    field.clock.tick(seconds=11)
    await work.drain()
    (found,) = await reading.of_visit(field.visit, act=field.desk.act)
    assert found.kind == "heads"
    assert found.facts == {
        "high": "photo",
        "high_count": 28,
        "low": "recount",
        "low_count": 12,
        "apart": 16,
    }
    assert "第二人盲数为12人" in found.words["zh"].why
    assert await field.state() == state


async def test_who_knows_the_number_does_not_count(field: worlds.Field, work: Work) -> None:
    shot = await photographed(field, work)
    boss = Caller(field.http, await world.signed_in(field.http, field.desk.who))
    ordered = await boss.post(f"/visits/{field.visit}/recounts", {"evidence": shot.id})
    path = f"/recounts/{ordered.json()['id']}"
    member, person = await a_caller(field, "approver")
    await field.owner.execute(
        "update inspector set account = $1 where id = $2", person.person.id, field.inspectors[1]
    )
    for caller in (boss, member):
        assert (await caller.get("/recounts")).json()["recounts"] == []
        for answer in (
            await caller.get(f"{path}/picture"),
            await caller.post(f"{path}/count", {"heads": 28}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "recount.not_blind")
    assert await field.owner.fetchval("select heads from recount") is None
    elsewhere = await world.a_person(field.clock(), "approver", region=world.TAIYUAN)
    stranger = Caller(field.http, await world.signed_in(field.http, elsewhere))
    assert (await stranger.get("/recounts")).json()["recounts"] == []
    assert (await stranger.post(f"{path}/count", {"heads": 1})).status_code == 404


async def test_only_verified_pictures_of_the_visit_are_counted(
    field: worlds.Field, work: Work
) -> None:
    shot = await photographed(field, work)
    boss = Caller(field.http, await world.signed_in(field.http, field.desk.who))
    field.clock.tick(minutes=1)
    other = await worlds.a_visit(field.desk, field.institution, field.inspectors[:2])
    wrong = await boss.post(f"/visits/{other}/recounts", {"evidence": shot.id})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "recount.picture_unfit")
    fresh = field.phone.capture(scenes.jpeg(scenes.scene(6)))
    await field.phone.send(field.phone.op("evidence.declare", fresh.body))
    early = await boss.post(f"/visits/{field.visit}/recounts", {"evidence": fresh.id})
    assert early.json()["code"] == "recount.picture_unfit"
    nowhere = await boss.post(f"/visits/{UUID(int=7)}/recounts", {"evidence": shot.id})
    assert nowhere.status_code == 404
