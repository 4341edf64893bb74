"""What the worker does for documents: sets one at a time, apart from other work."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from backend.jobs.context import Context
from backend.services import documents, tasks
from backend.services.documents import printing
from backend.services.tasks import Task


async def print_one(task: Task, context: Context) -> None:
    """Set what of one document is missing."""

    async def hold() -> None:
        await tasks.hold(task.id, at=context.clock())

    desk = printing.Desk(context.bucket, hold)
    ident = UUID(task.payload["document"])
    await printing.print_one(ident, act=context.act(task.region), desk=desk)


HANDLERS: dict[str, Callable[[Task, Context], Awaitable[None]]] = {documents.KIND: print_one}
