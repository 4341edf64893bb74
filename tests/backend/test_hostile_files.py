"""Hostile files on their way: none of them breaks the worker, and good ones follow behind."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from media import stills
from media.bucket import Bucket, Room
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.media import clamd as scanners
from tests.media import hostile
from tests.phone import Capture

EVERY = 23  # of the corpus, which the tests of the pure code judge as a whole
BATCH = 20


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


@pytest.fixture
def clamd() -> Iterator[scanners.Clamd]:
    with scanners.running() as served:
        yield served


async def arrived(field: worlds.Field, s3: Bucket, shots: list[Capture]) -> None:
    """Declared, their bytes in quarantine, completed."""
    phone = field.phone
    told = await phone.send(*(phone.op("evidence.declare", one.body) for one in shots))
    assert {one["result"] for one in told} == {"applied"}, told
    for shot in shots:
        found = await field.owner.fetchval(
            "select object_key from evidence where id = $1", UUID(shot.id)
        )
        s3.put(Room.QUARANTINE, found, shot.raw, shot.body["manifest"]["media"]["mime"])
        done = await phone.complete(shot)
        assert done.json()["state"] == "received", done.text


async def test_hostile_files_in_flight_never_break_the_worker(
    field: worlds.Field, work: Work, s3: Bucket
) -> None:
    every = [one for one in hostile.corpus() if one.raw and one.mime != hostile.HEIC]
    cases = every[::EVERY]
    assert len(cases) >= 18
    shots = [field.phone.capture(case.raw, mime=case.mime) for case in cases]
    for at in range(0, len(shots), BATCH):
        await arrived(field, s3, shots[at : at + BATCH])
        field.clock.tick(seconds=10)  # a phone's pace
    good = field.phone.capture(worlds.a_jpeg(7))
    await arrived(field, s3, [good])
    await work.drain()
    faults = []
    for case, shot in zip(cases, shots, strict=True):
        held = await field.owner.fetchrow("select * from evidence where id = $1", UUID(shot.id))
        quarantined = held["state"] == "quarantined" and held["reason"] in case.refused
        taken = held["state"] == "sealed" and (case.either or not case.refused)
        if not (quarantined or (taken and set(case.flags) <= set(held["flags"]))):
            faults.append(f"{case.name}: {held['state']} {held['reason']} {held['flags']}")
    assert faults == []
    last = await field.owner.fetchrow("select * from evidence where id = $1", UUID(good.id))
    assert last["state"] == "sealed"
    open_tasks = await field.owner.fetchval(
        "select count(*) from task where done_at is null and kind = 'evidence.verify'"
    )
    assert open_tasks == 0
    made = await field.owner.fetch("select object_key from derivative")
    assert len(made) >= 2
    for row in made:
        raw = s3.fetch(Room.DERIVATIVES, row["object_key"], limit=10**7)
        assert stills.beyond_picture(raw) == ()


async def test_what_the_scanner_finds_is_quarantined_by_name(
    field: worlds.Field, work: Work, s3: Bucket, clamd: scanners.Clamd
) -> None:
    shots = [field.phone.capture(worlds.a_jpeg(n)) for n in (1, 2)]
    infected = field.phone.capture(worlds.a_jpeg(3) + scanners.SIGNATURE)
    await arrived(field, s3, [*shots, infected])
    context = msgspec.structs.replace(
        work.context, settings=msgspec.structs.replace(work.context.settings, clamd=clamd.address)
    )
    await Work(context).drain()
    held = await field.owner.fetchrow("select * from evidence where id = $1", UUID(infected.id))
    assert (held["state"], held["reason"]) == ("quarantined", "media.malware")
    assert json.loads(held["facts"])["refusal"] == {"name": scanners.NAME}
    for shot in shots:
        row = await field.owner.fetchrow("select * from evidence where id = $1", UUID(shot.id))
        assert row["state"] == "sealed"
        assert json.loads(row["facts"])["scan"] == {"state": "clean", "detail": ""}
