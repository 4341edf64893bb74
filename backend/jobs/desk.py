"""Work of desk review: one institution after a change, all of them when a day has passed."""

from uuid import UUID

from backend.jobs.context import Context
from backend.services import desk_orders, desk_review, tasks
from backend.services.tasks import Task

DAILY = "desk.daily"


async def review(task: Task, context: Context) -> None:
    """What is filed from now on orders another review; what is here is read by this one."""
    await tasks.begin(task)
    await desk_review.review(
        UUID(task.payload["institution"]),
        act=context.act(task.region),
        rules=context.rules,
        whole=task.payload.get("whole", False),
    )


async def review_all(task: Task, context: Context) -> None:
    """What an office files about itself may change what is said of all below it."""
    await tasks.begin(task)
    await desk_review.order_whole(task.payload["region"], act=context.act(task.region))


async def daily(task: Task, context: Context) -> None:
    """A term may have run out in the night."""
    await desk_review.order_whole(None, act=context.act(task.region))


HANDLERS = {
    desk_orders.REVIEW: review,
    desk_orders.REVIEW_ALL: review_all,
    DAILY: daily,
}
