"""Blind recount 盲数: a second person counts the heads in a picture without knowing the number.

Whoever counts is told neither visit nor institution nor any number, is not of the team and did
not order the count, and counts once.  Source: evidence spec 10 (roll against heads).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, exhibits, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.signals import orders
from inspection_plans.errors import Family
from media.bucket import Bucket, Room

FIT = """
select e.region, e.institution, e.visit from evidence e
where e.id = $1 and e.visit = $2 and e.state in ('verified', 'sealed') and e.mime like 'image/%'
"""
ORDER = """
insert into recount (id, region, institution, visit, evidence, ordered_by, ordered_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (evidence) where counted_at is null do nothing returning id
"""
# Not one's own order, and nothing about a visit that one was sent to.
MAY_COUNT = """
r.ordered_by <> $1 and not exists (
  select from assignment a where a.visit = r.visit and a.inspector = $2)
"""
OPEN = f"""
select r.id, r.ordered_at from recount r
where r.region = any ($3) and r.counted_at is null and {MAY_COUNT} order by r.id limit $4
"""  # noqa: S608 - our own constant
LOCK = f"""
select r.id, r.region, r.visit, r.evidence, r.counted_at, {MAY_COUNT} as mine
from recount r where r.id = $3 for no key update
"""  # noqa: S608 - our own constant
PREVIEW = "select object_key, sha256 from derivative where evidence = $1 and kind = 'preview'"
COUNT = """
update recount set counted_by = $2, counted_at = $3, heads = $4, note = $5 where id = $1
"""
OF_VISIT = """
select id, evidence, ordered_by, ordered_at, counted_by, counted_at, heads, note from recount
where visit = $1 and not exists (
  select from assignment a where a.visit = $1 and a.inspector = $2) order by id
"""


class PictureUnfit(ServiceRefusal):
    """Heads are counted in a verified picture of this visit."""

    code = "recount.picture_unfit"
    family = Family.GATE


class AlreadyOrdered(ServiceRefusal):
    """Somebody is already asked to count this picture."""

    code = "recount.already_ordered"
    family = Family.CONFLICT


class NotBlind(ServiceRefusal):
    """Who ordered the count or was at the visit knows the number."""

    code = "recount.not_blind"
    family = Family.DENIED


class AlreadyCounted(ServiceRefusal):
    """A count is given once; another one is ordered anew."""

    code = "recount.already_counted"
    family = Family.CONFLICT


class Asked(msgspec.Struct, frozen=True):
    """A picture to be counted; nothing says where it is from."""

    id: UUID
    ordered_at: datetime


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """盲数 as the reviewer sees it; ``heads`` None while nobody has counted."""

    id: UUID
    evidence: UUID
    ordered_by: UUID
    ordered_at: datetime
    counted_by: UUID | None
    counted_at: datetime | None
    heads: int | None
    note: str | None


async def order(visit_id: UUID, evidence_id: UUID, *, act: Act) -> UUID:
    """Ask that somebody else counts the heads in a picture of a visit.

    Raises: Absent, Denied, PictureUnfit, AlreadyOrdered ("recount.…").
    """
    policy.require(act.by, "recounts.order")
    async with DB.transaction(act.by.scope):
        if not await DB.connection.fetchval("select true from visit where id = $1", visit_id):
            raise Absent
        row = await DB.connection.fetchrow(FIT, evidence_id, visit_id)
        if row is None:
            raise PictureUnfit(field="evidence")
        new: UUID | None = await DB.connection.fetchval(
            ORDER,
            act.new_id(),
            row["region"],
            row["institution"],
            visit_id,
            evidence_id,
            act.by.id,
            act.at,
        )
        if new is None:
            raise AlreadyOrdered(field="evidence")
        await audit.record(act, "recount.ordered", "recount", new, region=row["region"])
    return new


async def to_count(*, act: Act, limit: int = 50) -> tuple[Asked, ...]:
    """Pictures that this person may count, the oldest order first; raises Denied."""
    policy.require(act.by, "recounts.count")
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            OPEN, act.by.id, act.by.inspector, list(act.by.regions), limit
        )
    return tuple(Asked(**dict(row)) for row in rows)


async def _lock(recount_id: UUID, act: Act) -> Any:  # noqa: ANN401 - a row of asyncpg
    row = await DB.connection.fetchrow(LOCK, act.by.id, act.by.inspector, recount_id)
    if row is None:
        raise Absent
    if not row["mine"]:
        raise NotBlind(field="recount")
    if row["counted_at"] is not None:
        raise AlreadyCounted(field="recount")
    return row


async def picture(recount_id: UUID, *, act: Act, bucket: Bucket) -> str:
    """An address of the preview, under a name that tells nothing, good for 60 seconds; logged.

    Raises: Absent, Denied, NotBlind, AlreadyCounted ("recount.…"), NotKept ("evidence.no_file").
    """
    policy.require(act.by, "recounts.count")
    async with DB.transaction(act.by.scope):
        row = await _lock(recount_id, act)
        made = await DB.connection.fetchrow(PREVIEW, row["evidence"])
        if made is None:
            raise exhibits.NotKept(file="preview")
        await audit.record(
            act,
            "evidence.viewed",
            "evidence",
            row["evidence"],
            region=row["region"],
            title="preview",
            after_sha256=made["sha256"],
        )
    return bucket.presign_get(
        Room.DERIVATIVES,
        made["object_key"],
        filename=f"{recount_id}.jpg",
        mime="image/jpeg",
        now=act.at,
    ).url


async def count(recount_id: UUID, heads: int, note: str | None, *, act: Act) -> None:
    """Give the number of heads, once; the visit's signals are computed with it.

    Raises: Absent, Denied, NotBlind, AlreadyCounted ("recount.…").
    """
    policy.require(act.by, "recounts.count")
    async with DB.transaction(act.by.scope):
        row = await _lock(recount_id, act)
        await DB.connection.execute(COUNT, recount_id, act.by.id, act.at, heads, note)
        await audit.record(act, "recount.counted", "recount", recount_id, region=row["region"])
        await orders.order(orders.VISIT, row["visit"], region=row["region"], at=act.at)


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[Recount, ...]:
    """Recounts of a visit with their numbers, for its reviewer; raises Absent, Denied."""
    policy.require(act.by, "signals.read")
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from visit where id = $1", visit_id):
            raise Absent
        rows = await DB.connection.fetch(OF_VISIT, visit_id, act.by.inspector)
    return tuple(Recount(**dict(row)) for row in rows)
