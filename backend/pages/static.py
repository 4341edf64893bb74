"""Style sheet and scripts, served under their digest so that a copy may be kept for ever."""

from litestar import Response
from litestar.params import FromPath

from backend.pages import scripts, style
from backend.pages.routes import get
from backend.services.errors import Absent

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
# A worker lives by the policy of its own script, not by that of the page.
WORKER = {"Content-Security-Policy": "default-src 'none'; script-src 'self'"}


@get("/assets/{version:str}/mingcha.css", action="public.read")
async def css(version: FromPath[str]) -> Response[bytes]:
    """The style sheet of this version."""
    known, content = style.sheet()
    if version != known:
        raise Absent
    return Response(content, media_type="text/css; charset=utf-8", headers=HEADERS)


@get("/assets/{version:str}/js/{name:path}", action="public.read")
async def script(version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A script of this version."""
    content = scripts.files().get(name.lstrip("/"))
    if version != scripts.version() or content is None:
        raise Absent
    headers = {**HEADERS, **WORKER}
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)


HANDLERS = [css, script]
