"""The loop that writes exports of lists: a long one holds up nothing but the next."""

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services.listings import QUEUE


async def once(context: Context) -> int:
    """Write the export that has waited longest; 1 when there was one, else 0."""
    return await worker.once(context, queue=QUEUE, limit=1)


async def run(context: Context) -> None:
    """Write exports until cancelled, one at a time."""
    await worker.forever("lister", once, context, worker.PAUSE_S)
