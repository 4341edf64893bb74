"""Work of signals: compute those of a visit or a reply, hold changed rosters to all others."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services import tasks
from backend.services.signals import orders, rosters, run
from backend.services.tasks import Task


async def compute(task: Task, context: Context) -> None:
    """What comes from now on orders another computation; what is here is read by this one."""
    await tasks.begin(task)
    occasion = UUID(task.payload["occasion"])
    await run.compute(occasion, act=context.act(task.region), keys=context.keys)


async def daily(task: Task, context: Context) -> None:
    """Rosters that were filed or changed since yesterday."""
    await rosters.compare(None, act=context.act(task.region), keys=context.keys)


HANDLERS = {orders.VISIT: compute, orders.NOTICE: compute, orders.DAILY: daily}
