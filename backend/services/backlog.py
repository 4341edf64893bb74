"""The queue as administrators see it: what waits by kind, what is parked, and trying it again."""

from datetime import datetime

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.errors import Absent

WORKER = Scope(role="worker")
KINDS = """
select kind, count(*) filter (where done_at is null and attempts < max_attempts) as waiting,
  count(*) filter (where done_at is null and attempts >= max_attempts) as parked,
  count(*) filter (where done_at > $1::timestamptz - interval '1 day') as done_today,
  min(run_at) filter (where done_at is null and attempts < max_attempts) as next_at,
  max(done_at) as last_done_at
from task group by kind order by kind
"""
PARKED = """
select id, kind, region, attempts, last_error, created_at from task
where done_at is null and attempts >= max_attempts order by id desc limit $1
"""
AGAIN = """
update task set attempts = 0, run_at = $2, locked_until = null
where id = $1 and done_at is null and attempts >= max_attempts returning region, kind
"""


class KindLine(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks 后台任务 of one kind; ``parked`` ones failed every attempt and wait for a person."""

    kind: str
    waiting: int
    parked: int
    done_today: int
    next_at: datetime | None
    last_done_at: datetime | None


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """One parked task and its last fault; its payload carries ids only and is not shown."""

    id: int
    kind: str
    region: int
    attempts: int
    last_error: str | None
    created_at: datetime


async def kinds(*, at: datetime) -> tuple[KindLine, ...]:
    """Every kind of task there has been."""
    async with DB.transaction(WORKER, readonly=True):
        rows = await DB.connection.fetch(KINDS, at)
    return tuple(KindLine(**dict(row)) for row in rows)


async def parked(limit: int = 100) -> tuple[Parked, ...]:
    """Parked tasks, newest first."""
    async with DB.transaction(WORKER, readonly=True):
        rows = await DB.connection.fetch(PARKED, limit)
    return tuple(Parked(**dict(row)) for row in rows)


async def again(task: int, *, act: Act) -> None:
    """Let a parked task be tried anew, from its first attempt.

    Raises: Absent ("thing.absent") for one that is not parked.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(AGAIN, task, act.at)
        if row is None:
            raise Absent
        await audit.record(
            act, "task.retried", "task", str(task), region=act.by.region, title=row["kind"]
        )
