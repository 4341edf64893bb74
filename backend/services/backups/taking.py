"""Taking a backup while the office works: one snapshot of the rows, then every object.

Rows first: an object is stored before its row says so, so the objects copied afterwards cover
every row of the snapshot. A set gets its name only when all of it is on disk.
"""

import asyncio
import fcntl
import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.backups import checking, dump, keybox
from backend.services.backups.checking import (
    DUMP,
    LIST,
    MANIFEST,
    OBJECTS,
    SETS,
    STAMP_ROOTS,
    Set,
)
from backend.services.backups.copying import Copier, Key, counted, in_order, side_by_side
from backend.services.backups.dump import LogFacts, Wanted
from backend.services.backups.errors import NoSet, SetBroken, TargetBusy
from backend.services.backups.pool import Pool, sum_of
from backend.services.backups.records import Count, Damage, FileSum, Line, Manifest, spell
from backend.settings import Settings
from media.bucket import Bucket, Room

DAMAGES_MOST = 100
RUN = """
insert into upkeep_run (id, kind, started_at, ended_at, ok, position, facts)
values ($1, 'backup', $2, $3, $4, '{}', $5)
"""


class Source(Struct, frozen=True):
    """What is backed up and with which tools: ``binaries`` is PostgreSQL's bin folder."""

    settings: Settings
    bucket: Bucket
    keys: Keyring
    binaries: Path


class _Rows(Struct, frozen=True):
    """What the snapshot of the database says beside its dump."""

    tables: dict[str, int]
    log: LogFacts


class _Objects(Struct, frozen=True):
    """What was copied: counts by room, the first damages and how many there are."""

    rooms: dict[str, Count]
    damaged: tuple[Damage, ...]
    damages: int


async def take(source: Source, root: Path, *, act: Act, clock: Callable[[], datetime]) -> Set:
    """Write one backup into ``root`` and read it back; the set that is now there.

    Incremental: bytes that an earlier set has are not copied again. Damage of the store does not
    stop it: it is named in the manifest, healed where an earlier backup has the right bytes.
    The pools ``owner`` and ``worker`` are open.
    Raises: TargetBusy, HiddenRows, ToolFailed, SetBroken ("backup.…"), StoreUnavailable.
    """
    with _held(root):
        partial, previous = _begin(root, act.at)
        try:
            rows = await _rows(source, partial)
            known = None if previous is None else previous.lines
            copied = await asyncio.to_thread(_objects, source, root, partial, known, act.at)
            found = await asyncio.to_thread(
                _finish, source, partial, rows, copied, act.at, previous, clock
            )
            await asyncio.to_thread(checking.check, found, since=act.at)
            placed = await asyncio.to_thread(_publish, found, root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    await _told(placed, act=act, ended=clock())
    return placed


def thin(root: Path, keep: int) -> list[str]:
    """Remove all sets but the newest ``keep``, at least one; their names. Content stays.

    Raises: TargetBusy ("backup.target_busy").
    """
    with _held(root):
        gone = checking.names(root)[: -max(keep, 1)]
        for name in gone:  # without its name a set is none, however far the removal gets
            dead = (root / SETS / name).rename(root / SETS / f".{name}")
            shutil.rmtree(dead, ignore_errors=True)
    return gone


@contextmanager
def _held(root: Path) -> Iterator[None]:
    """One backup at a time into a folder; raises TargetBusy ("backup.target_busy")."""
    (root / SETS).mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TargetBusy(folder=str(root)) from None
        yield
    finally:
        os.close(handle)


def _begin(root: Path, at: datetime) -> tuple[Path, Set | None]:
    """An empty folder for the new set, and the newest whole one; leftovers of kills go."""
    for left in (root / SETS).glob(".*"):
        shutil.rmtree(left, ignore_errors=True)
    Pool(root / OBJECTS).sweep()
    partial = root / SETS / f".{at:%Y%m%dT%H%M%S.%fZ}"
    partial.mkdir(mode=0o700)
    try:
        return partial, checking.readable(checking.open_set(root))
    except (NoSet, SetBroken):  # a broken forerunner costs a whole copy, and no more
        return partial, None


async def _rows(source: Source, partial: Path) -> _Rows:
    """Dump one snapshot, and write down what its rows say about objects."""
    async with DB.transaction(dump.OWNER, isolation="repeatable_read", readonly=True):
        await dump.require_all_rows_seen()
        snapshot = await DB.connection.fetchval("select pg_export_snapshot()")
        log, tables = await dump.log_facts(), await dump.counts()
        for room in Room:
            with (partial / f"wanted-{room}").open("wb") as out:
                async for one in dump.wanted(room):
                    out.write(msgspec.json.encode(one) + b"\n")
        await asyncio.to_thread(
            dump.write,
            source.binaries,
            source.settings.database,
            partial / DUMP,
            snapshot=snapshot,
        )
    return _Rows(tables, log)


def _objects(
    source: Source,
    root: Path,
    partial: Path,
    known: Callable[[], Iterator[Line]] | None,
    at: datetime,
) -> _Objects:
    """Copy every room and write the list; the store is asked after the rows were read."""
    rooms: dict[str, Count] = {}
    damaged: list[Damage] = []
    damages = 0
    pool = Pool(root / OBJECTS)
    with gzip.open(partial / LIST, "wb", compresslevel=3) as out:
        for room in Room:
            copier = Copier(source.bucket, room, pool, now=at)
            rooms[room] = Count(0, 0, 0, 0)
            for copied in in_order(copier.copy, _keys(source.bucket, room, partial, known)):
                out.writelines(map(spell, copied.lines))
                rooms[room] = counted(rooms[room], copied)
                damages += len(copied.damaged)
                damaged += copied.damaged[: DAMAGES_MOST - len(damaged)]
    return _Objects(rooms, tuple(damaged), damages)


def _keys(
    bucket: Bucket, room: Room, partial: Path, known: Callable[[], Iterator[Line]] | None
) -> Iterator[Key]:
    """The keys of a room, each with what is listed, wanted and known of it."""
    file = partial / f"wanted-{room}"
    with file.open("rb") as lines:
        wanted = (msgspec.json.decode(line, type=Wanted) for line in lines)
        items = (item for item in bucket.listed(room, versions=True) if not item.deleted)
        before = iter(()) if known is None else (one for one in known() if one.room == room)
        yield from side_by_side(items, wanted, before)
    file.unlink()


def _finish(
    source: Source,
    partial: Path,
    rows: _Rows,
    copied: _Objects,
    at: datetime,
    previous: Set | None,
    clock: Callable[[], datetime],
) -> Set:
    """Write the manifest, the last file of a set."""
    roots = source.settings.tsa_roots
    if roots is not None and roots.exists():  # without them nobody could check the old stamps
        shutil.copyfile(roots, partial / STAMP_ROOTS)
    sums = {file.name: sum_of(file) for file in sorted(partial.iterdir())}
    manifest = Manifest(
        typ="mingcha.backup/1",
        taken_at=at,
        finished_at=clock(),
        postgres=rows.log.postgres,
        migration=rows.log.migration,
        log_origin=source.settings.log_origin,
        marks=keybox.marks(source.keys),
        head_size=rows.log.size,
        head_note=rows.log.note,
        entries=rows.log.entries,
        pending=rows.log.pending,
        tables=rows.tables,
        rooms=copied.rooms,
        files={name: FileSum(one.sha256, one.size) for name, one in sums.items()},
        damaged=copied.damaged,
        damages=copied.damages,
        previous=None if previous is None else previous.name,
    )
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (partial / MANIFEST).write_bytes(text)
    return Set(partial.parents[1], partial, manifest)


def _publish(found: Set, root: Path) -> Set:
    """Everything to the disk, then the name; a cut before it leaves no set."""
    os.sync()
    folder = root / SETS / found.folder.name.removeprefix(".")
    found.folder.rename(folder)
    os.sync()
    return Set(root, folder, found.manifest)


async def _told(found: Set, *, act: Act, ended: datetime) -> None:
    """A copy of everything was made: an entry of the log and a line for the doctor."""
    made = found.manifest
    sum_file = sum_of(found.folder / MANIFEST)
    facts = {
        "set": found.name,
        "objects": sum(room.objects for room in made.rooms.values()),
        "new_bytes": sum(room.new_bytes for room in made.rooms.values()),
        "damages": made.damages,
        "head_size": made.head_size,
    }
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(
            RUN, act.new_id(), made.taken_at, ended, not made.damages, facts
        )
        await audit.record(
            act,
            "backup.taken",
            "backup",
            found.name,
            region=act.by.region,
            after_sha256=sum_file.sha256,
        )
