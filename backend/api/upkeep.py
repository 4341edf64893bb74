"""Runs of upkeep for administrators; lost evidence for the office it concerns."""

from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from backend.api.routes import get
from backend.services import upkeep
from backend.services.act import Act
from backend.services.upkeep import Lost, Run

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/v1/upkeep", action="upkeep.read")
async def runs(
    before: Annotated[UUID | None, QueryParameter(name="before")] = None, limit: Limit = 50
) -> tuple[Run, ...]:
    """Scrubs, backups and restores, newest first."""
    return await upkeep.runs(before=before, limit=limit)


@get("/api/v1/evidence/lost", action="visits.read")
async def lost(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Limit = 50,
) -> tuple[Lost, ...]:
    """Pieces that were proved once and are lost or altered now."""
    return await upkeep.lost(scope=act.by.scope, after=after, limit=limit)


HANDLERS = [runs, lost]
