"""The first page of everybody 首页: what this is, what one can do here, what is new."""

from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

from backend.pages.press import served
from backend.pages.public import tour
from backend.pages.public.publications import KINDS
from backend.pages.render import html
from backend.pages.routes import public
from backend.services import public_figures, publications
from backend.services.accounts import on_day
from backend.services.publications import Public
from backend.settings import Settings
from inspection_plans.library import Library

NEWEST = 3
# What one can do here, in the order in which people ask for it.
WAYS = (
    "institutions",
    "results",
    "draws",
    "documents",
    "certificates",
    "clauses",
    "plans",
    "tips",
)


@public("/", action="public.read")
async def first(
    request: Request[Any, Any, Any], state: State, rules: Library, settings: Settings
) -> Response[bytes | None]:
    """What this is, the ways in, the newest of each kind, and figures."""

    async def make() -> str:
        today = on_day(state.clock())
        newest: dict[str, tuple[Public, ...]] = {
            path: await publications.public_page(today=today, kind=kind, limit=NEWEST)
            for path, kind in KINDS.items()
        }
        values = {
            "ways": WAYS,
            "newest": newest,
            "kinds": KINDS,
            "figures": await public_figures.figures(today=today),
            "clauses": len(rules.clauses),
            "packs": len(rules.packs),
            "tour": tour.offered(settings),
        }
        return html(request, "public/front.html", values)

    return await served(request, make)


HANDLERS = [first]
MAIN = ("/",)
