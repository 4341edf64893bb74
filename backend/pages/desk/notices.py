"""Notices 责令整改通知书 and advice: the list, and drafting with every gate asked at once."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import (
    directories,
    findings,
    names,
    notices,
    policy,
    reply_decisions,
    reviews,
    terms,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.findings import Finding
from backend.services.findings import Wanted as WantedFindings
from backend.services.notices import Demand, Draft, Notice, Wanted
from inspection_plans import states
from inspection_plans.states import Noun

LIMIT = 50
OPEN = ("verified", "open")


class NothingOrdered(ServiceRefusal):
    """A notice asks something about one finding at least."""

    code = "notice.nothing_ordered"


class DraftForm(Struct, frozen=True):
    """What the author writes; demands travel as ``demand-<id>``, ``asked-<id>``, ``days-<id>``."""

    kind: Literal["order", "advice"]
    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    finding: tuple[UUID, ...] = ()
    inspection_item: Annotated[str, Meta(max_length=40)] | None = None
    rev: int | None = None


@get("/desk/notices", action="visits.read")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[
        str | None, QueryParameter(name="state", max_length=40, pattern=r"^[a-z_]*\Z")
    ] = None,
    late: Annotated[
        str | None, QueryParameter(name="overdue", max_length=5, pattern=r"^(true)?\Z")
    ] = None,
    institution: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Notices of the scope, newest first."""
    wanted = Wanted(state=in_state or None, institution=institution, overdue=bool(late))
    rows = await notices.page(wanted, act=act, after=after, limit=LIMIT)
    language = language_of(request)
    chosen = {"state": in_state, "overdue": late, "institution": institution}
    today = on_day(act.at)
    # What is overdue is judged row by row: the list says that more follow, and not how many.
    standing = (in_state or None, institution)
    whole = (
        None
        if late
        else await total("notices", rows, *standing, limit=LIMIT, after=after, act=act)
    )
    deciding = policy.allowed("replies.decide", act.by.roles, signed_in=True)
    values = {
        "rows": rows,
        "asked": await reply_decisions.waiting(act=act) if deciding else (),
        "left": {row.id: terms.days_left(row.due_on, today) for row in rows if row.due_on},
        "names": await names.of([row.institution for row in rows], act=act),
        "state_pairs": [
            (state, say(f"notice.state.{state}", language)) for state in states.states(Noun.NOTICE)
        ],
        "shelf": shelf("/desk/notices", rows, chosen, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/notices.html", values, here="notices")


async def _draft(request: Asked, form: DraftForm) -> Draft:
    """The draft of a form with its demands; raises NothingOrdered, ValueError never."""
    if not form.finding:
        raise NothingOrdered(field="finding")
    typed = await request.form()

    def said(name: str) -> str:
        value = typed.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    demands = []
    for ident in form.finding:
        days = said(f"days-{ident}")
        demand, asked = said(f"demand-{ident}")[:1000], said(f"asked-{ident}")[:1000]
        if not demand or not asked or not days.isdigit():
            raise NothingOrdered(field=f"demand-{ident}")
        demands.append(
            Demand(finding=ident, demand=demand, evidence_asked=asked, days=int(days[:4]))
        )
    return Draft(
        kind=form.kind,
        text=form.text,
        demands=tuple(demands),
        inspection_item=form.inspection_item,
    )


def _defaults(region: int) -> int:
    return terms.standard(terms.RECTIFY, region)


async def _form(
    request: Asked,
    act: Act,
    about: tuple[Finding, ...],
    notice: Notice | None,
    action: str,
    filled: Filled,
    status: int,
) -> Response[Any]:
    lines = {line.finding: line for line in notice.findings} if notice else {}
    region = about[0].region if about else act.by.region
    values = {
        "about": about,
        "lines": lines,
        "notice": notice,
        "action": action,
        "days": _defaults(region),
        "items": await directories.items(act=act, limit=200),
        "names": await names.of([one.institution for one in about], act=act),
        "filled": filled,
        "today": on_day(act.at),
    }
    return desk(request, act, "desk/notice_draft.html", values, here="notices", status=status)


async def _to_order(act: Act, visit: UUID | None, institution: UUID | None) -> tuple[Finding, ...]:
    """Verified findings that may be ordered, of one visit or one institution."""
    wanted = WantedFindings(visit=visit, institution=institution)
    found = await findings.page(wanted, act=act, limit=200)
    ready = tuple(one for one in found if one.state in OPEN)
    return tuple(one for one in ready if one.institution == ready[0].institution)


async def _new(
    visit: UUID | None,
    institution: UUID | None,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    about = await _to_order(act, visit, institution)
    which = f"visit={visit}" if visit else f"institution={institution}"
    return await _form(request, act, about, None, f"/desk/notices/new?{which}", filled, status)


@get("/desk/notices/new", action="notices.write")
async def new(
    request: Asked,
    act: Act,
    visit: FromQuery[UUID | None] = None,
    institution: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """The form of a first draft, over the verified findings of a visit or an institution."""
    if visit is None and institution is None:
        raise Absent
    return await _new(visit, institution, request, act)


@post("/desk/notices/new", action="notices.write")
async def begin(
    request: Asked,
    act: Act,
    visit: FromQuery[UUID | None] = None,
    institution: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Keep the draft; every gate of drafting is asked."""

    async def deed(form: DraftForm) -> Done:
        kept = await notices.draft(await _draft(request, form), act=act)
        return Done(f"/desk/notices/{kept.id}", "notice.drafted")

    again = partial(_new, visit, institution, request, act)
    return await submitted(request, DraftForm, deed, again)


async def _about(notice: Notice, act: Act) -> tuple[Finding, ...]:
    """The findings a draft may carry: its own, and others of the same visit or institution."""
    wanted = WantedFindings(visit=notice.visit, institution=notice.institution)
    own = {line.finding for line in notice.findings}
    found = await findings.page(wanted, act=act, limit=200)
    return tuple(one for one in found if one.id in own or one.state in OPEN)


async def _edit(
    notice_id: UUID,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    notice = await notices.get(notice_id, act=act)
    about = await _about(notice, act)
    action = f"/desk/notices/{notice_id}/edit"
    return await _form(request, act, about, notice, action, filled, status)


@get("/desk/notices/{notice_id:uuid}/edit", action="notices.write")
async def edit(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """The form of a draft."""
    return await _edit(notice_id, request, act)


@post("/desk/notices/{notice_id:uuid}/edit", action="notices.write")
async def rewrite(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Keep the draft as rewritten; what stands meanwhile is shown beside what was typed."""

    async def deed(form: DraftForm) -> Done:
        draft = await _draft(request, form)
        await notices.edit(notice_id, draft, rev=form.rev or 0, act=act)
        return Done(f"/desk/notices/{notice_id}", "notice.edited")

    return await submitted(request, DraftForm, deed, partial(_edit, notice_id, request, act))


async def _second(
    notice_id: UUID,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    notice = await notices.get(notice_id, act=act)
    left = {line.finding for line in notice.findings if line.outcome != "accepted"}
    found = await findings.page(WantedFindings(institution=notice.institution), act=act, limit=200)
    about = tuple(one for one in found if one.id in left)
    action = f"/desk/notices/{notice_id}/second-order"
    return await _form(request, act, about, notice, action, filled, status)


@get("/desk/notices/{notice_id:uuid}/second-order", action="notices.review")
async def second(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """The form of the order that follows one that did not work."""
    return await _second(notice_id, request, act)


@post("/desk/notices/{notice_id:uuid}/second-order", action="notices.review")
async def order_again(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """End the notice unsettled and keep the draft of the second order."""

    async def deed(form: DraftForm) -> Done:
        draft = await _draft(request, form)
        kept = await reviews.order_again(notice_id, draft, rev=form.rev or 0, act=act)
        return Done(f"/desk/notices/{kept.id}", "notice.drafted")

    return await submitted(request, DraftForm, deed, partial(_second, notice_id, request, act))


HANDLERS = [page, new, begin, edit, rewrite, second, order_again]
