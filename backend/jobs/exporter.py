"""The loop that makes evidence bundles: apart from other work, which must not wait for them."""

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services.dossiers import QUEUE


async def once(context: Context) -> int:
    """Make the bundle that has waited longest; 1 when there was one, else 0."""
    return await worker.once(context, queue=QUEUE, limit=1)


async def run(context: Context) -> None:
    """Make bundles until cancelled, one at a time."""
    await worker.forever("exporter", once, context, worker.PAUSE_S)
