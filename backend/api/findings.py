"""Findings: the list, and a person's word on each suspicion."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import findings
from backend.services.act import Act
from backend.services.findings import Finding, Wanted

Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
State = Literal["suspected", "verified", "dismissed", "ordered", "no_action", "corrected", "open"]


class VerificationIn(Struct, frozen=True, forbid_unknown_fields=True):
    evidence: Annotated[tuple[UUID, ...], Meta(max_length=100)]


class ReasonIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/findings", action="findings.read")
async def page(
    act: Act,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    visit: Annotated[UUID | None, QueryParameter(name="visit")] = None,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Finding, ...]:
    """Findings of the caller's regions, newest first; ``after``: last id of the page before."""
    wanted = Wanted(state=standing, visit=visit, institution=institution)
    return await findings.page(wanted, act=act, after=after, limit=limit)


@get("/api/v1/findings/{finding_id:uuid}", action="findings.read")
async def one(finding_id: FromPath[UUID], act: Act) -> Finding:
    """One finding with its clauses."""
    return await findings.get(finding_id, act=act)


@post("/api/v1/findings/{finding_id:uuid}/verification", action="findings.verify", status_code=200)
async def verify(finding_id: FromPath[UUID], data: JSONBody[VerificationIn], act: Act) -> Finding:
    """State that the finding is true and name its verified evidence."""
    return await findings.verify(finding_id, evidence=data.evidence, act=act)


@post("/api/v1/findings/{finding_id:uuid}/dismissal", action="findings.verify", status_code=200)
async def dismiss(finding_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> Finding:
    """State that the suspicion was wrong, with the reason."""
    return await findings.dismiss(finding_id, reason=data.reason, act=act)


@post("/api/v1/findings/{finding_id:uuid}/no-action", action="findings.verify", status_code=200)
async def waive(finding_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> Finding:
    """Leave a verified finding without an order, with the reason."""
    return await findings.waive(finding_id, reason=data.reason, act=act)


HANDLERS = [page, one, verify, dismiss, waive]
