"""Uploads 上传: bytes of a piece by the weak-link lane, and parts of big ones by either lane.

Both lanes end in one object of the store, in parts of 5 MiB above 5 MiB, so a phone may switch in
mid-file.  The committed offset is the truth; what the spool holds beyond it is cut off.
Source: evidence spec 4.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import evidence, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.evidence import AWAITED, LOCK, Stored
from inspection_plans.errors import Family
from media.bucket import Bucket, Part, StoreAbsent
from media.fields import Sha256
from media.presign import Presigned
from media.spool import SEGMENT_BYTES, Spool

FORWARD = "upload.forward"
IDLE = timedelta(days=7)
HELD = "select * from upload where evidence = $1 for no key update"
OPEN = """
insert into upload (evidence, region, institution, channel, size, taken, stored, host, state,
  created_at, touched_at)
values ($1, $2, $3, $4, $5, 0, 0, $6, 'open', $7, $7)
on conflict (evidence) do update set state = 'open', touched_at = excluded.touched_at,
  host = excluded.host, taken = case when upload.state = 'open' then upload.taken else 0 end,
  stored = case when upload.state = 'open' then upload.stored else 0 end,
  store_upload = case when upload.state = 'open' then upload.store_upload end
returning *
"""
TAKE = """
update upload set taken = $3, touched_at = $4 where evidence = $1 and taken = $2 and state = 'open'
"""
STORE = "update upload set stored = $2, taken = greatest(taken, $2) where evidence = $1"
NAME = "update upload set store_upload = $2 where evidence = $1 and store_upload is null"
RESET = """
update upload set taken = 0, stored = 0, store_upload = null
where evidence = $1 and state = 'open' and store_upload is not distinct from $2
"""
END = "update upload set state = $2, touched_at = $3 where evidence = $1"
IDLING = "select evidence from upload where state = 'open' and touched_at < $1 limit 500"
ROW = "select * from evidence where id = $1"


class OtherSize(ServiceRefusal):
    """The upload's length is not the size that the piece was declared with."""

    code = "upload.other_size"
    family = Family.MALFORMED


class WrongOffset(ServiceRefusal):
    """The bytes do not begin where those end that are here; facts say where that is."""

    code = "upload.wrong_offset"
    family = Family.CONFLICT


class PastEnd(ServiceRefusal):
    """The bytes go on behind the declared end."""

    code = "upload.past_end"
    family = Family.MALFORMED


class Expired(ServiceRefusal):
    """Nothing came for a week; open the upload anew, the piece is still awaited."""

    code = "upload.expired"
    family = Family.CONFLICT


class PartsWrong(ServiceRefusal):
    """Parts are numbered from 1, 5 MiB each but the last, none beyond the end of the piece."""

    code = "upload.parts_wrong"


class LaneClosed(ServiceRefusal):
    """This office takes bytes by the weak-link lane alone; its store has no address outside."""

    code = "upload.lane_closed"
    family = Family.CONFLICT


class NewPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part that the sender wants an address for."""

    n: Annotated[int, Meta(ge=1, le=10_000)]
    size: Annotated[int, Meta(ge=1, le=SEGMENT_BYTES)]
    sha256: Sha256


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is; ``done`` once every byte is here, whatever becomes of the piece."""

    id: UUID
    offset: int
    size: int
    expires_at: datetime
    done: bool


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where one piece stands, and addresses by part number for what the store lacks."""

    id: UUID
    state: str
    puts: tuple[tuple[int, Presigned], ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One upload as stored."""

    evidence: UUID
    size: int
    taken: int
    stored: int
    store_upload: str | None
    state: Literal["open", "received", "ended", "expired"]
    touched_at: datetime


def _row(found: Any) -> Row:  # noqa: ANN401 - a driver's row or None
    if found is None:
        raise Absent
    return msgspec.convert(dict(found), Row)


def _progress(row: Row) -> Progress:
    return Progress(
        id=row.evidence,
        offset=row.taken,
        size=row.size,
        expires_at=row.touched_at + IDLE,
        done=row.taken == row.size,
    )


def _alive(row: Row, act: Act) -> Row:
    if row.state == "ended":
        raise Absent
    if row.state == "expired" or (row.state == "open" and row.touched_at + IDLE < act.at):
        raise Expired(upload=str(row.evidence))
    return row


async def open_upload(evidence_id: UUID, length: int, *, host: str, act: Act) -> Progress:
    """Open the upload of a declared piece; the same piece again is the same upload.

    Raises: Absent, OtherSize ("upload.other_size"), QuotaUsed ("upload.quota").
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.begin(await evidence.own(evidence_id, act), act)
        if length != found.size:
            raise OtherSize(field="Upload-Length", declared=found.size)
        return _progress(await _opened(found, host=host, act=act))


async def _opened(found: Stored, *, host: str, act: Act) -> Row:
    if found.state not in AWAITED:
        return Row(
            evidence=found.id,
            size=found.size,
            taken=found.size,
            stored=found.size,
            store_upload=None,
            state="received",
            touched_at=act.at,
        )
    values = (found.id, found.region, found.institution, found.channel, found.size, host, act.at)
    return _row(await DB.connection.fetchrow(OPEN, *values))


async def progress(evidence_id: UUID, *, act: Act, bucket: Bucket) -> Progress:
    """How far an upload is, with the parts that came by the direct lane.

    Raises: Absent, Expired ("upload.expired"), StoreUnavailable.
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
        row = _alive(_row(await DB.connection.fetchrow(HELD, evidence_id)), act)
    if row.state != "open" or row.store_upload is None:
        return _progress(row)
    stored = _contiguous(await _parts(found.object_key, row.store_upload, bucket), row.size)
    if stored > row.stored:
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(STORE, evidence_id, stored)
    return _progress(msgspec.structs.replace(row, taken=max(row.taken, stored)))


async def _parts(key: str, upload: str, bucket: Bucket) -> tuple[Part, ...]:
    try:
        return await asyncio.to_thread(bucket.parts, key, upload)
    except StoreAbsent:
        return ()


def _length(number: int, size: int) -> int:
    """The bytes of part ``number``, from 1, of a piece."""
    return min(SEGMENT_BYTES, size - (number - 1) * SEGMENT_BYTES)


def _contiguous(parts: Sequence[Part], size: int) -> int:
    """The bytes from the start that whole parts cover."""
    stored = 0
    for number, part in enumerate(parts, 1):
        if part.number != number or part.size != _length(number, size):
            break
        stored += part.size
    return stored


async def append(
    evidence_id: UUID, offset: int, data: bytes, *, act: Act, spool: Spool
) -> Progress:
    """Take the next bytes: on the disk first, then promised; a full segment goes on to the store.

    Raises: Absent, Expired, WrongOffset ("upload.wrong_offset"), PastEnd, SpoolBusy, SpoolFull,
    SpoolTorn ("upload.…").
    """
    ident = str(evidence_id)
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
        row = _alive(_row(await DB.connection.fetchrow(HELD, evidence_id)), act)
    with spool.hold(ident):
        _fits(row, offset, data)
        await asyncio.to_thread(spool.append, ident, offset, data)
        taken = offset + len(data)
        async with DB.transaction(act.by.scope):
            status = await DB.connection.execute(TAKE, evidence_id, offset, taken, act.at)
            if status == "UPDATE 0":
                raise WrongOffset(field="Upload-Offset")
            if taken == row.size or taken // SEGMENT_BYTES > offset // SEGMENT_BYTES:
                await _order(found, taken, act)
    return _progress(msgspec.structs.replace(row, taken=taken, touched_at=act.at))


def _fits(row: Row, offset: int, data: bytes) -> None:
    if offset != row.taken:
        raise WrongOffset(field="Upload-Offset", offset=row.taken)
    if offset + len(data) > row.size:
        raise PastEnd(field="Upload-Offset", size=row.size)


async def _order(found: Stored, taken: int, act: Act) -> None:
    await tasks.enqueue(
        FORWARD,
        {"evidence": str(found.id)},
        region=found.region,
        at=act.at,
        dedupe=f"{found.id}:{taken}",
    )


async def end(evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool) -> None:
    """Give an upload up: spool and parts go, the piece stays awaited. Raises: Absent."""
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
        row = _alive(_row(await DB.connection.fetchrow(HELD, evidence_id)), act)
        await DB.connection.execute(END, evidence_id, "ended", act.at)
    await _forget(found.object_key, row, bucket, spool)


async def _forget(key: str, row: Row, bucket: Bucket, spool: Spool) -> None:
    await asyncio.to_thread(spool.clear, str(row.evidence))
    if row.store_upload is not None and row.state == "open":
        await asyncio.to_thread(bucket.drop_parts, key, row.store_upload)


async def expire(*, act: Act, bucket: Bucket, spool: Spool) -> int:
    """End the uploads that nothing came for in a week; how many there were."""
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(IDLING, act.at - IDLE)
    for idle in rows:
        async with DB.transaction(act.by.scope):
            found = await DB.connection.fetchrow(LOCK, idle["evidence"])
            row = _row(await DB.connection.fetchrow(HELD, idle["evidence"]))
            await DB.connection.execute(END, row.evidence, "expired", act.at)
        await _forget(found["object_key"], row, bucket, spool)
    return len(rows)


async def forward(evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool) -> None:
    """Make parts of the full segments; with the last byte close the object and receive it.

    Runs on the host whose spool holds the bytes, one at a time for an upload; a store that is
    down is tried again later. When the store has lost the upload the offset goes back to 0 and
    the phone sends anew.
    """
    async with AsyncExitStack() as held:
        turn = spool.turn(str(evidence_id))
        await asyncio.to_thread(turn.__enter__)
        held.callback(turn.__exit__, None, None, None)
        await _forward(evidence_id, act=act, bucket=bucket, spool=spool)


async def _forward(evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool) -> None:
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(HELD, evidence_id)
        piece = await DB.connection.fetchrow(ROW, evidence_id)
    if row is None or row["state"] != "open":
        return
    upload, found = _row(row), evidence.stored(piece)
    try:
        while upload.stored < upload.taken:
            number = upload.stored // SEGMENT_BYTES + 1
            size = _length(number, upload.size)
            if upload.stored + size > upload.taken:
                return
            upload = await _one(found, upload, number, size, act=act, bucket=bucket, spool=spool)
        if upload.stored == upload.size:
            await _finish(found, upload, act=act, bucket=bucket, spool=spool)
    except StoreAbsent:
        async with DB.transaction(act.by.scope):
            status = await DB.connection.execute(RESET, evidence_id, upload.store_upload)
        if status != "UPDATE 0":
            await asyncio.to_thread(spool.clear, str(evidence_id))


async def _one(
    found: Stored,
    upload: Row,
    number: int,
    size: int,
    *,
    act: Act,
    bucket: Bucket,
    spool: Spool,
) -> Row:
    """Hand one segment to the store; the spool forgets it when the row knows it is there."""
    ident = str(found.id)
    data = await asyncio.to_thread(spool.segment, ident, number - 1, size)
    if upload.size > SEGMENT_BYTES:
        name = await _name(found, upload, act=act, bucket=bucket)
        await asyncio.to_thread(bucket.put_part, found.object_key, name, number, data)
        upload = msgspec.structs.replace(upload, store_upload=name)
    else:
        await asyncio.to_thread(bucket.put_waiting, found.object_key, data, found.mime)
    stored = upload.stored + size
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(STORE, found.id, stored)
    await asyncio.to_thread(spool.drop, ident, number - 1)
    return msgspec.structs.replace(upload, stored=stored)


async def _name(found: Stored, upload: Row, *, act: Act, bucket: Bucket) -> str:
    """The store's own id of the upload, opened once whoever comes first."""
    if upload.store_upload is not None:
        return upload.store_upload
    opened = await asyncio.to_thread(bucket.open_parts, found.object_key, found.mime)
    async with DB.transaction(act.by.scope):
        status = await DB.connection.execute(NAME, found.id, opened)
        name: str = await DB.connection.fetchval(
            "select store_upload from upload where evidence = $1", found.id
        )
    if status == "UPDATE 0":
        await asyncio.to_thread(bucket.drop_parts, found.object_key, opened)
    return name


async def _finish(
    found: Stored, upload: Row, *, act: Act, bucket: Bucket, spool: Spool
) -> evidence.Upload:
    if upload.store_upload is not None:
        await _close(found, upload, bucket)
    received = await evidence.receive(found, act=act, bucket=bucket)
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(END, found.id, "received", act.at)
    await asyncio.to_thread(spool.clear, str(found.id))
    return received


async def _close(found: Stored, upload: Row, bucket: Bucket) -> None:
    """Make one object of the parts. Raises: NotSent ("upload.not_there") while one is missing."""
    name = upload.store_upload or ""
    try:
        parts = await asyncio.to_thread(bucket.parts, found.object_key, name)
    except StoreAbsent:
        return  # closed before; the object tells
    held = _contiguous(parts, upload.size)
    if held != upload.size:
        raise evidence.NotSent(field="evidence", held_bytes=held, declared_bytes=upload.size)
    await asyncio.to_thread(bucket.close_parts, found.object_key, name, parts)


class Lanes(msgspec.Struct, frozen=True):
    """How bytes may come to this host: by ``open`` lanes, direct or tus."""

    host: str
    open: tuple[str, ...]


async def urls(
    evidence_id: UUID, parts: Sequence[NewPart], *, lanes: Lanes, act: Act, bucket: Bucket
) -> Addresses:
    """Pinned addresses for 15 minutes: one for a small piece, else one a part the store lacks.

    Raises: Absent, LaneClosed ("upload.lane_closed"), PartsWrong ("upload.parts_wrong"),
    QuotaUsed, StoreUnavailable.
    Source: evidence spec 4.1.
    """
    if "direct" not in lanes.open:
        raise LaneClosed(lanes=list(lanes.open))
    if not parts:
        one = await evidence.urls(evidence_id, act=act, bucket=bucket)
        return Addresses(id=one.id, state=one.state, puts=((1, one.put),) if one.put else ())
    async with DB.transaction(act.by.scope):
        found = await evidence.begin(await evidence.own(evidence_id, act), act)
        if found.state not in AWAITED:
            return Addresses(id=found.id, state=found.state)
        if any(part.size != _length(part.n, found.size) for part in parts):
            raise PartsWrong(field="parts", size=found.size, part_bytes=SEGMENT_BYTES)
        upload = await _opened(found, host=lanes.host, act=act)
    name = await _name(found, upload, act=act, bucket=bucket)
    held = {part.number: part.size for part in await _parts(found.object_key, name, bucket)}
    puts = tuple(
        (
            part.n,
            bucket.presign_part(
                found.object_key,
                name,
                part.n,
                size=part.size,
                sha256_hex=part.sha256,
                now=act.at,
            ),
        )
        for part in parts
        if held.get(part.n) != part.size
    )
    return Addresses(id=found.id, state=found.state, puts=puts)


async def complete(
    evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool
) -> evidence.Upload:
    """Close what came in parts, look whether the object is there, have it verified; repeatable.

    Raises: Absent, NotSent ("upload.not_there"), StoreUnavailable.  Source: evidence spec 4.1.
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
        row = await DB.connection.fetchrow(HELD, evidence_id)
    if row is None or row["state"] != "open" or found.state not in AWAITED:
        return await evidence.receive(found, act=act, bucket=bucket)
    return await _finish(found, _row(row), act=act, bucket=bucket, spool=spool)
