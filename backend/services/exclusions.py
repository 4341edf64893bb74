"""Exclusions by hand 人工排除: proposed with a paper, confirmed by a second person, counted."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import audit, plans
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.plans import Name, PlanRecord, Reason
from inspection_plans import gates
from inspection_plans.errors import Family
from inspection_plans.states import Noun

BEFORE_FREEZE = ("draft", "submitted", "approved")
ADD = """
insert into manual_exclusion (id, region, plan, institution, state, reason, paper, proposed_by,
  proposed_at) values ($1, $2, $3, $4, 'proposed', $5, $6, $7, $8) returning *
"""
DECIDE = """
update manual_exclusion set state = $2, decided_by = $3, decided_at = $4, decision = $5
where id = $1 returning *
"""


class PlanFrozen(ServiceRefusal):
    """The plan's frame is frozen, or the plan is over: who is in it does not change any more."""

    code = "exclusion.plan_frozen"
    family = Family.CONFLICT


class Excluded(ServiceRefusal):
    """The institution has an exclusion by hand in this plan already."""

    code = "exclusion.exists"
    family = Family.CONFLICT


class NotOpen(ServiceRefusal):
    """The exclusion was decided or ended before."""

    code = "exclusion.not_open"
    family = Family.CONFLICT


class NewExclusion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to exclude and why; ``paper`` names the document the reason rests on."""

    institution: UUID
    reason: Reason
    paper: Name


class Exclusion(NewExclusion, frozen=True, kw_only=True):
    """人工排除 as stored; only a confirmed one has effect."""

    id: UUID
    region: int
    plan: UUID
    state: Literal["proposed", "confirmed", "refused", "ended"]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: Annotated[str, Meta(max_length=600)] | None


async def _open(plan_id: UUID) -> PlanRecord:
    plan = await plans.lock(plan_id)
    if plan.state not in BEFORE_FREEZE:
        raise PlanFrozen(state=plan.state)
    return plan


async def _record(act: Act, verb: str, one: Exclusion, reason: str) -> None:
    await audit.record(
        act,
        f"exclusion.{verb}",
        "plan",
        one.plan,
        region=one.region,
        title=str(one.institution),
        reason=reason,
    )


async def propose(plan_id: UUID, new: NewExclusion, *, act: Act) -> Exclusion:
    """Propose an exclusion by hand before the plan's frame is frozen.

    Raises: Absent, PlanFrozen ("exclusion.plan_frozen"), Excluded ("exclusion.exists").
    Source: draw.md section 2.7.
    """
    async with DB.transaction(act.by.scope):
        plan = await _open(plan_id)
        known = await DB.connection.fetchval(
            "select id from institution where id = $1", new.institution
        )
        if known is None:
            raise Absent
        values = (new.institution, new.reason, new.paper, act.by.id, act.at)
        try:
            async with DB.transaction():
                row = await DB.connection.fetchrow(
                    ADD, act.new_id(), plan.region, plan_id, *values
                )
        except asyncpg.UniqueViolationError:
            raise Excluded(field="institution") from None
        one = Exclusion(**dict(row))
        await _record(act, "proposed", one, new.reason)
    return one


async def _decide(
    exclusion_id: UUID, state: str, awaited: tuple[str, ...], reason: str, *, act: Act
) -> Exclusion:
    row = await DB.connection.fetchrow(
        "select * from manual_exclusion where id = $1 for no key update", exclusion_id
    )
    if row is None:
        raise Absent
    await _open(row["plan"])
    if row["state"] not in awaited:
        raise NotOpen(state=row["state"])
    if state == "confirmed":
        gates.second_person(Noun.PLAN, author=row["proposed_by"], approver=act.by.id)
    decided = await DB.connection.fetchrow(
        DECIDE, exclusion_id, state, act.by.id, act.at, reason or None
    )
    one = Exclusion(**dict(decided))
    await _record(act, state, one, reason)
    return one


async def confirm(exclusion_id: UUID, *, act: Act) -> Exclusion:
    """Let a second person confirm; the ceiling is held at the freeze, over the whole frame.

    Raises: Absent, PlanFrozen, NotOpen ("exclusion.not_open"), "plan.same_person".
    """
    async with DB.transaction(act.by.scope):
        return await _decide(exclusion_id, "confirmed", ("proposed",), "", act=act)


async def refuse(exclusion_id: UUID, reason: str, *, act: Act) -> Exclusion:
    """Refuse a proposal, saying why. Raises: Absent, PlanFrozen, NotOpen."""
    async with DB.transaction(act.by.scope):
        return await _decide(exclusion_id, "refused", ("proposed",), reason, act=act)


async def end(exclusion_id: UUID, reason: str, *, act: Act) -> Exclusion:
    """Take a proposed or confirmed exclusion back before the freeze; it stays readable."""
    async with DB.transaction(act.by.scope):
        return await _decide(exclusion_id, "ended", ("proposed", "confirmed"), reason, act=act)


async def exclusions(plan_id: UUID, *, act: Act) -> tuple[Exclusion, ...]:
    """All exclusions by hand of a plan, refused and ended ones too."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select * from manual_exclusion where plan = $1 order by id", plan_id
        )
    return tuple(Exclusion(**dict(row)) for row in rows)
