"""Webhooks: an office's systems are told of events; every call is kept and may be replayed.

A call's body is what is signed: Ed25519 of the server's published key over ``DOMAIN`` and the
body, so a receiver proves it offline. It holds ids, never names or contents: who may read more
asks the API. Only hosts that the operator named are called, and no redirect is followed.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.notifications.wording import words
from inspection_plans.errors import Family

KIND = "webhook.call"
DOMAIN = b"MINGCHA-WEBHOOK-V1\n"
MOST = 20
COLUMNS = "id, region, url, events, note, created_at, ended_at"
ADD = """
insert into webhook (id, region, url, events, note, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
ONE = f"select {COLUMNS} from webhook where id = $1"  # noqa: S608 - constants
PAGE = f"""
select {COLUMNS} from webhook where ($1 or ended_at is null) order by id
"""  # noqa: S608 - constants
END = """
update webhook set ended_by = $2, ended_at = $3 where id = $1 and ended_at is null returning region
"""
CALLS = """
select id, webhook, event, place, convert_from(body, 'UTF8') as body, progress, attempts, status,
  fault, created_at, due_at, ended_at, replay_of from webhook_call
where webhook = $1 and ($2::uuid is null or id < $2) and ($3::text is null or progress = $3)
order by id desc limit $4
"""
REPLAY = """
insert into webhook_call (id, region, webhook, event, place, body, progress, attempts, created_at,
  due_at, replay_of)
select $1, c.region, c.webhook, c.event, c.place, c.body, 'waiting', 0, $3, $3, c.id
from webhook_call c join webhook w on w.id = c.webhook and w.ended_at is null
where c.id = $2 and c.progress <> 'waiting' returning region, webhook
"""


class HostUnknown(ServiceRefusal):
    """The operator has not named this host as one that may be called."""

    code = "webhook.host_unknown"
    family = Family.DENIED


class EventUnknown(ServiceRefusal):
    """No such event leaves the house."""

    code = "webhook.event_unknown"


class TooMany(ServiceRefusal):
    """An office has twenty webhooks at most."""

    code = "webhook.too_many"
    family = Family.LIMIT


class NotOver(ServiceRefusal):
    """A call that still waits, or one of an ended webhook, is not replayed."""

    code = "webhook.not_over"
    family = Family.CONFLICT


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to call and on which events; ``note`` says for whom."""

    url: Annotated[str, Meta(max_length=400, pattern=r"\Ahttps?://[!-~]+\Z")]
    events: Annotated[tuple[str, ...], Meta(min_length=1, max_length=60)]
    note: Annotated[str, Meta(min_length=1, max_length=200)]


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One address that is told of events."""

    id: UUID
    region: int
    url: str
    events: tuple[str, ...]
    note: str
    created_at: datetime
    ended_at: datetime | None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook; ``place`` is the entry's number in the log."""

    id: UUID
    webhook: UUID
    event: str
    place: int
    body: str
    progress: Literal["waiting", "delivered", "failed"]
    attempts: int
    status: int | None
    fault: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    replay_of: UUID | None


def events() -> tuple[str, ...]:
    """What a webhook may be told of."""
    return words().outside


def allowed(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether the operator named this address's host; without TLS only with its port, loopback."""
    place = urlsplit(url)
    if place.username or place.password or place.fragment:
        return False
    return place.netloc in hosts if place.scheme == "http" else place.hostname in hosts


async def add(new: NewWebhook, *, act: Act, hosts: tuple[str, ...]) -> Webhook:
    """Begin to tell an address of events of the caller's region and below.

    Raises: HostUnknown ("webhook.host_unknown"), EventUnknown, TooMany.
    """
    if not allowed(new.url, hosts):
        raise HostUnknown(field="url")
    if unknown := sorted(set(new.events) - set(events())):
        raise EventUnknown(field="events", unknown=unknown)
    ident = act.new_id()
    async with DB.transaction(act.by.scope):
        if len(await DB.connection.fetch(PAGE, False)) >= MOST:
            raise TooMany(most=MOST)
        await DB.connection.execute(
            ADD, ident, act.by.region, new.url, list(new.events), new.note, act.by.id, act.at
        )
        await audit.record(act, "webhook.added", "webhook", ident, region=act.by.region)
        return _of(await DB.connection.fetchrow(ONE, ident))


def _of(row: Any) -> Webhook:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Webhook)


async def page(*, act: Act, ended: bool = False) -> tuple[Webhook, ...]:
    """Webhooks of the caller's scope; with ``ended`` also those that are over."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, ended)
    return tuple(_of(row) for row in rows)


async def end(ident: UUID, *, act: Act) -> Webhook:
    """Tell it nothing more; what waits is given up at its next try. Raises: Absent."""
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(END, ident, act.by.id, act.at)
        if region is None:
            raise Absent
        await audit.record(act, "webhook.ended", "webhook", ident, region=region)
        return _of(await DB.connection.fetchrow(ONE, ident))


async def calls(
    ident: UUID,
    *,
    act: Act,
    progress: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[Call, ...]:
    """The log of one webhook, the newest first. Raises: Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        _of(await DB.connection.fetchrow(ONE, ident))
        rows = await DB.connection.fetch(CALLS, ident, after, progress, limit)
    return tuple(msgspec.convert(dict(row), Call) for row in rows)


async def replay(call: UUID, *, act: Act) -> Call:
    """Send the same bytes again as a new call, whatever became of the first.

    Raises: Absent, NotOver ("webhook.not_over").
    """
    ident = act.new_id()
    async with DB.transaction(act.by.scope):
        if not await DB.connection.fetchval(
            "select count(*) from webhook_call where id = $1", call
        ):
            raise Absent
        row = await DB.connection.fetchrow(REPLAY, ident, call, act.at)
        if row is None:
            raise NotOver
        await tasks.enqueue(KIND, {"call": str(ident)}, region=row["region"], at=act.at)
        await audit.record(
            act, "webhook.replayed", "webhook", row["webhook"], region=row["region"]
        )
        made = await DB.connection.fetch(CALLS, row["webhook"], None, None, 1)
    return msgspec.convert(dict(made[0]), Call)
