"""Visits as the office sees them: pages by key, one with what it waits for, and its time line."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.db.queries.paging import newest
from backend.piccolo_conf import DB
from backend.services import samples, visit_records
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.samples import Samples
from backend.services.visit_records import Points

COLUMNS = """
id, region, institution, code, plan, draw, origin_notice, kind, unannounced, selection, chance,
training_class, class_session, sheet, sheet_digest, jurisdiction, on_date, sealed_until, state,
epoch, opened_at, started_at, submitted_at, completed_at, reviewed_at, reviewed_by, review_reason,
concluded_at, doubted_at, created_at
"""
# One index scan a region, merged: a plain "region = any" would sort a whole region at 10^6 rows.
PAGE = """
select v.* from unnest($1::int[]) as r (code) cross join lateral ({one}) v
order by v.id desc limit {limit:d}
"""
ROWS = f"select {COLUMNS} from visit"  # noqa: S608 - our own constant
# Before its hour a drawn visit is told to nobody, not even to the office: a leak is a tip-off.
ONE = f"select {COLUMNS} from visit where id = $1 and sealed_until <= $2"  # noqa: S608 - a constant
OPEN = "select true from visit where id = $1 and sealed_until <= $2"
SEED = "select sample_seed from visit where id = $1"
TEAM = """
select a.id, a.inspector, i.name, a.place, a.lead, a.epoch, a.state, a.reason
from assignment a join inspector i on i.id = a.inspector where a.visit = $1
order by a.epoch, a.place
"""
WAITS = """
select (select count(*) from claim c, jsonb_array_elements(c.items) i where c.visit = $1
    and c.closed_by is null) as listed,
  array(select what || ':' || id from visit_missing($1)) as missing
"""
# $1 visits: of what the claims of a record list, how much has not arrived.
PENDING = """
select c.visit, count(*) as listed, count(*) filter (where not exists (
    select from evidence e where e.id = (i ->> 'id')::uuid and e.visit = c.visit
      and e.sha256 = i ->> 'sha256' and e.state in ('verified', 'sealed'))) as due
from claim c, jsonb_array_elements(c.items) i
where c.visit = any ($1) and c.closed_by is null group by c.visit
"""
# Their record is judged; nothing is owed to it any more.
CLOSED = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})
TIMELINE = """
select t.at, t.what, t.id, t.dev, t.inspector, t.flags, t.details from (
  select recorded_at as at, kind as what, op_id as id, dev, inspector, flags, body as details
    from visit_event where visit = $1
  union all select claimed_at, 'visit.finalize', op_id, dev, null, '{}',
    jsonb_build_object('items', jsonb_array_length(items), 'answers_sha', answers_sha256)
    from claim where visit = $1
  union all select declared_at, 'evidence.declare', id, dev, null, flags,
    jsonb_build_object('item', item, 'source', source, 'captured_at', captured_at)
    from evidence where visit = $1
  union all select verified_at, 'evidence.verified', id, dev, null, '{}', '{}'
    from evidence where visit = $1 and verified_at is not null
  union all select sealed_at, 'evidence.sealed', id, dev, null, '{}', '{}'
    from evidence where visit = $1 and sealed_at is not null
  union all select max(recorded_at), 'answer.set', op_id, dev, inspector, '{}',
    jsonb_build_object('items', count(*)) from answer where visit = $1
    group by op_id, dev, inspector
  union all select received_at, 'op.' || status, op_id, dev, null, '{}',
    jsonb_build_object('kind', kind) from op where visit = $1 and status <> 'applied'
  union all select raised_at, 'doubt.' || standing, op_id, dev, inspector, grounds,
    jsonb_build_object('kind', kind, 'reason', reason) from op_doubt where visit = $1
) t order by t.at, t.id
"""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One assignment, current or past."""

    id: UUID
    inspector: UUID
    name: str
    place: int
    lead: bool
    epoch: int
    state: str
    reason: str | None


class VisitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """现场检查 as stored; ``chance`` and ``selection`` keep how it was selected.

    ``doubted_at``: since then an original that the record lists is lost or altered.
    """

    id: UUID
    region: int
    institution: UUID
    code: str
    plan: UUID | None
    draw: UUID | None
    origin_notice: UUID | None
    kind: str
    unannounced: bool
    selection: str
    chance: str | None
    training_class: UUID | None
    class_session: UUID | None
    sheet: str
    sheet_digest: str
    jurisdiction: str
    on_date: date
    sealed_until: datetime
    state: str
    epoch: int
    opened_at: datetime | None
    started_at: datetime | None
    submitted_at: datetime | None
    completed_at: datetime | None
    reviewed_at: datetime | None
    reviewed_by: UUID | None
    review_reason: str | None
    concluded_at: datetime | None
    doubted_at: datetime | None
    created_at: datetime


class Waiting(msgspec.Struct, frozen=True):
    """等待证据 k/n: ``proved`` of ``listed`` captures, and everything the record still lacks."""

    proved: int
    listed: int
    missing: tuple[str, ...]


class VisitView(msgspec.Struct, frozen=True):
    """One visit with its teams and what it waits for.

    The office also sees what was sampled, and the points where the sheet scores.
    """

    visit: VisitRecord
    team: tuple[Member, ...]
    waiting: Waiting
    samples: Samples | None = None
    score: Points | None = None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, by the server's clock."""

    at: datetime
    what: str
    id: UUID
    dev: UUID | None
    inspector: UUID | None
    flags: tuple[str, ...]
    details: dict[str, Any]


async def page(
    *,
    act: Act,
    after: UUID | None = None,
    limit: int = 100,
    state: str | None = None,
    plan: UUID | None = None,
    institution: UUID | None = None,
) -> tuple[VisitRecord, ...]:
    """Opened visits of the caller's regions, newest first, ``limit`` of them before ``after``."""
    asked = (("id < {0}", after), ("state = {0}", state), ("plan = {0}", plan))
    if act.by.institution is not None:
        own = ("institution = {0}", act.by.institution)
        statement, values = newest(ROWS, (own, *asked), limit)
    else:
        opened = ("region = r.code and sealed_until <= {0}", act.at)
        of = ("institution = {0}", institution)
        one, given = newest(ROWS, (opened, of, *asked), limit, first=2)
        statement, values = PAGE.format(one=one, limit=limit), [act.by.regions, *given]
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(statement, *values)
    return tuple(VisitRecord(**dict(row)) for row in rows)


async def pending(visits: Collection[UUID], *, act: Act) -> dict[UUID, tuple[int, int]]:
    """Of what the claims list: (not yet proved here, listed), by visit; only where some is due.

    Source: experience.md, acceptance 5 ("answers here, 2 of 5 files pending").
    """
    if not visits:
        return {}
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PENDING, list(visits))
    return {row["visit"]: (row["due"], row["listed"]) for row in rows if row["due"]}


async def get(visit_id: UUID, *, act: Act) -> VisitRecord:
    """One visit; raises Absent for a foreign one too."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, visit_id, act.at)
    if row is None:
        raise Absent
    return VisitRecord(**dict(row))


async def view(visit_id: UUID, *, act: Act) -> VisitView:
    """One visit with its team and what it waits for; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, visit_id, act.at)
        if row is None:
            raise Absent
        team = await DB.connection.fetch(TEAM, visit_id)
        waits = await DB.connection.fetchrow(WAITS, visit_id)
        # An institution sees its visit, and not what the team's phones have sent.
        office = act.by.institution is None
        closed = row["state"] in CLOSED or not office
        lacks = () if closed else await visit_records.lacks(visit_id)
        seed = await DB.connection.fetchval(SEED, visit_id)
        drawn = await samples.kept(visit_id, seed) if office else None
        score = await visit_records.points(visit_id) if office else None
    due = sum(one.startswith("evidence:") for one in waits["missing"])
    return VisitView(
        VisitRecord(**dict(row)),
        tuple(Member(**dict(member)) for member in team),
        Waiting(waits["listed"] - due, waits["listed"], (*waits["missing"], *lacks)),
        samples=drawn,
        score=score,
    )


async def timeline(visit_id: UUID, *, act: Act) -> tuple[Moment, ...]:
    """Everything that reached the server of a visit, in the order it did; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval(OPEN, visit_id, act.at):
            raise Absent
        rows = await DB.connection.fetch(TIMELINE, visit_id)
    return tuple(Moment(**(dict(row) | {"flags": tuple(row["flags"])})) for row in rows)
