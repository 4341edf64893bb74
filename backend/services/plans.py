"""Plans 抽查计划: written, submitted, approved by a second person, fired, closed."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.db.tables.plans import Plan
from backend.piccolo_conf import DB
from backend.services import audit, drawlog, parties, planchecks
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.records.plans import PlanDraft, PlanRecord, PlanState
from inspection_plans import gates, states
from inspection_plans.draw.canon import digest
from inspection_plans.errors import Family
from inspection_plans.states import Noun

LIST = """
select * from plan where ($1::text is null or state = $1) and ($2::int is null or year = $2)
  and ($3::uuid is null or id < $3) order by id desc limit $4
"""
VERSION = """
insert into directory_version (id, region, kind, subject, rev, valid_from, payload, recorded_by)
values ($1, $2, 'plan', $3, $4, $5, $6, $7)
"""


class CodeTaken(ServiceRefusal):
    """Another plan of this office has the code."""

    code = "plan.code_taken"
    family = Family.CONFLICT


class NoOffice(ServiceRefusal):
    """Only a person of an office plans."""

    code = "plan.no_office"
    family = Family.DENIED


class NotADraft(ServiceRefusal):
    """Only a draft can be edited; a submitted plan is rejected and revised first."""

    code = "plan.not_a_draft"
    family = Family.CONFLICT


class DrawOpen(ServiceRefusal):
    """The plan has a draw that is neither void nor disclosed."""

    code = "plan.draw_open"
    family = Family.CONFLICT


class ReasonMissing(ServiceRefusal):
    """Rejecting and cancelling need a reason that a reader understands."""

    code = "plan.reason_missing"


def to_plan(row: asyncpg.Record) -> PlanRecord:
    """The record of one row."""
    return msgspec.convert(dict(row), PlanRecord)


def draw_code(plan: PlanRecord) -> str:
    """The public name of a plan's draw; every attempt has it."""
    return f"{plan.region}-{plan.code}"


def doc(plan: PlanDraft) -> dict[str, Any]:
    """A plan's content as JSON values: what is versioned, compared and digested."""
    content: dict[str, Any] = msgspec.to_builtins(
        {name: getattr(plan, name) for name in PlanDraft.__struct_fields__}
    )
    return content


def content_sha256(plan: PlanDraft) -> str:
    """SHA-256 (hex) of a plan's canonical content."""
    return digest("sha256", msgspec.json.decode(msgspec.json.encode(doc(plan))))


async def lock(plan_id: UUID) -> PlanRecord:
    """The plan, locked until the transaction ends. Raises: Absent ("thing.absent")."""
    row = await DB.connection.fetchrow(
        "select * from plan where id = $1 for no key update", plan_id
    )
    if row is None:
        raise Absent
    return to_plan(row)


async def _remember(plan: PlanRecord, act: Act) -> None:
    await DB.connection.execute(
        VERSION, act.new_id(), plan.region, plan.id, plan.rev, act.at, doc(plan), act.by.id
    )


async def _record(plan: PlanRecord, verb: str, act: Act, reason: str = "") -> None:
    await audit.record(
        act,
        f"plan.{verb}",
        "plan",
        plan.id,
        region=plan.region,
        title=plan.title,
        rev=plan.rev,
        reason=reason,
        after_sha256=content_sha256(plan),
    )


def _sound(draft: PlanDraft) -> PlanDraft:
    """The draft with its bounds checked: a caller that is no route made it without any.

    What is stored must be readable again; a ValidationError here is the caller's fault.
    """
    return msgspec.convert(doc(draft), PlanDraft)


async def create(draft: PlanDraft, *, act: Act) -> PlanRecord:
    """Store a draft. Raises: what `planchecks.check` raises, CodeTaken, NoOffice."""
    if act.by.office is None:
        raise NoOffice
    draft = _sound(draft)
    planchecks.check(draft, act.by.region)
    plan = PlanRecord(
        **{name: getattr(draft, name) for name in PlanDraft.__struct_fields__},
        id=act.new_id(),
        region=act.by.region,
        office=act.by.office,
        state="draft",
        rev=1,
        created_by=act.by.id,
        submitted_by=None,
        approved_by=None,
        reason=None,
        created_at=act.at,
        updated_at=act.at,
    )
    async with DB.transaction(act.by.scope):
        await parties.require(draft.spec.parties, region=plan.region)
        values = msgspec.structs.asdict(plan) | {"spec": msgspec.to_builtins(plan.spec)}
        try:
            async with DB.transaction():
                await Plan.insert(Plan({getattr(Plan, k): v for k, v in values.items()}))
        except asyncpg.UniqueViolationError:
            raise CodeTaken(field="code", code=draft.code) from None
        await _remember(plan, act)
        await _record(plan, "created", act)
    return plan


async def edit(plan_id: UUID, draft: PlanDraft, *, rev: int, act: Act) -> PlanRecord:
    """Replace a draft's content when nobody did meanwhile.

    Raises: Absent, NotADraft, Changed ("thing.changed"), CodeTaken, what the checks raise.
    """
    async with DB.transaction(act.by.scope):
        before = await lock(plan_id)
        if before.state != "draft":
            raise NotADraft(state=before.state)
        if before.rev != rev:
            raise Changed(rev=before.rev)
        draft = _sound(draft)
        planchecks.check(draft, before.region)
        await parties.require(draft.spec.parties, region=before.region)
        plan = msgspec.structs.replace(
            before,
            **{name: getattr(draft, name) for name in PlanDraft.__struct_fields__},
            rev=rev + 1,
            updated_at=act.at,
        )
        try:
            async with DB.transaction():
                await _save(plan)
        except asyncpg.UniqueViolationError:
            raise CodeTaken(field="code", code=draft.code) from None
        await _remember(plan, act)
        await _record(plan, "edited", act)
    return plan


async def _save(plan: PlanRecord) -> None:
    await Plan.update(
        {
            Plan.code: plan.code,
            Plan.title: plan.title,
            Plan.year: plan.year,
            Plan.period: plan.period,
            Plan.targeted: plan.targeted,
            Plan.spec: msgspec.to_builtins(plan.spec),
            Plan.window_from: plan.window_from,
            Plan.window_until: plan.window_until,
            Plan.fire_at: plan.fire_at,
            Plan.state: plan.state,
            Plan.submitted_by: plan.submitted_by,
            Plan.approved_by: plan.approved_by,
            Plan.reason: plan.reason,
            Plan.rev: plan.rev,
            Plan.updated_at: plan.updated_at,
        }
    ).where(Plan.id == plan.id)


async def move(plan: PlanRecord, verb: str, *, act: Act, **new: object) -> PlanRecord:
    """Carry a locked plan into the state ``verb`` leads to, audited.

    Raises: "plan.wrong_state".
    """
    state = states.require(Noun.PLAN, plan.state, verb)
    moved = msgspec.structs.replace(plan, state=state, updated_at=act.at, **new)
    await _save(moved)
    await _record(moved, PAST[verb], act, str(new.get("reason") or ""))
    return moved


PAST = {
    "submit": "submitted",
    "approve": "approved",
    "reject": "rejected",
    "revise": "revised",
    "start": "started",
    "close": "closed",
    "cancel": "cancelled",
}


def _reason(reason: str) -> str:
    if len(reason.strip()) < 2:  # noqa: PLR2004 - one character is no reason
        raise ReasonMissing(field="reason")
    return reason.strip()


async def submit(plan_id: UUID, *, act: Act) -> PlanRecord:
    """Hand a draft to the approver; the checks are made again, for settings may have changed."""
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        planchecks.check(plan, plan.region)
        await parties.require(plan.spec.parties, region=plan.region)
        return await move(plan, "submit", act=act, submitted_by=act.by.id, reason=None)


async def approve(plan_id: UUID, *, act: Act) -> PlanRecord:
    """Let a second person approve; from now on the year's public log owes a draw of this code.

    Raises: "plan.same_person" (also for whoever wrote it), "plan.wrong_state".
    """
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        states.require(Noun.PLAN, plan.state, "approve")
        for author in (plan.submitted_by, plan.created_by):
            gates.second_person(Noun.PLAN, author=author, approver=act.by.id)
        plan = await move(plan, "approve", act=act, approved_by=act.by.id)
        due = (draw_code(plan), plan.window_until)
        await drawlog.register(plan.region, plan.year, [due], alg=plan.spec.alg, act=act)
        return plan


async def reject(plan_id: UUID, reason: str, *, act: Act) -> PlanRecord:
    """Send a submitted plan back, saying why."""
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        return await move(plan, "reject", act=act, reason=_reason(reason))


async def revise(plan_id: UUID, *, act: Act) -> PlanRecord:
    """Make a rejected plan a draft again; the reason of the rejection stays readable."""
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        return await move(plan, "revise", act=act, submitted_by=None)


async def _no_open_draw(plan_id: UUID, open_states: list[str]) -> None:
    found = await DB.connection.fetchval(
        "select code from draw where plan = $1 and state = any ($2)", plan_id, open_states
    )
    if found is not None:
        raise DrawOpen(draw=found)


async def cancel(plan_id: UUID, reason: str, *, act: Act) -> PlanRecord:
    """Give a plan up before its draw has a result, with a reason that the public reads.

    Raises: DrawOpen ("plan.draw_open") while a draw is not void: a result is never cancelled.
    """
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        await _no_open_draw(plan_id, ["frozen", "revealed", "drawn", "published"])
        return await move(plan, "cancel", act=act, reason=_reason(reason))


async def close(plan_id: UUID, *, act: Act) -> PlanRecord:
    """Close a running plan whose draw is disclosed. Raises: DrawOpen ("plan.draw_open")."""
    async with DB.transaction(act.by.scope):
        plan = await lock(plan_id)
        await _no_open_draw(plan_id, ["frozen", "revealed", "drawn"])
        return await move(plan, "close", act=act)


async def plan(plan_id: UUID, *, act: Act) -> PlanRecord:
    """One plan. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from plan where id = $1", plan_id)
    if row is None:
        raise Absent
    return to_plan(row)


async def plans(
    *,
    act: Act,
    state: PlanState | None = None,
    year: int | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[PlanRecord, ...]:
    """A page of plans, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(LIST, state, year, after, min(limit, 200))
    return tuple(to_plan(row) for row in rows)
