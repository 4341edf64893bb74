"""Style sheet and scripts, served under their digest so that a copy may be kept for ever."""

import gzip
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from litestar import Request, Response
from litestar.params import FromPath

from backend.pages import built, scripts, style
from backend.pages.routes import get
from backend.services.errors import Absent

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
# A worker lives by the policy of its own script, not by that of the page.
WORKER = {"Content-Security-Policy": "default-src 'none'; script-src 'self'"}
CSS = "text/css; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"
ICON = style.ASSETS / "icon.svg"


@lru_cache(maxsize=256)
def _packed(content: bytes) -> bytes:
    # A fixed time, so that every process sends the same bytes.
    return gzip.compress(content, mtime=0)


def _sent(
    request: Request[Any, Any, Any],
    content: bytes,
    kind: str,
    headers: Mapping[str, str] = HEADERS,
) -> Response[bytes]:
    """One file, packed where the browser can unpack it; nothing secret is in it."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content, media_type=kind, headers=dict(headers))
    packed = {**headers, "Content-Encoding": "gzip"}
    return Response(_packed(content), media_type=kind, headers=packed)


@get("/assets/{version:str}/{name:str}", action="public.read")
async def css(
    version: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any]
) -> Response[bytes]:
    """The style sheet of this version, in the theme that its name says."""
    for theme in style.THEMES:
        if style.address(theme) == f"/assets/{version}/{name}":
            return _sent(request, style.sheet(theme)[1], CSS)
    raise Absent


@get("/assets/{version:str}/built/{name:str}", action="public.read")
async def other(
    version: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any]
) -> Response[bytes]:
    """A file of others, as the build copied it."""
    if built.address(name) != f"/assets/{version}/built/{name}":
        raise Absent
    kind = built.KINDS[PurePosixPath(name).suffix]
    return _sent(request, built.files()[name], kind)


@get("/assets/{version:str}/js/{name:path}", action="public.read")
async def script(
    version: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any]
) -> Response[bytes]:
    """A script of this version."""
    content = scripts.files().get(name.lstrip("/"))
    if version != scripts.version() or content is None:
        raise Absent
    return _sent(request, content, JAVASCRIPT, {**HEADERS, **WORKER})


@get("/favicon.ico", action="public.read")
async def icon(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The mark of the product in a browser's tab; its address is the browsers' own."""
    headers = {**HEADERS, "Cache-Control": "public, max-age=86400"}
    return _sent(request, ICON.read_bytes(), built.KINDS[".svg"], headers)


HANDLERS = [css, other, script, icon]
