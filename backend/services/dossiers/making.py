"""Writing a bundle: every original is read twice, to know it and into the ZIP; flat memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.dossiers import ONE, papers
from backend.services.dossiers.gather import Gathered, gather, ms
from media.bucket import Bucket
from media.dossier import archive
from media.dossier.archive import Blob
from media.dossier.contents import CaseFile, Contents, Derived, OfficeKeys, Piece, files
from media.errors import Family, MediaRefusal
from media.keys import Tag
from media.offline.checks import ROOTS
from media.rooms import Room, StoreAbsent

LOOK_S = 1.0
CRL = b"-----BEGIN X509 CRL-----"
PATIENCE = timedelta(minutes=1)  # so long a bundle waits for a time stamp over its order
PROGRESS = """
update dossier set done_bytes = $2, total_bytes = $3, pieces = $4, left_out = $5
where id = $1 and state = 'running' returning id
"""
DONE = """
update dossier set state = 'done', ended_at = $2, object_key = $3, sha256 = $4, size = $5,
  stamped = $6, done_bytes = total_bytes where id = $1 and state = 'running' returning region
"""
FAILED = """
update dossier set state = 'failed', ended_at = $2, fault = $3
where id = $1 and state = 'running' returning region
"""


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """What making needs: store, keys, clock, the log's name; ``hold`` keeps the task's lease."""

    bucket: Bucket
    keys: Keyring
    origin: str
    selfcheck: Path
    mode: str
    stamps: bool
    roots: Path | None
    clock: Callable[[], datetime]
    hold: Callable[[], Awaitable[None]]


class Left(Exception):  # noqa: N818 - somebody cancelled; nothing is wrong
    """Nobody waits for this bundle any more."""


class Progress:
    """Counted by the thread that reads, looked at by the loop; ``stop`` is the loop's word."""

    def __init__(self, total: int) -> None:
        self.done, self.total, self.stop = 0, total, False

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted; raises Left."""
        for chunk in chunks:
            if self.stop:
                raise Left
            self.done += len(chunk)
            yield chunk


async def make(ident: UUID, *, act: Act, press: Press) -> None:
    """Make one bundle and say what became of it; safe to repeat, a second one changes nothing.

    Raises: refusals of family unavailable, for which the task is tried again.
    Source: evidence spec 9.
    """
    patient = await _patient(ident, act, press)
    found = await gather(ident, act=act, stamps=patient)
    if found is None:
        return
    progress = Progress(2 * _bytes(found))
    writing = asyncio.create_task(asyncio.to_thread(_write, found, press, progress))
    try:
        while not writing.done():
            await asyncio.wait({writing}, timeout=LOOK_S)
            await _look(ident, found, progress, act, press)
        written = await writing
    except Left:
        return
    except MediaRefusal as refusal:
        if refusal.family is Family.UNAVAILABLE:
            raise
        await _end(ident, FAILED, refusal.code, act=act, press=press)
        return
    finally:
        # The thread ends at its next chunk; what it then says was heard above, or does not matter.
        progress.stop = True
        await asyncio.wait({writing})
        writing.exception()
    await _finish(ident, written, found, act=act, press=press)


async def _patient(ident: UUID, act: Act, press: Press) -> bool:
    """Whether a time stamp over the order is still worth waiting for."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, ident)
    return bool(row and press.stamps and press.clock() < row["ordered_at"] + PATIENCE)


def _bytes(found: Gathered) -> int:
    rows = [*found.derived, *(found.pieces if found.whole else [])]
    rows += [] if found.paper is None else [found.paper.row]
    return sum(int(row["size"]) for row in rows)


async def _look(ident: UUID, found: Gathered, progress: Progress, act: Act, press: Press) -> None:
    """Write down how far it is; keep the lease; hear that it was cancelled."""
    async with DB.transaction(act.by.scope):
        waited = await DB.connection.fetchval(
            PROGRESS,
            ident,
            min(progress.done, progress.total),
            progress.total,
            len(found.pieces),
            len(found.left_out),
        )
    progress.stop = waited is None
    await press.hold()


class Written(msgspec.Struct, frozen=True):
    """Where the file lies, and what it is."""

    object_key: str
    sha256: str
    size: int


def _write(found: Gathered, press: Press, progress: Progress) -> Written:
    """Read, know, pack and store; blocks, so it runs in a thread.

    Raises: Left, Changed ("dossier.changed"), StoreUnavailable.
    """
    contents = _contents(found, press, progress)
    packed = files(contents)
    size = archive.packed_size(packed)
    digest = sha256()

    def sign(listed: bytes) -> bytes:
        return press.keys.server.sign_tagged(Tag.BUNDLE, listed)

    def chunks() -> Iterator[bytes]:
        for chunk in archive.pack(packed, sign):
            digest.update(chunk)
            yield chunk

    key = f"{found.order['region']}/{found.order['id']}.zip"
    press.bucket.put_flow(key, chunks(), size, "application/zip", Room.EXPORTS)
    return Written(key, digest.hexdigest(), size)


def _blob(
    press: Press, progress: Progress, room: Room, row: Mapping[str, Any], version: str | None
) -> Blob | None:
    """A stored object, read once to know it; None when it is gone or no longer itself."""

    def read() -> Iterator[bytes]:
        return progress.through(press.bucket.stream(room, row["object_key"], version))

    try:
        known = archive.measure(read)
    except StoreAbsent:
        return None
    return known if known.sha256 == row["sha256"] else None


def _contents(found: Gathered, press: Press, progress: Progress) -> Contents:
    office = OfficeKeys(
        press.keys.server.public,
        press.keys.server.kid,
        press.keys.log.public,
        press.keys.log.kid,
    )
    derived = [_derived(row, press, progress) for row in found.derived]
    case, stamps = _case(found, press, progress), _stamps(found, press)
    return Contents(
        said=papers.head(found, origin=press.origin, made=press.clock()),
        readme=papers.readme(found, office),
        environment=papers.environment(
            found,
            press.selfcheck,
            mode=press.mode,
            case=case is not None,
            revocations=CRL in stamps.get(ROOTS, b""),
        ),
        custody=papers.custody(found),
        pieces=[_piece(row, found, press, progress) for row in found.pieces],
        left_out=[_left(row) for row in found.left_out],
        phones=[
            msgspec.structs.replace(phone, owner_name=papers.plain(phone.owner_name))
            for phone in found.phones
        ],
        office=office,
        log=found.log,
        derived=[one for one in derived if one is not None],
        stamps=stamps,
        case=case,
    )


def _piece(row: Mapping[str, Any], found: Gathered, press: Press, progress: Progress) -> Piece:
    ident = str(row["id"])
    received, verified = found.places[ident]
    # Pictures may show other people; what an institution sent itself it may have back.
    hidden = not found.whole and row["channel"] != "portal"
    original = None if hidden else _blob(press, progress, Room.ORIGINALS, row, row["version_id"])
    anchored = found.anchored.get(ident)
    return Piece(
        id=ident,
        kind="intake" if row["channel"] == "portal" else "capture",
        manifest=bytes(row["manifest"]),
        signature=bytes(row["signature"]),
        mime=row["mime"],
        state=row["state"],
        flags=list(row["flags"]),
        received=received,
        verified=verified,
        anchored=None if anchored is None else ms(anchored),
        original=original,
        withheld="third_persons" if hidden else "missing_or_altered",
    )


def _case(found: Gathered, press: Press, progress: Progress) -> CaseFile | None:
    """The case file as it was set; None where none was issued, or its file is not itself."""
    if found.paper is None:
        return None
    row = found.paper.row
    content = _blob(press, progress, Room.EXPORTS, row, None)
    if content is None:
        return None
    number = papers.plain(row["number"])
    return CaseFile(id=str(row["id"]), number=number, entry=found.paper.place, content=content)


def _derived(row: Mapping[str, Any], press: Press, progress: Progress) -> Derived | None:
    content = _blob(press, progress, Room.DERIVATIVES, row, None)
    if content is None:
        return None
    return Derived(
        id=str(row["id"]),
        parent=str(row["evidence"]),
        parent_sha256=row["parent_sha256"],
        kind=row["kind"],
        at=ms(row["created_at"]),
        recipe=canon_text(row["recipe"]),
        content=content,
        variant=row["variant"],
    )


def canon_text(recipe: object) -> str:
    """A recipe as text: it holds fractions, which canonical records do not."""
    return msgspec.json.encode(recipe, order="sorted").decode()


def _left(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "state": row["state"],
        "reason": papers.plain(row["reason"] or ""),
        "sha256": row["sha256"],
    }


def _stamps(found: Gathered, press: Press) -> dict[str, bytes]:
    heads = {"at-seal": found.sealed, "at-export": found.newest}
    tokens = {f"tsa/{name}.tsr": head.tsr for name, head in heads.items() if head.tsr}
    if tokens and press.roots is not None:
        tokens[ROOTS] = press.roots.read_bytes()
    return {name: bytes(raw) for name, raw in tokens.items()}


async def _end(ident: UUID, sql: str, fault: str, *, act: Act, press: Press) -> None:
    at = press.clock()
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(sql, ident, at, fault)
        if region is not None:
            await audit.record(
                act, "dossier.failed", "dossier", ident, region=region, reason=fault
            )


async def _finish(
    ident: UUID, written: Written, found: Gathered, *, act: Act, press: Press
) -> None:
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(
            DONE,
            ident,
            press.clock(),
            written.object_key,
            written.sha256,
            written.size,
            found.newest.tsr is not None,
        )
        if region is not None:
            await audit.record(
                act,
                "dossier.made",
                "dossier",
                ident,
                region=region,
                after_sha256=written.sha256,
            )
