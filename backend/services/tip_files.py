"""Files of tips: the same distrust as evidence, and nothing kept that could name a sender.

A file comes whole into quarantine; the worker hashes it, looks at its structure, decodes pictures
in the limited child, has it scanned, and only then copies it under lock. Pictures are shown as
re-encoded previews, which carry no position and no device.
"""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit, examination, tasks, tip_desk, tips, visitors
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.examination import Piece
from backend.services.settling import Lab
from backend.services.tips import File
from backend.services.visitors import Visitor
from inspection_plans import policy
from inspection_plans.errors import Family
from media import kinds
from media.bucket import Bucket, Room
from media.errors import Family as MediaFamily
from media.errors import MediaRefusal
from media.scanner import Malware

KIND = "tip.file"
FILES_MAX = 5
FILE_BYTES = 10_000_000
FILES_AN_HOUR = 20
NATIONAL = "national"
DESK = "select set_config('app.tips', 'desk', true)"
COUNT = "select count(*) from tip_file where tip = $1"
INSERT = """
insert into tip_file (id, tip, region, mime, size, sha256, object_key, state, received_at)
values ($1, $2, $3, $4, $5, $6, $7, 'received', $8)
on conflict (tip, sha256) do nothing returning id
"""
ONE = "select * from tip_file where id = $1"
SETTLE = """
update tip_file set state = $2, reason = $3, preview_key = $4, settled_at = $5
where id = $1 and state = 'received'
"""


class TooManyFiles(ServiceRefusal):
    """More files than one tip takes."""

    code: ClassVar[str] = "tip.too_many_files"
    family: ClassVar[Family] = Family.LIMIT


class FileTooLarge(ServiceRefusal):
    """The file is larger than a tip takes."""

    code: ClassVar[str] = "tip.file_too_large"
    family: ClassVar[Family] = Family.LIMIT


class NotProved(ServiceRefusal):
    """The file is not proved yet, or was kept apart; nobody opens it."""

    code: ClassVar[str] = "tip.file_not_proved"
    family: ClassVar[Family] = Family.CONFLICT


async def receive(
    code: str, mime: str, raw: bytes, *, visitor: Visitor, bucket: Bucket
) -> tuple[File, ...]:
    """Take a file of the tip of a code into quarantine; all files of the tip.

    The same file again is one file. Raises: TooOften ("visitor.too_often"), Absent, TipClosed,
    TooManyFiles, FileTooLarge ("tip.…"), TypeRefused and others ("media.…"), StoreUnavailable.
    """
    await visitors.spend("tip-file", visitor, most=FILES_AN_HOUR)
    if len(raw) > FILE_BYTES:
        raise FileTooLarge(field="file", bytes=len(raw), max=FILE_BYTES)
    kinds.declare(mime, len(raw))
    digest = tips.code_hash(code)
    async with DB.transaction(tips.APP, readonly=True):
        row = await tips.hold(digest)
        if row["state"] not in tips.OPEN_STATES:
            raise tips.TipClosed(field="state", state=row["state"])
        if await DB.connection.fetchval(COUNT, row["id"]) >= FILES_MAX:
            raise TooManyFiles(field="file", max=FILES_MAX)
    sha = hashlib.sha256(raw).hexdigest()
    key = f"{row['region']}/tips/{row['id']}/{sha}"
    await asyncio.to_thread(bucket.put_waiting, key, raw, mime)
    async with DB.transaction(tips.APP):
        await tips.hold(digest)
        await _enter(row, (mime, len(raw), sha, key), visitor)
        files = await DB.connection.fetch(tips.FILES_OF, row["id"])
    return tuple(File(**dict(one)) for one in files)


async def _enter(row: Any, what: tuple[str, int, str, str], visitor: Visitor) -> None:  # noqa: ANN401 - a row
    added = await DB.connection.fetchval(
        INSERT, visitor.new_id(), row["id"], row["region"], *what, visitor.at
    )
    if added is None:
        return
    await tasks.enqueue(KIND, {"file": str(added)}, region=row["region"], at=visitor.at)
    act = tips.sender(visitor.at, visitor, row["region"])
    await audit.record(
        act, "tip.file_received", "tip", row["id"], region=row["region"], after_sha256=what[2]
    )


async def prove(file_id: UUID, *, act: Act, lab: Lab) -> None:
    """Look at a file in quarantine and settle it; safe to repeat.

    Raises: refusals of family unavailable, for which the task is tried again.
    Source: evidence-and-sync 12.4.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await DB.connection.execute(DESK)
        row = await DB.connection.fetchrow(ONE, file_id)
    if row is None or row["state"] != "received":
        return
    years = policy.number("evidence_retention_years", NATIONAL)
    until = act.at + timedelta(days=366 * years)
    try:
        preview = await asyncio.to_thread(_examined, row, lab, until)
    except MediaRefusal as refusal:
        if refusal.family is MediaFamily.UNAVAILABLE:
            raise
        await _settle(row, "quarantined", refusal.code, None, act)
    else:
        await _settle(row, "verified", None, preview, act)


def _examined(row: Any, lab: Lab, until: Any) -> str | None:  # noqa: ANN401 - a row, an instant
    """The preview's key of a picture; blocks."""
    piece = Piece(
        id=row["id"],
        region=row["region"],
        sha256=row["sha256"],
        size=row["size"],
        mime=row["mime"],
        object_key=row["object_key"],
        version=None,
    )
    seen = examination.examine(piece, lab.bucket, lab.darkroom)
    scan = lab.scanner.scan(lab.bucket.stream(Room.QUARANTINE, piece.object_key, None))
    if scan.state == "found":
        raise Malware(name=scan.detail)
    lab.bucket.promote(piece.object_key, version=None, sha256_hex=piece.sha256, retain_until=until)
    return next((made.object_key for made in seen.derivatives if made.kind == "preview"), None)


async def _settle(row: Any, state: str, reason: str | None, preview: str | None, act: Act) -> None:  # noqa: ANN401 - a row
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(DESK)
        await DB.connection.execute(SETTLE, row["id"], state, reason, preview, act.at)
        await audit.record(
            act,
            f"tip.file_{state}",
            "tip",
            row["tip"],
            region=row["region"],
            reason=reason or "",
        )


async def shown(tip_id: UUID, file_id: UUID, *, act: Act, bucket: Bucket) -> tuple[bytes, str]:
    """A file as the desk may see it, with its type: a picture's preview, anything else itself.

    Raises: Absent, Denied, NotProved ("tip.file_not_proved"), StoreUnavailable.
    """
    async with DB.transaction(act.by.scope):
        await tip_desk.enter(act, "tips.read")
        row = await DB.connection.fetchrow(ONE, file_id)
        if row is None or row["tip"] != tip_id:
            raise Absent
        if row["state"] != "verified":
            raise NotProved(field="state", state=row["state"])
        await audit.record(act, "tip.file_read", "tip", tip_id, region=row["region"])
    if row["preview_key"] is not None:
        room, key, mime = Room.DERIVATIVES, row["preview_key"], "image/jpeg"
    else:
        room, key, mime = Room.ORIGINALS, row["object_key"], row["mime"]
    raw = await asyncio.to_thread(bucket.fetch, room, key, limit=FILE_BYTES)
    return raw, mime
