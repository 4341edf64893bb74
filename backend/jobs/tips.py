"""Work of tips: prove the files that came with them."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services import tip_files
from backend.services.tasks import Task


async def prove(task: Task, context: Context) -> None:
    """Look at one file; safe to repeat."""
    await tip_files.prove(
        UUID(task.payload["file"]), act=context.act(task.region), lab=context.lab
    )


HANDLERS = {tip_files.KIND: prove}
