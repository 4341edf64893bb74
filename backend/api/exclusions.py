"""Exclusions by hand of a plan: proposed, confirmed by a second person, refused or ended."""

from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Struct

from backend.api.routes import get, post
from backend.services import exclusions
from backend.services.act import Act
from backend.services.exclusions import Exclusion, NewExclusion
from backend.services.records.plans import Reason


class WhyIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/plans/{plan_id:uuid}/exclusions", action="plans.read")
async def page(plan_id: FromPath[UUID], act: Act) -> tuple[Exclusion, ...]:
    """All exclusions by hand 人工排除 of a plan, decided or not."""
    return await exclusions.exclusions(plan_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/exclusions", action="plans.write")
async def propose(plan_id: FromPath[UUID], data: JSONBody[NewExclusion], act: Act) -> Exclusion:
    """Propose one, with the paper it rests on."""
    return await exclusions.propose(plan_id, data, act=act)


@post("/api/v1/exclusions/{exclusion_id:uuid}/confirmation", action="plans.approve")
async def confirm(exclusion_id: FromPath[UUID], act: Act) -> Exclusion:
    """Sign as the second person; the frame's freeze holds the ceiling."""
    return await exclusions.confirm(exclusion_id, act=act)


@post("/api/v1/exclusions/{exclusion_id:uuid}/refusal", action="plans.approve")
async def refuse(exclusion_id: FromPath[UUID], data: JSONBody[WhyIn], act: Act) -> Exclusion:
    """Refuse a proposal, saying why."""
    return await exclusions.refuse(exclusion_id, data.reason, act=act)


@post("/api/v1/exclusions/{exclusion_id:uuid}/end", action="plans.write")
async def end(exclusion_id: FromPath[UUID], data: JSONBody[WhyIn], act: Act) -> Exclusion:
    """Take one back before the freeze."""
    return await exclusions.end(exclusion_id, data.reason, act=act)


HANDLERS = [page, propose, confirm, refuse, end]
