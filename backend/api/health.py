"""Whether this process can serve: the database and the object store answer."""

import asyncio
from datetime import datetime
from typing import Literal

from litestar.datastructures import State
from msgspec import Struct

from backend.api.routes import get
from backend.services import offices, recovery
from media.bucket import Bucket


class HealthOut(Struct, frozen=True):
    ok: bool
    regions: int
    at: datetime
    log: Literal["signing", "halted"]


@get("/api/v1/health", action="public.read")
async def health(bucket: Bucket, state: State) -> HealthOut:
    """200 when database and store answer; 503 names the one that does not.

    ``log`` halted: everything works, but nothing is sealed until administrators recover the log.
    """
    regions = await offices.every_region()
    await asyncio.to_thread(bucket.check)
    standing: Literal["signing", "halted"] = "halted" if await recovery.halted() else "signing"
    return HealthOut(ok=True, regions=len(regions), at=state.clock(), log=standing)


HANDLERS = [health]
