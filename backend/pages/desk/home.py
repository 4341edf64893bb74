"""The desk's first page: what needs me now."""

from typing import Any

from litestar import Response
from litestar.response import Redirect

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.render import link
from backend.pages.routes import get
from backend.pages.words import language_of
from backend.services import recovery, waiting
from backend.services.act import Act

# matter → the page where it is settled
PAGES: dict[str, str] = {
    "plans": "/desk/plans?state=submitted",
    "second": "/desk/second",
    "decisions": "/desk/visits?state=needs_decision",
    "doubts": "/desk/strays#doubts",
    "letters": "/desk/strays#letters",
    "unsent": "/desk/strays#phones",
    "alarms": "/desk/strays#alarms",
    "lost": "/desk/strays#lost",
    "visits": "/desk/visits?state=complete",
    "findings": "/desk/findings?state=suspected",
    "legal": "/desk/notices?state=legal_review",
    "approvals": "/desk/notices?state=draft",
    "service": "/desk/notices?state=approved",
    "overdue": "/desk/notices?overdue=true",
    "replies": "/desk/notices?state=answered",
    "asked": "/desk/notices#asked",
    "teams": "/desk/visits?state=drawn",
    "case_reviews": "/desk/cases?state=verified",
    "due": "/desk/publications",
    "previews": "/desk/publications?state=prepared",
    "answers": "/portal",
}


@get("/desk", action="session.own")
async def home(request: Asked, act: Act) -> Response[Any]:
    """What waits, by matter, each with the page that settles it; institutions have a portal."""
    if act.by.kind == "institution":
        return Redirect(link("/portal", language_of(request)), status_code=303)
    values = {
        "waiting": await waiting.lines(act=act),
        "pages": PAGES,
        "halt": await recovery.halted(),
    }
    return desk(request, act, "desk/home.html", values, here="home")


HANDLERS = [home]
