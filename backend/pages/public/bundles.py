"""The programs that check an evidence bundle 证据包, and the fingerprints to compare with."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from litestar import Request, Response

from backend.keyring import Keyring
from backend.pages.render import HEADERS, page
from backend.pages.routes import get
from backend.services.dossiers.papers import fingerprint
from media.dossier.program import programs

TYPES = {
    "verify.html": "text/html; charset=utf-8",
    "verify.py": "text/x-python; charset=utf-8",
    "verify.sh": "text/x-shellscript; charset=utf-8",
}


@dataclass(frozen=True)
class Program:
    """One program as it may be downloaded."""

    name: str
    content: bytes
    sha256: str


def _programs() -> list[Program]:
    return [Program(name, raw, sha256(raw).hexdigest()) for name, raw in programs().items()]


@get("/bundles/check", action="public.read")
async def how(request: Request[Any, Any, Any]) -> Response[Any]:
    """How to check a bundle: which program, which fingerprints; nothing is sent to us."""
    keys: Keyring = request.app.state.keyring
    values = {
        "programs": _programs(),
        "server": fingerprint(keys.server.public),
        "log": fingerprint(keys.log.public),
    }
    headers = {"Cache-Control": "public, no-cache"}
    return page(request, "public/bundles.html", values, headers=headers)


@get(["/verify.html", "/verify.py", "/verify.sh"], action="public.read")
async def program(request: Request[Any, Any, Any]) -> Response[bytes | None]:
    """One of the programs, to be kept and run elsewhere: never as a page of this site."""
    found = next(one for one in _programs() if f"/{one.name}" == request.url.path)
    etag = f'"{found.sha256}"'
    headers = {
        **HEADERS,
        "ETag": etag,
        "Cache-Control": "public, no-cache",
        "Content-Disposition": f'attachment; filename="{found.name}"',
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers=headers)
    return Response(found.content, media_type=TYPES[found.name], headers=headers)


HANDLERS = [how, program]
