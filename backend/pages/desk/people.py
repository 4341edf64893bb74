"""Administration of people 人员: accounts, offices, roles, one-time links; never case content."""

import base64
from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from backend.clock import token
from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import accounts, offices, people, policy
from backend.services.act import Act

LIMIT = 50
Line = Annotated[str, Meta(min_length=1, max_length=100)]
Region = Annotated[int, Meta(ge=100_000, le=999_999)]
# Shown once on the next page, and nowhere kept but as its digest.
LINK = "first_link"


class AccountForm(Struct, frozen=True):
    login: Annotated[str, Meta(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9._@-]+\Z")]
    name: Line
    region: Region
    kind: Literal["office", "institution"] = "office"
    office: UUID | None = None
    institution: UUID | None = None


class OfficeForm(Struct, frozen=True):
    region: Region
    name: Line
    short_name: Annotated[str, Meta(min_length=1, max_length=20)]
    department: Annotated[str, Meta(min_length=1, max_length=60)]


class RoleForm(Struct, frozen=True):
    role: Annotated[str, Meta(min_length=1, max_length=40)]
    region: Region
    until: date | None = None


def _allowed(act: Act, action: str) -> bool:
    return policy.allowed(action, act.by.roles, signed_in=True)


def _regions(request: Asked, act: Act) -> list[tuple[int, str]]:
    language = language_of(request)
    return [(code, names.place(code, language)) for code in names.below(act.by.regions)]


async def _list(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    search: str = "",
    role: str = "",
    after: UUID | None = None,
) -> Response[Any]:
    found = await people.page(
        act=act,
        search=search.strip(),
        role=role if role in policy.ROLES else None,
        after=after,
        limit=LIMIT,
    )
    shown = {
        "rows": found,
        "roles": sorted(policy.ROLES),
        "offices": await people.offices(act=act),
        "regions": _regions(request, act),
        "manages": _allowed(act, "accounts.manage"),
        "filled": filled,
        "shelf": shelf(
            "/desk/people", found, {"search": search, "role": role}, limit=LIMIT, after=after
        ),
        "place": partial(names.place, language=language_of(request)),
    }
    return desk(request, act, "desk/people.html", shown, here="people", status=status)


@get("/desk/people", action="accounts.read")
async def page(
    request: Asked,
    act: Act,
    search: Annotated[str, QueryParameter(max_length=100, pattern=r"^[^\x00]*$")] = "",
    role: Annotated[str, QueryParameter(max_length=40)] = "",
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[Any]:
    """Accounts with the roles that are valid today."""
    return await _list(request, act, search=search, role=role, after=after)


@post("/desk/people", action="accounts.manage")
async def create(request: Asked, act: Act) -> Response[Any]:
    """Open an account; its one-time link is shown once."""

    async def deed(form: AccountForm) -> Done:
        link = base64.urlsafe_b64encode(token()).rstrip(b"=").decode()
        new = accounts.NewAccount(
            login=form.login,
            name=form.name,
            kind=form.kind,
            region=form.region,
            institution=form.institution,
            office=form.office,
        )
        account = await accounts.open_account(new, act=act)
        await accounts.make_link(account, link, act=act)
        request.session[LINK] = [str(account), link]
        return Done(f"/desk/people/{account}", "admin.opened")

    return await submitted(request, AccountForm, deed, partial(_list, request, act))


@post("/desk/offices", action="accounts.manage")
async def open_office(request: Asked, act: Act) -> Response[Any]:
    """Open an office 人社部门."""

    async def deed(form: OfficeForm) -> Done:
        new = offices.NewOffice(
            region=form.region,
            name=form.name,
            short_name=form.short_name,
            department=form.department,
        )
        await offices.open_office(new, act=act)
        return Done("/desk/people", "admin.office_opened")

    return await submitted(request, OfficeForm, deed, partial(_list, request, act))


def _told(request: Asked, account: UUID) -> str:
    """The one-time link of an account that was just made, told once."""
    kept = request.session.get(LINK)
    if not kept or kept[0] != str(account):
        return ""
    request.session.pop(LINK)
    return f"{request.app.state.jobs.settings.origin}/desk/first/{kept[1]}"


async def _shown(
    account: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    found = await people.view(account, act=act)
    field = bool(policy.FIELD.intersection(found.person.roles))
    shown = {
        "it": found.person,
        "assignments": found.roles,
        "phones": found.phones,
        "link_once": _told(request, account),
        "roles": sorted(policy.ROLES),
        "regions": _regions(request, act),
        "manages": _allowed(act, "accounts.manage"),
        "assigns": _allowed(act, "roles.manage"),
        "enrols": field and _allowed(act, "devices.approve"),
        "revokes": _allowed(act, "devices.revoke"),
        "filled": filled,
        "place": partial(names.place, language=language_of(request)),
    }
    return desk(request, act, "desk/person.html", shown, here="people", status=status)


@get("/desk/people/{account:uuid}", action="accounts.read")
async def one(account: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One account: its roles, its phones, and what may be done."""
    return await _shown(account, request, act)


@post("/desk/people/{account:uuid}/roles", action="roles.manage")
async def assign(account: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Give a role within a region and term."""

    async def deed(form: RoleForm) -> Done:
        await accounts.assign_role(
            account, form.role, region=form.region, until=form.until, act=act
        )
        return Done(f"/desk/people/{account}", "admin.assigned")

    return await submitted(request, RoleForm, deed, partial(_shown, account, request, act))


async def _pressed(
    account: UUID, request: Asked, act: Act, verb: Callable[[], Awaitable[object]], said: str
) -> Response[Any]:
    """A deed without fields."""

    async def deed(_form: NothingForm) -> Done:
        await verb()
        return Done(f"/desk/people/{account}", f"admin.{said}")

    return await submitted(request, NothingForm, deed, partial(_shown, account, request, act))


@post("/desk/people/{account:uuid}/roles/{assignment:uuid}/end", action="roles.manage")
async def end_role(
    account: FromPath[UUID], assignment: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """End a role now."""
    verb = partial(accounts.revoke_role, assignment, act=act)
    return await _pressed(account, request, act, verb, "role_ended")


@post("/desk/people/{account:uuid}/link", action="accounts.manage")
async def link_again(account: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Make another one-time link, for a person who lost the first or the password."""
    link = base64.urlsafe_b64encode(token()).rstrip(b"=").decode()

    async def verb() -> None:
        await accounts.make_link(account, link, act=act)
        request.session[LINK] = [str(account), link]

    return await _pressed(account, request, act, verb, "linked")


@post("/desk/people/{account:uuid}/closing", action="accounts.manage")
async def close(account: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Close an account now."""
    verb = partial(accounts.disable, account, act=act)
    return await _pressed(account, request, act, verb, "closed")


HANDLERS = [page, create, open_office, one, assign, end_role, link_again, close]
