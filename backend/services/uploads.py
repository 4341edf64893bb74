"""Uploads 上传: bytes of a piece by the weak-link lane, and parts of big ones by either lane.

Both lanes end in one object of the store, in parts of 5 MiB above 5 MiB, so a phone may switch in
mid-file.  The committed offset is the truth; what the spool holds beyond it is cut off.
Source: evidence spec 4.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import evidence, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.forwarding import FORWARD, finish, name_of, tear, without_parts
from backend.services.stored import AWAITED, LOCK, Stored
from backend.services.uploadrows import (
    END,
    HELD,
    IDLE,
    STORE,
    Progress,
    Row,
    contiguous,
    length_of,
    progress_of,
    row_of,
)
from inspection_plans.errors import Family
from media.bucket import Bucket, StoreAbsent, StoreUnavailable
from media.fields import Sha256
from media.presign import Presigned
from media.spool import SEGMENT_BYTES, Spool, SpoolBusy, SpoolTorn

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
# An upload whose every byte was taken waits for us, not for its sender: it does not end.
IDLING = """
select evidence from upload where state = 'open' and taken < size and touched_at < $1 limit 500
"""


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


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where one piece stands, and addresses by part number for what the store lacks."""

    id: UUID
    state: str
    puts: tuple[tuple[int, Presigned], ...] = ()


def _alive(row: Row, act: Act) -> Row:
    if row.state == "ended":
        raise Absent
    awaited = row.state == "open" and row.taken < row.size
    if row.state == "expired" or (awaited and row.touched_at + IDLE < act.at):
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
        return progress_of(await _opened(found, host=host, act=act))


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
    return row_of(await DB.connection.fetchrow(OPEN, *values))


async def progress(evidence_id: UUID, *, act: Act, bucket: Bucket) -> Progress:
    """How far an upload is, with the parts that came by the direct lane.

    Raises: Absent, Expired ("upload.expired"), StoreUnavailable.
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
        row = _alive(row_of(await DB.connection.fetchrow(HELD, evidence_id)), act)
    if row.state != "open" or row.store_upload is None:
        return progress_of(row)
    try:
        parts = await asyncio.to_thread(bucket.parts, found.object_key, row.store_upload)
    except StoreAbsent:
        return await without_parts(found, row, act=act, bucket=bucket)
    stored = contiguous(parts, row.size)
    if stored > row.stored:
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(STORE, evidence_id, stored, row.store_upload)
    return progress_of(msgspec.structs.replace(row, taken=max(row.taken, stored)))


async def append(
    evidence_id: UUID, offset: int, data: bytes, *, act: Act, spool: Spool
) -> Progress:
    """Take the next bytes: on the disk first, then promised; a full segment goes on to the store.

    Raises: Absent, Expired, WrongOffset ("upload.wrong_offset"), PastEnd, SpoolBusy, SpoolFull,
    SpoolTorn ("upload.…").
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
    with spool.hold(str(evidence_id)):
        # Read under the hold: what an older reading allows may cut off what was promised since.
        async with DB.transaction(act.by.scope):
            row = _alive(row_of(await DB.connection.fetchrow(HELD, evidence_id)), act)
        _fits(row, offset, data)
        if not data:  # a sender that lost the last answer asks so whether all is here
            return progress_of(row)
        await _write(row, data, act=act, spool=spool)
        taken = offset + len(data)
        async with DB.transaction(act.by.scope):
            status = await DB.connection.execute(TAKE, evidence_id, offset, taken, act.at)
            if status == "UPDATE 0":
                raise WrongOffset(field="Upload-Offset")
            if taken == row.size or taken // SEGMENT_BYTES > offset // SEGMENT_BYTES:
                await _order(found, taken, act)
    return progress_of(msgspec.structs.replace(row, taken=taken, touched_at=act.at))


async def _write(row: Row, data: bytes, *, act: Act, spool: Spool) -> None:
    """Put bytes behind the committed offset; a spool that lost some takes the offset back."""
    try:
        await asyncio.to_thread(spool.append, str(row.evidence), row.taken, data)
    except SpoolTorn:
        await tear(row, act)
        raise


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
    """Give an upload up: spool and parts go, the piece stays awaited.

    Raises: Absent, Expired, SpoolBusy ("upload.busy").
    """
    async with DB.transaction(act.by.scope):
        found = await evidence.own(evidence_id, act)
    with spool.hold(str(evidence_id)):
        async with DB.transaction(act.by.scope):
            row = _alive(row_of(await DB.connection.fetchrow(HELD, evidence_id)), act)
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
    ended = 0
    for idle in rows:
        with suppress(SpoolBusy), spool.hold(str(idle["evidence"])):
            ended += await _expire(idle["evidence"], act=act, bucket=bucket, spool=spool)
    return ended


async def _expire(evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool) -> bool:
    """End one upload unless somebody went on with it just now."""
    async with DB.transaction(act.by.scope):
        found = await DB.connection.fetchrow(LOCK, evidence_id)
        row = row_of(await DB.connection.fetchrow(HELD, evidence_id))
        if row.state != "open" or row.taken == row.size or row.touched_at >= act.at - IDLE:
            return False
        await DB.connection.execute(END, row.evidence, "expired", act.at)
    with suppress(StoreUnavailable):  # its parts are no object, and nobody may complete them
        await _forget(found["object_key"], row, bucket, spool)
    return True


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
        if any(part.size != length_of(part.n, found.size) for part in parts):
            raise PartsWrong(field="parts", size=found.size, part_bytes=SEGMENT_BYTES)
        upload = await _opened(found, host=lanes.host, act=act)
    opened = await _sent(found, upload, act=act, bucket=bucket)
    if opened is None:
        return Addresses(id=found.id, state="received")
    name, held = opened
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


async def _sent(
    found: Stored, upload: Row, *, act: Act, bucket: Bucket
) -> tuple[str, dict[int, int]] | None:
    """The store's id of the upload and the size of each part it has; None: the object is whole."""
    name = await name_of(found, upload, act=act, bucket=bucket)
    try:
        parts = await asyncio.to_thread(bucket.parts, found.object_key, name)
    except StoreAbsent:
        upload = msgspec.structs.replace(upload, store_upload=name)
        if (await without_parts(found, upload, act=act, bucket=bucket)).done:
            return None
        upload = msgspec.structs.replace(upload, store_upload=None)
        return await name_of(found, upload, act=act, bucket=bucket), {}
    return name, {part.number: part.size for part in parts}


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
    return await finish(found, row_of(row), act=act, bucket=bucket, spool=spool)
