"""Deeds of a case: steps, legal review, proposal, decision, hand-over, money, bad records."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import (
    bad_records,
    case_deeds,
    case_steps,
    clock_stops,
    consequences,
    instalment_reminders,
    recoveries,
)
from backend.services.act import Act
from backend.services.bad_records import BadRecord, NewBadRecord
from backend.services.case_deeds import Outcome
from backend.services.cases import Case
from backend.services.clock_stops import ClockStop, NewStop
from backend.services.consequences import Following
from backend.services.instalment_reminders import InstalmentReminder
from backend.services.records.case_steps import (
    CaseStep,
    Decision,
    HandOver,
    LegalReview,
    Part,
    Payment,
    Proposal,
    Receipt,
    Recorded,
    Recovery,
)
from backend.services.recoveries import Standing
from inspection_plans.library import Library
from inspection_plans.stops import Ground, Whose

Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=8000, pattern=r"\S")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Fen = Annotated[int, Meta(ge=1, le=10**13)]


class StepIn(Struct, frozen=True, forbid_unknown_fields=True):
    step: Recorded


class LegalIn(Struct, frozen=True, forbid_unknown_fields=True):
    cleared: bool
    opinion: Text


class ProposalIn(Struct, frozen=True, forbid_unknown_fields=True):
    text: Text
    remedies: Text


class DecisionIn(Struct, frozen=True, forbid_unknown_fields=True):
    removed: bool
    decided_on: date
    reference: Line
    catalogue_version: Annotated[str, Meta(max_length=80)] = ""


class HandOverIn(Struct, frozen=True, forbid_unknown_fields=True):
    receiver: Line
    subject: Line
    text: Text
    handed_on: date


class ReceiptIn(Struct, frozen=True, forbid_unknown_fields=True):
    received_on: date
    reference: Line


class RecoveryIn(Struct, frozen=True, forbid_unknown_fields=True):
    amount_fen: Fen
    payee: Line
    text: Text
    remedies: Text
    instalments: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=60)]


class PaymentIn(Struct, frozen=True, forbid_unknown_fields=True):
    recovery: UUID
    amount_fen: Fen
    paid_on: date
    reference: Line


class RecusalIn(Struct, frozen=True, forbid_unknown_fields=True):
    request: UUID
    granted: bool
    reason: Reason


class ClosingIn(Struct, frozen=True, forbid_unknown_fields=True):
    outcome: Outcome
    reason: Reason


class StopEndIn(Struct, frozen=True, forbid_unknown_fields=True):
    whose: Whose
    ground: Ground
    last_on: date
    reason: Reason


class EndIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/cases/{case_id:uuid}/steps", action="cases.read")
async def steps(case_id: FromPath[UUID], act: Act) -> tuple[CaseStep, ...]:
    """What was done in a case, oldest first."""
    return await case_steps.of(case_id, act=act)


@post("/api/v1/cases/{case_id:uuid}/steps", action="cases.write")
async def record(case_id: FromPath[UUID], data: JSONBody[StepIn], act: Act) -> CaseStep:
    """Record an investigation, statement, discussion, hearing or a request for recusal."""
    return await case_steps.record(case_id, data.step, act=act)


@get("/api/v1/cases/{case_id:uuid}/consequences", action="cases.read")
async def following(case_id: FromPath[UUID], rules: Library, act: Act) -> tuple[Following, ...]:
    """What the papers of place and day say follows each finding, or that none is stated."""
    return await consequences.of_case(case_id, rules=rules, act=act)


@post("/api/v1/cases/{case_id:uuid}/legal-review", action="cases.legal")
async def review(case_id: FromPath[UUID], data: JSONBody[LegalIn], act: Act) -> CaseStep:
    """The legal reviewer passes or stops what the case would propose."""
    new = LegalReview(cleared=data.cleared, opinion=data.opinion)
    return await case_deeds.review(case_id, new, act=act)


@post("/api/v1/cases/{case_id:uuid}/proposal", action="cases.propose")
async def propose(
    case_id: FromPath[UUID], data: JSONBody[ProposalIn], rules: Library, act: Act
) -> CaseStep:
    """Propose the removal from the catalogue to the project office."""
    new = Proposal(text=data.text, remedies=data.remedies)
    return await case_deeds.propose(case_id, new, rules=rules, act=act)


@post("/api/v1/cases/{case_id:uuid}/decision", action="cases.write")
async def decide(case_id: FromPath[UUID], data: JSONBody[DecisionIn], act: Act) -> CaseStep:
    """Record what the project office decided."""
    new = Decision(
        removed=data.removed,
        decided_on=data.decided_on,
        reference=data.reference,
        catalogue_version=data.catalogue_version,
    )
    return await case_deeds.decide(case_id, new, act=act)


@post("/api/v1/cases/{case_id:uuid}/hand-over", action="cases.propose")
async def hand_over(case_id: FromPath[UUID], data: JSONBody[HandOverIn], act: Act) -> CaseStep:
    """Hand it over to the competent department, by a numbered letter."""
    new = HandOver(
        receiver=data.receiver, subject=data.subject, text=data.text, handed_on=data.handed_on
    )
    return await case_deeds.hand_over(case_id, new, act=act)


@post("/api/v1/cases/{case_id:uuid}/receipt", action="cases.write")
async def receipt(case_id: FromPath[UUID], data: JSONBody[ReceiptIn], act: Act) -> CaseStep:
    """Record the receipt of the hand-over."""
    new = Receipt(received_on=data.received_on, reference=data.reference)
    return await case_deeds.receipt(case_id, new, act=act)


@get("/api/v1/cases/{case_id:uuid}/recoveries", action="cases.read")
async def money(case_id: FromPath[UUID], act: Act) -> tuple[Standing, ...]:
    """Recoveries of money: what came in, what is left, what is overdue."""
    return await recoveries.of(case_id, act=act)


@get("/api/v1/cases/{case_id:uuid}/instalment-reminders", action="cases.read")
async def reminded(case_id: FromPath[UUID], act: Act) -> tuple[InstalmentReminder, ...]:
    """Which instalments were reminded of, when, and at which step."""
    return await instalment_reminders.of(case_id, act=act)


@post("/api/v1/cases/{case_id:uuid}/recoveries", action="cases.propose")
async def recover(
    case_id: FromPath[UUID], data: JSONBody[RecoveryIn], rules: Library, act: Act
) -> CaseStep:
    """Order that money is paid back, in instalments."""
    new = Recovery(
        amount_fen=data.amount_fen,
        payee=data.payee,
        text=data.text,
        remedies=data.remedies,
        instalments=data.instalments,
    )
    return await recoveries.order(case_id, new, rules=rules, act=act)


@post("/api/v1/cases/{case_id:uuid}/payments", action="cases.write")
async def pay(case_id: FromPath[UUID], data: JSONBody[PaymentIn], act: Act) -> CaseStep:
    """Record money that came in."""
    new = Payment(
        recovery=data.recovery,
        amount_fen=data.amount_fen,
        paid_on=data.paid_on,
        reference=data.reference,
    )
    return await recoveries.pay(case_id, new, act=act)


@post("/api/v1/cases/{case_id:uuid}/bad-record", action="cases.propose")
async def enter(
    case_id: FromPath[UUID], data: JSONBody[NewBadRecord], rules: Library, act: Act
) -> CaseStep:
    """Enter a bad record; it bars new plans and enrolments until its day."""
    return await bad_records.enter(case_id, data, rules=rules, act=act)


@get("/api/v1/bad-records", action="bad_records.read")
async def barred(
    act: Act,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[BadRecord, ...]:
    """Bad records the caller may see, the newest first."""
    return await bad_records.page(act=act, institution=institution, after=after, limit=limit)


@post("/api/v1/bad-records/{bad_record_id:uuid}/end", action="cases.propose", status_code=200)
async def end(bad_record_id: FromPath[UUID], data: JSONBody[EndIn], act: Act) -> BadRecord:
    """Take a bad record back before its day."""
    return await bad_records.end(bad_record_id, reason=data.reason, act=act)


@post("/api/v1/cases/{case_id:uuid}/recusal", action="cases.recuse")
async def recuse(case_id: FromPath[UUID], data: JSONBody[RecusalIn], act: Act) -> CaseStep:
    """Decide whether a person takes no further part."""
    return await case_steps.decide_recusal(
        case_id, data.request, granted=data.granted, reason=data.reason, act=act
    )


@get("/api/v1/cases/{case_id:uuid}/stops", action="cases.read")
async def stops(case_id: FromPath[UUID], act: Act) -> tuple[ClockStop, ...]:
    """Stays and other stops of a case."""
    return await clock_stops.of_case(case_id, act=act)


@post("/api/v1/cases/{case_id:uuid}/stops", action="clocks.stop")
async def stop(case_id: FromPath[UUID], data: JSONBody[NewStop], act: Act) -> ClockStop:
    """Let a case stand still; a stay suspends what it would carry out."""
    return await clock_stops.begin_case(case_id, data, act=act)


@post("/api/v1/cases/{case_id:uuid}/stops/end", action="clocks.stop", status_code=200)
async def resume(case_id: FromPath[UUID], data: JSONBody[StopEndIn], act: Act) -> ClockStop:
    """Let it go on."""
    return await clock_stops.end(
        case_id, data.whose, data.ground, last_on=data.last_on, reason=data.reason, act=act
    )


@post("/api/v1/cases/{case_id:uuid}/closing", action="cases.close", status_code=200)
async def close(case_id: FromPath[UUID], data: JSONBody[ClosingIn], act: Act) -> Case:
    """Close with the outcome its steps bear out, by another person than the one who opened it."""
    return await case_deeds.close(case_id, outcome=data.outcome, reason=data.reason, act=act)


HANDLERS = [
    steps,
    record,
    following,
    review,
    propose,
    decide,
    hand_over,
    receipt,
    money,
    reminded,
    recover,
    pay,
    enter,
    barred,
    end,
    recuse,
    stops,
    stop,
    resume,
    close,
]
