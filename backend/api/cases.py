"""Cases: opened from a failed notice or critical findings, and verified."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import cases
from backend.services.act import Act
from backend.services.cases import Case

Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
State = Literal["opened", "verified", "delisting_proposed", "decided", "handed_over", "closed"]


class CriticalIn(Struct, frozen=True, forbid_unknown_fields=True):
    findings: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]
    reason: Reason


class EscalationIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    reason: Reason


@get("/api/v1/cases", action="cases.read")
async def page(
    act: Act,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Case, ...]:
    """Cases of the caller's regions, newest first."""
    return await cases.page(act=act, state=standing, after=after, limit=limit)


@get("/api/v1/cases/{case_id:uuid}", action="cases.read")
async def one(case_id: FromPath[UUID], act: Act) -> Case:
    """One case."""
    return await cases.get(case_id, act=act)


@post("/api/v1/cases", action="cases.write")
async def open_critical(data: JSONBody[CriticalIn], act: Act) -> Case:
    """Open a case from verified critical findings."""
    return await cases.open_critical(data.findings, reason=data.reason, act=act)


@post("/api/v1/notices/{notice_id:uuid}/case", action="cases.write")
async def escalate(notice_id: FromPath[UUID], data: JSONBody[EscalationIn], act: Act) -> Case:
    """End a notice that failed and open a case from it."""
    return await cases.open_from_notice(notice_id, rev=data.rev, reason=data.reason, act=act)


@post("/api/v1/cases/{case_id:uuid}/verification", action="cases.write", status_code=200)
async def verify(case_id: FromPath[UUID], act: Act) -> Case:
    """The facts hold and the party was heard."""
    return await cases.verify(case_id, act=act)


HANDLERS = [page, one, open_critical, escalate, verify]
