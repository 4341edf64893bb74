"""What is public 公示: plans, draws and results, each alone and in its list, before and after."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from backend.pages.press import served
from backend.pages.public import feeds
from backend.pages.render import html
from backend.pages.routes import public
from backend.services import publications
from backend.services.accounts import on_day
from backend.services.publications import Kind, Public
from backend.settings import Settings

SHELF = 20
FEED = 50
KINDS: dict[str, Kind] = {"plans": "plan", "draws": "draw", "results": "result"}
After = Annotated[UUID | None, QueryParameter(name="after")]


class Shelf(msgspec.Struct, frozen=True):
    """The publications of one kind on a page; ``older`` is where the next page begins."""

    kind: Kind
    items: tuple[Public, ...]
    older: UUID | None


def _lister(path: str, kind: Kind) -> Callable[..., Any]:
    async def page(
        request: Request[Any, Any, Any], state: State, after: After = None
    ) -> Response[bytes | None]:
        """The newest of one kind, or those further back."""

        async def make() -> str:
            found = await publications.public_page(
                today=on_day(state.clock()), kind=kind, after=after, limit=SHELF
            )
            shelf = Shelf(kind, found, found[-1].id if len(found) == SHELF else None)
            return html(
                request, "public/list.html", {"shelf": shelf, "path": path, "after": after}
            )

        return await served(request, make)

    return public(f"/{path}", action="public.read", name=f"public.{path}")(page)


def _data(path: str, kind: Kind) -> Callable[..., Any]:
    async def page(request: Request[Any, Any, Any], state: State) -> Response[bytes | None]:
        """The newest of one kind as data."""

        async def make() -> str:
            found = await publications.public_page(
                today=on_day(state.clock()), kind=kind, limit=FEED
            )
            return msgspec.json.encode(found).decode()

        return await served(request, make, kind="json")

    return public(f"/{path}.json", action="public.read", name=f"public.{path}.json")(page)


def _feed(path: str, kind: Kind) -> Callable[..., Any]:
    async def page(
        request: Request[Any, Any, Any], state: State, settings: Settings
    ) -> Response[bytes | None]:
        """The newest of one kind for a feed reader."""

        async def make() -> str:
            found = await publications.public_page(
                today=on_day(state.clock()), kind=kind, limit=FEED
            )
            return feeds.atom(request, path, kind, found, origin=settings.origin)

        return await served(request, make, kind="atom")

    return public(f"/{path}.atom", action="public.read", name=f"public.{path}.atom")(page)


@public("/publications/{publication_id:uuid}", action="public.read")
async def one(
    publication_id: FromPath[UUID], request: Request[Any, Any, Any]
) -> Response[bytes | None]:
    """One publication, with what it replaced."""

    async def make() -> str:
        item = await publications.public_one(publication_id)
        return html(request, "public/publication.html", {"item": item})

    return await served(request, make)


@public("/publications/{publication_id:uuid}/json", action="public.read")
async def one_as_data(
    publication_id: FromPath[UUID], request: Request[Any, Any, Any]
) -> Response[bytes | None]:
    """One publication as data."""

    async def make() -> str:
        return msgspec.json.encode(await publications.public_one(publication_id)).decode()

    return await served(request, make, kind="json")


HANDLERS = [
    *(_lister(path, kind) for path, kind in KINDS.items()),
    *(_data(path, kind) for path, kind in KINDS.items()),
    *(_feed(path, kind) for path, kind in KINDS.items()),
    one,
    one_as_data,
]
MAIN = tuple(f"/{path}{kind}" for path in KINDS for kind in ("", ".json", ".atom"))
