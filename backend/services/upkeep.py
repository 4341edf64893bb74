"""Runs of scrub, backup and restore: as administrators see them, as the doctor says them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB

WORKER = Scope(role="worker")
LATE = timedelta(days=2)
RUNS = """
select id, kind, started_at, ended_at, ok, facts from upkeep_run
where $1::uuid is null or id < $1 order by id desc limit $2
"""
NEWEST = """
select distinct on (kind) id, kind, started_at, ended_at, ok, facts from upkeep_run
where ended_at is not null order by kind, started_at desc
"""
LOST = """
select id, region, visit, notice, item, sha256, size, reason, verified_at from evidence
where state = 'missing' and verified_at is not null and region = any ($1)
  and ($2::uuid is null or id > $2) order by id limit $3
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``ok`` is False when somebody must act on what ``facts`` counts."""

    id: UUID
    kind: str
    started_at: datetime
    ended_at: datetime | None
    ok: bool | None
    facts: dict[str, Any]


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that was proved once and is lost or altered now; ``reason`` says which."""

    id: UUID
    region: int
    visit: UUID | None
    notice: UUID | None
    item: str | None
    sha256: str
    size: int
    reason: str | None
    verified_at: datetime


async def runs(*, before: UUID | None = None, limit: int = 50) -> tuple[Run, ...]:
    """Runs, newest first."""
    async with DB.transaction(WORKER, readonly=True):
        rows = await DB.connection.fetch(RUNS, before, limit)
    return tuple(Run(**dict(row)) for row in rows)


async def newest() -> dict[str, Run]:
    """The last finished run of each kind."""
    async with DB.transaction(WORKER, readonly=True):
        rows = await DB.connection.fetch(NEWEST)
    return {row["kind"]: Run(**dict(row)) for row in rows}


async def lost(*, scope: Scope, after: UUID | None = None, limit: int = 50) -> tuple[Lost, ...]:
    """Lost pieces of the caller's regions, by id."""
    async with DB.transaction(scope, readonly=True):
        rows = await DB.connection.fetch(LOST, list(scope.regions), after, limit)
    return tuple(Lost(**dict(row)) for row in rows)


def scrubbed(run: Run | None, *, at: datetime) -> tuple[bool, str, str]:
    """Whether all is well with the scrub, and how to say it in Chinese and English."""
    if run is None:
        return True, "尚未进行过存储巡检；每日凌晨自动进行", "no scrub yet; it runs every night"
    facts = run.facts
    day = run.started_at.strftime("%Y-%m-%d")
    if not run.ok:
        said = ", ".join(f"{name} {count}" for name, count in sorted(facts["damages"].items()))
        zh = f"存储巡检（{day}）发现损坏：{said}；请查看 /api/v1/evidence/lost 与备份"
        en = f"the scrub of {day} found damage: {said}; see /api/v1/evidence/lost and your backups"
        return False, zh, en
    zh = f"存储巡检（{day}）：{facts['seen']} 个对象在位，{facts['read']} 个重新核对哈希"
    en = f"scrub of {day}: {facts['seen']} objects in place, {facts['read']} hashed again"
    if at - run.started_at > LATE:
        return False, f"{zh}；此后两天以上没有巡检", f"{en}; none for more than two days"
    return True, zh, en


def backed_up(run: Run | None) -> tuple[bool, str, str]:
    """Whether the last backup is whole, and how to say it; none at all is said, not scolded."""
    if run is None:
        return True, "尚未备份；请执行 mingcha backup", "no backup yet; run mingcha backup"
    when, facts = run.started_at.strftime("%Y-%m-%d %H:%M"), run.facts
    zh = f"最近备份 {when} UTC：{facts['objects']} 个对象"
    en = f"last backup {when} UTC: {facts['objects']} objects"
    if run.ok:
        return True, zh, en
    count = facts["damages"]
    return False, f"{zh}，其中 {count} 个损坏", f"{en}, {count} of them damaged"
