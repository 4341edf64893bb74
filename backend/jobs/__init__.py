"""Work that nobody waits for: the timer, the queue's worker, the log's sequencer and anchors."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from backend.jobs import (
    exporter,
    following,
    issuer,
    leader,
    lister,
    logwatch,
    printer,
    sequencer,
    timestamps,
    worker,
)
from backend.jobs.context import Context

Loop = Callable[[Context], Coroutine[Any, Any, None]]
LOOPS: dict[str, tuple[Loop, ...]] = {
    "web": (),
    "worker": (
        worker.run,
        exporter.run,
        lister.run,
        printer.run,
        sequencer.run,
        following.run,
        issuer.run,
        timestamps.run,
        logwatch.run,
    ),
    "scheduler": (leader.run,),
}


@asynccontextmanager
async def running(context: Context) -> AsyncIterator[None]:
    """Run the loops of this process's duties until the block ends; a loop that dies is a fault.

    Each starts in an empty context, or it would inherit the starter's transaction.
    """
    tasks = [
        asyncio.get_running_loop().create_task(loop(context), context=contextvars.Context())
        for duty in context.settings.duties
        for loop in LOOPS[duty]
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
