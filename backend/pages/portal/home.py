"""The portal's first page: what waits for this institution, the nearest day first."""

from datetime import date

from litestar import Response

from backend.pages.forms import Asked
from backend.pages.portal.frame import portal
from backend.pages.routes import get
from backend.services import notices
from backend.services.act import Act
from backend.services.notices import Notice, Wanted
from backend.services.notifications import inbox

SHOWN = 100
NEWEST = 10
OPEN = ("served", "answered", "under_review")


def nearest(notice: Notice) -> date:
    """The nearest day on which something of a notice is due."""
    days = [line.due_on for line in notice.findings if line.due_on and line.outcome != "accepted"]
    return min(days, default=notice.due_on or date.max)


@get("/portal", action="institution.own")
async def home(request: Asked, act: Act) -> Response[str]:
    """Open notices with their countdown, then those that are over."""
    found = await notices.page(Wanted(), act=act, limit=SHOWN)
    waiting = sorted((one for one in found if one.state in OPEN), key=nearest)
    values = {
        "waiting": waiting,
        "over": [one for one in found if one.state not in OPEN],
        "full": len(found) == SHOWN,
        "messages": await inbox.page(act=act, limit=NEWEST),
    }
    return portal(request, act, "portal/home.html", values, here="portal_home")


HANDLERS = [home]
