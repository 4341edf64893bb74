"""Offices that step aside for an institution: decided by another office, read, ended."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import office_recusals
from backend.services.act import Act
from backend.services.office_recusals import NewOfficeRecusal, OfficeRecusal


class EndIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the office takes part again."""

    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


@post("/api/v1/office-recusals", action="offices.recuse", status_code=201)
async def decide(data: JSONBody[NewOfficeRecusal], act: Act) -> OfficeRecusal:
    """Record that an office below steps aside for an institution."""
    return await office_recusals.decide(data, act=act)


@post("/api/v1/office-recusals/{recusal_id:uuid}/end", action="offices.recuse", status_code=200)
async def end(recusal_id: FromPath[UUID], data: JSONBody[EndIn], act: Act) -> OfficeRecusal:
    """The ground is gone: the office takes part again."""
    return await office_recusals.end(recusal_id, reason=data.reason, act=act)


@get("/api/v1/institutions/{institution_id:uuid}/office-recusals", action="cases.read")
async def of(institution_id: FromPath[UUID], act: Act) -> tuple[OfficeRecusal, ...]:
    """Which offices stepped aside for an institution, since when, and why."""
    return await office_recusals.of(institution_id, act=act)


HANDLERS = [decide, end, of]
