"""The inspector's application 检查员手机端: its built files, as the build left them."""

import mimetypes
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


def _served(settings: Settings, name: str) -> Response[bytes]:
    file = _file(settings.phone_folder, name)
    kind = NAMED.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    kept = FOREVER if name.startswith("assets/") else ANEW
    return Response(
        file.read_bytes(),
        media_type=kind or "application/octet-stream",
        headers=policy(settings) | {"Cache-Control": kept},
    )


@get("/phone", action="public.read", sync_to_thread=True)
def door(request: Request[Any, Any, Any], settings: Settings) -> Response[bytes] | Response[None]:
    """The application; within its own folder alone may its worker work."""
    if not request.scope["raw_path"].endswith(b"/"):
        return Redirect("/phone/", status_code=308)
    return _served(settings, "index.html")


@get("/phone/{name:path}", action="public.read", sync_to_thread=True)
def shell(name: FromPath[str], settings: Settings) -> Response[bytes]:
    """One file; those whose name carries their digest may be kept for ever."""
    return _served(settings, name.strip("/"))


HANDLERS = [door, shell]
