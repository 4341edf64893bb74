"""Inspectors 执法检查人员名录: the list, one with declared relations, and joining an account."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import directories, people, policy
from backend.services.accounts import on_day
from backend.services.act import Act

LIMIT = 50
Text = Annotated[str, QueryParameter(max_length=120, pattern=r"^[^\x00]*$")]


class AccountForm(Struct, frozen=True):
    account: UUID


@get("/desk/inspectors", action="inspectors.read")
async def page(
    request: Asked,
    act: Act,
    search: Text = "",
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[str]:
    """Inspectors, newest first; a licence that ran out is said in words."""
    text = search.strip()
    found = await directories.inspectors(act=act, after=after, limit=LIMIT, search=text)
    whole = await total("inspectors", found, text, limit=LIMIT, after=after, act=act)
    shown = {
        "rows": found,
        "today": on_day(act.at),
        "shelf": shelf(
            "/desk/inspectors",
            found,
            {"search": search},
            limit=LIMIT,
            after=after,
            total=whole,
        ),
        "place": partial(names.place, language=language_of(request)),
        "exports": policy.allowed("directories.export", act.by.roles, signed_in=True),
        "imports": policy.allowed("directories.import", act.by.roles, signed_in=True),
    }
    return desk(request, act, "desk/inspectors.html", shown, here="inspectors")


async def _shown(
    inspector_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    relations = await directories.relations(inspector_id, act=act)
    joins = policy.allowed("directories.import", act.by.roles, signed_in=True)
    fields = await people.page(act=act, role="inspector", limit=200) if joins else ()
    shown = {
        "it": await directories.inspector(inspector_id, act=act),
        "relations": relations,
        "institutions": await directories.names((one.institution for one in relations), act=act),
        "today": on_day(act.at),
        "accounts": fields,
        "joins": joins,
        "filled": filled,
        "place": partial(names.place, language=language_of(request)),
    }
    return desk(request, act, "desk/inspector.html", shown, here="inspectors", status=status)


@get("/desk/inspectors/{inspector_id:uuid}", action="inspectors.read")
async def one(inspector_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One inspector: licence, areas, relations, the account they sign in with."""
    return await _shown(inspector_id, request, act)


@post("/desk/inspectors/{inspector_id:uuid}/account", action="directories.import")
async def join(inspector_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Say which account an inspector signs in with."""

    async def deed(form: AccountForm) -> Done:
        await directories.link_account(inspector_id, form.account, act=act)
        return Done(f"/desk/inspectors/{inspector_id}", "dirs.joined")

    return await submitted(request, AccountForm, deed, partial(_shown, inspector_id, request, act))


HANDLERS = [page, one, join]
