"""The queue's worker: claims tasks, runs each by its kind, gives failed ones back."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from backend.jobs import (
    casework,
    custody,
    desk,
    documents,
    dossiers,
    draws,
    listings,
    notifications,
    orders,
    signals,
    tips,
    upkeep,
)
from backend.jobs.context import Context
from backend.services import forwarding, simulations, tasks
from backend.services.errors import passing
from backend.services.tasks import Task

Handler = Callable[[Task, Context], Awaitable[None]]
AT_ONCE = 4
PAUSE_S = 0.5
FAULT_PAUSE_S = 5.0
HOLD_S = tasks.LEASE_S / 3
log = structlog.get_logger()


async def _simulate(task: Task, context: Context) -> None:
    await simulations.advance(UUID(task.payload["simulation"]), act=context.act(task.region))


async def _forward(task: Task, context: Context) -> None:
    await forwarding.forward(
        UUID(task.payload["evidence"]),
        act=context.act(task.region),
        bucket=context.bucket,
        spool=context.spool,
    )


HANDLERS: dict[str, Handler] = {
    forwarding.FORWARD: _forward,
    simulations.KIND: _simulate,
    **casework.HANDLERS,
    **custody.HANDLERS,
    **listings.HANDLERS,
    **documents.HANDLERS,
    **desk.HANDLERS,
    **dossiers.HANDLERS,
    **draws.HANDLERS,
    **notifications.HANDLERS,
    **orders.HANDLERS,
    **signals.HANDLERS,
    **tips.HANDLERS,
    **upkeep.HANDLERS,
}


async def _keep(task: Task, context: Context) -> None:
    """Keep the lease of work that takes longer, so that nobody begins it a second time."""
    while True:
        await asyncio.sleep(HOLD_S)
        await tasks.hold(task.id, at=context.clock())


async def _run(task: Task, context: Context) -> None:
    keeper = asyncio.get_running_loop().create_task(_keep(task, context))
    try:
        await HANDLERS[task.kind](task, context)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _do(task: Task, context: Context) -> None:
    """Run one task; what fails is recorded, tried later, and parked after its last attempt."""
    try:
        await _run(task, context)
    except Exception as fault:
        spent, error = not passing(fault), f"{type(fault).__name__}: {fault}"
        if spent:
            log.exception("task", id=task.id, kind=task.kind, attempt=task.attempts)
        else:
            log.warning("task waits", id=task.id, kind=task.kind, error=error)
        await tasks.give_back(task, at=context.clock(), error=error, spent=spent)
    else:
        await tasks.finish(task.id, at=context.clock())


async def once(context: Context, *, queue: str = tasks.MAIN, limit: int = AT_ONCE) -> int:
    """Run the tasks that are ready, a few at a time; how many there were."""
    claimed = await tasks.claim(queue, at=context.clock(), limit=limit)
    loop = asyncio.get_running_loop()
    # Empty contexts: a task must not inherit anybody's transaction.
    await asyncio.gather(
        *(loop.create_task(_do(task, context), context=contextvars.Context()) for task in claimed)
    )
    return len(claimed)


async def forever(
    name: str, step: Callable[[Context], Awaitable[int]], context: Context, pause_s: float
) -> None:
    """Repeat a step until cancelled, at once while there is work; a fault is waited out."""
    while True:
        try:
            pause = 0.0 if await step(context) else pause_s
        except Exception:
            log.exception("loop", name=name)
            pause = FAULT_PAUSE_S
        await asyncio.sleep(pause)


async def run(context: Context) -> None:
    """Work until cancelled; between tasks look twice a second."""
    await forever("worker", once, context, PAUSE_S)
