"""Does this document exist 文书验证: what the square code on a paper leads to, and no more."""

from contextlib import suppress
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect

from backend.pages.press import served
from backend.pages.render import HEADERS, html, link
from backend.pages.routes import public
from backend.pages.words import language_of
from backend.services import documents
from backend.services.errors import Absent

LOOSE = str.maketrans("", "", " -\u3000")


@public("/documents", action="public.read")
async def ask(
    request: Request[Any, Any, Any],
    code: Annotated[str, QueryParameter(name="code", max_length=60)] = "",
) -> Response[Any]:
    """The form for a code that was typed."""
    typed = code.upper().translate(LOOSE)
    if typed.isalnum() and typed.isascii():
        where = link(f"/documents/{typed[:26]}", language_of(request))
        return Redirect(where, status_code=303)

    async def make() -> str:
        return html(request, "public/documents.html", {"code": "", "found": None})

    return await served(request, make)


@public("/documents/{code:str}", action="public.read")
async def one(
    code: Annotated[str, PathParameter(max_length=60)], request: Request[Any, Any, Any]
) -> Response[Any]:
    """Whether it exists, its number, day and digest, whether it is void; nothing that it says.

    Never kept: a document that is void must say so at once.
    """
    found = None
    with suppress(Absent):
        found = await documents.public(code.upper())
    values = {"code": code.upper(), "found": found}
    headers = {**HEADERS, "Cache-Control": "no-store"}
    raw = html(request, "public/documents.html", values).encode()
    status = 404 if found is None else 200
    return Response(raw, status_code=status, media_type="text/html", headers=headers)


HANDLERS = [ask, one]
MAIN = ("/documents",)
