"""Signing in and out with a server-side session, and the one-time link of a first password."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.pages.render import link, page
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import accounts, sessions
from backend.services.accounts import LinkUsed, PasswordWeak, SignInFailed, SignInLocked
from backend.services.errors import STATUS, ServiceRefusal
from backend.services.texts import wording

ACCOUNT = "account"
COOKIES = ("__Host-session", "session")


class SignInForm(Struct, frozen=True):
    login: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class PasswordForm(Struct, frozen=True):
    password: Annotated[str, Meta(min_length=1, max_length=256)]


async def _forget(request: Request[Any, Any, Any]) -> None:
    """End the session of this browser; an id that somebody planted is never taken over."""
    for name in COOKIES:
        if old := request.cookies.pop(name, None):
            await sessions.drop(old)
    request.clear_session()


async def _begin(request: Request[Any, Any, Any], account: UUID) -> Response[Any]:
    await _forget(request)
    request.set_session({ACCOUNT: str(account)})
    return Redirect(link("/desk", language_of(request)), status_code=303)


def _again(
    request: Request[Any, Any, Any], template: str, refusal: ServiceRefusal, typed: dict[str, str]
) -> Response[Any]:
    """The form once more: what was typed stays, except the password."""
    refused = wording(refusal.code, language_of(request))
    status = STATUS[str(refusal.family)]
    return page(request, template, {"refused": refused, **typed}, status=status)


@get("/desk/sign-in", action="session.open")
async def form(request: Request[Any, Any, Any]) -> Response[str]:
    """The form."""
    return page(request, "desk/sign_in.html", {"refused": None, "login": ""})


@post("/desk/sign-in", action="session.open")
async def sign_in(
    request: Request[Any, Any, Any], data: URLEncodedBody[SignInForm], state: State
) -> Response[Any]:
    """Sign in; a wrong password shows the form again."""
    try:
        person = await accounts.sign_in(data.login, data.password, at=state.clock())
    except (SignInFailed, SignInLocked) as refusal:
        return _again(request, "desk/sign_in.html", refusal, {"login": data.login})
    return await _begin(request, person.id)


@post("/desk/sign-out", action="session.own")
async def sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    """End the session."""
    await _forget(request)
    return Redirect(link("/desk/sign-in", language_of(request)), status_code=303)


@get("/desk/first/{secret:str}", action="session.open")
async def first(secret: FromPath[str], request: Request[Any, Any, Any]) -> Response[str]:
    """The form behind a one-time link; looking at it does not use it up."""
    return page(request, "desk/first.html", {"refused": None, "secret": secret})


@post("/desk/first/{secret:str}", action="session.open")
async def set_password(
    secret: FromPath[str],
    request: Request[Any, Any, Any],
    data: URLEncodedBody[PasswordForm],
    state: State,
) -> Response[Any]:
    """Set the password and sign in; the link is used up."""
    try:
        person = await accounts.use_link(secret, data.password, at=state.clock())
    except (LinkUsed, PasswordWeak) as refusal:
        return _again(request, "desk/first.html", refusal, {"secret": secret})
    return await _begin(request, person.id)


HANDLERS = [form, sign_in, sign_out, first, set_password]
