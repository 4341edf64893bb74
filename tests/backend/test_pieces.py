"""Several photos in two calls: addresses together, arrivals together, each judged by itself."""

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from backend.clock import new_id
from backend.services import settling
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture, Phone

URLS, COMPLETE = "/api/v1/evidence/urls", "/api/v1/evidence/complete"


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def declared(phone: Phone, count: int) -> list[Capture]:
    shots = [phone.capture(worlds.a_jpeg(seed)) for seed in range(count)]
    results = await phone.send(*(phone.op("evidence.declare", one.body) for one in shots))
    assert {one["result"] for one in results} == {"applied"}
    return shots


async def ask(phone: Phone, path: str, *ids: str) -> httpx.Response:
    return await phone.post(path, json.dumps({"ids": ids}).encode())


async def put(uploads: list[dict[str, Any]], shots: list[Capture]) -> None:
    raw = {one.id: one.raw for one in shots}
    async with httpx.AsyncClient() as store:
        for one in uploads:
            for url in one["urls"]:
                done = await store.put(url["url"], content=raw[one["id"]], headers=url["headers"])
                assert done.status_code == 200, done.text


async def states(field: worlds.Field) -> list[str]:
    rows = await field.owner.fetch("select state from evidence order by id")
    return [row["state"] for row in rows]


async def test_three_photos_go_in_two_calls(field: worlds.Field, work: Work) -> None:
    phone = field.phone
    shots = await declared(phone, 3)
    ids = [one.id for one in shots]
    uploads = (await ask(phone, URLS, *ids)).json()["uploads"]
    assert [(one["id"], one["state"], len(one["urls"])) for one in uploads] == [
        (ident, "uploading", 1) for ident in ids
    ]
    await put(uploads[:2], shots)
    told = (await ask(phone, COMPLETE, *ids)).json()["pieces"]
    assert [(one["state"], one["awaited"]) for one in told] == [
        *[("received", False)] * 2,
        ("uploading", True),
    ]
    await put(uploads[2:], shots)
    for _ in range(2):
        again = (await ask(phone, COMPLETE, *ids)).json()["pieces"]
        assert {one["awaited"] for one in again} == {False}
    assert await field.entries("evidence.uploading") == await field.entries("evidence.received")
    assert await field.entries("evidence.received") == 3
    assert (
        await field.owner.fetchval("select count(*) from task where kind = 'evidence.verify'") == 3
    )
    await work.drain()
    assert await states(field) == ["sealed"] * 3
    assert [one["urls"] for one in (await ask(phone, URLS, *ids)).json()["uploads"]] == [[]] * 3


async def test_pieces_are_proved_by_turns(
    field: worlds.Field, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = await declared(field.phone, 3)
    ids = [one.id for one in shots]
    await put((await ask(field.phone, URLS, *ids)).json()["uploads"], shots)
    await ask(field.phone, COMPLETE, *ids)
    now, most, prove = 0, 0, settling.prove

    def watched(*args: Any) -> settling.Proved:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return prove(*args)
        finally:
            now -= 1

    monkeypatch.setattr(settling, "prove", watched)
    await Work(msgspec.structs.replace(work.context, turns=asyncio.Semaphore(1))).drain()
    assert await states(field) == ["sealed"] * 3
    assert most == 1


async def test_one_that_is_not_the_callers_stops_all(field: worlds.Field) -> None:
    mine, other = field.phones
    (own,), (theirs,) = await declared(mine, 1), await declared(other, 1)
    for path in (URLS, COMPLETE):
        for stranger in (theirs.id, str(new_id())):
            answer = await ask(mine, path, own.id, stranger)
            assert (answer.status_code, answer.json()["code"]) == (404, "thing.absent")
    assert await states(field) == ["declared"] * 2
    assert await field.entries("evidence.uploading") == 0


async def test_the_days_quota_is_of_all_together(field: worlds.Field) -> None:
    phone = field.phone
    shots = await declared(phone, 3)
    used = 5_000_000_000 - sum(len(one.raw) for one in shots[:2])
    await field.owner.execute(
        "update evidence set state = 'received', size = $2 where id = $1", shots[2].id, used
    )
    more = await declared(phone, 1)
    ids = [shots[0].id, shots[1].id]
    answer = await ask(phone, URLS, *ids, more[0].id)
    assert (answer.status_code, answer.json()["code"]) == (429, "upload.quota")
    assert (await states(field)).count("declared") == 3
    assert (await ask(phone, URLS, *ids)).status_code == 200


async def test_bytes_in_parts_are_put_together_by_either_call(field: worlds.Field) -> None:
    """A piece whose weak-link upload is open is not looked for as one object."""
    phone = field.phone
    (shot,) = await declared(phone, 1)
    opened = await phone.call(
        "POST",
        "/api/v1/uploads",
        b"",
        {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(shot.raw)),
            "Upload-Metadata": "evidence " + b64encode(shot.id.encode()).decode(),
        },
    )
    assert opened.status_code == 201, opened.text
    told = (await ask(phone, COMPLETE, shot.id)).json()["pieces"]
    assert [(one["state"], one["awaited"]) for one in told] == [("uploading", True)]
    await put((await ask(phone, URLS, shot.id)).json()["uploads"], [shot])
    told = (await ask(phone, COMPLETE, shot.id)).json()["pieces"]
    assert [one["awaited"] for one in told] == [False]
