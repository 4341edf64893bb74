"""Whether this process can serve: the database and the object store answer."""

import asyncio
from datetime import datetime

from litestar.datastructures import State
from msgspec import Struct

from backend.api.routes import get
from backend.services import offices
from media.bucket import Bucket


class HealthOut(Struct, frozen=True):
    ok: bool
    regions: int
    at: datetime


@get("/api/v1/health", action="public.read")
async def health(bucket: Bucket, state: State) -> HealthOut:
    """200 when database and store answer; 503 names the one that does not."""
    regions = await offices.every_region()
    await asyncio.to_thread(bucket.check)
    return HealthOut(ok=True, regions=len(regions), at=state.clock())


HANDLERS = [health]
