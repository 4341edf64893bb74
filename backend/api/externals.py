"""Draws made on another platform: entered, looked at, confirmed by a second person."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from backend.api.routes import get, post, put
from backend.services import externals
from backend.services.act import Act
from backend.services.externals import External, NewExternal
from backend.services.records.draws import DrawRecord


@get("/api/v1/plans/{plan_id:uuid}/external-draw", action="draws.read")
async def one(plan_id: FromPath[UUID], act: Act) -> External:
    """What was entered for a plan, confirmed or not."""
    return await externals.external(plan_id, act=act)


@put("/api/v1/plans/{plan_id:uuid}/external-draw", action="draws.run")
async def enter(plan_id: FromPath[UUID], data: JSONBody[NewExternal], act: Act) -> External:
    """Enter another platform's result; until it is confirmed it may be entered anew."""
    return await externals.enter(plan_id, data, act=act)


@post("/api/v1/plans/{plan_id:uuid}/external-draw/confirmation", action="plans.approve")
async def confirm(plan_id: FromPath[UUID], act: Act) -> DrawRecord:
    """Confirm as the second person: visits are made, and everywhere it says "unverifiable"."""
    return await externals.confirm(plan_id, act=act)


HANDLERS = [one, enter, confirm]
