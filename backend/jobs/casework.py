"""The morning of casework: reminders, expiry, and terms counted anew by new holiday tables."""

from backend.jobs.context import Context
from backend.services import clock_stops, instalment_reminders, publications, reminders
from backend.services.tasks import Task

MORNING = "casework.morning"


async def morning(task: Task, context: Context) -> None:
    """Count what was provisional, remind of terms and money, end what was public for long."""
    act = context.act(task.region)
    await clock_stops.recount_unsure(act=act)
    await reminders.run(act=act)
    await instalment_reminders.run(act=act)
    await publications.expire(act=act)


HANDLERS = {MORNING: morning}
