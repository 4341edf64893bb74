"""Work of draws: freeze what is due, run what is revealed, end what is late, open what is ripe."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services import chains, countersigns, disclosure, draws, voids
from backend.services.tasks import Task


async def fire(task: Task, context: Context) -> None:
    """Freeze a due plan; with all shares here it runs, else it waits for the ceremony."""
    act = context.act(task.region)
    await draws.freeze(UUID(task.payload["plan"]), act=act, keys=context.keys, token=context.token)


async def run(task: Task, context: Context) -> None:
    """Draw what is revealed; killed at any moment it leaves none or the one result."""
    act = context.act(task.region)
    await draws.run(UUID(task.payload["draw"]), act=act, keys=context.keys)


async def expire(task: Task, context: Context) -> None:
    """End an attempt whose deadline is over and name who was missing."""
    await voids.expire(UUID(task.payload["draw"]), act=context.act(task.region))


async def daily(task: Task, context: Context) -> None:
    """Remind of what is awaited, warn of chains that run out, and disclose what is ripe."""
    act = context.act(task.region)
    await countersigns.remind(act=act)
    await chains.warn(act=act)
    for draw in await disclosure.due(act=act):
        await disclosure.disclose(draw, act=act, keys=context.keys)


HANDLERS = {
    "draw.fire": fire,
    "draw.run": run,
    "draw.expire": expire,
    "draw.daily": daily,
}
