"""Hits of desk review for the desk: read them, take them up as findings, or dismiss them."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import desk_hits
from backend.services.act import Act
from backend.services.desk_hits import Hit, LastRun, State, Wanted

Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


class DismissalIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/desk-hits", action="desk.read")
async def page(
    act: Act,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    rule: Annotated[
        str | None, QueryParameter(name="rule", max_length=8, pattern=r"^DR-\d{2,3}$")
    ] = None,
    gone: Annotated[bool, QueryParameter(name="gone")] = False,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=200)] = 50,
) -> tuple[Hit, ...]:
    """Hits with formula, inputs and explanation, newest first."""
    wanted = Wanted(state=standing, institution=institution, rule=rule, gone=gone)
    return await desk_hits.page(wanted, act=act, after=after, limit=limit)


@get("/api/v1/desk-hits/{hit_id:uuid}", action="desk.read")
async def one(hit_id: FromPath[UUID], act: Act) -> Hit:
    """One hit."""
    return await desk_hits.hit(hit_id, act=act)


@post("/api/v1/desk-hits/{hit_id:uuid}/finding", action="desk.judge")
async def uphold(hit_id: FromPath[UUID], act: Act) -> Hit:
    """Take the hit up as a suspected finding."""
    return await desk_hits.uphold(hit_id, act=act)


@post("/api/v1/desk-hits/{hit_id:uuid}/dismissal", action="desk.judge")
async def dismiss(hit_id: FromPath[UUID], data: JSONBody[DismissalIn], act: Act) -> Hit:
    """Dismiss the hit with the reason."""
    return await desk_hits.dismiss(hit_id, reason=data.reason, act=act)


@get("/api/v1/institutions/{institution_id:uuid}/desk-review", action="desk.read")
async def last_run(institution_id: FromPath[UUID], act: Act) -> LastRun:
    """When the institution's filings were looked at last, and which registers were lacking."""
    return await desk_hits.last_run(institution_id, act=act)


HANDLERS = [page, one, uphold, dismiss, last_run]
