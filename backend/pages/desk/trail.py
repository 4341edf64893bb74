"""Beside a visit, notice or case: its evidence bundles 证据包, and its trail in the audit log."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.services import (
    audit_entries,
    cases,
    dossiers,
    names,
    notices,
    policy,
    visit_lists,
)
from backend.services.act import Act
from backend.services.audit_entries import AuditEntry
from backend.services.dossiers import Audience, Dossier, NewDossier
from media.bucket import Bucket

LIMIT = 50
Before = Annotated[int | None, QueryParameter(name="before", ge=1, le=1 << 62)]


class OrderForm(Struct, frozen=True):
    """What the bundle is for; ``witness`` is who watched the extraction, if anybody did."""

    purpose: Annotated[str, Meta(min_length=1, max_length=400, pattern=r"\S")]
    audience: Audience = "office"
    witness: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")] | None = None


class About(Struct, frozen=True):
    """Whose trail it is: the key of its words, its page, its title, the things it is made of."""

    noun: Literal["visit", "notice", "case"]
    path: str
    title: str
    things: tuple[UUID, ...]


async def _visit(ident: UUID, act: Act) -> About:
    found = await visit_lists.get(ident, act=act)
    return About("visit", f"/desk/visits/{ident}", found.code, (ident,))


async def _notice(ident: UUID, act: Act) -> About:
    found = await notices.get(ident, act=act)
    return About("notice", f"/desk/notices/{ident}", found.number or "", (ident,))


async def _case(ident: UUID, act: Act) -> About:
    found = await cases.get(ident, act=act)
    known = await names.of([found.institution], act=act)
    return About("case", f"/desk/cases/{ident}", known.get(found.institution, ""), (ident,))


def _at(entry: AuditEntry) -> datetime:
    """When an entry was written; its body keeps milliseconds since 1970."""
    return datetime.fromtimestamp(entry.body["t"] / 1000, tz=UTC)


async def _bundles(about: About, act: Act) -> tuple[Dossier, ...]:
    (ident, *_) = about.things
    if about.noun == "visit":
        return await dossiers.page(act=act, visit=ident)
    if about.noun == "case":
        return await dossiers.page(act=act, case_id=ident)
    return ()


async def _shown(
    about: About,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    before: int | None = None,
) -> Response[Any]:
    bundles = await _bundles(about, act)
    things = (*about.things, *(one.id for one in bundles))
    entries = await audit_entries.about(things, act=act, before=before, limit=LIMIT)
    values = {
        "about": about,
        "bundles": bundles,
        "going": any(one.state == "running" for one in bundles),
        "entries": [(one, _at(one)) for one in entries],
        "older": entries[-1].id if len(entries) == LIMIT else None,
        "orders": about.noun != "notice"
        and policy.allowed("dossiers.order", act.by.roles, signed_in=True),
        "names": await names.of([one.ordered_by for one in bundles], act=act),
        "filled": filled,
    }
    here = {"visit": "visits", "notice": "notices", "case": "cases"}[about.noun]
    return desk(request, act, "desk/trail.html", values, here=here, status=status)


@get("/desk/visits/{visit_id:uuid}/trail", action="visits.read")
async def of_visit(
    visit_id: FromPath[UUID], request: Asked, act: Act, before: Before = None
) -> Response[Any]:
    """Bundles of a visit and its entries in the audit log."""
    return await _shown(await _visit(visit_id, act), request, act, before=before)


@get("/desk/notices/{notice_id:uuid}/trail", action="visits.read")
async def of_notice(
    notice_id: FromPath[UUID], request: Asked, act: Act, before: Before = None
) -> Response[Any]:
    """The entries of a notice in the audit log."""
    return await _shown(await _notice(notice_id, act), request, act, before=before)


@get("/desk/cases/{case_id:uuid}/trail", action="visits.read")
async def of_case(
    case_id: FromPath[UUID], request: Asked, act: Act, before: Before = None
) -> Response[Any]:
    """Bundles of a case and its entries in the audit log."""
    return await _shown(await _case(case_id, act), request, act, before=before)


async def _order(about: About, request: Asked, act: Act) -> Response[Any]:
    async def deed(form: OrderForm) -> Done:
        (ident, *_) = about.things
        new = NewDossier(
            visit=ident if about.noun == "visit" else None,
            case_id=ident if about.noun == "case" else None,
            purpose=form.purpose,
            audience=form.audience,
            witness=form.witness,
        )
        await dossiers.order(new, act=act)
        return Done(f"{about.path}/trail", "dossier.ordered")

    return await submitted(request, OrderForm, deed, partial(_shown, about, request, act))


@post("/desk/visits/{visit_id:uuid}/bundles", action="dossiers.order")
async def order_of_visit(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Order a bundle of a visit."""
    return await _order(await _visit(visit_id, act), request, act)


@post("/desk/cases/{case_id:uuid}/bundles", action="dossiers.order")
async def order_of_case(case_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Order a bundle of a case."""
    return await _order(await _case(case_id, act), request, act)


async def _all(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    after: UUID | None = None,
) -> Response[Any]:
    rows = await dossiers.page(act=act, after=after, limit=LIMIT)
    whole = await total("bundles", rows, limit=LIMIT, after=after, act=act)
    who = [one for row in rows for one in (row.visit, row.institution, row.ordered_by)]
    values = {
        "rows": rows,
        "going": any(row.state == "running" for row in rows),
        "names": await names.of(who, act=act),
        "orders": policy.allowed("dossiers.order", act.by.roles, signed_in=True),
        "filled": filled,
        "shelf": shelf("/desk/bundles", rows, {}, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/bundles.html", values, here="bundles", status=status)


@get("/desk/bundles", action="cases.read")
async def page(request: Asked, act: Act, after: FromQuery[UUID | None] = None) -> Response[Any]:
    """Every bundle of the scope with its progress, newest first."""
    return await _all(request, act, after=after)


@post("/desk/bundles/{dossier_id:uuid}/cancellation", action="dossiers.order")
async def cancel(dossier_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """End one that is being made."""

    async def deed(_form: NothingForm) -> Done:
        await dossiers.cancel(dossier_id, act=act)
        return Done("/desk/bundles", "dossier.cancelled")

    return await submitted(request, NothingForm, deed, partial(_all, request, act))


@get("/desk/bundles/{dossier_id:uuid}/file", action="cases.read")
async def file(dossier_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the ZIP, good for 60 seconds; the fetch is logged."""
    url = await dossiers.link(dossier_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [
    of_visit,
    of_notice,
    of_case,
    order_of_visit,
    order_of_case,
    page,
    cancel,
    file,
]
