"""The inspector's application 检查员手机端: its built files, as the build left them."""

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.params import FromPath
from litestar.response import Redirect

from backend.pages.routes import get
from backend.services.errors import Absent
from backend.settings import Settings

FOREVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"
NAMED = {".webmanifest": "application/manifest+json", ".js": "text/javascript; charset=utf-8"}


def policy(settings: Settings) -> dict[str, str]:
    """Nothing but our own files, the app, and the object store that photos are sent to."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"
            " img-src 'self' blob:; media-src blob:; worker-src 'self'; manifest-src 'self';"
            f" connect-src 'self' {settings.store.public_endpoint};"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(self)",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _file(folder: Path, name: str) -> Path:
    """A file of the build; raises Absent for anything else."""
    wanted = (folder / name).resolve()
    if not wanted.is_relative_to(folder.resolve()) or not wanted.is_file():
        raise Absent
    return wanted


@lru_cache(maxsize=128)
def _packed(content: bytes) -> bytes:
    # A fixed time, so that every process sends the same bytes.
    return gzip.compress(content, mtime=0)


def _served(request: Request[Any, Any, Any], settings: Settings, name: str) -> Response[bytes]:
    """One file, packed where the browser can unpack it: a slow line carries a third of it."""
    file = _file(settings.phone_folder, name)
    kind = NAMED.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    kept = FOREVER if name.startswith("assets/") else ANEW
    content, headers = file.read_bytes(), {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", "") and file.suffix != ".png":
        content, headers = _packed(content), headers | {"Content-Encoding": "gzip"}
    return Response(
        content,
        media_type=kind or "application/octet-stream",
        headers=policy(settings) | headers,
    )


@get("/phone", action="public.read", sync_to_thread=True)
def door(request: Request[Any, Any, Any], settings: Settings) -> Response[bytes] | Response[None]:
    """The application; within its own folder alone may its worker work."""
    if not request.scope["raw_path"].endswith(b"/"):
        return Redirect("/phone/", status_code=308)
    return _served(request, settings, "index.html")


@get("/phone/{name:path}", action="public.read", sync_to_thread=True)
def shell(
    name: FromPath[str], request: Request[Any, Any, Any], settings: Settings
) -> Response[bytes]:
    """One file; those whose name carries their digest may be kept for ever."""
    return _served(request, settings, name.strip("/"))


HANDLERS = [door, shell]
