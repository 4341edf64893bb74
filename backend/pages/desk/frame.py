"""The frame of every page of the desk: who am I, where am I, what was just done, how it looks."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.params import URLEncodedBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.pages import style
from backend.pages.desk import menu
from backend.pages.forms import SAID, Asked
from backend.pages.render import link, page
from backend.pages.routes import post
from backend.pages.words import language_of, say
from backend.services import listings, policy
from backend.services.act import Act

THEME = "theme"
YEAR = 365 * 24 * 3600


def _policy(store: str) -> dict[str, str]:
    """Our own files, and pictures from the object store they are redirected to."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            f" img-src 'self' {store}; media-src 'self' {store};"
            " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    }


def theme_of(request: Request[Any, Any, Any]) -> style.Theme:
    """Light or dark as this browser's person chose."""
    chosen = request.cookies.get(THEME, "system")
    return chosen if chosen in style.THEMES else "system"


def _just_done(request: Asked) -> str:
    """What was just done, told once."""
    told = request.session.pop(SAID, None)
    if not told:
        return ""
    key, facts = told
    return say(f"said.{key}", language_of(request), **facts)


def desk(
    request: Asked,
    act: Act,
    template: str,
    values: Mapping[str, object],
    *,
    here: str,
    status: int = 200,
) -> Response[str]:
    """A page of the desk; ``here`` is its key in the menu."""
    store = request.app.state.jobs.settings.store.public_endpoint
    framed = {
        "person": act.by,
        "menu": menu.of(act.by),
        "here": here,
        "exportable": listings.names(act.by),
        "may_search": policy.allowed("visits.read", act.by.roles, signed_in=True),
        "just_done": _just_done(request),
        "theme": theme_of(request),
        "address": request.url.path,
        **values,
    }
    return page(request, template, framed, status=status, headers=_policy(store))


class ThemeForm(Struct, frozen=True):
    """``back`` is the page to return to, by its path."""

    theme: Annotated[str, Meta(pattern=r"^(system|light|dark)\Z")]
    back: Annotated[str, Meta(max_length=400, pattern=r"^/[a-z]+(/[A-Za-z0-9._-]+)*\Z")] = "/desk"


@post("/desk/theme", action="session.own")
async def choose_theme(request: Asked, data: URLEncodedBody[ThemeForm]) -> Response[Any]:
    """Remember light or dark in this browser."""
    answer: Response[Any] = Redirect(link(data.back, language_of(request)), status_code=303)
    answer.set_cookie(
        Cookie(
            key=THEME,
            value=data.theme,
            max_age=YEAR,
            httponly=True,
            samesite="lax",
            secure=request.app.state.jobs.settings.secure_cookies,
        )
    )
    return answer


HANDLERS = [choose_theme]
