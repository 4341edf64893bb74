"""The own inbox 消息: what happened that one should know; its count stands in the head."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromQuery

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.render import page as rendered
from backend.pages.routes import get, post
from backend.services.act import Act
from backend.services.notifications import inbox

LIMIT = 50
# What a message is about → where it is shown on the desk.
PAGES = {
    "visit": "/desk/visits/",
    "finding": "/desk/findings/",
    "notice": "/desk/notices/",
    "case": "/desk/cases/",
    "publication": "/desk/publications/",
    "plan": "/desk/plans/",
    "draw": "/desk/draws/",
}


async def _shown(
    request: Asked,
    act: Act,
    after: UUID | None = None,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    rows = await inbox.page(act=act, after=after, limit=LIMIT)
    values = {
        "rows": rows,
        "where": PAGES if act.by.institution is None else {"notice": "/portal/notices/"},
        "filled": filled,
        "shelf": shelf("/desk/inbox", rows, {}, limit=LIMIT, after=after),
    }
    return desk(request, act, "desk/inbox.html", values, here="inbox", status=status)


@get("/desk/inbox", action="inbox.own")
async def page(request: Asked, act: Act, after: FromQuery[UUID | None] = None) -> Response[Any]:
    """The newest messages, each with the page it is about."""
    return await _shown(request, act, after)


@get("/desk/inbox/count", action="inbox.own")
async def count(request: Asked, act: Act) -> Response[str]:
    """How many are unread, as the head of every page asks."""
    return rendered(request, "desk/inbox_count.html", {"unread": await inbox.unread(act=act)})


@post("/desk/inbox/read", action="inbox.own")
async def read(request: Asked, act: Act) -> Response[Any]:
    """Mark all messages read."""

    async def deed(_form: NothingForm) -> Done:
        await inbox.read(None, act=act)
        return Done("/desk/inbox", "inbox.read")

    async def again(filled: Filled, status: int) -> Response[Any]:
        return await _shown(request, act, None, filled, status)

    return await submitted(request, NothingForm, deed, again)


HANDLERS = [page, count, read]
