"""The loop that sets documents: apart from other work, which must not wait for a long file."""

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services.documents import QUEUE


async def once(context: Context) -> int:
    """Set the document that has waited longest; 1 when there was one, else 0."""
    return await worker.once(context, queue=QUEUE, limit=1)


async def run(context: Context) -> None:
    """Set documents until cancelled, one at a time."""
    await worker.forever("printer", once, context, worker.PAUSE_S)
