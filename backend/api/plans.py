"""Plans: written, submitted, approved by a second person; every revision can be compared."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post, put
from backend.services import plans, revisions
from backend.services.act import Act
from backend.services.records.plans import Change, PlanDraft, PlanRecord, PlanState, Reason

Rev = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class PlanEditIn(PlanDraft, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft's new content, and the revision it was written on."""

    rev: Rev

    def draft(self) -> PlanDraft:
        return msgspec.convert(self, PlanDraft, from_attributes=True)


class ReasonIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/plans", action="plans.read")
async def page(
    act: Act,
    standing: Annotated[PlanState | None, QueryParameter(name="state")] = None,
    year: Annotated[int | None, QueryParameter(ge=2021, le=2100)] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[PlanRecord, ...]:
    """Plans of the caller's regions, newest first; ``after`` is the last id of the page before."""
    return await plans.plans(act=act, state=standing, year=year, after=after, limit=limit)


@get("/api/v1/plans/{plan_id:uuid}", action="plans.read")
async def one(plan_id: FromPath[UUID], act: Act) -> PlanRecord:
    """One plan."""
    return await plans.plan(plan_id, act=act)


@post("/api/v1/plans", action="plans.write")
async def create(data: JSONBody[PlanDraft], act: Act) -> PlanRecord:
    """Store a draft; what could not be drawn is refused with the field."""
    return await plans.create(data, act=act)


@put("/api/v1/plans/{plan_id:uuid}", action="plans.write")
async def edit(plan_id: FromPath[UUID], data: JSONBody[PlanEditIn], act: Act) -> PlanRecord:
    """Replace a draft's content; refused when somebody else changed it meanwhile."""
    return await plans.edit(plan_id, data.draft(), rev=data.rev, act=act)


@get("/api/v1/plans/{plan_id:uuid}/changes", action="plans.read")
async def changes(
    plan_id: FromPath[UUID],
    act: Act,
    since: Annotated[int, QueryParameter(ge=1, le=2**31 - 1)],
    until: Annotated[int, QueryParameter(ge=1, le=2**31 - 1)],
) -> tuple[Change, ...]:
    """What differs between two revisions, field by field."""
    return await revisions.changes(plan_id, since, until, act=act)


@post("/api/v1/plans/{plan_id:uuid}/submission", action="plans.write")
async def submit(plan_id: FromPath[UUID], act: Act) -> PlanRecord:
    """Hand a draft to the approver."""
    return await plans.submit(plan_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/approval", action="plans.approve")
async def approve(plan_id: FromPath[UUID], act: Act) -> PlanRecord:
    """Approve a plan of somebody else; the year's public log owes its draw from now on."""
    return await plans.approve(plan_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/rejection", action="plans.approve")
async def reject(plan_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> PlanRecord:
    """Send a submitted plan back, saying why."""
    return await plans.reject(plan_id, data.reason, act=act)


@post("/api/v1/plans/{plan_id:uuid}/revision", action="plans.write")
async def revise(plan_id: FromPath[UUID], act: Act) -> PlanRecord:
    """Make a rejected plan a draft again."""
    return await plans.revise(plan_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/cancellation", action="plans.approve")
async def cancel(plan_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> PlanRecord:
    """Give a plan up before its draw has a result, with a public reason."""
    return await plans.cancel(plan_id, data.reason, act=act)


@post("/api/v1/plans/{plan_id:uuid}/closing", action="plans.write")
async def close(plan_id: FromPath[UUID], act: Act) -> PlanRecord:
    """Close a running plan whose draw is disclosed."""
    return await plans.close(plan_id, act=act)


HANDLERS = [
    page,
    one,
    create,
    edit,
    changes,
    submit,
    approve,
    reject,
    revise,
    cancel,
    close,
]
