"""Work on evidence: proved when its bytes are here, locked harder for a case, unlocked at last."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services import arrivals, evidence, locks, package_imports, packages
from backend.services.deeds import Tools
from backend.services.package_imports import Bench
from backend.services.tasks import Task


async def verify(task: Task, context: Context) -> None:
    """Prove one piece, once it is its turn."""
    async with context.turns:
        await evidence.verify(
            UUID(task.payload["evidence"]),
            act=context.act(task.region),
            lab=context.lab,
            rules=context.rules,
        )


async def comply(task: Task, context: Context) -> None:
    """Put the originals of a case under COMPLIANCE."""
    case = UUID(task.payload["case"])
    await locks.comply(case, act=context.act(task.region), bucket=context.bucket)


async def unlock(task: Task, context: Context) -> None:
    """Lift a legal hold that two persons lifted."""
    piece = UUID(task.payload["evidence"])
    await locks.unlock(piece, act=context.act(task.region), bucket=context.bucket)


async def bring(task: Task, context: Context) -> None:
    """Bring an emergency package in."""
    await package_imports.bring_in(
        UUID(task.payload["package"]),
        act=context.act(task.region),
        bench=Bench(context.bucket, context.spool, Tools(context.keys, context.rules)),
    )


HANDLERS = {
    arrivals.VERIFY: verify,
    locks.COMPLY: comply,
    locks.UNLOCK: unlock,
    packages.BRING: bring,
}
