"""The public page 公示: plans, draws and results with their wordings and corrections."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from backend.pages import style
from backend.pages.render import HEADERS, page
from backend.pages.routes import get
from backend.pages.words import language_of
from backend.services import publications
from backend.services.accounts import on_day
from backend.services.publications import Kind, Public

KINDS: tuple[Kind, ...] = ("plan", "draw", "result")
SHELF = 20


class Shelf(msgspec.Struct, frozen=True):
    """The publications of one kind on the page; ``older`` is where the next page begins."""

    kind: Kind
    items: tuple[Public, ...]
    older: UUID | None


def answer(
    request: Request[Any, Any, Any],
    template: str,
    shown: tuple[Public, ...],
    values: Mapping[str, object],
) -> Response[Any]:
    """A page that a cache may keep and must ask about again, or 304."""
    plain = publications.etag(shown).strip('"')
    etag = f'"{plain}-{style.sheet()[0]}-{language_of(request)}"'
    headers = {"ETag": etag, "Cache-Control": "public, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers={**HEADERS, **headers})
    return page(request, template, values, headers=headers)


async def _shelf(kind: Kind, after: UUID | None, today: date) -> Shelf:
    found = await publications.public_page(today=today, kind=kind, after=after, limit=SHELF)
    return Shelf(kind, found, found[-1].id if len(found) == SHELF else None)


@get("/", action="public.read")
async def first(
    request: Request[Any, Any, Any],
    state: State,
    kind: Annotated[Kind | None, QueryParameter(name="kind")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[Any]:
    """The newest of each kind, or one kind further back."""
    today = on_day(state.clock())
    shelves = [await _shelf(each, after, today) for each in ((kind,) if kind else KINDS)]
    shown = tuple(item for shelf in shelves for item in shelf.items)
    return answer(request, "public/publications.html", shown, {"shelves": shelves, "kind": kind})


@get("/publications/{publication_id:uuid}", action="public.read")
async def one(publication_id: FromPath[UUID], request: Request[Any, Any, Any]) -> Response[Any]:
    """One publication, with what it replaced."""
    item = await publications.public_one(publication_id)
    return answer(request, "public/publication.html", (item,), {"item": item})


HANDLERS = [first, one]
