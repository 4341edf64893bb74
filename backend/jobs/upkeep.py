"""The nightly scrub: ordered by the timer, done in slices that each order the next one."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services.scrubs import running
from backend.services.tasks import Task


async def night(task: Task, context: Context) -> None:
    """Open tonight's run, or go on with one that was cut off."""
    act = context.act(task.region)
    await _then(await running.begin(act=act), task, context)


async def step(task: Task, context: Context) -> None:
    """One slice; while there is more, the next."""
    run = UUID(task.payload["run"])
    if await running.step(run, act=context.act(task.region), bucket=context.bucket):
        await _then(run, task, context)


async def _then(run: UUID, task: Task, context: Context) -> None:
    act = context.act(task.region)
    await running.order_step(run, act=act)


HANDLERS = {"scrub.night": night, running.STEP: step}
