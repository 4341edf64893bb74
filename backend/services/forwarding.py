"""From the spool to the store: full segments become parts, the last byte closes the object.

A worker on the spool's host does it, again and again until it is done: whatever is killed in
between, row, spool and store tell how far it was. Source: evidence spec 4, 4.2.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import evidence
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.stored import Stored, stored
from backend.services.uploadrows import (
    END,
    HELD,
    NAME,
    RESET,
    SHRINK,
    STORE,
    TORN,
    Progress,
    Row,
    contiguous,
    length_of,
    progress_of,
    row_of,
)
from media.bucket import Bucket, StoreAbsent
from media.spool import SEGMENT_BYTES, Spool, SpoolTorn

FORWARD = "upload.forward"
ROW = "select * from evidence where id = $1"


async def forward(evidence_id: UUID, *, act: Act, bucket: Bucket, spool: Spool) -> None:
    """Make parts of the full segments; with the last byte close the object and receive it.

    Runs on the host whose spool holds the bytes, one at a time for an upload; a store that is
    down is tried again later. What spool or store has lost is taken back from the offset, and
    the phone sends it anew.
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
        if row is not None and row["state"] == "received":
            await asyncio.to_thread(spool.clear, str(evidence_id))
        return
    upload, found = row_of(row), stored(piece)
    try:
        while upload.stored < upload.taken:
            number = upload.stored // SEGMENT_BYTES + 1
            size = length_of(number, upload.size)
            if upload.stored + size > upload.taken:
                return
            upload = await _one(found, upload, number, size, act=act, bucket=bucket, spool=spool)
        if upload.stored == upload.size:
            await finish(found, upload, act=act, bucket=bucket, spool=spool)
    except Absent:
        return  # ended meanwhile: whatever comes next comes anew
    except SpoolTorn:
        await tear(upload, act)
    except evidence.NotSent as gap:
        await _shrink(upload, gap.facts.get("held_bytes"), act)
    except StoreAbsent:
        await without_parts(found, upload, act=act, bucket=bucket)
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
        name = await name_of(found, upload, act=act, bucket=bucket)
        await asyncio.to_thread(bucket.put_part, found.object_key, name, number, data)
        upload = msgspec.structs.replace(upload, store_upload=name)
    else:
        await asyncio.to_thread(bucket.put_waiting, found.object_key, data, found.mime)
    stored = upload.stored + size
    async with DB.transaction(act.by.scope):
        status = await DB.connection.execute(STORE, found.id, stored, upload.store_upload)
    if status == "UPDATE 0":
        raise Absent
    await asyncio.to_thread(spool.drop, ident, number - 1)
    return msgspec.structs.replace(upload, stored=stored)


async def name_of(found: Stored, upload: Row, *, act: Act, bucket: Bucket) -> str:
    """The store's own id of the upload, opened once whoever comes first.

    Raises: Absent when the upload was ended meanwhile.
    """
    if upload.store_upload is not None:
        return upload.store_upload
    opened = await asyncio.to_thread(bucket.open_parts, found.object_key, found.mime)
    async with DB.transaction(act.by.scope):
        status = await DB.connection.execute(NAME, found.id, opened)
        name: str | None = await DB.connection.fetchval(
            "select store_upload from upload where evidence = $1", found.id
        )
    if status == "UPDATE 0":
        await asyncio.to_thread(bucket.drop_parts, found.object_key, opened)
    if name is None:
        raise Absent
    return name


async def finish(
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
    with suppress(StoreAbsent):  # closed before, or by somebody beside us; the object tells
        parts = await asyncio.to_thread(bucket.parts, found.object_key, name)
        held = contiguous(parts, upload.size)
        if held != upload.size:
            raise evidence.NotSent(field="evidence", held_bytes=held, declared_bytes=upload.size)
        await asyncio.to_thread(bucket.close_parts, found.object_key, name, parts)


async def tear(row: Row, act: Act) -> None:
    """Only what the store has is here: a disk was lost, or a backup restored beside it."""
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(TORN, row.evidence, row.taken)


async def _shrink(row: Row, held: object, act: Act) -> None:
    """The store has the upload, but not whole: the phone is asked for the rest again."""
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(SHRINK, row.evidence, held or 0, row.store_upload)


async def without_parts(found: Stored, row: Row, *, act: Act, bucket: Bucket) -> Progress:
    """The store knows the upload no more: its object is whole, or all of it comes anew."""
    try:
        await evidence.receive(found, act=act, bucket=bucket)
    except evidence.NotSent:
        taken = 0
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(RESET, row.evidence, row.store_upload)
    else:
        taken = row.size
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(END, row.evidence, "received", act.at)
    return progress_of(msgspec.structs.replace(row, taken=taken))
