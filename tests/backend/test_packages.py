"""Emergency packages: the same road as from the phone, whoever brings the file, however often."""

import json
import tracemalloc
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.services import devices, package_imports, packages
from backend.services.deeds import Tools
from backend.services.package_imports import Bench
from backend.settings import Store as StoreSettings
from media.bucket import Bucket, Room, StoreUnavailable
from media.spool import SEGMENT_BYTES
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.media import samples
from tests.packaging import blob_frame, exported, ops_frame, sealed
from tests.phone import Capture, answers_sha

BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


@pytest.fixture
def spki(app: Litestar) -> bytes:
    """The server's key that phones seal for."""
    found: bytes = app.state.keyring.transport.spki
    return found


class Bringer:
    """Somebody at the office with a file, over HTTP."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.http, self.headers = http, headers

    async def announce(self, raw: bytes) -> dict[str, Any]:
        body = {"sha256": sha256(raw).hexdigest(), "size": len(raw)}
        told = await self.http.post("/api/v1/packages", json=body, headers=self.headers)
        assert told.status_code == 201, told.text
        found: dict[str, Any] = told.json()["package"]
        return found

    async def piece(self, ident: str, offset: int, raw: bytes) -> httpx.Response:
        return await self.http.post(
            f"/api/v1/packages/{ident}/pieces",
            content=raw,
            headers=self.headers | BYTES | {"Upload-Offset": str(offset)},
        )

    async def bring(self, raw: bytes) -> str:
        """Announce and send the whole."""
        ident = str((await self.announce(raw))["id"])
        for at in range(0, len(raw), 1 << 20):
            sent = await self.piece(ident, at, raw[at : at + (1 << 20)])
            assert sent.status_code == 200, sent.text
        return ident

    async def state(self, ident: str) -> dict[str, Any]:
        told = await self.http.get(f"/api/v1/packages/{ident}", headers=self.headers)
        found: dict[str, Any] = told.json()
        return found

    async def items(self, ident: str) -> list[dict[str, Any]]:
        told = await self.http.get(f"/api/v1/packages/{ident}/items", headers=self.headers)
        assert told.status_code == 200, told.text
        found: list[dict[str, Any]] = told.json()["items"]
        return found

    async def results(self, ident: str) -> list[tuple[str, str, str]]:
        return [(one["kind"], one["result"], one["code"]) for one in await self.items(ident)]


@pytest.fixture
async def bringer(field: worlds.Field, client: httpx.AsyncClient) -> Bringer:
    return Bringer(client, await world.signed_in(client, field.desk.who))


def a_day(field: worlds.Field, spki: bytes) -> tuple[bytes, list[Capture]]:
    """A package of a whole visit that no server heard of: one photo sealed, one plain."""
    phone, answers = field.phone, [worlds.an_answer()]
    shots = [phone.capture(worlds.a_jpeg(n)) for n in (1, 2)]
    wire = sealed(shots[0], spki)
    claim = {"items": [one.listed for one in shots], "answers_sha": answers_sha(answers)}
    frames = (
        blob_frame(shots[0], wire),  # blobs may stand before what declares them
        ops_frame(
            phone.op("visit.start", {}), phone.op("answer.set", {"answers": answers}), spki=spki
        ),
        ops_frame(*(phone.op("evidence.declare", one.body) for one in shots), spki=spki),
        ops_frame(phone.op("visit.finalize", claim), spki=None),
        blob_frame(shots[1], shots[1].raw),
    )
    return exported(phone, *frames), shots


async def states(field: worlds.Field) -> list[str]:
    rows = await field.owner.fetch("select state from evidence order by seq")
    return [row["state"] for row in rows]


async def test_a_whole_day_comes_in_by_the_paths_of_the_phone(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes, s3: Bucket
) -> None:
    raw, shots = a_day(field, spki)
    ident = await bringer.bring(raw)
    assert (await bringer.state(ident))["state"] == "received"
    await work.drain()
    told = await bringer.state(ident)
    assert (told["state"], told["facts"]["whole"], told["facts"]["ended"]) == ("done", True, True)
    assert told["facts"]["counts"] == {"op.applied": 5, "blob.applied": 2}
    assert told["facts"]["opening"]["dev"] == str(field.phone.dev)
    assert await states(field) == ["sealed", "sealed"]
    for shot in shots:
        held = await field.owner.fetchrow("select * from evidence where id = $1", UUID(shot.id))
        assert s3.rehash(Room.ORIGINALS, held["object_key"]).sha256 == shot.sha256
    assert await field.state() == "submitted"
    await worlds.signed(field.phone, *field.inspectors[:2])
    assert await field.state() == "complete"
    for verb in ("opened", "received", "brought_in"):
        assert await field.entries(f"package.{verb}") == 1
    # The phone itself comes back and sends the same: nothing happens twice.
    before = await field.held()
    declared = field.phone.op("visit.start", {})
    assert (await field.phone.send(declared))[0]["result"] == "applied"
    assert (await field.held())["evidence"] == before["evidence"]
    # The file itself is kept, under the lock of quarantine.
    row = await field.owner.fetchrow("select * from package where id = $1", UUID(ident))
    kept = s3.rehash(Room.QUARANTINE, row["object_key"], row["version_id"])
    assert (kept.sha256, kept.size) == (sha256(raw).hexdigest(), len(raw))


async def test_the_same_file_again_changes_nothing(
    field: worlds.Field,
    work: Work,
    bringer: Bringer,
    spki: bytes,
    client: httpx.AsyncClient,
) -> None:
    raw, _ = a_day(field, spki)
    first = await bringer.bring(raw)
    again = await bringer.announce(raw)
    assert (again["id"], again["taken"]) == (first, len(raw))
    await work.drain()
    held = await field.held()
    assert (await bringer.announce(raw))["state"] == "done"
    colleague = await world.a_person(field.clock(), "supervisor", region=world.SHANDONG)
    other = Bringer(client, await world.signed_in(client, colleague))
    second = await other.bring(raw)
    await work.drain()
    assert second != first
    assert await field.held() == held | {"task": held["task"] + 1}
    counts = (await bringer.state(second))["facts"]["counts"]
    assert counts == {"op.duplicate": 5, "blob.duplicate": 2}
    taken = await client.post(
        "/api/v1/packages",
        json={"sha256": sha256(raw).hexdigest(), "size": 5},
        headers=bringer.headers,
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "package.other_size")


async def test_pieces_go_on_where_they_stopped(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    raw, _ = a_day(field, spki)
    ident = str((await bringer.announce(raw))["id"])
    assert (await bringer.piece(ident, 0, raw[:700])).json()["taken"] == 700
    wrong = await bringer.piece(ident, 0, raw[:700])
    assert (wrong.status_code, wrong.json()["code"]) == (409, "package.wrong_offset")
    assert wrong.json()["facts"] == {"offset": 700}
    past = await bringer.piece(ident, 700, raw[700:] + b"more")
    assert (past.status_code, past.json()["code"]) == (400, "package.past_end")
    assert (await bringer.announce(raw))["taken"] == 700
    assert (await bringer.piece(ident, 700, raw[700:])).status_code == 200
    closed = await bringer.piece(ident, len(raw), b"x")
    assert (closed.status_code, closed.json()["code"]) == (409, "package.closed")
    await work.drain()
    assert await states(field) == ["sealed", "sealed"]


async def test_a_cut_file_gives_what_it_has(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    raw, shots = a_day(field, spki)
    cut = raw[: raw.index(shots[1].raw) + 50]
    ident = await bringer.bring(cut)
    await work.drain()
    results = await bringer.results(ident)
    assert ("damage", "lost", "package.damaged") in results
    (damage,) = [one for one in await bringer.items(ident) if one["kind"] == "damage"]
    assert (damage["subject"], damage["facts"]["reason"]) == (shots[1].id, "cut")
    told = await bringer.state(ident)
    assert told["facts"]["ended"] is False
    assert await states(field) == ["sealed", "declared"]


async def test_an_upload_that_ends_early_is_brought_in_as_far_as_it_came(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes, clock: StillClock
) -> None:
    raw, shots = a_day(field, spki)
    part = raw.index(shots[1].raw) + 50
    ident = str((await bringer.announce(raw))["id"])
    await bringer.piece(ident, 0, raw[:part])
    ended = await bringer.http.post(f"/api/v1/packages/{ident}/end", headers=bringer.headers)
    assert (ended.status_code, ended.json()["state"]) == (200, "received")
    await work.drain()
    told = await bringer.state(ident)
    assert (told["state"], told["facts"]["whole"]) == ("done", False)
    assert await states(field) == ["sealed", "declared"]
    longer = raw + b"another file"
    other = str((await bringer.announce(longer))["id"])
    await bringer.piece(other, 0, raw[:part])
    clock.tick(days=8)
    assert await packages.expire(act=work.context.act(world.SHANDONG)) == 1
    await work.drain()
    row = await field.owner.fetchrow("select state from package where id = $1", UUID(other))
    assert row["state"] == "done"


async def test_altered_frames_cost_only_themselves(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    phone = field.phone
    shots = [phone.capture(worlds.a_jpeg(n)) for n in (1, 2, 3)]
    wires = [sealed(shot, spki) for shot in shots]
    declared = ops_frame(*(phone.op("evidence.declare", one.body) for one in shots), spki=spki)
    lost = ops_frame(phone.op("visit.start", {}), spki=spki)
    broken = lost[:-1] + bytes([lost[-1] ^ 1])
    altered = blob_frame(shots[0], wires[0])
    altered = altered[:-1] + bytes([altered[-1] ^ 1])
    swapped = blob_frame(shots[1], wires[2])
    undeclared = phone.capture(worlds.a_jpeg(4))
    raw = exported(
        phone,
        broken,
        declared,
        altered,
        swapped,
        blob_frame(shots[2], wires[2]),
        blob_frame(undeclared, undeclared.raw),
    )
    ident = await bringer.bring(raw)
    await work.drain()
    assert await bringer.results(ident) == [
        ("damage", "lost", "package.altered"),
        ("op", "applied", ""),
        ("op", "applied", ""),
        ("op", "applied", ""),
        ("blob", "rejected", "package.altered"),
        ("blob", "rejected", "package.altered"),
        ("blob", "applied", ""),
        ("blob", "blocked", "package.not_declared"),
    ]
    assert await states(field) == ["declared", "declared", "sealed"]
    late = phone.op("evidence.declare", undeclared.body)
    assert (await phone.send(late))[0]["result"] == "applied"
    once_more = await bringer.http.post(f"/api/v1/packages/{ident}/again", headers=bringer.headers)
    assert once_more.status_code == 200, once_more.text
    await work.drain()
    assert (await bringer.results(ident))[-1] == ("blob", "applied", "")
    assert await states(field) == ["declared", "declared", "sealed", "sealed"]


async def test_somebody_elses_operations_are_not_believed(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    phone, forged = field.phone, field.phone.op("visit.start", {})
    forged = forged.replace(b'"seq":', b'"seq":9')
    raw = exported(phone, ops_frame(forged, phone.op("visit.start", {}), spki=spki))
    ident = await bringer.bring(raw)
    await work.drain()
    results = await bringer.results(ident)
    assert results == [("op", "rejected", "signature.invalid"), ("op", "applied", "")]
    letters = await field.owner.fetchval("select count(*) from dead_letter")
    assert letters == 1


async def test_an_inspector_brings_their_own_from_another_phone_and_no_others(
    field: worlds.Field, work: Work, spki: bytes, client: httpx.AsyncClient
) -> None:
    raw, _ = a_day(field, spki)
    other = field.phones[1]
    stranger = Bringer(client, other.headers)
    proofless = await client.post(
        "/api/v1/packages",
        json={"sha256": "00" * 32, "size": 9},
        headers=other.headers,
    )
    assert proofless.json()["code"] == "device.proof_missing"
    body = json.dumps({"sha256": sha256(raw).hexdigest(), "size": len(raw)})
    opened = await other.post("/api/v1/packages", body.encode())
    assert opened.status_code == 201, opened.text
    ident = opened.json()["package"]["id"]
    path = f"/api/v1/packages/{ident}/pieces"
    answer = await other.call("POST", path, raw, BYTES | {"Upload-Offset": "0"})
    assert answer.status_code == 200, answer.text
    await work.drain()
    results = await stranger.results(ident)
    assert {one[1:] for one in results if one[0] == "op"} == {("rejected", "op.foreign_device")}
    assert {one[1:] for one in results if one[0] == "blob"} == {
        ("blocked", "package.not_declared")
    }
    mine = Bringer(client, field.phone.headers)
    assert (await client.get(f"/api/v1/packages/{ident}", headers=mine.headers)).status_code == 404
    assert (await client.get("/api/v1/packages", headers=mine.headers)).json()["packages"] == []


async def test_a_revoked_phones_captures_come_in_as_evidence_in_doubt(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    raw, _ = a_day(field, spki)
    await devices.revoke(field.phone.dev, act=field.desk.act, compromised_since=None)
    field.clock.tick(seconds=5)
    ident = await bringer.bring(raw)
    await work.drain()
    results = await bringer.results(ident)
    assert {one for one in results if one[0] == "blob"} == {("blob", "applied", "")}
    assert await states(field) == ["quarantined", "quarantined"]
    reasons = await field.owner.fetch("select distinct reason from evidence")
    assert [row["reason"] for row in reasons] == ["revoked_key"]


async def test_a_file_that_is_no_package_is_kept_and_says_so(
    field: worlds.Field, work: Work, bringer: Bringer
) -> None:
    ident = await bringer.bring(b"PK\x03\x04" + bytes(3000))
    await work.drain()
    told = await bringer.state(ident)
    assert (told["state"], told["facts"]["opening"]) == ("done", None)
    assert {one[:2] for one in await bringer.results(ident)} == {("damage", "lost")}
    assert await field.owner.fetchval("select count(*) from op") == 0


async def test_a_large_package_is_never_held_in_memory(
    field: worlds.Field, work: Work, bringer: Bringer, spki: bytes
) -> None:
    film = samples.box(b"ftyp", b"isom", bytes(4))
    film += samples.box(b"mdat", Random(3).randbytes(33_000_000))
    film += samples.a_movie()[samples.a_movie().index(b"moov") - 4 :]
    phone = field.phone
    shot = phone.capture(film, mime="video/mp4")
    wire = sealed(shot, spki)
    raw = exported(
        phone,
        ops_frame(phone.op("evidence.declare", shot.body), spki=spki),
        blob_frame(shot, wire),
    )
    ident = await bringer.bring(raw)
    tracemalloc.start()
    await work.drain()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert await states(field) == ["sealed"]
    assert peak < 6 * SEGMENT_BYTES < len(raw), peak
    assert (await bringer.state(ident))["facts"]["bytes"] == len(raw)


class Leaving(Bucket):
    """A store that goes away in the middle of the work."""

    flows = 0

    def put_flow(self, key: str, chunks: Any, size: int, mime: str) -> Any:
        self.flows += 1
        if self.flows > 1:
            raise StoreUnavailable(reason="test")
        return super().put_flow(key, chunks, size, mime)


async def test_an_import_that_was_cut_off_goes_on(
    field: worlds.Field,
    work: Work,
    bringer: Bringer,
    spki: bytes,
    store: StoreSettings,
) -> None:
    raw, _ = a_day(field, spki)
    ident = await bringer.bring(raw)
    context = work.context
    bench = Bench(Leaving.of(store), context.spool, Tools(context.keys, context.rules))
    act = context.act(world.SHANDONG)
    with pytest.raises(StoreUnavailable):
        await package_imports.bring_in(UUID(ident), act=act, bench=bench)
    assert (await bringer.state(ident))["state"] == "stored"
    assert await states(field) == ["declared", "declared"]
    await work.drain()
    told = await bringer.state(ident)
    assert told["facts"]["counts"] == {"op.applied": 5, "blob.applied": 2}
    assert await field.entries("evidence.declare") == 2
