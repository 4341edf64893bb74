"""Bringing an office back from a set: rows, objects with their locks, then everything is proved.

Source: evidence spec 8 (logical restore), 13 (restore drill). Object versions get new names, which
the rows learn; uploads in flight begin anew, for their spool was not part of the backup; the log
does not sign until two administrators recover it, because what was published after the backup is
not known here.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, log_proofs, recovery
from backend.services.act import Act
from backend.services.backups import dump, keybox
from backend.services.backups.checking import DUMP, Set
from backend.services.backups.copying import in_order
from backend.services.backups.errors import Differs, KeysOther
from backend.services.backups.records import Line
from backend.settings import Settings
from media.bucket import Bucket, Facts, HashMismatch, Lock, Room

BATCH = 1000
MOVED = """
create temporary table moved (key text not null, was text not null, now text not null)
on commit drop
"""
RENAME = """
update evidence e set version_id = m.now from moved m
where e.object_key = m.key and e.version_id = m.was
"""
UPLOADS = "update upload set state = 'expired', store_upload = null where state = 'open'"
TASKS = "update task set locked_until = null where done_at is null"
RUN = """
insert into upkeep_run (id, kind, started_at, ended_at, ok, position, facts)
values ($1, 'restore', $2, $3, true, '{}', $4)
"""


class Target(Struct, frozen=True):
    """Empty servers: no table in the database, no object in a bucket."""

    settings: Settings
    bucket: Bucket
    keys: Keyring
    binaries: Path


class Report(Struct, frozen=True):
    """What came back: objects hashed again, rows counted, the log recomputed."""

    name: str
    taken_at: datetime
    objects: int
    bytes: int
    rows: int
    log_size: int
    pending: int
    damages: int


class _Moved(Struct, frozen=True):
    """A version under its old and its new name."""

    key: str
    was: str | None
    now: str | None
    size: int


def require_keys(found: Set, keys: Keyring) -> None:
    """Raise KeysOther ("restore.keys_other") unless these are the keys of the backed-up office."""
    if keybox.marks(keys) != found.manifest.marks:
        raise KeysOther(log=found.manifest.marks.log)


async def restore(
    found: Set, target: Target, *, act: Act, clock: Callable[[], datetime]
) -> Report:
    """Fill the target from a set that was checked, prove it, and leave the log halted.

    The pools ``owner``, ``worker`` and ``seq`` are open, the servers are the target's alone.
    Raises: KeysOther, ToolFailed, Differs, HashMismatch, StoreUnavailable.
    """
    require_keys(found, target.keys)
    database = target.settings.database
    await asyncio.to_thread(dump.load, target.binaries, database, found.folder / DUMP)
    await asyncio.to_thread(target.bucket.ensure_buckets)
    objects, size = await _objects(found, target.bucket, act.at)
    rows = await _same_rows(found)
    log = await log_proofs.log_verify(
        origin=found.manifest.log_origin, public=target.keys.log.public
    )
    if log.faults or log.size != found.manifest.head_size:
        raise Differs(what="log", faults=[str(one) for one in log.faults], size=log.size)
    report = Report(
        found.name,
        found.manifest.taken_at,
        objects,
        size,
        rows,
        log.size,
        found.manifest.pending,
        found.manifest.damages,
    )
    await _settled(report, act=act, ended=clock())
    return report


async def _objects(found: Set, bucket: Bucket, now: datetime) -> tuple[int, int]:
    """Every version back with its lock, read back and hashed; rows learn the new versions."""
    objects, size = 0, 0
    lines = in_order(lambda line: _bring(line, found, bucket, now), found.lines())
    async with DB.transaction(dump.OWNER):
        await DB.connection.execute(MOVED)
        while batch := await asyncio.to_thread(_some, lines):
            objects += len(batch)
            size += sum(one.size for one in batch)
            named = [(one.key, one.was, one.now) for one in batch if one.was and one.now]
            await DB.connection.copy_records_to_table("moved", records=named)
        await DB.connection.execute(RENAME)
        await DB.connection.execute(UPLOADS)
        await DB.connection.execute(TASKS)
    return objects, size


def _some(moved: Iterator[_Moved]) -> list[_Moved]:
    return [one for _, one in zip(range(BATCH), moved, strict=False)]


def _bring(line: Line, found: Set, bucket: Bucket, now: datetime) -> _Moved:
    """One version: stored, locked as it was, read back. A lock that has run out is not set."""
    room = Room(line.room)
    until = line.until if line.until and line.until > now else None
    lock = Lock(line.mode if until else None, until, line.hold)
    wanted = Facts(line.size, None, line.mime, lock)
    with found.pool.place(line.sha256).open("rb") as file:
        held = bucket.bring_back(room, line.key, file, wanted)
    back = bucket.rehash(room, line.key, held.version)
    if (back.sha256, back.size) != (line.sha256, line.size):
        raise HashMismatch(expected=line.sha256, found=back.sha256)
    facts = bucket.facts(room, line.key, held.version)
    if (facts.mime, facts.lock.hold) != (line.mime, line.hold) or not _kept(facts.lock, lock):
        raise Differs(what="lock", room=line.room, key=line.key)
    return _Moved(line.key, line.version, held.version, line.size)


def _kept(lock: Lock, wanted: Lock) -> bool:
    """Whether an object is locked at least as long as it was, to the second."""
    if wanted.until is None:
        return True
    until = wanted.until.replace(microsecond=0)
    return lock.mode == wanted.mode and lock.until is not None and lock.until >= until


async def _same_rows(found: Set) -> int:
    """All tables have as many rows as in the snapshot; how many in all. Raises: Differs."""
    async with DB.transaction(dump.OWNER, readonly=True):
        await dump.require_all_rows_seen()
        counts = await dump.counts()
    if counts != found.manifest.tables:
        wrong = {
            name: (found.manifest.tables.get(name), counts.get(name))
            for name in sorted(set(counts) | set(found.manifest.tables))
            if found.manifest.tables.get(name) != counts.get(name)
        }
        raise Differs(what="rows", tables=wrong)
    return sum(counts.values())


async def _settled(report: Report, *, act: Act, ended: datetime) -> None:
    """The halt of the signing, the entry of the log, the line for the doctor."""
    async with DB.transaction(dump.OWNER):
        await recovery.halt("restored", report.log_size, None, at=act.at)
    facts = {"set": report.name, "objects": report.objects, "rows": report.rows}
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(RUN, act.new_id(), act.at, ended, facts)
        await audit.record(
            act,
            "office.restored",
            "backup",
            report.name,
            region=act.by.region,
            title=report.taken_at.isoformat(),
        )
