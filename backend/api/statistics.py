"""Counts of everything in the caller's scope."""

from backend.api.routes import get
from backend.services import statistics
from backend.services.act import Act
from backend.services.statistics import Count


@get("/api/v1/statistics", action="statistics.read")
async def overview(act: Act) -> dict[str, Count]:
    """How many there are of each thing, by state."""
    return await statistics.overview(act=act)


HANDLERS = [overview]
