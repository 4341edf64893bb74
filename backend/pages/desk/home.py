"""The desk's first page: who I am and what waits for me."""

from typing import Any

from litestar import Request, Response

from backend.pages.render import page
from backend.pages.routes import get
from backend.services import recovery, waiting
from backend.services.act import Act


@get("/desk", action="session.own")
async def home(request: Request[Any, Any, Any], act: Act) -> Response[str]:
    """What waits, by matter, with its address in the API."""
    values = {
        "person": act.by,
        "waiting": await waiting.lines(act=act),
        "halt": await recovery.halted(),
    }
    return page(request, "desk/home.html", values)


HANDLERS = [home]
