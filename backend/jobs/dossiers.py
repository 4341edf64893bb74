"""What the worker does for evidence bundles."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from backend.jobs.context import Context
from backend.services import tasks
from backend.services.dossiers import KIND, making
from backend.services.tasks import Task

SELFCHECK = "selfcheck.json"  # beside the keys: what the last start of the store's doors showed


async def make(task: Task, context: Context) -> None:
    """Make one bundle; the lease is kept as long as it takes."""
    settings = context.settings

    async def hold() -> None:
        await tasks.hold(task.id, at=context.clock())

    press = making.Press(
        bucket=context.bucket,
        keys=context.keys,
        origin=settings.log_origin,
        selfcheck=settings.keys.parent / SELFCHECK,
        mode=settings.evidence_mode,
        stamps=bool(settings.tsa_url),
        roots=settings.tsa_roots,
        clock=context.clock,
        hold=hold,
    )
    ident = UUID(task.payload["dossier"])
    await making.make(ident, act=context.act(task.region), press=press)


HANDLERS: dict[str, Callable[[Task, Context], Awaitable[None]]] = {KIND: make}
