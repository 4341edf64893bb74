"""What the worker does for messages: writes inboxes, sends them outside, calls webhooks."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from backend.jobs.context import Context
from backend.services import notifications
from backend.services.notifications import Order, calling, inbox, outgoing, webhooks
from backend.services.notifications.calling import Caller
from backend.services.notifications.mouths import Files, Mouth
from backend.services.tasks import Task


async def write(task: Task, context: Context) -> None:
    """Put one message into the inboxes it is for."""
    order = msgspec.convert(task.payload, Order)
    await inbox.write(order, act=context.act(task.region))


async def send(task: Task, context: Context) -> None:
    """Send one message by one channel."""
    settings = context.settings
    mouth = Mouth(
        files=Files(settings.outbox_folder),
        mail_from=settings.mail_from,
        mail_url=settings.mail_url,
        sms_url=settings.sms_url,
    )
    ident = UUID(task.payload["delivery"])
    act = context.act(task.region)
    await outgoing.send(ident, act=act, mouth=mouth, origin=settings.origin)


async def call(task: Task, context: Context) -> None:
    """Make one webhook call."""
    key = context.keys.server
    caller = Caller(sign=key.sign, kid=key.kid, hosts=context.settings.webhook_hosts)
    await calling.call(UUID(task.payload["call"]), act=context.act(task.region), caller=caller)


HANDLERS: dict[str, Callable[[Task, Context], Awaitable[None]]] = {
    notifications.KIND: write,
    outgoing.KIND: send,
    webhooks.KIND: call,
}
