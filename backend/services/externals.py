"""Draws made on another platform: entered, confirmed by a second person, never verifiable."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from backend.piccolo_conf import DB
from backend.services import assignments, audit, drawrows, errands, plans, visits
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import InstitutionKind, Name, PlanRecord
from inspection_plans import gates
from inspection_plans.draw.canon import canonical, digest
from inspection_plans.draw.record import FIRST_PREV, external_body
from inspection_plans.errors import Family
from inspection_plans.loader import applied_sheet, jurisdiction_of, load_calendar
from inspection_plans.states import Noun
from inspection_plans.workdays import Unit

CreditCode = Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}\Z")]
StaffCode = Annotated[str, Meta(min_length=1, max_length=40)]
LEVEL = "external"
ENTER = """
insert into external_draw (plan, region, platform, reference, drawn_on, visits, entered_by,
  entered_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (plan) do update set platform = excluded.platform, reference = excluded.reference,
  drawn_on = excluded.drawn_on, visits = excluded.visits, entered_by = excluded.entered_by,
  entered_at = excluded.entered_at
where external_draw.confirmed_by is null
"""
CONFIRM = "update external_draw set confirmed_by = $2, confirmed_at = $3 where plan = $1"
INSTITUTION = """
select id, region, kinds from institution
where credit_code = $1 and region = any (regions_below($2))
"""
STAFF = "select id, staff_code, lead from inspector where staff_code = any ($1)"


class NotExternal(ServiceRefusal):
    """The plan is drawn here; a result from elsewhere would replace the draw."""

    code = "external.not_external"
    family = Family.CONFLICT


class Entered(ServiceRefusal):
    """The draw was confirmed; what it gave does not change any more."""

    code = "external.confirmed"
    family = Family.CONFLICT


class VisitWrong(ServiceRefusal):
    """A visit names nobody in the directories, a day outside the window, or no lead."""

    code = "external.visit_wrong"


class ExternalVisit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One visit of the other platform's result; ``team`` are staff codes, the lead first."""

    credit_code: CreditCode
    kind: InstitutionKind
    on_date: date
    team: Annotated[tuple[StaffCode, ...], Meta(min_length=2, max_length=6)]


class NewExternal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the other platform drew: its name, its own number for the draw, the day, the visits."""

    platform: Name
    reference: Name
    drawn_on: date
    visits: Annotated[tuple[ExternalVisit, ...], Meta(min_length=1, max_length=2000)]


class External(NewExternal, frozen=True, kw_only=True):
    """外部抽取 as stored; visits come into being when a second person confirms."""

    plan: UUID
    region: int
    entered_by: UUID
    entered_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None


def _of(row: Any) -> External:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), External)


async def _plan(plan_id: UUID) -> PlanRecord:
    plan = await plans.lock(plan_id)
    if plan.spec.origin != "external":
        raise NotExternal(field="origin")
    if plan.state != "approved":
        raise Entered(state=plan.state)
    return plan


async def _visit(
    plan: PlanRecord, number: int, entered: ExternalVisit, *, act: Act
) -> visits.NewVisit:
    """One entered visit against directories, window and gate G1."""
    where = {"field": f"visits[{number - 1}]", "credit_code": entered.credit_code}
    found = await DB.connection.fetchrow(INSTITUTION, entered.credit_code, plan.region)
    if found is None or entered.kind not in found["kinds"] or entered.kind not in plan.spec.kinds:
        raise VisitWrong(**where, reason="institution")
    if not plan.window_from <= entered.on_date <= plan.window_until:
        raise VisitWrong(**where, reason="on_date")
    staff = {row["staff_code"]: row for row in await DB.connection.fetch(STAFF, entered.team)}
    if set(staff) != set(entered.team) or not staff[entered.team[0]]["lead"]:
        raise VisitWrong(**where, reason="team")
    jurisdiction = jurisdiction_of(found["region"])
    ids = [staff[code]["id"] for code in entered.team]
    await assignments.sound(ids, found["id"], on=entered.on_date, jurisdiction=jurisdiction)
    rule = next(rule for rule in plan.spec.visits if rule.object == entered.kind)
    return visits.NewVisit(
        id=act.new_id(),
        region=found["region"],
        institution=found["id"],
        code=f"{plans.draw_code(plan)}-{number:04}",
        kind=rule.kind,
        unannounced=plan.spec.unannounced,
        selection="random",
        sheet=rule.sheet,
        sheet_digest=applied_sheet(rule.sheet, jurisdiction, entered.on_date)[1],
        jurisdiction=jurisdiction,
        on_date=entered.on_date,
        sealed_until=errands.opens(entered.on_date, plan.spec.tasks_open_at_hour),
        team=tuple(
            visits.NewAssignment(inspector=one, place=place, lead=place == 1)
            for place, one in enumerate(ids, 1)
        ),
        plan=plan.id,
    )


async def _visits(
    plan: PlanRecord, entered: tuple[ExternalVisit, ...], *, act: Act
) -> list[visits.NewVisit]:
    return [
        await _visit(plan, number, one, act=act) for number, one in enumerate(entered, start=1)
    ]


async def _record(plan: PlanRecord, verb: str, reference: str, act: Act) -> None:
    await audit.record(
        act,
        f"draw.external_{verb}",
        "plan",
        plan.id,
        region=plan.region,
        title=plan.title,
        reason=reference,
    )


async def enter(plan_id: UUID, new: NewExternal, *, act: Act) -> External:
    """Enter what another platform drew; until it is confirmed it may be entered anew.

    Raises: Absent, NotExternal, Entered, VisitWrong ("external.*"), DeclaredRelation,
    CertificateExpired, TeamTooSmall ("visit.…"), E_NFC, E_CONTROL.  Source: design, step 3.
    """
    async with DB.transaction(act.by.scope):
        plan = await _plan(plan_id)
        await _visits(plan, new.visits, act=act)
        # What the public log will hold has a canonical form, or is refused while it can be mended.
        canonical([new.platform, new.reference])
        form = msgspec.to_builtins(new.visits)
        values = (new.platform, new.reference, new.drawn_on, form, act.by.id, act.at)
        await DB.connection.execute(ENTER, plan.id, plan.region, *values)
        await _record(plan, "entered", new.reference, act)
        return await held(plan_id)


async def held(plan_id: UUID) -> External:
    """What was entered for a plan, in the running transaction. Raises: Absent."""
    return _of(
        await DB.connection.fetchrow("select * from external_draw where plan = $1", plan_id)
    )


async def external(plan_id: UUID, *, act: Act) -> External:
    """What was entered for a plan. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        return await held(plan_id)


def shown(entered: External) -> list[dict[str, Any]]:
    """The entered visits as the public record holds them: object, day, how many were sent."""
    return [
        {
            "object": f"{one.credit_code}/{one.kind}",
            "day": one.on_date.isoformat(),
            "team": len(one.team),
        }
        for one in entered.visits
    ]


def plan_doc(plan: PlanRecord, entered: External) -> dict[str, Any]:
    """The public plan of a draw made elsewhere: nothing in it could be replayed."""
    return {
        "code": plan.code,
        "origin": "external",
        "platform": entered.platform,
        "targeted": plan.targeted,
        "objects": plan.spec.objects,
        "kinds": sorted(plan.spec.kinds),
        "window_from": plan.window_from.isoformat(),
        "window_until": plan.window_until.isoformat(),
    }


def _draw(plan: PlanRecord, entered: External, *, act: Act) -> DrawRecord:
    spec = plan.spec
    closing = load_calendar().due(plan.window_until, spec.disclose_after_days, Unit.WORKING_DAY)
    return DrawRecord(
        id=act.new_id(),
        region=plan.region,
        plan=plan.id,
        code=plans.draw_code(plan),
        attempt=1,
        alg=spec.alg,
        origin="external",
        level=LEVEL,
        state="drawn",
        parties=(),
        entropy=(),
        object_count=len(entered.visits),
        inspector_count=len({code for one in entered.visits for code in one.team}),
        frame_objects="",
        frame_inspectors="",
        blocked_digest="",
        plan_digest=digest(spec.alg, plan_doc(plan, entered)),
        reveal_by=act.at,
        disclose_on=closing.on,
        late_by_s=0,
        void_reason=None,
        voided_by=None,
        void_proposed_by=None,
        frozen_at=act.at,
        drawn_at=act.at,
        published_at=None,
        head=FIRST_PREV,
    )


async def confirm(plan_id: UUID, *, act: Act) -> DrawRecord:
    """Let a second person confirm: the visits are made, the public log says "external".

    Raises: as ``enter``, "draw.same_person".
    """
    async with DB.transaction(act.by.scope):
        plan = await _plan(plan_id)
        entered = await held(plan_id)
        gates.second_person(Noun.DRAW, author=entered.entered_by, approver=act.by.id)
        made = await _visits(plan, entered.visits, act=act)
        await DB.connection.execute(CONFIRM, plan_id, act.by.id, act.at)
        plan = await plans.move(plan, "start", act=act)
        draw = _draw(plan, entered, act=act)
        await drawrows.store(draw)
        draw = await drawrows.note(draw, "attempt_open", {"stage": "external"}, act=act)
        origin = {
            "platform": entered.platform,
            "reference": entered.reference,
            "drawn_on": entered.drawn_on.isoformat(),
        }
        body = external_body(draw.alg, draw.code, draw.attempt, origin, shown(entered))
        draw = await drawrows.note(draw, "result", body, act=act)
        await visits.create([msgspec.structs.replace(v, draw=draw.id) for v in made], act=act)
        await drawrows.record(draw, "drawn", act=act)
        await drawrows.show(draw, act=act)
    return draw
