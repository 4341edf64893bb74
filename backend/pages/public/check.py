"""Check a draw yourself 自己验证: the record is replayed in the reader's own browser."""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.params import PathParameter, QueryParameter

from backend.pages import scripts, style
from backend.pages.render import HEADERS, page
from backend.pages.routes import get
from backend.pages.words import Language, language_of, say, words
from backend.services import verifier

# Beside the strict policy of all pages: our own scripts, and the record from our own address.
POLICY = HEADERS["Content-Security-Policy"] + (
    "; script-src 'self'; worker-src 'self'; connect-src 'self'"
)
# What the script says by itself, and how it names parts of a record and of its log.
LABELS = (
    *("ok", "bad", "skipped", "more", "checks", "checked", "published", "compare", "loading"),
    *("running", "offline", "absent", "refused", "nothing", "broken"),
)
TERMS = (
    *("selection", "assignment", "days", "seed", "status", "totals", "objects", "inspectors"),
    *("blocked", "attempt_open", "plan", "freeze", "commit", "entropy", "reveal", "result"),
    *("void", "disclose", "opening", "draw"),
)


def _labels(language: Language) -> dict[str, object]:
    """The words of the script, in one language; facts are filled in by the script."""
    said = {name: say(f"check.{name}", language) for name in LABELS}
    return {**said, "terms": {name: say(f"term.{name}", language) for name in TERMS}}


def _etag(request: Request[Any, Any, Any]) -> str:
    """What the page is made of; its words change with the program only."""
    parts = (style.sheet()[0], scripts.version(), verifier.program().sha256, str(request.url))
    return f'"{sha256(repr((parts, words())).encode()).hexdigest()[:32]}"'


def _checking(
    request: Request[Any, Any, Any], code: str | None, attempt: int | None
) -> Response[Any]:
    etag = _etag(request)
    headers = {
        "Content-Security-Policy": POLICY,
        "ETag": etag,
        "Cache-Control": "public, no-cache",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers={**HEADERS, **headers})
    record = None if code is None else f"/api/v1/public/draws/{code}"
    if record and attempt:
        record += f"?attempt={attempt}"
    language = language_of(request)
    values = {
        "code": code,
        "attempt": attempt,
        "record": record,
        "script": scripts.address("check/page.js"),
        "program": verifier.program(),
        "sentences": msgspec.to_builtins(verifier.vocabulary(language)),
        "labels": _labels(language),
    }
    return page(request, "public/check.html", values, headers=headers)


@get("/draws/check", action="public.read")
async def anything(request: Request[Any, Any, Any]) -> Response[Any]:
    """The page for a record that was downloaded elsewhere."""
    return _checking(request, None, None)


@get("/draws/{code:str}/check", action="public.read")
async def one(
    request: Request[Any, Any, Any],
    code: Annotated[str, PathParameter(max_length=64, pattern=r"^[0-9A-Za-z-]+$")],
    attempt: Annotated[int | None, QueryParameter(name="attempt", ge=1, le=1000)] = None,
) -> Response[Any]:
    """The page for a draw; no query is made here, the browser asks for the record itself."""
    return _checking(request, code, attempt)


@get("/verify_draw.py", action="public.read")
async def program(request: Request[Any, Any, Any]) -> Response[bytes | None]:
    """The verifier as one file, for a check without this site."""
    found = verifier.program()
    etag = f'"{found.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "public, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": 'attachment; filename="verify_draw.py"',
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers=headers)
    return Response(found.content, media_type="text/x-python; charset=utf-8", headers=headers)


HANDLERS = [anything, one, program]
