"""What a case comes to: legal review, proposal, recorded decision, hand-over, closing."""

from typing import Literal
from uuid import UUID

from backend.db.tables.cases import CaseFile as Row
from backend.piccolo_conf import DB
from backend.services import (
    audit,
    case_steps,
    cases,
    consequences,
    due_process,
    locks,
    policy,
    recoveries,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.case_steps import last
from backend.services.cases import Case
from backend.services.errors import ServiceRefusal
from backend.services.records.case_steps import (
    CaseStep,
    Decision,
    HandOver,
    LegalReview,
    Proposal,
    Receipt,
)
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.states import Noun

REMOVAL = ("exit_catalogue",)
Outcome = Literal[
    "no_removal_proposed",
    "stopped_by_legal_review",
    "removal_decided",
    "removal_refused",
    "handed_over",
    "closed",
]


class VersionMissing(ServiceRefusal):
    """A decided removal names the catalogue version that carries it out."""

    code = "case.version_missing"


class NotHandedOver(ServiceRefusal):
    """There is no hand-over that waits for its receipt."""

    code = "case.not_handed_over"
    family = Family.CONFLICT


class OutcomeContradicted(ServiceRefusal):
    """The steps of the case do not bear the outcome out."""

    code = "case.outcome_contradicted"
    family = Family.GATE


class RecoveryOpen(ServiceRefusal):
    """Money is left to be paid back."""

    code = "case.recovery_open"
    family = Family.GATE


async def review(case_id: UUID, new: LegalReview, *, act: Act) -> CaseStep:
    """Let the legal reviewer pass or stop what the case would propose; the last word counts.

    Source: casework 1 (G6), 5. Raises: Absent, Denied, CaseWrongState, Recused,
    CaseReviewerInvolved ("case.legal_reviewer_involved").
    """
    policy.require(act.by, "cases.legal")
    async with DB.transaction(act.by.scope):
        case, _ = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "close")  # the facts hold, and it is not over
        await due_process.outsider(case, act=act)
        return await case_steps.append(case, new, act=act)


async def propose(case_id: UUID, new: Proposal, *, rules: Library, act: Act) -> CaseStep:
    """Propose the removal from the catalogue to the project office; nothing is removed here.

    It rests on the clauses of the place and day that state it.
    Source: casework 1 (G5, G6, G7, G10, G12), 5. Raises: Absent, Denied, Recused,
    CaseWrongState, NoneStated and what ``due_process.sound`` raises.
    """
    policy.require(act.by, "cases.propose")
    async with DB.transaction(act.by.scope):
        case, steps = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "propose_delisting")
        clauses = await consequences.stated(case.findings, REMOVAL, rules=rules)
        await due_process.sound(case, steps, "removal", new.remedies, act=act)
        body = Proposal(text=new.text, remedies=new.remedies, clauses=clauses)
        step = await case_steps.append(case, body, act=act, document="removal_proposal")
        await cases.move(case, "propose_delisting", act=act)
        return step


async def decide(case_id: UUID, new: Decision, *, act: Act) -> CaseStep:
    """Record what the project office decided; the catalogue itself comes by its own version.

    Source: casework 1 (G10). Raises: Absent, Denied, Recused, CaseWrongState, RemovalNotDecided,
    VersionMissing, OutOfTime, Stayed.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        case, _ = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "decide")
        gates.removal_decided(decided_on=new.decided_on, reference=new.reference.strip())
        case_steps.in_time(case, new.decided_on, today=on_day(act.at))
        if new.removed and not new.catalogue_version.strip():
            raise VersionMissing(field="catalogue_version")
        await case_steps.executable(case_id, today=on_day(act.at))
        step = await case_steps.append(case, new, act=act)
        await cases.move(case, "decide", act=act)
        return step


async def hand_over(case_id: UUID, new: HandOver, *, act: Act) -> CaseStep:
    """Hand the case over to the competent department, by a numbered letter.

    Source: casework 1 (G7, G11, G12), 5. Raises: Absent, Denied, Recused, CaseWrongState,
    CaseSamePerson, OutOfTime, Stayed.
    """
    policy.require(act.by, "cases.propose")
    async with DB.transaction(act.by.scope):
        case, _ = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "hand_over")
        gates.second_person(Noun.CASE, author=case.opened_by, approver=act.by.id)
        case_steps.in_time(case, new.handed_on, today=on_day(act.at))
        await case_steps.executable(case_id, today=on_day(act.at))
        step = await case_steps.append(case, new, act=act, document="hand_over")
        await cases.move(case, "hand_over", act=act)
        return step


async def receipt(case_id: UUID, new: Receipt, *, act: Act) -> CaseStep:
    """Record the receipt of the hand-over.

    Raises: Absent, Denied, Recused, CaseWrongState, NotHandedOver, OutOfTime.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        case, steps = await case_steps.opened(case_id, act=act)
        handed = last(steps, HandOver)
        if handed is None or last(steps, Receipt) is not None:
            raise NotHandedOver(field="received_on")
        if new.received_on < handed.handed_on:
            raise case_steps.OutOfTime(field="received_on", since=handed.handed_on.isoformat())
        case_steps.in_time(case, new.received_on, today=on_day(act.at))
        return await case_steps.append(case, new, act=act)


def _possible(case: Case, steps: tuple[CaseStep, ...]) -> frozenset[str]:
    """The outcomes that the steps bear out."""
    found: set[str] = set()
    reviewed, decided = last(steps, LegalReview), last(steps, Decision)
    if last(steps, Proposal) is None:
        stopped = reviewed is not None and not reviewed.cleared
        found.add("stopped_by_legal_review" if stopped else "no_removal_proposed")
    elif decided is None:
        found.add("closed")
    else:
        found.add("removal_decided" if decided.removed else "removal_refused")
    if case.state == "handed_over":
        found.add("handed_over")
    return frozenset(found)


async def close(case_id: UUID, *, outcome: Outcome, reason: str, act: Act) -> Case:
    """Close with the outcome its steps bear out, by another person than the one who opened it.

    Source: casework 1 (G7); settled 17. Raises: Absent, Denied, Recused, CaseWrongState,
    CaseSamePerson, OutcomeContradicted, RecoveryOpen.
    """
    policy.require(act.by, "cases.close")
    async with DB.transaction(act.by.scope):
        case = await cases.lock(case_id)
        state = states.require(Noun.CASE, case.state, "close")
        case, steps = await case_steps.opened(case_id, act=act)
        gates.second_person(Noun.CASE, author=case.opened_by, approver=act.by.id)
        possible = _possible(case, steps)
        if outcome not in possible:
            raise OutcomeContradicted(field="outcome", possible=sorted(possible))
        if any(one.balance.left_fen for one in recoveries.standing(steps, today=on_day(act.at))):
            raise RecoveryOpen(field="outcome")
        await Row.update(
            {
                Row.state: state,
                Row.outcome: outcome,
                Row.closed_by: act.by.id,
                Row.closed_at: act.at,
            }
        ).where(Row.id == case_id)
        await audit.record(act, "case.closed", "case", case_id, region=case.region, reason=reason)
        await locks.order(case_id, region=case.region, act=act)
        return await cases.lock(case_id)
