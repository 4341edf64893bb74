"""Emergency packages 应急包: taken in pieces, kept whole, then brought in by the worker.

Whoever has the file brings it: the inspector from another phone, or a supervisor at the office.
Pieces may be repeated; what was promised is on the disk.
Source: evidence spec 3 (packages), 11 (emergency package).
"""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import audit, policy, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media.fields import Sha256
from media.spool import Spool

BRING = "package.bring"
PIECE_BYTES = 1 << 20
SIZE_MAX = 5 << 30
IDLE = timedelta(days=7)

OPEN = """
insert into package (id, region, brought_by, sha256, size, taken, host, state, object_key, facts,
  opened_at, touched_at)
values ($1, $2, $3, $4, $5, 0, $6, 'open', $7, '{}', $8, $8)
on conflict (region, brought_by, sha256) do nothing returning id
"""
SAME = """
select * from package where region = $1 and brought_by is not distinct from $2 and sha256 = $3
"""
ONE = "select * from package where id = $1"
LOCK = ONE + " for no key update"
PAGE = """
select * from package where ($1::uuid is null or brought_by = $1) and ($2::uuid is null or id < $2)
order by id desc limit $3
"""
ITEMS = """
select number, kind, subject, result, code, facts from package_item
where package = $1 and number > $2 order by number limit $3
"""
TAKE = "update package set taken = $3, touched_at = $4 where id = $1 and taken = $2"
CLOSE = "update package set state = 'received', touched_at = $2 where id = $1"
AGAIN = "update package set state = 'stored' where id = $1"
IDLING = "select id, region from package where state = 'open' and touched_at < $1 limit 100"


class OtherSize(ServiceRefusal):
    """The same file was announced with another size."""

    code = "package.other_size"
    family = Family.CONFLICT


class PieceOffset(ServiceRefusal):
    """The piece does not begin where those end that are here; facts say where that is."""

    code = "package.wrong_offset"
    family = Family.CONFLICT


class PiecePastEnd(ServiceRefusal):
    """The piece is empty or goes on behind the announced end."""

    code = "package.past_end"
    family = Family.MALFORMED


class PackageClosed(ServiceRefusal):
    """All of it is here already; nothing more is taken."""

    code = "package.closed"
    family = Family.CONFLICT


class NewPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that somebody wants to bring."""

    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=SIZE_MAX)]


class PackageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How far a package is; ``facts`` count what was in it once it is ``done``."""

    id: UUID
    region: int
    brought_by: UUID | None
    sha256: str
    size: int
    taken: int
    state: Literal["open", "received", "stored", "done"]
    facts: dict[str, Any]
    opened_at: datetime
    done_at: datetime | None


class PackageItem(msgspec.Struct, frozen=True):
    """What became of one operation or blob, or a stretch that could not be read."""

    number: int
    kind: Literal["op", "blob", "damage"]
    subject: str
    result: str
    code: str
    facts: dict[str, Any]


def spooled(package_id: UUID) -> str:
    """The name of its folder in the spool."""
    return f"package-{package_id}"


def record_of(row: Any) -> PackageRecord:  # noqa: ANN401 - a row of asyncpg or None
    """The record of a row; raises Absent for None."""
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), PackageRecord)


def _mine(row: Any, act: Act) -> PackageRecord:  # noqa: ANN401 - a row of asyncpg or None
    """Somebody in the field sees what they brought themselves; the office sees its region's."""
    found = record_of(row)
    if not (_everybodys(act) or found.brought_by == act.by.id):
        raise Absent
    return found


def _everybodys(act: Act) -> bool:
    """Whether the caller sees what others brought: the office, and the operator's machine."""
    return act.by.kind == "system" or bool(act.by.roles & policy.OFFICE)


async def open_package(new: NewPackage, *, host: str, act: Act) -> PackageRecord:
    """Announce a package; the same file from the same bringer is the same package.

    Raises: OtherSize ("package.other_size").
    """
    by, region, ident = None if act.by.kind == "system" else act.by.id, act.by.region, act.new_id()
    async with DB.transaction(act.by.scope):
        key = f"{region}/{ident}/package"
        opened = await DB.connection.fetchval(
            OPEN, ident, region, by, new.sha256, new.size, host, key, act.at
        )
        row = await DB.connection.fetchrow(SAME, region, by, new.sha256)
        if row["size"] != new.size:
            raise OtherSize(field="size", size=row["size"])
        if opened is not None:
            await note(row, "package.opened", act)
        return record_of(row)


async def note(row: Any, verb: str, act: Act, reason: str = "") -> None:  # noqa: ANN401
    """Write the entry of what became of a package, in the caller's transaction."""
    await audit.record(
        act,
        verb,
        "package",
        row["id"],
        region=row["region"],
        reason=reason,
        after_sha256=row["sha256"],
    )


async def region_of(dev: UUID, *, act: Act) -> int | None:
    """The office of a phone, for a package that the operator brings; None for an unknown one."""
    async with DB.transaction(act.by.scope, readonly=True):
        found: int | None = await DB.connection.fetchval(
            "select region from device where id = $1", dev
        )
    return found


async def append(
    package_id: UUID, offset: int, piece: bytes, *, act: Act, spool: Spool
) -> PackageRecord:
    """Take the next piece: on the disk first, then promised; the last one starts the work.

    Raises: Absent, PackageClosed, PieceOffset, PiecePastEnd ("package.…"), SpoolFull, SpoolBusy.
    """
    async with DB.transaction(act.by.scope):
        found = _mine(await DB.connection.fetchrow(ONE, package_id), act)
    with spool.hold(spooled(package_id)):
        _fits(found, offset, piece)
        await asyncio.to_thread(spool.append, spooled(package_id), offset, piece)
        taken = offset + len(piece)
        async with DB.transaction(act.by.scope):
            status = await DB.connection.execute(TAKE, package_id, offset, taken, act.at)
            if status == "UPDATE 0":
                raise PieceOffset(field="offset")
            row = await DB.connection.fetchrow(LOCK, package_id)
            if taken == row["size"] and row["state"] == "open":
                await _close(row, act)
    return msgspec.structs.replace(found, taken=taken)


def _fits(found: PackageRecord, offset: int, piece: bytes) -> None:
    if found.state != "open":
        raise PackageClosed(state=found.state)
    if offset != found.taken:
        raise PieceOffset(field="offset", offset=found.taken)
    if not piece or offset + len(piece) > found.size:
        raise PiecePastEnd(field="offset", size=found.size)


async def _close(row: Any, act: Act, reason: str = "") -> None:  # noqa: ANN401 - a row of asyncpg
    await DB.connection.execute(CLOSE, row["id"], act.at)
    await note(row, "package.received", act, reason)
    await _order(row, act)


async def _order(row: Any, act: Act) -> None:  # noqa: ANN401 - a row of asyncpg
    await tasks.enqueue(
        BRING, {"package": str(row["id"])}, region=row["region"], at=act.at, dedupe=str(row["id"])
    )


async def end(package_id: UUID, *, act: Act) -> PackageRecord:
    """Say that no more will come: what is here is brought in, the rest is told as damage.

    Raises: Absent, PackageClosed ("package.closed").
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, package_id)
        if _mine(row, act).state != "open":
            raise PackageClosed(state=row["state"])
        await _close(row, act, "ended")
        return record_of(await DB.connection.fetchrow(ONE, package_id))


async def expire(*, act: Act) -> int:
    """Bring in what came of packages that nobody went on with in a week; how many there were."""
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(IDLING, act.at - IDLE)
        for idle in rows:
            row = await DB.connection.fetchrow(LOCK, idle["id"])
            if row["state"] == "open":
                await _close(row, act, "idle")
    return len(rows)


async def again(package_id: UUID, *, act: Act) -> PackageRecord:
    """Bring in once more what waited for something else; raises Absent, PackageClosed.

    What had a final result keeps it.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, package_id)
        if _mine(row, act).state != "done":
            raise PackageClosed(state=row["state"])
        await DB.connection.execute(AGAIN, package_id)
        await _order(row, act)
        return record_of(await DB.connection.fetchrow(ONE, package_id))


async def one(package_id: UUID, *, act: Act) -> PackageRecord:
    """How far a package is; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        return _mine(await DB.connection.fetchrow(ONE, package_id), act)


async def items(
    package_id: UUID, *, act: Act, after: int = 0, limit: int = 200
) -> tuple[PackageItem, ...]:
    """What became of each thing in it, in the order of the file; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        _mine(await DB.connection.fetchrow(ONE, package_id), act)
        rows = await DB.connection.fetch(ITEMS, package_id, after, limit)
    return tuple(msgspec.convert(dict(row), PackageItem) for row in rows)


async def page(
    *, act: Act, after: UUID | None = None, limit: int = 100
) -> tuple[PackageRecord, ...]:
    """Packages of the caller's regions, or the ones it brought itself, newest first."""
    everybody = _everybodys(act)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, None if everybody else act.by.id, after, limit)
    return tuple(record_of(row) for row in rows)
