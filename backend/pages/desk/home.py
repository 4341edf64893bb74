"""The desk's first page: what needs me now."""

from litestar import Response

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.routes import get
from backend.services import recovery, waiting
from backend.services.act import Act

# matter → the page where it is settled
PAGES: dict[str, str] = {}


@get("/desk", action="session.own")
async def home(request: Asked, act: Act) -> Response[str]:
    """What waits, by matter, each with the page that settles it."""
    values = {
        "waiting": await waiting.lines(act=act),
        "pages": PAGES,
        "halt": await recovery.halted(),
    }
    return desk(request, act, "desk/home.html", values, here="home")


HANDLERS = [home]
