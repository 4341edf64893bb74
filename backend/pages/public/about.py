"""What stands still: licence, whom to write to, and where data and feeds are."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response

from backend.pages.press import served
from backend.pages.public.publications import KINDS
from backend.pages.public.statistics import TABLES
from backend.pages.render import html
from backend.pages.routes import public
from inspection_plans.library import Library

PAGES = ("licence", "contact", "feeds")
# The clauses in which the notices name who answers questions.
CONTACT = "escalation_contact"


def _still(name: str) -> Callable[..., Any]:
    async def page(request: Request[Any, Any, Any], rules: Library) -> Response[bytes | None]:
        """A page that changes with the program alone."""

        async def make() -> str:
            contacts = [one for one in rules.clauses.values() if one.concept == CONTACT]
            values = {
                "kinds": KINDS,
                "tables": TABLES,
                "contacts": contacts,
                "packs": rules.packs,
            }
            return html(request, f"public/{name}.html", values)

        return await served(request, make)

    return public(f"/{name}", action="public.read", name=f"public.{name}")(page)


HANDLERS = [_still(name) for name in PAGES]
MAIN = tuple(f"/{name}" for name in PAGES)
