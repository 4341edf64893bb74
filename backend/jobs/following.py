"""The loop that reads the numbered log and tells persons and outside systems what it says."""

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services.notifications import following
from backend.services.occurrences import NATION


async def once(context: Context) -> int:
    """Tell what the next entries say; how many were read."""
    return await following.follow(act=context.act(NATION))


async def run(context: Context) -> None:
    """Follow until cancelled; between looks half a second."""
    await worker.forever("following", once, context, worker.PAUSE_S)
