"""Notices: draft, legal review, approval, issue, service, review and the end of each."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post, put
from backend.services import approvals, notices, reviews, service_proofs
from backend.services.act import Act
from backend.services.notices import Draft, Notice, Wanted
from backend.services.reviews import Decision
from backend.services.service_proofs import AnyWay, Proof

Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]
Line = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
Days = Annotated[int, Meta(ge=1, le=365)]
Rev = Annotated[int, Meta(ge=1, le=2**31 - 1)]
State = Literal[
    "draft",
    "legal_review",
    "approved",
    "issued",
    "served",
    "answered",
    "under_review",
    "closed",
    "second_order",
    "case",
    "void",
]


class DemandIn(Struct, frozen=True, forbid_unknown_fields=True):
    finding: UUID
    demand: Line
    evidence_asked: Line
    days: Days


class DraftIn(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["order", "advice"]
    text: Text
    demands: Annotated[tuple[DemandIn, ...], Meta(min_length=1, max_length=50)]
    inspection_item: Annotated[str, Meta(min_length=1, max_length=40)] | None = None

    def draft(self) -> Draft:
        return msgspec.convert(self, Draft, from_attributes=True)


class EditIn(DraftIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    rev: Rev


class RevIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Rev


class OpinionIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Rev
    opinion: Line


class ReturnIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Rev
    reason: Line


class ServiceIn(Struct, frozen=True, forbid_unknown_fields=True):
    service: AnyWay


class DecisionIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Rev
    outcome: Literal["accepted", "not_accepted", "reinspection"]
    reason: Annotated[str, Meta(max_length=1000)] = ""

    def of(self, finding: UUID) -> Decision:
        return Decision(finding=finding, outcome=self.outcome, reason=self.reason)


class ReplyReturnIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Rev
    days: Days


@get("/api/v1/notices", action="notices.read")
async def page(
    act: Act,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    overdue: Annotated[bool, QueryParameter(name="overdue")] = False,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Notice, ...]:
    """Notices the caller may see, newest first; ``after`` is the last id of the page before."""
    wanted = Wanted(state=standing, institution=institution, overdue=overdue)
    return await notices.page(wanted, act=act, after=after, limit=limit)


@get("/api/v1/notices/{notice_id:uuid}", action="notices.read")
async def one(notice_id: FromPath[UUID], act: Act) -> Notice:
    """One notice with its clock; an institution's first look at it is recorded."""
    return await notices.get(notice_id, act=act)


@post("/api/v1/notices", action="notices.write")
async def draft(data: JSONBody[DraftIn], act: Act) -> Notice:
    """Begin a notice from verified findings of one institution."""
    return await notices.draft(data.draft(), act=act)


@put("/api/v1/notices/{notice_id:uuid}", action="notices.write")
async def edit(notice_id: FromPath[UUID], data: JSONBody[EditIn], act: Act) -> Notice:
    """Rewrite a draft that still stands at ``rev``."""
    return await notices.edit(notice_id, data.draft(), rev=data.rev, act=act)


@post(
    "/api/v1/notices/{notice_id:uuid}/legal-review/request",
    action="notices.write",
    status_code=200,
)
async def send_to_legal(notice_id: FromPath[UUID], data: JSONBody[RevIn], act: Act) -> Notice:
    """Ask for the legal review; a critical finding needs it."""
    return await approvals.send_to_legal(notice_id, rev=data.rev, act=act)


@post("/api/v1/notices/{notice_id:uuid}/legal-review", action="notices.legal", status_code=200)
async def clear(notice_id: FromPath[UUID], data: JSONBody[OpinionIn], act: Act) -> Notice:
    """The legal reviewer has no objection."""
    return await approvals.clear(notice_id, rev=data.rev, opinion=data.opinion, act=act)


@post("/api/v1/notices/{notice_id:uuid}/return", action="notices.return", status_code=200)
async def send_back(notice_id: FromPath[UUID], data: JSONBody[ReturnIn], act: Act) -> Notice:
    """Reviewer or approver sends it back to its author, with the reason."""
    return await approvals.send_back(notice_id, rev=data.rev, reason=data.reason, act=act)


@post("/api/v1/notices/{notice_id:uuid}/approval", action="notices.approve", status_code=200)
async def approve(notice_id: FromPath[UUID], data: JSONBody[RevIn], act: Act) -> Notice:
    """Another person approves what stands at ``rev``."""
    return await approvals.approve(notice_id, rev=data.rev, act=act)


@post("/api/v1/notices/{notice_id:uuid}/issue", action="notices.serve", status_code=200)
async def issue(notice_id: FromPath[UUID], act: Act) -> Notice:
    """Give it its number."""
    return await approvals.issue(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/service", action="notices.serve", status_code=200)
async def serve(notice_id: FromPath[UUID], data: JSONBody[ServiceIn], act: Act) -> Notice:
    """Record how and when it was served; the clock starts the day after."""
    return await service_proofs.serve(notice_id, data.service, act=act)


@get("/api/v1/notices/{notice_id:uuid}/service", action="notices.read")
async def proofs(notice_id: FromPath[UUID], act: Act) -> tuple[Proof, ...]:
    """Proofs of service, with the institution's first look."""
    return await service_proofs.of(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/review", action="notices.review", status_code=200)
async def begin(notice_id: FromPath[UUID], data: JSONBody[RevIn], act: Act) -> Notice:
    """Take it up for review: it was answered, or its term ran out."""
    return await reviews.begin(notice_id, rev=data.rev, act=act)


@post(
    "/api/v1/notices/{notice_id:uuid}/findings/{finding_id:uuid}/outcome",
    action="notices.review",
    status_code=200,
)
async def decide(
    notice_id: FromPath[UUID], finding_id: FromPath[UUID], data: JSONBody[DecisionIn], act: Act
) -> Notice:
    """Accept what was done about one finding, refuse it, or ask for a re-inspection."""
    return await reviews.decide(notice_id, data.of(finding_id), rev=data.rev, act=act)


@post("/api/v1/notices/{notice_id:uuid}/reply-return", action="notices.review", status_code=200)
async def return_reply(
    notice_id: FromPath[UUID], data: JSONBody[ReplyReturnIn], act: Act
) -> Notice:
    """Give what was not accepted back, with a new term from today."""
    return await reviews.return_reply(notice_id, rev=data.rev, days=data.days, act=act)


@post("/api/v1/notices/{notice_id:uuid}/closing", action="notices.close", status_code=200)
async def close(notice_id: FromPath[UUID], data: JSONBody[RevIn], act: Act) -> Notice:
    """Close it: everything was accepted, by others than the caller."""
    return await reviews.close(notice_id, rev=data.rev, act=act)


@post("/api/v1/notices/{notice_id:uuid}/second-order", action="notices.review")
async def order_again(notice_id: FromPath[UUID], data: JSONBody[EditIn], act: Act) -> Notice:
    """End it unsettled and draft the order that follows; the answer is the new draft."""
    return await reviews.order_again(notice_id, data.draft(), rev=data.rev, act=act)


HANDLERS = [
    page,
    one,
    draft,
    edit,
    send_to_legal,
    clear,
    send_back,
    approve,
    issue,
    serve,
    proofs,
    begin,
    decide,
    return_reply,
    close,
    order_again,
]
