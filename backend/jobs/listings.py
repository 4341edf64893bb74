"""What the worker does for exports: writes one at a time, apart from other work."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from backend.jobs.context import Context
from backend.services import listings, tasks
from backend.services.listings import running
from backend.services.tasks import Task


async def write(task: Task, context: Context) -> None:
    """Write one export; the lease is kept as long as it takes."""

    async def hold() -> None:
        await tasks.hold(task.id, at=context.clock())

    tools = running.Tools(bucket=context.bucket, clock=context.clock, hold=hold)
    ident = UUID(task.payload["export"])
    await running.write(ident, act=context.act(task.region), tools=tools)


HANDLERS: dict[str, Callable[[Task, Context], Awaitable[None]]] = {listings.KIND: write}
