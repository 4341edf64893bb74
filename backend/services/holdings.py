"""Who holds what has not arrived 未上传内容: by task before it is closed, and by phone.

A phone says so by its heartbeat; what a claim lists and has not arrived is known without it.
Source: evidence spec 3 (heartbeat), experience acceptance 5 and 8.
"""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import policy
from backend.services.act import Act
from backend.services.errors import Absent
from inspection_plans import policy as settings
from inspection_plans.vocabulary import NATIONAL

Level = Literal["none", "warning", "alarm"]

# Every phone with a part in the visit, or of somebody in its team; revoked ones while they owe.
OF_VISIT = """
with part as (
  select distinct dev from op where visit = $1 and status in ('applied', 'blocked')
  union select d.id from assignment a join inspector i on i.id = a.inspector
    join device d on d.account = i.account
    where a.visit = $1 and a.state = 'active' and d.revoked_at is null)
select d.id as dev, c.display_name as holder, d.last_seen_at, d.revoked_at is not null as revoked,
  t ->> 'pending_count' as count, t ->> 'pending_bytes' as bytes,
  t ->> 'oldest_pending_at' as oldest,
  exists (select from op o where o.visit = $1 and o.dev = d.id) as took_part,
  l.dev is not null as claimed, l.closed_by is not null as closed,
  coalesce(jsonb_array_length(l.items), 0) as listed,
  (select count(*) from jsonb_array_elements(l.items) i where not exists (
    select from evidence e where e.id = (i ->> 'id')::uuid and e.visit = $1
      and e.sha256 = i ->> 'sha256' and e.state in ('received', 'verified', 'sealed'))) as due,
  (select count(*) from evidence e where e.visit = $1 and e.dev = d.id
    and e.state in ('declared', 'uploading', 'missing')) as announced
from part p join device d on d.id = p.dev join account c on c.id = d.account
left join claim l on l.visit = $1 and l.dev = d.id
left join lateral (select t from jsonb_array_elements(d.heartbeat -> 'tasks') t
  where t ->> 'visit' = $1::text limit 1) beat (t) on true
order by c.display_name, d.id
"""
THERE = "select true from visit where id = $1 and sealed_until <= $2"
MINE = """
select true from visit v join assignment a on a.visit = v.id
where v.id = $1 and v.sealed_until <= $2 and a.inspector = $3
"""
# The index-free filter is over phones of the caller's regions alone: some thousands at most.
BEHIND = """
select d.id as dev, d.region, c.display_name as holder, d.last_seen_at,
  d.revoked_at is not null as revoked, d.heartbeat ->> 'pending_count' as count,
  d.heartbeat ->> 'pending_bytes' as bytes, d.heartbeat ->> 'oldest_pending_at' as oldest,
  array(select (t ->> 'visit')::uuid from jsonb_array_elements(d.heartbeat -> 'tasks') t
    where (t ->> 'pending_count')::bigint > 0) as visits
from device d join account c on c.id = d.account
where d.region = any ($1) and (d.heartbeat ->> 'pending_count')::bigint > 0
  and ($2::timestamptz is null or (d.heartbeat ->> 'oldest_pending_at')::timestamptz <= $2)
order by (d.heartbeat ->> 'oldest_pending_at')::timestamptz nulls last, d.id limit $3
"""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """One phone and what it still has of one visit.

    ``listed`` are the captures of its claim, ``due`` those of them that have not arrived,
    ``announced`` what it declared and has not sent; ``pending`` is what it says itself.
    """

    dev: UUID
    holder: str
    revoked: bool
    took_part: bool
    claimed: bool
    closed: bool
    listed: int
    due: int
    announced: int
    pending_count: int | None
    pending_bytes: int | None
    oldest_pending_at: datetime | None
    last_seen_at: datetime | None
    level: Level

    @property
    def holds(self) -> bool:
        """Whether something of the visit is still there and nowhere else."""
        return bool(self.due or self.announced or self.pending_count)


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """One phone with unsent items, and the visits they belong to."""

    dev: UUID
    region: int
    holder: str
    revoked: bool
    pending_count: int
    pending_bytes: int
    oldest_pending_at: datetime | None
    last_seen_at: datetime | None
    visits: tuple[UUID, ...]
    level: Level


def overdue(at: datetime) -> datetime:
    """What is unsent since then or longer raises a warning at ``at``."""
    return at - timedelta(hours=settings.number("unsent_warning_hours", NATIONAL))


def level(oldest: datetime | None, *, at: datetime) -> Level:
    """How grave the age of the oldest unsent item is at ``at``."""
    if oldest is None or oldest > overdue(at):
        return "none"
    alarm = at - timedelta(hours=settings.number("unsent_alarm_hours", NATIONAL))
    return "alarm" if oldest <= alarm else "warning"


def _read(row: Any, at: datetime) -> dict[str, Any]:  # noqa: ANN401 - a row of asyncpg
    """The columns of one phone, its heartbeat's JSON as values."""
    found = dict(row)
    count, size, oldest = (found.pop(name) for name in ("count", "bytes", "oldest"))
    since = msgspec.convert(oldest, datetime | None)
    return found | {
        "pending_count": None if count is None else int(count),
        "pending_bytes": None if size is None else int(size),
        "oldest_pending_at": since,
        "level": level(since, at=at),
    }


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[Holder, ...]:
    """Every phone with a part in a visit and what it still holds; raises Absent.

    An inspector is told of visits that are or were in the own hands.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        if policy.allowed("visits.read", act.by.roles, signed_in=True):
            found = await DB.connection.fetchval(THERE, visit_id, act.at)
        else:
            found = await DB.connection.fetchval(MINE, visit_id, act.at, act.by.inspector)
        if not found:
            raise Absent
        rows = await DB.connection.fetch(OF_VISIT, visit_id)
    return tuple(Holder(**_read(row, act.at)) for row in rows)


async def behind(*, act: Act, overdue_only: bool = False, limit: int = 100) -> tuple[Behind, ...]:
    """Phones of the caller's regions with unsent items, the oldest first."""
    since = overdue(act.at) if overdue_only else None
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(BEHIND, act.by.regions, since, limit)
    return tuple(Behind(**(_read(row, act.at) | {"visits": tuple(row["visits"])})) for row in rows)
