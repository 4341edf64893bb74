"""Setting a document: facts and template from its row, pictures from the store, PDF into it."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.documents.press import STANDARD, Job, Printed, Unprintable, press
from backend.services.documents.templates import kind_of
from media.bucket import Bucket, HashMismatch
from media.rooms import Room

PICTURE_MOST = 20_000_000
ROW = """
select d.*, s.content from document d join document_source s on s.digest = d.source where d.id = $1
"""
DONE = """
update document set sha256 = $2, size = $3, pages = $4, object_key = $5, rendered_at = $6,
  fault = null where id = $1 and sha256 is null returning region
"""
VOID = """
update document set void_sha256 = $2, void_key = $3 where id = $1 and void_sha256 is null
returning region
"""
FAULT = "update document set fault = $2 where id = $1"


class Altered(RuntimeError):  # noqa: N818 - an alarm in its own words
    """Setting the same facts by the same template gave other bytes than before."""


class Desk(msgspec.Struct, frozen=True):
    """What setting needs besides the row: the store, and ``hold`` to keep the task's lease."""

    bucket: Bucket
    hold: Callable[[], Awaitable[None]]


def _copies(facts: dict[str, Any], bucket: Bucket) -> dict[str, bytes]:
    """Pictures and papers that the facts name, each held against its digest. Blocks."""
    found = {}
    for copy in facts.get("photos", []):
        found[copy["file"]] = _copy(bucket, Room.DERIVATIVES, copy)
    for paper in facts.get("papers", []):
        found[paper["file"]] = _copy(bucket, Room.EXPORTS, paper)
    return found


def _copy(bucket: Bucket, room: Room, named: dict[str, Any]) -> bytes:
    raw = bucket.fetch(room, named["key"], limit=PICTURE_MOST)
    if sha256(raw).hexdigest() != named["sha256"]:
        raise HashMismatch
    return raw


async def _set(row: Any, bucket: Bucket, *, void: str) -> Printed:  # noqa: ANN401 - a row
    facts = bytes(row["facts"])
    job = Job(
        source=bytes(row["content"]),
        facts=facts,
        at=int(row["issued_at"].timestamp()),
        void=void,
        files=await asyncio.to_thread(_copies, msgspec.json.decode(facts), bucket),
        standard=STANDARD if kind_of(row["kind"]).standard else None,
    )
    (printed,) = await press([job])
    return printed


async def _store(row: Any, name: str, pdf: bytes, bucket: Bucket) -> str:  # noqa: ANN401 - a row
    key = f"documents/{row['region']}/{row['id']}{name}.pdf"
    await asyncio.to_thread(bucket.put, Room.EXPORTS, key, pdf, "application/pdf")
    return key


async def print_one(ident: UUID, *, act: Act, desk: Desk) -> None:
    """Set what of a document is missing: the file, and the marked copy of a void one.

    Safe to repeat: a file that was there must come out the same. Raises: Altered, and refusals of
    the store, for which the task is tried again; a template that does not compile is told.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ROW, ident)
    if row is None:
        return
    await desk.hold()
    try:
        await _original(row, act=act, bucket=desk.bucket)
        if row["standing"] == "void":
            await _marked(row, act=act, bucket=desk.bucket)
    except Unprintable as refusal:
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(FAULT, ident, str(refusal.facts["fault"])[:400])


async def _original(row: Any, *, act: Act, bucket: Bucket) -> None:  # noqa: ANN401 - a row
    printed = await _set(row, bucket, void="")
    digest = sha256(printed.pdf).hexdigest()
    if row["sha256"] is not None and row["sha256"] != digest:
        raise Altered(str(row["id"]))
    key = await _store(row, "", printed.pdf, bucket)
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(
            DONE, row["id"], digest, len(printed.pdf), printed.pages, key, act.at
        )
        if region is not None:
            await _record("document.rendered", row, digest, act=act)


async def _marked(row: Any, *, act: Act, bucket: Bucket) -> None:  # noqa: ANN401 - a row
    words = f"{on_day(row['void_at']).isoformat()} {row['void_reason']}"
    printed = await _set(row, bucket, void=words)
    digest = sha256(printed.pdf).hexdigest()
    key = await _store(row, "-void", printed.pdf, bucket)
    async with DB.transaction(act.by.scope):
        if await DB.connection.fetchval(VOID, row["id"], digest, key) is not None:
            await _record("document.void_rendered", row, digest, act=act)


async def _record(verb: str, row: Any, digest: str, *, act: Act) -> None:  # noqa: ANN401 - a row
    await audit.record(
        act,
        verb,
        "document",
        row["id"],
        region=row["region"],
        title=row["number"],
        after_sha256=digest,
    )
