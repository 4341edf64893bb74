"""One visit under review: what was done, answers beside evidence, signals, and what follows."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk import visit_view
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.plots import around
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import (
    answers,
    assignments,
    choices,
    decisions,
    directories,
    documents,
    exhibits,
    findings,
    holdings,
    names,
    places,
    policy,
    recounts,
    sheet_versions,
    visit_lists,
    visit_reviews,
)
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.findings import Wanted
from backend.services.signals import reading, verdicts
from backend.services.visit_lists import VisitRecord
from backend.services.visits import NewAssignment
from inspection_plans.errors import Family
from inspection_plans.library import Library

Reason = Annotated[str, Meta(min_length=1, max_length=2000)]
# Who is sent was never said, or may not go.
UNMANNED = frozenset({"drawn", "recused", "reserve", "needs_decision"})
# An item's field in the form of a return, by its code.
ITEM = "item-"


class NothingSaid(ServiceRefusal):
    """A record goes back with at least one sentence that its team can act on."""

    code = "visit.nothing_said"
    family = Family.INVALID


class ReturnForm(Struct, frozen=True):
    """Words about the whole record; words about an item travel as ``item-<code>``."""

    reason: Annotated[str, Meta(max_length=2000)] = ""


class OutcomeForm(Struct, frozen=True):
    outcome: Literal["resumed", "unreachable", "closed", "refused"]
    reason: Reason


class VerdictForm(Struct, frozen=True):
    verdict: Literal["confirmed", "explained", "unfounded"]
    reason: Reason


class ChoiceForm(Struct, frozen=True):
    """``keep`` is a device; none keeps both."""

    item: Annotated[str, Meta(pattern=r"^[A-Z]{2}-[0-9]{2}\Z")]
    keep: UUID | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""


class TeamForm(Struct, frozen=True):
    """Who leads, who goes with, and why these."""

    lead: UUID
    second: UUID
    reason: Reason


class RecountForm(Struct, frozen=True):
    evidence: UUID


async def _values(visit_id: UUID, request: Asked, act: Act) -> dict[str, object]:
    language = language_of(request)
    view = await visit_lists.view(visit_id, act=act)
    visit = view.visit
    moments = await visit_lists.timeline(visit_id, act=act)
    said = await answers.of_visit(visit_id, act=act)
    evidence = await exhibits.of_visit(visit_id, act=act)
    found = await findings.page(Wanted(visit=visit_id), act=act, limit=200)
    disputes = await choices.of_visit(visit_id, act=act)
    sheet = await sheet_versions.read(visit.sheet_digest, act=act)
    where = await places.of_visit(visit_id, act=act)
    judging = policy.allowed("signals.read", act.by.roles, signed_in=True)
    signals = await reading.of_visit(visit_id, act=act) if judging else ()
    counts = await recounts.of_visit(visit_id, act=act) if judging else ()
    wanted = visit_view.people(moments, said, signals) | {visit.institution, visit.reviewed_by}
    return {
        "view": view,
        "visit": visit,
        "sheet": sheet.en if language == "en" else sheet.zh,
        "stages": visit_view.stages(visit),
        "parts": visit_view.parts(sheet, said, evidence, found, disputes, language),
        "loose": visit_view.loose(sheet, evidence),
        "record": visit_view.record(moments),
        "signals": signals,
        "recounts": {one.evidence: one for one in counts},
        "findings": found,
        "holders": [one for one in await holdings.of_visit(visit_id, act=act) if one.holds],
        "places": where,
        "papers": await documents.about(visit_id, act=act),
        "drawn": around(
            [
                (s.east_m, s.north_m, s.accuracy_m, s.item or "", s.evidence is None)
                for s in where.spots
            ]
        ),
        "names": await names.of(wanted, act=act),
    }


def _state_of(values: dict[str, object]) -> str:
    """The state of the visit that a page's values are about."""
    visit = values["visit"]
    return visit.state if isinstance(visit, VisitRecord) else ""


async def _shown(
    visit_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    values = await _values(visit_id, request, act)
    allowed = {
        deed: policy.allowed(action, act.by.roles, signed_in=True)
        for deed, action in (
            ("review", "visits.review"),
            ("judge", "signals.judge"),
            ("recount", "recounts.order"),
            ("verify", "findings.verify"),
            ("draft", "notices.write"),
            ("assign", "visits.assign"),
        )
    }
    wanting = allowed["assign"] and _state_of(values) in UNMANNED
    framed = {
        **values,
        "people": await directories.inspectors(act=act, limit=200) if wanting else (),
        "filled": filled,
        "may": allowed,
    }
    return desk(request, act, "desk/visit.html", framed, here="visits", status=status)


@get("/desk/visits/{visit_id:uuid}", action="visits.read")
async def one(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """The visit with its six stages, answers beside evidence, signals and deeds."""
    return await _shown(visit_id, request, act)


def _back(visit_id: UUID, said: str, part: str = "") -> Done:
    return Done(f"/desk/visits/{visit_id}{part}", said)


@post("/desk/visits/{visit_id:uuid}/acceptance", action="visits.review")
async def accept(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Accept the record as it stands."""

    async def deed(_form: NothingForm) -> Done:
        await visit_reviews.accept(visit_id, act=act)
        return _back(visit_id, "visit.accepted")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


async def _together(request: Asked, overall: str) -> str:
    """Words about the whole and about single items as one reason; raises NothingSaid."""
    form = await request.form()
    lines = [overall.strip()] if overall.strip() else []
    for name, value in form.multi_items():
        if name.startswith(ITEM) and isinstance(value, str) and value.strip():
            lines.append(f"{name.removeprefix(ITEM)}：{value.strip()}")
    if not lines:
        raise NothingSaid(field="reason")
    return "\n".join(lines)[:2000]


@post("/desk/visits/{visit_id:uuid}/return", action="visits.review")
async def send_back(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Return the record to its team, with what is wanted of which item."""

    async def deed(form: ReturnForm) -> Done:
        reason = await _together(request, form.reason)
        await visit_reviews.send_back(visit_id, reason, act=act)
        return _back(visit_id, "visit.returned")

    return await submitted(request, ReturnForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/conclusion", action="visits.review")
async def conclude(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Conclude the visit; its result is due for publication from then."""

    async def deed(_form: NothingForm) -> Done:
        await visit_reviews.conclude(visit_id, act=act)
        return _back(visit_id, "visit.concluded")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/decision", action="visits.review")
async def settle(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Decide how a visit stands that waits for a decision."""

    async def deed(form: OutcomeForm) -> Done:
        await decisions.decide(visit_id, form.outcome, form.reason, act=act)
        return _back(visit_id, "visit.decided")

    return await submitted(request, OutcomeForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/signals/{signal_id:uuid}", action="signals.judge")
async def judge(
    visit_id: FromPath[UUID], signal_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Say what a signal is worth."""

    async def deed(form: VerdictForm) -> Done:
        await verdicts.decide(signal_id, form.verdict, form.reason, act=act)
        return _back(visit_id, "signal.judged", f"#signal-{signal_id}")

    return await submitted(request, VerdictForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/disagreements", action="visits.review")
async def choose(
    visit_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Say whose answer to an item counts, or that both do."""

    async def deed(form: ChoiceForm) -> Done:
        await choices.choose(visit_id, form.item, form.keep, form.reason, act=act, rules=rules)
        return _back(visit_id, "visit.chosen", f"#{form.item}")

    return await submitted(request, ChoiceForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/team", action="visits.assign")
async def assign(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Send a team (gate G1)."""

    async def deed(form: TeamForm) -> Done:
        team = (NewAssignment(form.lead, 1, lead=True), NewAssignment(form.second, 2, lead=False))
        await assignments.reassign(visit_id, team, form.reason, act=act)
        return _back(visit_id, "visit.assigned")

    return await submitted(request, TeamForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/recounts", action="recounts.order")
async def recount(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Ask that somebody else counts the heads in a picture."""

    async def deed(form: RecountForm) -> Done:
        await recounts.order(visit_id, form.evidence, act=act)
        return _back(visit_id, "recount.ordered", "#signals")

    return await submitted(request, RecountForm, deed, partial(_shown, visit_id, request, act))


HANDLERS = [one, accept, send_back, conclude, settle, judge, choose, assign, recount]
