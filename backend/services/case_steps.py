"""Steps of a case: appended once, never rewritten, each with its entry in the log."""

from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from backend.db.tables.cases import CaseStep as Row
from backend.piccolo_conf import DB
from backend.services import audit, cases, numbers, office_recusals, policy, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.cases import Case
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.case_steps import (
    Body,
    CaseStep,
    Discussion,
    HearingHeld,
    HearingOffer,
    HearingWaived,
    Investigation,
    Recorded,
    RecusalDecision,
    RecusalRequest,
    Statement,
)
from inspection_plans import gates, stops
from inspection_plans.errors import Family
from inspection_plans.states import CaseWrongState, Noun

OF = "select * from case_step where case_file = $1 order by at, id"
STOPS = "select whose, ground, first_on, last_on from clock_stop where case_file = $1"
UNFIT = """
select w.id from unnest($1::uuid[]) w (id) where not exists (
  select from evidence e where e.id = w.id and e.state in ('verified', 'sealed') and (
    e.notice = $2 or e.visit in (select f.visit from finding f where f.id = any ($3))))
"""
T = TypeVar("T")


class EvidenceUnfit(ServiceRefusal):
    """Named evidence is not of the case's visits or notice, or not verified."""

    code = "case.evidence_unfit"
    family = Family.GATE


class OutOfTime(ServiceRefusal):
    """A day of a step lies in the future or before the case was opened."""

    code = "case.out_of_time"


class NothingToDecide(ServiceRefusal):
    """There is no open request of this kind in the case."""

    code = "case.nothing_to_decide"
    family = Family.CONFLICT


async def load(case_id: UUID) -> tuple[CaseStep, ...]:
    """The steps of a case, oldest first, inside the caller's transaction."""
    rows = await DB.connection.fetch(OF, case_id)
    return tuple(
        msgspec.convert({name: row[name] for name in CaseStep.__struct_fields__}, CaseStep)
        for row in rows
    )


def last(steps: tuple[CaseStep, ...], kind: type[T]) -> T | None:
    """The newest step of a kind."""
    return next((one.body for one in reversed(steps) if isinstance(one.body, kind)), None)


def recused(steps: tuple[CaseStep, ...]) -> frozenset[UUID]:
    """Who was recused from the case."""
    bodies = (one.body for one in steps)
    return frozenset(b.account for b in bodies if isinstance(b, RecusalDecision) and b.granted)


async def of(case_id: UUID, *, act: Act) -> tuple[CaseStep, ...]:
    """The steps of a case, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from case_file where id = $1", case_id):
            raise Absent
        return await load(case_id)


async def append(
    case: Case, body: Body, *, act: Act, document: str | None = None, ident: UUID | None = None
) -> CaseStep:
    """Add a step, numbered where it is a document of the acting office, with its entry.

    Call it in the deed's transaction, the case locked. Raises: Absent without an office.
    """
    number = None
    if document:
        if act.by.office is None:
            raise Absent(field="office")
        number = (await numbers.take(act.by.office, document, act=act)).text
    plain: dict[str, Any] = msgspec.to_builtins(body)
    step = CaseStep(
        id=ident or act.new_id(),
        case_file=case.id,
        kind=plain["kind"],
        body=body,
        number=number,
        by_account=act.by.id,
        at=act.at,
    )
    await Row.insert(
        Row(
            {
                Row.id: step.id,
                Row.region: case.region,
                Row.case_file: case.id,
                Row.kind: step.kind,
                Row.body: plain,
                Row.number: number,
                Row.by_account: act.by.id,
                Row.at: act.at,
            }
        )
    )
    await audit.record(
        act, f"case.{step.kind}", "case", case.id, region=case.region, title=number or ""
    )
    return step


async def opened(case_id: UUID, *, act: Act) -> tuple[Case, tuple[CaseStep, ...]]:
    """A case that is not closed, locked, with its steps; nobody recused acts in it.

    Raises: Absent, CaseWrongState, Recused ("case.recused"), OfficeRecused ("office.recused").
    """
    case = await cases.lock(case_id)
    await office_recusals.refuse(case.institution, act=act)
    if case.state == "closed":
        raise CaseWrongState(field="state", state=case.state, verb="record", allowed=[])
    steps = await load(case_id)
    gates.not_recused(act.by.id, recused(steps))
    return case, steps


async def executable(case_id: UUID, *, today: date) -> None:
    """G12: no stay of the case suspends its execution; raises Stayed ("case.stayed")."""
    rows = await DB.connection.fetch(STOPS, case_id)
    known = [
        stops.Interval(
            stops.Whose(row["whose"]),
            stops.Ground(row["ground"]),
            row["first_on"],
            row["last_on"],
        )
        for row in rows
    ]
    gates.not_stayed(stops.suspends(known, today=today))


def in_time(case: Case, day: date, *, today: date) -> None:
    """Hold a step's day between the opening and today; raises OutOfTime ("case.out_of_time")."""
    since = on_day(case.opened_at)
    if not since <= day <= today:
        raise OutOfTime(field="day", since=since.isoformat(), today=today.isoformat())


def _day(body: Recorded) -> date | None:
    match body:
        case Statement():
            return body.stated_on
        case Discussion() | HearingHeld():
            return body.held_on
        case HearingOffer():
            return body.served_on
        case HearingWaived():
            return body.waived_on
        case RecusalRequest():
            return body.asked_on
        case _:
            return None


async def record(case_id: UUID, body: Recorded, *, act: Act) -> CaseStep:
    """Record what was established, said, discussed, offered or held.

    Source: casework 1 (G5, G12), 5. Raises: Absent, Denied, CaseWrongState, Recused, OutOfTime,
    EvidenceUnfit, NothingToDecide.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        case, steps = await opened(case_id, act=act)
        day = _day(body)
        if day is not None:
            in_time(case, day, today=on_day(act.at))
        if isinstance(body, Investigation):
            await _fit(case, body)
        if isinstance(body, HearingHeld | HearingWaived) and not last(steps, HearingOffer):
            raise NothingToDecide(field="hearing_offer")
        return await append(case, body, act=act)


async def _fit(case: Case, body: Investigation) -> None:
    unfit = await DB.connection.fetch(UNFIT, list(body.evidence), case.notice, list(case.findings))
    if unfit:
        raise EvidenceUnfit(field="evidence", ids=[str(row["id"]) for row in unfit])


def hearing_offered(steps: tuple[CaseStep, ...], about: str, *, region: int, today: date) -> bool:
    """Whether a hearing was offered and held, waived, or not asked for within its term.

    Source: casework 1 (G12).
    """
    bodies = [one.body for one in steps]
    offers = [b for b in bodies if isinstance(b, HearingOffer) and b.about == about]
    if not offers:
        return False
    if any(isinstance(b, HearingHeld | HearingWaived) and b.about == about for b in bodies):
        return True
    term = terms.term(terms.HEARING, trigger=offers[-1].served_on, region=region)
    return today > term.due_on


async def decide_recusal(
    case_id: UUID, request: UUID, *, granted: bool, reason: str, act: Act
) -> CaseStep:
    """Decide whether a person takes no further part in the case; not the person, not the asker.

    Raises: Absent, Denied, CaseWrongState, Recused, NothingToDecide, CaseSamePerson.
    """
    policy.require(act.by, "cases.recuse")
    async with DB.transaction(act.by.scope):
        case, steps = await opened(case_id, act=act)
        asked = next((s for s in steps if s.id == request), None)
        done = {s.body.request for s in steps if isinstance(s.body, RecusalDecision)}
        if asked is None or not isinstance(asked.body, RecusalRequest) or request in done:
            raise NothingToDecide(field="request")
        for person in (asked.body.account, asked.by_account):
            gates.second_person(Noun.CASE, author=person, approver=act.by.id)
        body = RecusalDecision(
            request=request, account=asked.body.account, granted=granted, reason=reason
        )
        return await append(case, body, act=act)
