"""The loop that reads the numbered log and orders the documents that its steps call for."""

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services.documents import orders
from backend.services.occurrences import NATION


async def once(context: Context) -> int:
    """Order what the next entries call for; how many were read."""
    return await orders.follow(act=context.act(NATION))


async def run(context: Context) -> None:
    """Follow until cancelled; between looks half a second."""
    await worker.forever("issuer", once, context, worker.PAUSE_S)
