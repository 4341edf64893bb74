"""The queue: a task is a row written with its cause, claimed by SKIP LOCKED, retried, parked."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB

LEASE_S = 60
MAX_ATTEMPTS = 8
MAIN = "main"
WORKER = Scope(role="worker")

ENQUEUE = """
insert into task (queue, kind, region, payload, dedupe, run_at, attempts, max_attempts, created_at)
values ($1, $2, $3, $4, $5, $6, 0, $7, $8)
on conflict (kind, dedupe) where done_at is null and dedupe is not null do nothing
"""
# Taking the row's lock lets a worker that has begun wait for the facts of this transaction.
RENEW = """
insert into task (queue, kind, region, payload, dedupe, run_at, attempts, max_attempts, created_at)
values ('main', $1, $2, $3, $4, $5, 0, $6, $7)
on conflict (kind, dedupe) where done_at is null and dedupe is not null
do update set run_at = least(task.run_at, excluded.run_at)
"""
CLAIM = """
update task set locked_until = $2::timestamptz + make_interval(secs => $3), attempts = attempts + 1
where id in (
  select id from task where queue = $1 and done_at is null and run_at <= $2
    and (locked_until is null or locked_until < $2) and attempts < max_attempts
  order by run_at, id limit $4 for update skip locked)
returning id, kind, region, payload, attempts
"""
GIVE_BACK = """
update task set locked_until = null, run_at = $2, last_error = $3,
  attempts = case when $4 then attempts else least(attempts, max_attempts - 1) end
where id = $1
"""


class Task(msgspec.Struct, frozen=True):
    """One piece of work: ``payload`` carries ids, never objects."""

    id: int
    kind: str
    region: int
    payload: dict[str, Any]
    attempts: int


async def enqueue(
    kind: str,
    payload: dict[str, Any],
    *,
    region: int,
    at: datetime,
    run_at: datetime | None = None,
    dedupe: str | None = None,
    queue: str = MAIN,
) -> None:
    """Add a task inside the transaction of its cause; the same open ``dedupe`` is added once."""
    await DB.connection.execute(
        ENQUEUE, queue, kind, region, payload, dedupe, run_at or at, MAX_ATTEMPTS, at
    )
    await DB.connection.execute("select pg_notify('task', $1)", queue)


async def renew(
    kind: str,
    payload: dict[str, Any],
    *,
    region: int,
    at: datetime,
    run_at: datetime,
    dedupe: str,
) -> None:
    """Have something computed again after this transaction, once for many causes.

    Unlike ``enqueue`` it never joins a task whose worker has begun to read: such a worker calls
    ``begin`` first, and sees either this transaction's facts or leaves a new task behind.
    """
    await DB.connection.execute(RENEW, kind, region, payload, dedupe, run_at, MAX_ATTEMPTS, at)


async def begin(task: Task) -> None:
    """Take a renewed task for good: what is ordered from now on is another one."""
    async with DB.transaction(WORKER):
        await DB.connection.execute("update task set dedupe = null where id = $1", task.id)


async def claim(queue: str, *, at: datetime, limit: int = 8) -> list[Task]:
    """Lease up to ``limit`` ready tasks for a minute; another worker skips them."""
    async with DB.transaction(WORKER):
        rows = await DB.connection.fetch(CLAIM, queue, at, LEASE_S, limit)
    return sorted((Task(**dict(row)) for row in rows), key=lambda task: task.id)


async def hold(task_id: int, *, at: datetime) -> None:
    """Keep the lease of long work that goes on."""
    async with DB.transaction(WORKER):
        await DB.connection.execute(
            "update task set locked_until = $2 where id = $1 and done_at is null",
            task_id,
            at + timedelta(seconds=LEASE_S),
        )


async def finish(task_id: int, *, at: datetime) -> None:
    """The task's work is done."""
    async with DB.transaction(WORKER):
        await DB.connection.execute(
            "update task set done_at = $2, locked_until = null, last_error = null where id = $1",
            task_id,
            at,
        )


async def give_back(task: Task, *, at: datetime, error: str, spent: bool = True) -> None:
    """The work failed: try again later, doubling from a second; the last attempt parks it.

    An attempt that is not ``spent`` (a server was away) never parks: the work is still to do.
    """
    wait = timedelta(seconds=min(2 ** (task.attempts - 1), 300))
    async with DB.transaction(WORKER):
        await DB.connection.execute(
            GIVE_BACK,
            task.id,
            at + wait,
            error[:2000],
            spent,
        )
