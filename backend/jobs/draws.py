"""Work of draws: freeze what is due, run what is revealed, end what is late, open what is ripe."""

from contextlib import suppress
from uuid import UUID

from backend.jobs.context import Context
from backend.services import (
    chains,
    countersigns,
    disclosure,
    draws,
    recusals,
    risk,
    session_moves,
    voids,
)
from backend.services.draw_events import Clerk, EventsClosed
from backend.services.tasks import Task
from backend.services.teams import NotDrawn


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
    """Remind of what is awaited, warn of chains, follow moved sessions, disclose what is ripe.

    Last, regrade institutions, so that the strata of the next draw read today's class.
    """
    act = context.act(task.region)
    await session_moves.follow(clerk=_clerk(task, context))
    await countersigns.remind(act=act)
    await chains.warn(act=act)
    for draw in await disclosure.due(act=act):
        await disclosure.disclose(draw, act=act, keys=context.keys)
    await risk.regrade_all(act=act)


async def refill(task: Task, context: Context) -> None:
    """Draw whoever replaces an inspector that recused itself on the phone.

    A visit that no draw sent, or whose record is published, is the office's to assign.
    """
    with suppress(NotDrawn, EventsClosed):
        await recusals.refill(UUID(task.payload["visit"]), clerk=_clerk(task, context))


def _clerk(task: Task, context: Context) -> Clerk:
    return Clerk(context.act(task.region), context.keys, context.token)


HANDLERS = {
    "draw.fire": fire,
    "draw.run": run,
    "draw.expire": expire,
    "draw.daily": daily,
    "draw.refill": refill,
}
