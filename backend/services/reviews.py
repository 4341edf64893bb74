"""Review 复查 of what was done about a notice, and its end: closing 销号, a second order."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from backend.db.tables.findings import Finding as FindingRow
from backend.db.tables.notices import Notice as Row
from backend.db.tables.notices import NoticeFinding as LineRow
from backend.piccolo_conf import DB
from backend.services import notices, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.notices import Draft, Line, Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

STATED = """
select min(submitted_at) from reply where notice = $1 and state = 'submitted'
  and kind in ('statement', 'objection', 'admission')
"""
# Evidence listed in what was sent for a finding, whose bytes nobody has verified yet.
PENDING = """
select e.id from reply r join evidence e on e.id = any (r.evidence)
where r.notice = $1 and r.state = 'submitted' and (r.finding is null or r.finding = $2)
  and e.state not in ('verified', 'sealed') order by e.id
"""


class NotOverdue(ServiceRefusal):
    """Nothing was answered, and the term still runs."""

    code = "notice.not_overdue"
    family = Family.GATE


class EvidencePending(ServiceRefusal):
    """A reply cannot be accepted on evidence whose bytes are not verified."""

    code = "notice.evidence_pending"
    family = Family.GATE


class OutcomesOpen(ServiceRefusal):
    """Only a notice whose findings were all accepted is closed."""

    code = "notice.outcomes_open"
    family = Family.GATE


class ReasonMissing(ServiceRefusal):
    """What is not accepted, or must be seen again, needs a reason the institution can act on."""

    code = "notice.reason_missing"


class NothingToReturn(ServiceRefusal):
    """A reply goes back when a finding was not accepted and none waits for a decision."""

    code = "notice.nothing_to_return"
    family = Family.GATE


class NotExhausted(ServiceRefusal):
    """A second order or a case needs an overdue finding or one refused often enough."""

    code = "notice.not_exhausted"
    family = Family.GATE


class ForeignFinding(ServiceRefusal):
    """The finding does not stand in this notice."""

    code = "notice.foreign_finding"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the office says to one finding; a reason is needed unless it was accepted."""

    finding: UUID
    outcome: Literal["accepted", "not_accepted", "reinspection"]
    reason: str


def line_of(notice: Notice, finding: UUID) -> Line:
    """The notice's line of a finding; raises ForeignFinding ("notice.foreign_finding")."""
    for line in notice.findings:
        if line.finding == finding:
            return line
    raise ForeignFinding(field="finding")


async def begin(notice_id: UUID, *, rev: int, act: Act) -> Notice:
    """Take the notice up for review: it was answered, or its term ran out.

    Raises: Absent, Changed, NoticeWrongState, NotOverdue.
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "review")
        if notice.state == "served" and not notice.overdue:
            raise NotOverdue(due_on=str(notice.due_on))
        return await notices.save(notice, {Row.state: state}, "notice.under_review", act=act)


async def decide(notice_id: UUID, decision: Decision, *, rev: int, act: Act) -> Notice:
    """Accept what was done about one finding, refuse it, or ask for a re-inspection.

    Raises: Absent, Changed, NoticeWrongState, ForeignFinding, EvidencePending, ReasonMissing.
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        states.require(Noun.NOTICE, notice.state, "close")  # decided only while under review
        line = line_of(notice, decision.finding)
        if decision.outcome == "accepted":
            await _evidence_there(notice_id, decision.finding)
        elif not decision.reason.strip():
            raise ReasonMissing(field="reason")
        refused = line.refused_count + (decision.outcome == "not_accepted")
        await LineRow.update(
            {
                LineRow.outcome: decision.outcome,
                LineRow.outcome_reason: decision.reason,
                LineRow.refused_count: refused,
                LineRow.decided_by: act.by.id,
                LineRow.decided_at: act.at,
            }
        ).where((LineRow.notice == notice_id) & (LineRow.finding == decision.finding))
        verb = f"notice.finding_{decision.outcome}"
        return await notices.save(notice, {}, verb, act=act, reason=decision.reason)


async def _evidence_there(notice_id: UUID, finding: UUID) -> None:
    pending = await DB.connection.fetch(PENDING, notice_id, finding)
    if pending:
        raise EvidencePending(field="finding", ids=[str(row["id"]) for row in pending])


async def return_reply(notice_id: UUID, *, rev: int, days: int, act: Act) -> Notice:
    """Give what was not accepted back to the institution, with a new term from today.

    Raises: Absent, Changed, NoticeWrongState, NothingToReturn, OutOfBounds.
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "return_reply")
        refused = [line.finding for line in notice.findings if line.outcome == "not_accepted"]
        if not refused or any(line.outcome is None for line in notice.findings):
            raise NothingToReturn
        terms.check(terms.RECTIFY, days, notice.region)
        term = terms.term(terms.RECTIFY, trigger=on_day(act.at), amount=days, region=notice.region)
        await DB.connection.execute(
            "update notice_finding set due_on = $3 where notice = $1 and finding = any ($2)",
            notice_id,
            refused,
            term.due_on,
        )
        change = {Row.state: state, Row.due_on: term.due_on}
        return await notices.save(notice, change, "notice.reply_returned", act=act)


async def close(notice_id: UUID, *, rev: int, act: Act) -> Notice:
    """Close 销号: every finding was accepted, by others than the one who closes.

    Source: casework 1 (G7), 4. Raises: Absent, Changed, NoticeWrongState, OutcomesOpen,
    NoticeSamePerson.
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "close")
        if any(line.outcome != "accepted" for line in notice.findings):
            raise OutcomesOpen
        for author in {notice.author, *(line.decided_by for line in notice.findings)}:
            gates.second_person(Noun.NOTICE, author=author, approver=act.by.id)
        await _end_findings(notice)
        change = {Row.state: state, Row.closed_at: act.at, Row.closed_by: act.by.id}
        return await notices.save(notice, change, "notice.closed", act=act)


async def _end_findings(notice: Notice) -> None:
    """Accepted findings are corrected, the others stay open."""
    for line in notice.findings:
        verb = "correct" if line.outcome == "accepted" else "leave_open"
        state = states.require(Noun.FINDING, line.finding_state, verb)
        await FindingRow.update({FindingRow.state: state}).where(FindingRow.id == line.finding)


async def heard(notice: Notice, *, today: date) -> None:
    """G5: the institution stated its case, or the term for it ran out.

    Raises: PartyNotHeard ("case.party_not_heard").
    """
    stated = await DB.connection.fetchval(STATED, notice.id)
    gates.party_heard(
        stated_on=on_day(stated) if stated else None,
        term_ends_on=notice.statement_term.due_on if notice.statement_term else None,
        today=today,
    )


def exhausted(notice: Notice) -> bool:
    """Whether a finding is overdue, or was refused as often as the setting says.

    Source: casework 4 (overdue or twice not accepted).
    """
    often = terms.standard(terms.REFUSALS, notice.region)
    return any(
        line.overdue or (line.outcome == "not_accepted" and line.refused_count >= often)
        for line in notice.findings
    )


async def give_up(notice: Notice, verb: str, *, act: Act) -> Notice:
    """End a notice that did not work by ``order_again`` or ``escalate``; its findings stay open.

    Call it in the deed's transaction. Raises: NoticeWrongState, NotExhausted, PartyNotHeard.
    """
    state = states.require(Noun.NOTICE, notice.state, verb)
    if not exhausted(notice):
        raise NotExhausted
    await heard(notice, today=on_day(act.at))
    await _end_findings(notice)
    return await notices.save(notice, {Row.state: state}, f"notice.{state}", act=act)


async def order_again(notice_id: UUID, draft: Draft, *, rev: int, act: Act) -> Notice:
    """End the notice and draft the second order that follows it, for findings left open.

    Source: casework 1 (G5), 4. Raises: Absent, Changed, NoticeWrongState, NotExhausted,
    PartyNotHeard, ForeignFinding and what ``notices.draft`` raises.
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        await give_up(notice, "order_again", act=act)
        for demand in draft.demands:
            line_of(notice, demand.finding)
        return await notices.draft(draft, act=act, follows=notice_id)
