"""Both upload lanes: the weak-link lane by tus, parts of big files, and switching in mid-file."""

import asyncio
import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.services import forwarding, uploads
from backend.settings import Settings
from media.bucket import Bucket, Part, Room
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.field import Field, a_field, a_jpeg
from tests.phone import Capture

FIVE = 5 << 20
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = 256 << 10
BYTES = {"Content-Type": "application/offset+octet-stream"}
Owner = asyncpg.Connection


def a_video(size: int, salt: bytes = b"v") -> bytes:
    """Bytes that begin as an MP4 does; the lanes do not look further."""
    head = bytes.fromhex("0000001c667479706d703432000000006d70343269736f6d")
    return (head + hashlib.sha256(salt).digest() * (size // 32 + 1))[:size]


class Lane:
    """A phone that speaks tus for one declared piece."""

    def __init__(self, seen: Field, capture: Capture) -> None:
        self.seen = seen
        self.capture = capture
        self.path = f"/api/v1/uploads/{capture.id}"

    async def call(
        self, method: str, path: str = "", content: bytes = b"", **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.seen.phone.call(method, path or self.path, content, TUS | named)

    async def create(self, **changes: Any) -> httpx.Response:
        ident = base64.b64encode(str(self.capture.id).encode()).decode()
        given = {
            "Upload_Length": str(len(self.capture.raw)),
            "Upload_Metadata": f"filename eA==,evidence {ident}",
        }
        return await self.call("POST", "/api/v1/uploads", **(given | changes))

    async def patch(self, offset: int, data: bytes, **changes: str) -> httpx.Response:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        given = {
            "Content_Type": BYTES["Content-Type"],
            "Upload_Offset": str(offset),
            "Upload_Checksum": f"sha256 {digest}",
        }
        return await self.call("PATCH", self.path, data, **(given | changes))

    async def offset(self) -> int:
        answer = await self.call("HEAD")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return int(answer.headers["upload-offset"])

    async def send(self, until: int | None = None, chunk: int = CHUNK) -> None:
        """Send from the server's offset on, chunk by chunk."""
        at, raw = await self.offset(), self.capture.raw
        while at < (until or len(raw)):
            answer = await self.patch(at, raw[at : at + chunk])
            assert answer.status_code == 204, answer.text
            at = int(answer.headers["upload-offset"])


@pytest.fixture(autouse=True)
def empty_spool(app: Litestar, clock: StillClock) -> None:
    """Nothing of another test lies in the spool; the store judges addresses by the real time."""
    spool = app.state.jobs.spool
    for left in spool.uploads():
        spool.clear(left)
    clock.set(datetime.now(UTC))  # noqa: TID251 - see above


@pytest.fixture
async def lane(
    empty_spool: None,  # noqa: ARG001 - sets the clock before anything is signed
    desk: Desk,
    client: httpx.AsyncClient,
    owner: Owner,
) -> Lane:
    """A declared video of 6 MB and an opened upload for it."""
    return await a_lane(desk, client, owner, a_video(6_000_000))


async def a_lane(
    desk: Desk, client: httpx.AsyncClient, owner: Owner, raw: bytes, mime: str = "video/mp4"
) -> Lane:
    seen = await a_field(desk, client, owner)
    capture = seen.phone.capture(raw, mime=mime)
    (answer,) = await seen.phone.send(seen.phone.op("evidence.declare", capture.body))
    assert answer["result"] == "applied", answer
    made = Lane(seen, capture)
    opened = await made.create()
    assert opened.status_code == 201, opened.text
    assert opened.headers["location"].endswith(made.path)
    assert opened.headers["upload-offset"] == "0"
    return made


async def state(lane: Lane) -> str:
    found: str = await lane.seen.owner.fetchval(
        "select state from evidence where id = $1", UUID(str(lane.capture.id))
    )
    return found


async def settled(lane: Lane, work: Work, bucket: Bucket) -> None:
    """The spool goes to the store; what is there are the bytes that were declared."""
    await work.drain()
    key = await lane.seen.owner.fetchval("select object_key from evidence where channel = 'phone'")
    found = bucket.rehash(Room.QUARANTINE, key)
    assert (found.sha256, found.size) == (lane.capture.sha256, len(lane.capture.raw))
    assert await state(lane) != "uploading"
    assert work.context.spool.used() == 0


async def test_chunks_become_one_object_and_the_offset_is_the_truth(
    lane: Lane, work: Work, s3: Bucket
) -> None:
    await lane.send(until=1_000_000)
    at = await lane.offset()
    assert at == 4 * CHUNK
    again = await lane.create()
    assert (again.status_code, again.headers["upload-offset"]) == (201, str(at))
    await work.drain()
    assert await lane.offset() == at
    await lane.send()
    await settled(lane, work, s3)
    assert await lane.offset() == len(lane.capture.raw)


async def test_what_does_not_fit_is_dropped_and_the_upload_goes_on(lane: Lane) -> None:
    raw = lane.capture.raw
    await lane.send(until=CHUNK)
    for status, code, deed in (
        (409, "upload.wrong_offset", lane.patch(0, raw[:10])),
        (409, "upload.wrong_offset", lane.patch(CHUNK + 1, raw[:10])),
        (460, "upload.chunk_broken", lane.patch(CHUNK, b"x", Upload_Checksum="sha1 eHh4")),
        (400, "upload.checksum_unknown", lane.patch(CHUNK, b"x", Upload_Checksum="md5 eHh4")),
        (415, "upload.chunk_type", lane.patch(CHUNK, b"x", Content_Type="text/plain")),
        (412, "upload.tus_version", lane.patch(CHUNK, b"x", Tus_Resumable="0.2.2")),
        (400, "upload.other_size", lane.create(Upload_Length="17")),
        (400, "upload.no_evidence", lane.create(Upload_Metadata="evidence eA==")),
    ):
        answer = await deed
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    too_much = await lane.patch(CHUNK, b"x" * ((1 << 20) + 1))
    assert too_much.status_code == 413
    assert await lane.offset() == CHUNK
    last = len(raw) // CHUNK * CHUNK
    await lane.send(until=last)
    past = await lane.patch(last, raw[last:] + b"x")
    assert (past.status_code, past.json()["code"]) == (400, "upload.past_end")
    assert await lane.offset() == last


async def test_an_empty_chunk_at_the_end_is_told_that_all_is_here(
    lane: Lane, work: Work, s3: Bucket
) -> None:
    """A client that lost the last answer goes on from the offset that HEAD tells."""
    await lane.send(chunk=1 << 20)
    for _ in range(2):
        again = await lane.patch(len(lane.capture.raw), b"")
        assert (again.status_code, again.headers["upload-offset"]) == (204, "6000000")
        await settled(lane, work, s3)


async def test_a_gateway_that_knows_only_post(lane: Lane, work: Work, s3: Bucket) -> None:
    raw = lane.capture.raw
    for at in range(0, len(raw), 1 << 20):
        chunk = raw[at : at + (1 << 20)]
        answer = await lane.call(
            "POST",
            content=chunk,
            X_HTTP_Method_Override="PATCH",
            Upload_Offset=str(at),
            Content_Type=BYTES["Content-Type"],
        )
        assert answer.status_code == 204, answer.text
    told = await lane.call("POST", X_HTTP_Method_Override="HEAD")
    assert told.headers["upload-offset"] == str(len(raw))
    odd = await lane.call("POST", X_HTTP_Method_Override="PUT")
    assert (odd.status_code, odd.json()["code"]) == (400, "upload.verb_unknown")
    await settled(lane, work, s3)


async def test_a_given_up_upload_may_be_opened_again(lane: Lane, work: Work, s3: Bucket) -> None:
    await lane.send(until=FIVE)
    await work.drain()
    gone = await lane.call("DELETE")
    assert gone.status_code == 204
    assert (await lane.call("HEAD")).status_code == 404
    assert work.context.spool.used() == 0
    opened = await lane.create()
    assert opened.headers["upload-offset"] == "0"
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


async def test_an_upload_that_is_whole_outlives_a_week_without_a_worker(
    lane: Lane, work: Work, s3: Bucket, clock: StillClock
) -> None:
    await lane.send(chunk=1 << 20)
    clock.tick(days=8)
    ended = await uploads.expire(
        act=work.context.act(370000), bucket=work.context.bucket, spool=work.context.spool
    )
    assert ended == 0
    await settled(lane, work, s3)


async def test_a_week_without_bytes_expires_the_upload_not_the_evidence(
    lane: Lane, work: Work, clock: StillClock
) -> None:
    await lane.send(until=CHUNK)
    clock.tick(days=7, seconds=1)
    await uploads.expire(
        act=work.context.act(370000), bucket=work.context.bucket, spool=work.context.spool
    )
    assert work.context.spool.used() == 0
    found = await lane.seen.owner.fetchrow("select state, taken from upload")
    assert tuple(found) == ("expired", CHUNK)
    assert await state(lane) == "uploading"


async def test_lanes_are_switched_in_mid_file(lane: Lane, work: Work, s3: Bucket) -> None:
    raw, phone = lane.capture.raw, lane.seen.phone
    path = f"/api/v1/evidence/{lane.capture.id}/urls"
    parts = [
        {"n": n + 1, "size": len(part), "sha256": hashlib.sha256(part).hexdigest()}
        for n, part in enumerate((raw[:FIVE], raw[FIVE:]))
    ]
    answer = await phone.post(path, msgspec.json.encode({"parts": parts}))
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["urls"]
    assert (first["n"], second["n"]) == (1, 2)
    async with httpx.AsyncClient() as store:
        put = await store.put(first["url"], content=raw[:FIVE], headers=first["headers"])
    assert put.status_code == 200
    again = await phone.post(path, msgspec.json.encode({"parts": parts}))
    assert [url["n"] for url in again.json()["urls"]] == [2]
    early = await phone.complete(lane.capture)
    assert (early.status_code, early.json()["code"]) == (409, "upload.not_there")
    assert await lane.offset() == FIVE
    await lane.send()
    await settled(lane, work, s3)


async def test_parts_alone_are_completed_by_the_server(lane: Lane, work: Work, s3: Bucket) -> None:
    raw, phone = lane.capture.raw, lane.seen.phone
    parts = [
        {"n": n + 1, "size": len(part), "sha256": hashlib.sha256(part).hexdigest()}
        for n, part in enumerate((raw[:FIVE], raw[FIVE:]))
    ]
    path = f"/api/v1/evidence/{lane.capture.id}/urls"
    wrong = await phone.post(path, msgspec.json.encode({"parts": [parts[0] | {"n": 2}]}))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "upload.parts_wrong")
    answer = await phone.post(path, msgspec.json.encode({"parts": parts}))
    async with httpx.AsyncClient() as store:
        for url, part in zip(answer.json()["urls"], (raw[:FIVE], raw[FIVE:]), strict=True):
            sent = await store.put(url["url"], content=part, headers=url["headers"])
            assert sent.status_code == 200
    for _ in range(2):
        done = await phone.complete(lane.capture)
        assert (done.status_code, done.json()["state"]) == (200, "received")
    await settled(lane, work, s3)


async def test_a_small_picture_goes_through_the_spool_and_is_sealed(
    desk: Desk, client: httpx.AsyncClient, owner: Owner, work: Work
) -> None:
    made = await a_lane(desk, client, owner, a_jpeg(), "image/jpeg")
    await made.send()
    await work.drain()
    assert await state(made) in ("verified", "sealed")
    assert work.context.spool.used() == 0


async def test_another_phone_finds_no_upload(lane: Lane) -> None:
    other = lane.seen.phones[1]
    answer = await other.call("HEAD", lane.path, b"", TUS)
    assert answer.status_code == 404
    stolen = await other.call("PATCH", lane.path, b"x", TUS | BYTES | {"Upload-Offset": "0"})
    assert stolen.status_code == 404
    assert await lane.offset() == 0


async def test_a_full_spool_says_when_to_come_again(lane: Lane, work: Work) -> None:
    spool = work.context.spool
    quota, spool.quota = spool.quota, CHUNK
    try:
        await lane.send(until=CHUNK)
        full = await lane.patch(CHUNK, b"x")
        assert (full.status_code, full.headers["retry-after"]) == (507, "30")
        assert full.json()["code"] == "upload.spool_full"
    finally:
        spool.quota = quota
    assert await lane.offset() == CHUNK
    await lane.send()


async def lost_by_the_store(lane: Lane, bucket: Bucket) -> None:
    row = await lane.seen.owner.fetchrow(
        "select store_upload, object_key from upload join evidence on id = evidence"
    )
    bucket.drop_parts(row["object_key"], row["store_upload"])


async def test_what_the_store_lost_is_asked_for_again(lane: Lane, work: Work, s3: Bucket) -> None:
    await lane.send(until=FIVE)
    await work.drain()
    await lost_by_the_store(lane, s3)
    assert await lane.offset() == 0
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


async def test_the_worker_finds_what_the_store_lost(lane: Lane, work: Work, s3: Bucket) -> None:
    raw = lane.capture.raw
    await lane.send(until=FIVE, chunk=1 << 20)
    await work.drain()
    await lost_by_the_store(lane, s3)
    assert (await lane.patch(FIVE, raw[FIVE:])).status_code == 204
    await work.drain()
    assert await lane.offset() == 0
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


@pytest.mark.parametrize("in_store", [0, FIVE])
async def test_what_the_spool_lost_is_asked_for_again(
    lane: Lane, work: Work, s3: Bucket, in_store: int
) -> None:
    if in_store:
        await lane.send(until=FIVE, chunk=1 << 20)
        await work.drain()
    await lane.send(until=in_store + CHUNK)
    work.context.spool.clear(lane.capture.id)
    torn = await lane.patch(in_store + CHUNK, b"x")
    assert (torn.status_code, torn.json()["code"]) == (409, "upload.torn")
    assert await lane.offset() == in_store
    await lane.send(chunk=1 << 20)
    work.context.spool.clear(lane.capture.id)
    await work.drain()
    assert await lane.offset() == in_store
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


async def test_a_closed_object_is_received_whoever_asks(
    lane: Lane, work: Work, s3: Bucket
) -> None:
    """Killed between closing the object and taking it as received."""
    await lane.send(chunk=1 << 20)
    s3.close_parts(*await uploads_by_parts(lane, s3))
    assert await lane.offset() == len(lane.capture.raw)
    assert await state(lane) == "received"
    await settled(lane, work, s3)


async def uploads_by_parts(lane: Lane, bucket: Bucket) -> tuple[str, str, tuple[Part, ...]]:
    """All parts of the piece in the store, as a worker that has died left them."""
    raw, owner = lane.capture.raw, lane.seen.owner
    key: str = await owner.fetchval("select object_key from evidence where channel = 'phone'")
    name = bucket.open_parts(key, "video/mp4")
    await owner.execute("update upload set store_upload = $1", name)
    for number, at in enumerate(range(0, len(raw), FIVE), 1):
        bucket.put_part(key, name, number, raw[at : at + FIVE])
    return key, name, bucket.parts(key, name)


async def test_a_part_that_is_not_whole_any_more_is_asked_for_again(
    lane: Lane, work: Work, s3: Bucket
) -> None:
    await lane.send(until=CHUNK)
    key, name, _ = await uploads_by_parts(lane, s3)
    size = len(lane.capture.raw)
    s3.put_part(key, name, 2, b"another part under its number")
    await lane.seen.owner.execute("update upload set taken = $1, stored = $1", size)
    act = work.context.act(370_000)
    await forwarding.forward(UUID(lane.capture.id), act=act, bucket=s3, spool=work.context.spool)
    assert await lane.offset() == FIVE
    # Of two parts of one second the store does not say which is newer: then it takes another turn.
    async with asyncio.timeout(30):
        while await lane.seen.owner.fetchval("select state from upload") == "open":
            await lane.send(chunk=1 << 20)
            await work.drain()
    await settled(lane, work, s3)


async def test_twins_of_chunks_cut_nothing_off(lane: Lane, work: Work, s3: Bucket) -> None:
    raw, step = lane.capture.raw[:1_500_000], 30_000
    for at in range(0, len(raw), step):
        lane.seen.clock.tick(seconds=1)  # phones have a pace
        before = max(0, at - step)
        told = await asyncio.gather(
            lane.patch(before, raw[before : before + step]),
            lane.patch(at, raw[at : at + step]),
            lane.patch(at, raw[at : at + step // 2]),
            lane.patch(at, raw[at : at + step // 3]),
        )
        assert {one.status_code for one in told} <= {204, 409}
        while await lane.offset() < at + step:
            here = await lane.offset()
            await lane.patch(here, raw[here : at + step])
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


async def test_nobody_gives_up_what_is_being_written(lane: Lane, work: Work) -> None:
    await lane.send(until=CHUNK)
    with work.context.spool.hold(lane.capture.id):
        for deed in (lane.call("DELETE"), lane.patch(CHUNK, b"x")):
            busy = await deed
            assert (busy.status_code, busy.json()["code"]) == (409, "upload.busy")
    assert await lane.offset() == CHUNK


async def test_parts_of_an_ended_upload_are_not_those_of_the_next(
    lane: Lane, work: Work, s3: Bucket, settings: Settings
) -> None:
    """Given up and opened anew while the worker hands a part on."""
    await lane.send(until=FIVE, chunk=1 << 20)
    loop = asyncio.get_running_loop()

    class Slow(Bucket):
        def put_part(self, key: str, upload: str, number: int, data: bytes) -> None:
            super().put_part(key, upload, number, data)
            for deed in (lane.call("DELETE"), lane.create()):
                asyncio.run_coroutine_threadsafe(deed, loop).result(10)

    await forwarding.forward(
        UUID(lane.capture.id),
        act=work.context.act(370000),
        bucket=Slow.of(settings.store),
        spool=work.context.spool,
    )
    assert await lane.offset() == 0
    await lane.send(chunk=1 << 20)
    await settled(lane, work, s3)


async def test_options_tell_what_the_lane_can_do(client: httpx.AsyncClient) -> None:
    told = await client.options("/api/v1/uploads")
    assert told.status_code == 204
    assert told.headers["tus-version"] == "1.0.0"
    assert told.headers["tus-extension"] == "creation,checksum,termination,expiration"
    assert told.headers["tus-checksum-algorithm"] == "sha256,sha1"


async def test_an_office_may_close_the_direct_lane(lane: Lane) -> None:
    closed = uploads.urls(
        UUID(str(lane.capture.id)),
        (),
        lanes=uploads.Lanes("one", ("tus",)),
        act=lane.seen.desk.act,
        bucket=None,  # type: ignore[arg-type]  # refused before any store is asked
    )
    with pytest.raises(uploads.LaneClosed):
        await closed
