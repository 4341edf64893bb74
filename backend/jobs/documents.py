"""What the worker does for documents: issues what steps call for, sets one at a time."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from backend.jobs.context import Context
from backend.services import documents, tasks
from backend.services.documents import marks, orders, printing
from backend.services.documents.issuing import Stamp
from backend.services.tasks import Task


async def print_one(task: Task, context: Context) -> None:
    """Set what of one document is missing."""

    async def hold() -> None:
        await tasks.hold(task.id, at=context.clock())

    desk = printing.Desk(context.bucket, hold)
    ident = UUID(task.payload["document"])
    await printing.print_one(ident, act=context.act(task.region), desk=desk)


async def issue(task: Task, context: Context) -> None:
    """Issue one document that a step called for."""
    stamp = Stamp(secret=context.token(marks.CODE_BYTES), origin=context.settings.origin)
    await orders.carry_out(task.payload, act=context.act(task.region), stamp=stamp)


HANDLERS: dict[str, Callable[[Task, Context], Awaitable[None]]] = {
    documents.KIND: print_one,
    orders.KIND: issue,
}
