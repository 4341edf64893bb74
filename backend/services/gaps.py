"""Two-person acts on a record that can never be complete: a lost device, a named gap.

Source: evidence spec 3 (completion predicate, recorder), 12.2 (two-person acts).
"""

from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, policy, visit_reviews, visits
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.states import Noun

MISSING = "select id from visit_missing($1) where what = 'evidence' order by id"
PROPOSE_GAP = "update visit set gap = $2, gap_reason = $3, gap_proposed_by = $4 where id = $1"
APPROVE_GAP = """
update visit set state = $2, gap_approved_by = $3, concluded_at = $4 where id = $1
"""
PROPOSE_CLOSE = """
insert into claim (visit, dev, region, op_id, items, answers_sha256, seq, claimed_at,
  close_proposed_by, close_reason)
select $1, o.dev, $3, (array_agg(o.op_id))[1], '[]', '', 0, $4, $5, $6
from op o where o.visit = $1 and o.dev = $2 group by o.dev
on conflict (visit, dev) do update set close_proposed_by = excluded.close_proposed_by,
  close_reason = excluded.close_reason where claim.closed_by is null returning dev
"""
CLAIM = """
select close_proposed_by from claim where visit = $1 and dev = $2 and closed_by is null
for no key update
"""
CLOSE = "update claim set closed_by = $3 where visit = $1 and dev = $2"
NAMED = """
select gap, gap_reason, gap_proposed_by, gap_approved_by from visit
where id = $1 and sealed_until <= $2
"""
CLOSINGS = """
select dev, close_proposed_by as proposed_by, close_reason as reason, closed_by from claim
where visit = $1 and close_proposed_by is not null order by dev
"""


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A device whose claim somebody proposed to do without; ``closed_by`` once decided."""

    dev: UUID
    proposed_by: UUID
    reason: str | None
    closed_by: UUID | None


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """What of a record is lost: ``lost`` now, ``named`` in a proposal with its reason."""

    lost: tuple[str, ...]
    named: tuple[str, ...]
    reason: str | None
    proposed_by: UUID | None
    approved_by: UUID | None
    closings: tuple[Closing, ...]


class NothingMissing(ServiceRefusal):
    """A gap names captures that are listed and not here; none is missing."""

    code = "visit.nothing_missing"
    family = Family.CONFLICT


class NotProposed(ServiceRefusal):
    """The first of two persons has not proposed this with a reason yet."""

    code = "visit.not_proposed"
    family = Family.CONFLICT


async def propose_gap(visit_id: UUID, reason: str, *, act: Act) -> tuple[str, ...]:
    """Propose to conclude without captures that are listed and lost; their ids.

    Raises: Absent, Denied, VisitWrongState, NothingMissing ("visit.nothing_missing").
    """
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        states.require(Noun.VISIT, row["state"], "conclude_with_gap")
        gap = [one["id"] for one in await DB.connection.fetch(MISSING, visit_id)]
        if not gap:
            raise NothingMissing(field="visit")
        await DB.connection.execute(PROPOSE_GAP, visit_id, gap, reason, act.by.id)
        await audit.record(
            act,
            "visit.gap_proposed",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            reason=reason,
        )
    return tuple(gap)


async def approve_gap(visit_id: UUID, *, act: Act) -> None:
    """A second person concludes the visit with the gap that was proposed.

    Raises: Absent, Denied, NotProposed, VisitSamePerson ("visit.same_person"), VisitWrongState.
    """
    policy.require(act.by, "visits.approve")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        target = states.require(Noun.VISIT, row["state"], "conclude_with_gap")
        if row["gap_proposed_by"] is None:
            raise NotProposed(field="visit")
        gates.second_person(Noun.VISIT, author=row["gap_proposed_by"], approver=act.by.id)
        await DB.connection.execute(APPROVE_GAP, visit_id, target, act.by.id, act.at)
        await audit.record(
            act,
            "visit.concluded_with_gap",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            reason=row["gap_reason"],
        )


async def propose_closing(visit_id: UUID, dev: UUID, reason: str, *, act: Act) -> None:
    """Propose to go on without the claim of a device that will not make one; raises Absent."""
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        proposed = await DB.connection.fetchval(
            PROPOSE_CLOSE, visit_id, dev, row["region"], act.at, act.by.id, reason
        )
        if proposed is None:
            raise Absent(field="device")
        await audit.record(
            act,
            "visit.device_closing_proposed",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            reason=reason,
        )


async def close_device(visit_id: UUID, dev: UUID, *, act: Act, rules: Library) -> None:
    """A second person closes a device's claim; the visit may be complete then.

    Raises: Absent, Denied, NotProposed, VisitSamePerson ("visit.same_person").
    """
    policy.require(act.by, "visits.approve")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        claim = await DB.connection.fetchrow(CLAIM, visit_id, dev)
        if claim is None or claim["close_proposed_by"] is None:
            raise NotProposed(field="device")
        gates.second_person(Noun.VISIT, author=claim["close_proposed_by"], approver=act.by.id)
        await DB.connection.execute(CLOSE, visit_id, dev, act.by.id)
        await audit.record(
            act,
            "visit.device_closed",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
        )
        await visits.complete_if_ready(visit_id, act=act, rules=rules)


async def of_visit(visit_id: UUID, *, act: Act) -> Gaps:
    """What is lost of a visit's record and what was proposed about it; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(NAMED, visit_id, act.at)
        if row is None:
            raise Absent
        lost = await DB.connection.fetch(MISSING, visit_id)
        closings = await DB.connection.fetch(CLOSINGS, visit_id)
    return Gaps(
        lost=tuple(str(one["id"]) for one in lost),
        named=tuple(str(one) for one in row["gap"] or ()),
        reason=row["gap_reason"],
        proposed_by=row["gap_proposed_by"],
        approved_by=row["gap_approved_by"],
        closings=tuple(Closing(**dict(one)) for one in closings),
    )
