"""The scrubber finds every planted damage, says what it means, and lets nobody overlook it."""

import asyncio
import io
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar
from minio import Minio
from PIL import Image

from backend.clock import new_id
from backend.embedded.supervisor import Running
from backend.jobs import schedule
from backend.jobs.context import Context
from backend.services import checkup, visit_reviews, waiting
from backend.services.backups.pool import Pool
from backend.services.scrubs import healing, pages, running
from backend.services.scrubs.pages import PERIOD_DAYS
from backend.settings import Store
from media.bucket import Bucket, Lock, Room, StoreAbsent, StoreUnavailable
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.backend.test_drill import put
from tests.conftest import StillClock, Work
from tests.phone import Capture

SHOTS = 6
ROOT = Path(__file__).parents[2]


def a_scene() -> bytes:
    """A picture that is in no other test, and too large for the store to keep it in a table."""
    noise = random.Random(new_id().int).randbytes(200 * 200 * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (200, 200), noise).save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state.jobs
    return found


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def sealed(field: worlds.Field, work: Work, count: int) -> list[Capture]:
    """A complete visit whose record lists so many sealed captures."""
    shots = [field.phone.capture(a_scene()) for _ in range(count)]
    await field.phone.send(field.phone.op("visit.start", {}))
    await worlds.submitted(field, shots, [worlds.an_answer()])
    for shot in shots:
        await put(field.phone, shot)
    await worlds.signed(field.phone, *field.inspectors[:2])
    await work.drain()
    assert await field.state() == "complete"
    return shots


async def place_of(field: worlds.Field, shot: Capture) -> tuple[str, str]:
    row = await field.owner.fetchrow(
        "select object_key, version_id from evidence where id = $1", UUID(shot.id)
    )
    return row["object_key"], row["version_id"]


async def altered(owner: asyncpg.Connection, *statements: tuple[str, str]) -> None:
    """What a superuser does behind every trigger, to the piece of an id."""
    await owner.execute("set session_replication_role = replica")
    for statement, ident in statements:
        await owner.execute(statement, UUID(ident))
    await owner.execute("set session_replication_role = origin")


def removed(s3: Bucket, room: Room, key: str, version: str | None) -> None:
    """An object deleted with the root keys, its lock lifted first."""
    client: Minio = s3._client  # noqa: SLF001 - no product code deletes
    if version:
        client.disable_object_legal_hold(s3.name(room), key, version)
    client._execute(  # noqa: SLF001 - the SDK cannot say that governance is bypassed
        "DELETE",
        s3.name(room),
        key,
        headers={"x-amz-bypass-governance-retention": "true"},
        query_params={"versionId": version} if version else None,
    )
    with pytest.raises(StoreAbsent):
        s3.head(room, key, version)


@pytest.fixture
def flips(stack: Running, store: Store) -> Iterator[Callable[[bytes], None]]:
    """Turns one bit of an original in the file of the store's volume, and back after the test."""
    turned: list[tuple[Path, int]] = []

    def turn(file: Path, at: int) -> None:
        with file.open("r+b") as volume:
            volume.seek(at)
            byte = volume.read(1)[0]
            volume.seek(at)
            volume.write(bytes([byte ^ 1]))

    def flip(raw: bytes) -> None:
        needle = raw[len(raw) // 2 :][:64]
        for file in Path(stack.stack.store.data).glob(f"{store.prefix}-originals*.dat"):
            if (at := file.read_bytes().find(needle)) >= 0:
                turn(file, at)
                turned.append((file, at))
        assert len(turned) == 1

    yield flip
    for file, at in turned:
        turn(file, at)


async def scrubbed(context: Context, *, whole: bool = False) -> running.Report:
    return await running.run_all(act=context.act(100_000), bucket=context.bucket, whole=whole)


async def test_every_planted_damage_is_found_and_told(
    field: worlds.Field,
    work: Work,
    context: Context,
    flips: Callable[[bytes], None],
    s3: Bucket,
    client: httpx.AsyncClient,
) -> None:
    shots = await sealed(field, work, SHOTS)
    clean = await scrubbed(context)
    assert (clean.ok, clean.facts["damages"]) == (True, {})
    assert clean.facts["read"] == SHOTS
    flip, gone, held, wrong, rowless, thumbless = shots
    flips(flip.raw)
    removed(s3, Room.ORIGINALS, *await place_of(field, gone))
    s3._client.disable_object_legal_hold(  # noqa: SLF001 - no product code does it so
        s3.name(Room.ORIGINALS), *await place_of(field, held)
    )
    derived = await field.owner.fetchval(
        "select object_key from derivative where evidence = $1 and kind = 'thumb'",
        UUID(thumbless.id),
    )
    removed(s3, Room.DERIVATIVES, derived, None)
    await altered(
        field.owner,
        ("update evidence set sha256 = repeat('0', 64) where id = $1", wrong.id),
        ("delete from derivative where evidence = $1", rowless.id),
        ("delete from receipt where evidence = $1", rowless.id),
        ("delete from evidence where id = $1", rowless.id),
    )
    field.clock.tick(hours=1)
    found = await scrubbed(context, whole=True)
    assert found.ok is False
    damages = dict(found.facts["damages"])
    # The store's own checksum may refuse the flipped bytes, or serve them.
    assert damages.pop("unreadable", 0) + damages.pop("altered") == 2
    assert damages == {"absent": 1, "unlocked": 1, "derivative_absent": 1, "row_removed": 1}
    assert found.facts["names"]["row_removed"] == [rowless.id]
    rows = await field.owner.fetch("select id, state, reason from evidence")
    states = {str(row["id"]): (row["state"], row["reason"]) for row in rows}
    assert states[gone.id] == ("missing", "scrub.absent")
    assert states[wrong.id] == ("missing", "scrub.altered")
    assert states[flip.id][0] == "missing"
    assert states[held.id] == states[thumbless.id] == ("sealed", None)
    assert s3.facts(Room.ORIGINALS, *await place_of(field, held)).lock.hold
    await told(field, context, client, {gone.id, wrong.id, flip.id})


async def told(
    field: worlds.Field, context: Context, client: httpx.AsyncClient, lost: set[str]
) -> None:
    """The visit, the desk, the doctor, the administrators and the log all say it."""
    clock = field.clock
    boss = await world.signed_in(client, field.desk.who)
    shown = (await client.get(f"/api/v1/visits/{field.visit}", headers=boss)).json()
    assert shown["visit"]["state"] == "complete"
    assert shown["visit"]["doubted_at"] is not None
    assert shown["waiting"]["proved"] == SHOTS - 4
    listed = (await client.get("/api/v1/evidence/lost", headers=boss)).json()
    assert {one["id"] for one in listed} == lost
    path = f"/api/v1/visits/{field.visit}/acceptance"
    refused = await client.post(path, headers=boss)
    assert (refused.status_code, refused.json()["code"]) == (409, "visit.evidence_lost")
    with pytest.raises(visit_reviews.EvidenceLost):
        await visit_reviews.accept(field.visit, act=field.desk.act)
    matters = {one.matter: one.count for one in await waiting.lines(act=field.desk.act)}
    assert matters["lost"] == 3
    said = {one.part: one for one in await checkup.checkup(at=clock())}["scrub"]
    assert not said.ok
    assert "absent 1" in said.en
    admin = await world.signed_in(client, await world.a_person(clock(), "sysadmin"))
    runs = (await client.get("/api/v1/upkeep", headers=admin)).json()
    assert [one["ok"] for one in runs] == [False, True]
    assert (await client.get("/api/v1/upkeep", headers=boss)).status_code == 403
    for verb, count in (
        ("evidence.lost", 3),
        ("evidence.locked_again", 1),
        ("visit.doubted", 1),
        ("scrub.finished", 2),
    ):
        assert await field.entries(verb) == count, verb
    again = await scrubbed(context, whole=True)
    assert again.facts["damages"] == {"derivative_absent": 1, "row_removed": 1}
    assert await field.entries("evidence.lost") == 3


async def test_a_phone_brings_a_lost_original_back(
    field: worlds.Field, work: Work, context: Context, s3: Bucket
) -> None:
    (shot,) = await sealed(field, work, 1)
    removed(s3, Room.ORIGINALS, *await place_of(field, shot))
    assert (await scrubbed(context)).facts["damages"] == {"absent": 1}
    doubted = "select doubted_at from visit where id = $1"
    assert await field.owner.fetchval(doubted, field.visit) is not None
    await put(field.phone, shot)
    await work.drain()
    assert await field.owner.fetchval("select state from evidence") == "sealed"
    assert await field.owner.fetchval(doubted, field.visit) is None
    assert await field.entries("visit.proved_again") == 1
    assert (await scrubbed(context, whole=True)).ok


async def test_a_backup_brings_a_lost_original_back(
    field: worlds.Field, work: Work, context: Context, s3: Bucket, tmp_path: Path
) -> None:
    kept, never = await sealed(field, work, 2)
    pool = Pool(tmp_path)
    pool.take([kept.raw])
    for shot in (kept, never):
        removed(s3, Room.ORIGINALS, *await place_of(field, shot))
    await scrubbed(context)
    act = context.act(100_000)
    done = await healing.heal(pool, act=act, bucket=s3)
    assert done == healing.Healed((UUID(kept.id),), (UUID(never.id),))
    doubted = "select doubted_at from visit where id = $1"
    assert await field.owner.fetchval(doubted, field.visit) is not None
    pool.take([never.raw])
    pool.place(kept.sha256).write_bytes(b"other")
    done = await healing.heal(pool, act=act, bucket=s3)
    assert done == healing.Healed((UUID(never.id),), ())
    assert await field.owner.fetchval(doubted, field.visit) is None
    await work.drain()
    rows = await field.owner.fetch("select state from evidence")
    assert {row["state"] for row in rows} == {"sealed"}
    assert s3.facts(Room.ORIGINALS, *await place_of(field, kept)).lock.hold
    assert (await scrubbed(context, whole=True)).ok


def test_nothing_in_the_product_deletes_an_object() -> None:
    """Evidence spec 12.8: what is stored stays, but for exports that can be made again.

    The self-check alone tries, on its canary.
    """
    deletes = [
        line.strip()
        for package in ("backend", "media", "seed")
        for file in (ROOT / package).rglob("*.py")
        if "embedded" not in file.parts
        for line in file.read_text("utf-8").splitlines()
        if re.search(r"remove_object|remove_bucket|delete_object", line)
    ]
    assert deletes == ["self._client.remove_object(self.name(Room.EXPORTS), key)"]


async def test_an_object_without_row_is_an_orphan_after_a_day(
    context: Context, clock: StillClock, stack: Running, owner: asyncpg.Connection
) -> None:
    clock.set(await owner.fetchval("select now()"))
    own = Bucket.of(msgspec.structs.replace(stack.s3, prefix=f"o{new_id().hex[-8:]}"))
    own.ensure_buckets()
    for key in (f"370000/{new_id()}/{'a' * 64}", "stray"):
        own.put(Room.ORIGINALS, key, b"nobody's", "image/jpeg")
    own.put(Room.DERIVATIVES, f"370000/{new_id()}/thumb-1.jpg", b"nobody's", "image/jpeg")

    async def found() -> dict[str, Any]:
        act = context.act(100_000)
        counts: dict[str, Any] = (await running.run_all(act=act, bucket=own)).facts["damages"]
        return counts

    assert await found() == {}
    clock.tick(hours=25)
    assert await found() == {"orphan": 3}


async def test_a_matter_that_closes_later_keeps_its_originals_longer(
    field: worlds.Field, work: Work, context: Context, s3: Bucket
) -> None:
    (shot,) = await sealed(field, work, 1)
    before = s3.facts(Room.ORIGINALS, *await place_of(field, shot)).lock
    closed = field.clock() + timedelta(days=90)
    await field.owner.execute(
        "update visit set concluded_at = $2 where id = $1", field.visit, closed
    )
    found = await scrubbed(context)
    assert (found.ok, found.facts["extended"]) == (True, 1)
    after = s3.facts(Room.ORIGINALS, *await place_of(field, shot)).lock
    floor = running.keep_until(closed).replace(microsecond=0)
    assert before.until is not None
    assert before.until < floor
    assert after == Lock("GOVERNANCE", floor, hold=True)
    assert await field.owner.fetchval("select retain_until from evidence") >= floor
    assert (await scrubbed(context, whole=True)).facts["extended"] == 0


async def test_slices_go_on_after_a_kill_and_count_once(
    field: worlds.Field, work: Work, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealed(field, work, 4)
    # Some slices, however many objects other tests have left in the store.
    there = len(list(context.bucket.listed(Room.ORIGINALS)))
    monkeypatch.setattr(pages, "PAGE_KEYS", max(1, there // 6))
    act = context.act(100_000)
    run = await running.begin(act=act)
    assert await running.begin(act=act) == run
    more = True
    while more:
        both = [running.step(run, act=act, bucket=context.bucket) for _ in range(2)]
        more = any(await asyncio.gather(*both))
    found = await running.report(run, act=act)
    assert (found.ok, found.facts["read"]) == (True, 4)
    assert await field.entries("scrub.finished") == 1


async def test_the_timer_orders_it_once_a_night(
    field: worlds.Field, work: Work, context: Context
) -> None:
    await sealed(field, work, 1)
    for _ in range(2):
        await schedule.tick(context)
    await work.drain()
    rows = await field.owner.fetch("select kind, ok from upkeep_run")
    assert [(row["kind"], row["ok"]) for row in rows] == [("scrub", True)]


async def test_a_store_that_is_down_is_nobodys_damage(
    field: worlds.Field, work: Work, context: Context, store: Store
) -> None:
    await sealed(field, work, 1)
    silent = Bucket.of(msgspec.structs.replace(store, endpoint="http://127.0.0.1:9"))
    act = context.act(100_000)
    run = await running.begin(act=act)
    with pytest.raises(StoreUnavailable):
        await running.step(run, act=act, bucket=silent)
    assert await field.owner.fetchval("select state from evidence") == "sealed"
    assert (await running.report(run, act=act)).facts == {}


@given(st.lists(st.integers(0, 45), min_size=1, max_size=40))
@settings(max_examples=100)
def test_every_original_is_read_within_thirty_days_of_nights(gaps: list[int]) -> None:
    """Whatever nights were missed: between two runs no day of the thirty is left out."""
    at = datetime(2026, 3, 1, 19, tzinfo=UTC)
    last: datetime | None = None
    owed: set[int] = set(range(PERIOD_DAYS))
    for gap in gaps:
        at += timedelta(days=gap)
        if last is not None:
            days = range(last.toordinal() + 1, at.toordinal() + 1)
            owed = {(day + 1) % PERIOD_DAYS for day in days}  # 19 h UTC is the next day's night
        assert owed <= set(running.slots(last, at))
        last = at


def test_a_slot_has_one_piece_in_thirty() -> None:
    slots = [int.from_bytes(new_id().bytes[14:]) % PERIOD_DAYS for _ in range(30_000)]
    share: Callable[[int], int] = slots.count
    assert all(800 < share(slot) < 1200 for slot in range(PERIOD_DAYS))
