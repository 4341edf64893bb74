"""Webhooks of an office: added, ended, their calls read and replayed."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter

from backend.api.routes import get, post
from backend.services.act import Act
from backend.services.notifications import webhooks
from backend.services.notifications.webhooks import Call, NewWebhook, Webhook
from backend.settings import Settings


@get("/api/v1/webhooks/events", action="webhooks.manage")
async def events() -> tuple[str, ...]:
    """The events that a webhook may be told of."""
    return webhooks.events()


@post("/api/v1/webhooks", action="webhooks.manage", status_code=201)
async def add(data: JSONBody[NewWebhook], act: Act, settings: Settings) -> Webhook:
    """Begin to tell an address; its host must be one that the operator named."""
    return await webhooks.add(data, act=act, hosts=settings.webhook_hosts)


@get("/api/v1/webhooks", action="webhooks.manage")
async def page(
    act: Act,
    ended: Annotated[bool, QueryParameter(name="ended")] = False,
) -> tuple[Webhook, ...]:
    """Webhooks of the caller's scope."""
    return await webhooks.page(act=act, ended=ended)


@post("/api/v1/webhooks/{webhook_id:uuid}/end", action="webhooks.manage", status_code=200)
async def end(webhook_id: FromPath[UUID], act: Act) -> Webhook:
    """Tell this address nothing more."""
    return await webhooks.end(webhook_id, act=act)


@get("/api/v1/webhooks/{webhook_id:uuid}/calls", action="webhooks.manage")
async def calls(
    webhook_id: FromPath[UUID],
    act: Act,
    progress: Annotated[
        Literal["waiting", "delivered", "failed"] | None, QueryParameter(name="progress")
    ] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Call, ...]:
    """The log of its calls, newest first, with the bytes that were signed."""
    return await webhooks.calls(webhook_id, act=act, progress=progress, after=after, limit=limit)


@post("/api/v1/webhook-calls/{call_id:uuid}/replay", action="webhooks.manage", status_code=201)
async def replay(call_id: FromPath[UUID], act: Act) -> Call:
    """Send the same bytes again."""
    return await webhooks.replay(call_id, act=act)


HANDLERS = [events, add, page, end, calls, replay]
