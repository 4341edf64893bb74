"""A person's own inbox, ways to be reached and calendar; what left the house."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from backend.api.routes import delete, get, post, put
from backend.clock import token
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.notifications import calendar, inbox, outgoing, reach
from backend.services.notifications.inbox import Message
from backend.services.notifications.outgoing import Delivery
from backend.services.notifications.reach import Reach, Ways
from backend.settings import Settings
from media import base64url

NOT_KEPT = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}


class ReadIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages were read; null means every one."""

    messages: tuple[UUID, ...] | None = None


class Counted(Struct, frozen=True):
    """How many messages."""

    count: int


class CalendarOut(Struct, frozen=True):
    """The address of the feed; its secret part is shown this once."""

    url: str


@get("/api/v1/inbox", action="inbox.own")
async def page(
    act: Act,
    unread: Annotated[bool, QueryParameter(name="unread")] = False,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Message, ...]:
    """The caller's own messages, newest first."""
    return await inbox.page(act=act, unread=unread, after=after, limit=limit)


@get("/api/v1/inbox/unread", action="inbox.own")
async def unread(act: Act) -> Counted:
    """How many are not read yet, counted up to 100."""
    return Counted(await inbox.unread(act=act))


@post("/api/v1/inbox/read", action="inbox.own", status_code=200)
async def read(data: JSONBody[ReadIn], act: Act) -> Counted:
    """Mark messages read; how many were new."""
    return Counted(await inbox.read(data.messages, act=act))


@get("/api/v1/reach", action="inbox.own")
async def own(act: Act) -> Reach:
    """How the caller is reached outside."""
    return await reach.own(act=act)


@put("/api/v1/reach", action="inbox.own")
async def save(data: JSONBody[Ways], act: Act) -> Reach:
    """Set mail address, mobile number and language."""
    return await reach.save(data, act=act)


@post("/api/v1/reach/calendar", action="inbox.own", status_code=201)
async def open_calendar(act: Act, settings: Settings) -> CalendarOut:
    """Make a new secret address of the caller's calendar; the old one opens nothing any more."""
    secret = base64url.encode(token())
    await reach.open_calendar(secret, act=act)
    return CalendarOut(f"{settings.origin}/calendar/{secret}.ics")


@delete("/api/v1/reach/calendar", action="inbox.own", status_code=204)
async def close_calendar(act: Act) -> None:
    """End the caller's calendar feed."""
    await reach.close_calendar(act=act)


@get("/calendar/{file:str}", action="calendar.read", include_in_schema=False)
async def feed(
    request: Request[Any, Any, Any],
    settings: Settings,
    file: Annotated[str, PathParameter(max_length=100)],
) -> Response[bytes]:
    """The calendar that a secret address opens, as iCalendar."""
    secret = _secret(file)
    raw = await calendar.feed(secret, at=request.app.state.clock(), host=settings.log_origin)
    return Response(raw, media_type="text/calendar", headers=NOT_KEPT)


def _secret(file: str) -> str:
    """The secret of a feed's file name. Raises: Absent, as for one that never was."""
    secret, dot, suffix = file.partition(".")
    if (dot, suffix) != (".", "ics") or not reach.SECRET.match(secret):
        raise Absent
    return secret


@get("/api/v1/deliveries", action="deliveries.read")
async def deliveries(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Delivery, ...]:
    """What went out by SMS and mail, or did not, newest first; without addresses."""
    return await outgoing.page(act=act, after=after, limit=limit)


HANDLERS = [page, unread, read, own, save, open_calendar, close_calendar, feed, deliveries]
