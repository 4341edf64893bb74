"""The style sheet, served under its digest so that a copy may be kept for ever."""

from litestar import Response
from litestar.params import FromPath

from backend.pages import style
from backend.pages.routes import get
from backend.services.errors import Absent

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


@get("/assets/{version:str}/mingcha.css", action="public.read")
async def css(version: FromPath[str]) -> Response[bytes]:
    """The style sheet of this version."""
    known, content = style.sheet()
    if version != known:
        raise Absent
    return Response(content, media_type="text/css; charset=utf-8", headers=HEADERS)


HANDLERS = [css]
