"""A night's scrub, slice by slice: each ends with its counts and its place in one statement.

A killed slice is done again from the same place; nothing is counted twice.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.scrubs import losses, pages
from backend.services.scrubs.judging import Damage, Judge, Judged
from backend.services.scrubs.pages import PERIOD_DAYS, ROOMS, Night
from inspection_plans import policy
from inspection_plans.vocabulary import NATIONAL
from media.bucket import Bucket, Room

NIGHT, STEP = "scrub.night", "scrub.step"
NAMES_MOST = 20
ENTRIES = 5000
ENTRY_PHASE = "entries"
LOST = frozenset({"absent", "altered", "unreadable"})
log = structlog.get_logger()

OPEN = """
select id, started_at, position, facts from upkeep_run where kind = 'scrub' and ended_at is null
order by started_at limit 1
"""
ONE = "select id, started_at, position, facts, ended_at, ok from upkeep_run where id = $1"
LAST = """
select started_at from upkeep_run where kind = 'scrub' and ended_at is not null
order by started_at desc limit 1
"""
BEGIN = """
insert into upkeep_run (id, kind, started_at, position, facts) values ($1, 'scrub', $2, $3, '{}')
"""
ADVANCE = """
update upkeep_run set position = $3, facts = $4, ended_at = $5, ok = $6
where id = $1 and position = $2 and ended_at is null
"""
REMOVED = """
select a.id, a.body -> 'object' ->> 'id' as name from aud.entry a
where a.id > $1 and a.id <= $1 + $2 and a.body ->> 'verb' = 'evidence.verified'
  and not exists (select from evidence e where e.id = (a.body -> 'object' ->> 'id')::uuid)
order by a.id
"""
LAST_ENTRY = "select coalesce(max(id), 0) from aud.entry"


class Position(Struct, frozen=True):
    """Where a run stands: the room or phase, and the last key or entry that was looked at."""

    phase: str
    after: str
    since: datetime | None
    slots: tuple[int, ...]


class Report(Struct, frozen=True):
    """One run: ``facts`` counts what was seen, read and found, with the first names of each."""

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    ok: bool | None
    facts: dict[str, Any]


def slots(last: datetime | None, now: datetime) -> tuple[int, ...]:
    """The days of thirty since the last run's day, today included; all when none was held.

    So every piece is read within thirty days also when nights were missed.
    """
    today = on_day(now).toordinal()
    days = PERIOD_DAYS if last is None else today - on_day(last).toordinal()
    first = today - min(max(days, 1), PERIOD_DAYS) + 1
    return tuple(sorted({day % PERIOD_DAYS for day in range(first, today + 1)}))


def keep_until(kept_from: datetime) -> datetime:
    """The day until when evidence is kept whose matter closed (or was verified) then.

    Source: evidence spec 12.8; national-2021-71/4.6.5/retention-electronic-5y.
    """
    years = policy.number("evidence_retention_years", NATIONAL)
    return kept_from + timedelta(days=366 * years)


async def begin(*, act: Act, whole: bool = False) -> UUID:
    """Open a run, or find the one that was cut off; ``whole``: every original is read."""
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(OPEN)
        if row is not None:
            found: UUID = row["id"]
            return found
        last = await DB.connection.fetchval(LAST)
        since = None if whole else last
        place = Position(ROOMS[0], "", since, slots(since, act.at))
        run = act.new_id()
        await DB.connection.execute(BEGIN, run, act.at, msgspec.to_builtins(place))
    return run


async def order_step(run: UUID, *, act: Act) -> None:
    """Have the next slice of a run done by the worker."""
    async with DB.transaction(act.by.scope):
        await tasks.enqueue(STEP, {"run": str(run)}, region=act.by.region, at=act.at)


async def step(run: UUID, *, act: Act, bucket: Bucket) -> bool:
    """Do one slice; False when the run has ended with it, or before.

    Raises: StoreUnavailable; nothing is recorded then.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, run)
    if row is None or row["ended_at"] is not None:
        return False
    place = msgspec.convert(row["position"], Position)
    if place.phase == ENTRY_PHASE:
        judged, after = await _entries(int(place.after or 0), act)
    else:
        judged, after = await _page(Room(place.phase), place, act, bucket)
    for damage in judged.damages:
        await _suffer(damage, act)
    for piece, until in judged.extended:
        await losses.extend(piece, until, act=act)
    following = _next(place, after)
    return await _advance(row, following, counted(row["facts"], judged), act)


async def _page(
    room: Room, place: Position, act: Act, bucket: Bucket
) -> tuple[Judged, str | None]:
    """Judge the next page of a room; the last key, or None at its end."""
    items, last = await asyncio.to_thread(pages.listed, bucket, room, place.after)
    async with DB.transaction(act.by.scope, readonly=True):
        page = await pages.rows_of(room, items, place.after, last, Night(place.since, place.slots))
    judge = Judge(bucket, room, now=act.at, keep=keep_until)
    return await asyncio.to_thread(judge.judge, page), page.last


async def _entries(after: int, act: Act) -> tuple[Judged, str | None]:
    """Entries of the log that say a piece was verified, of which no row is left."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(REMOVED, after, ENTRIES)
        end = await DB.connection.fetchval(LAST_ENTRY)
    removed = tuple(Damage("row_removed", row["name"]) for row in rows)
    last = None if after + ENTRIES >= end else str(after + ENTRIES)
    return Judged(0, 0, 0, removed, ()), last


def _next(place: Position, after: str | None) -> Position | None:
    """Where the next slice begins; None at the end of the last phase."""
    if after is not None:
        return msgspec.structs.replace(place, after=after)
    phases = (*map(str, ROOMS), ENTRY_PHASE)
    following = phases.index(place.phase) + 1
    if following == len(phases):
        return None
    return msgspec.structs.replace(place, phase=phases[following], after="")


async def _suffer(damage: Damage, act: Act) -> None:
    """Write down what a damage means; the alarm goes to the product's own log as well."""
    log.error("scrub found damage", what=damage.what, name=damage.name)
    if damage.piece is None:
        return
    if damage.what in LOST:
        await losses.lose(damage, damage.piece, act=act)
    elif damage.what == "unlocked":
        await losses.locked_again(damage.piece, act=act)


def counted(facts: Mapping[str, Any], judged: Judged) -> dict[str, Any]:
    """The run's counts with one more page."""
    made = {name: facts.get(name, 0) for name in ("seen", "read", "bytes", "extended")}
    made["seen"] += judged.seen
    made["read"] += judged.read
    made["bytes"] += judged.bytes
    made["extended"] += len(judged.extended)
    damages, names = dict(facts.get("damages", {})), dict(facts.get("names", {}))
    for damage in judged.damages:
        damages[damage.what] = damages.get(damage.what, 0) + 1
        names[damage.what] = [*names.get(damage.what, []), damage.name][:NAMES_MOST]
    return {**made, "damages": damages, "names": names}


async def _advance(row: Any, following: Position | None, facts: dict[str, Any], act: Act) -> bool:  # noqa: ANN401 - a row of asyncpg
    """Keep counts and place; at the end the entry of the log. A slice done twice counts once."""
    ended, ok = (act.at, not facts["damages"]) if following is None else (None, None)
    place = row["position"] if following is None else msgspec.to_builtins(following)
    async with DB.transaction(act.by.scope):
        status = await DB.connection.execute(
            ADVANCE, row["id"], row["position"], place, facts, ended, ok
        )
        if following is None and status != "UPDATE 0":
            said = ", ".join(f"{name} {count}" for name, count in sorted(facts["damages"].items()))
            await audit.record(
                act,
                "scrub.finished",
                "scrub",
                row["id"],
                region=act.by.region,
                title=f"{facts['seen']} seen, {facts['read']} read",
                reason=said,
            )
    return following is not None


async def report(run: UUID, *, act: Act) -> Report:
    """What a run has found so far."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, run)
    return Report(row["id"], row["started_at"], row["ended_at"], row["ok"], row["facts"])


async def run_all(*, act: Act, bucket: Bucket, whole: bool = False) -> Report:
    """A whole run at once, for the command line."""
    run = await begin(act=act, whole=whole)
    while await step(run, act=act, bucket=bucket):
        pass
    return await report(run, act=act)
