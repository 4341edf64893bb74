"""Review 复查 of what was done about a notice, and its end: closing 销号, a second order."""

from datetime import date
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.tables.findings import Finding as FindingRow
from backend.db.tables.notices import Notice as Row
from backend.db.tables.notices import NoticeFinding as LineRow
from backend.piccolo_conf import DB
from backend.services import notices, policy, reinspections, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.noticerows import SETTLED
from backend.services.notices import Draft, Line, Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from inspection_plans.stops import Whose
from media import canon

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
# A visit that was ordered for the finding and has not come to its end.
LOOKING = """
select exists (select from reinspection r join visit v on v.id = r.visit where r.notice = $1
  and $2 = any (r.findings) and v.state not in ('concluded', 'concluded_with_gap', 'accepted'))
"""
# What the closing record keeps of each answer and each visit.
ANSWERS = """
select coalesce(r.finding::text, '') as finding, r.kind, r.digest,
  (extract(epoch from r.submitted_at) * 1000)::bigint as at
from reply r where r.notice = $1 and r.state = 'submitted' order by r.submitted_at, r.id
"""
LOOKED = """
select v.code, r.findings from reinspection r join visit v on v.id = r.visit
where r.notice = $1 order by v.code
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


class FindingSettled(ServiceRefusal):
    """An objection was upheld: the finding is withdrawn and needs no answer."""

    code = "notice.finding_settled"
    family = Family.CONFLICT


class ReinspectionOpen(ServiceRefusal):
    """The visit that looks at the finding again is not over."""

    code = "notice.reinspection_open"
    family = Family.GATE


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

    Raises: Absent, Denied, Changed, NoticeWrongState, NotOverdue.
    """
    policy.require(act.by, "notices.review")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "review")
        if notice.state == "served" and not notice.overdue:
            raise NotOverdue(due_on=str(notice.due_on))
        return await notices.save(notice, {Row.state: state}, "notice.under_review", act=act)


async def decide(notice_id: UUID, decision: Decision, *, rev: int, act: Act) -> Notice:
    """Accept what was done about one finding, refuse it, or have it seen again by a visit.

    Raises: Absent, Denied, Changed, NoticeWrongState, ForeignFinding, FindingSettled,
    EvidencePending, ReinspectionOpen, ReasonMissing.
    """
    policy.require(act.by, "notices.review")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        states.require(Noun.NOTICE, notice.state, "close")  # decided only while under review
        line = line_of(notice, decision.finding)
        if line.outcome == "withdrawn":
            raise FindingSettled(field="finding")
        if decision.outcome == "accepted":
            await _evidence_there(notice_id, decision.finding)
            if await DB.connection.fetchval(LOOKING, notice_id, decision.finding):
                raise ReinspectionOpen(field="finding")
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
        if decision.outcome == "reinspection":
            await reinspections.order(notice, decision.finding, act=act)
        verb = f"notice.finding_{decision.outcome}"
        return await notices.save(notice, {}, verb, act=act, reason=decision.reason)


async def _evidence_there(notice_id: UUID, finding: UUID) -> None:
    pending = await DB.connection.fetch(PENDING, notice_id, finding)
    if pending:
        raise EvidencePending(field="finding", ids=[str(row["id"]) for row in pending])


async def return_reply(notice_id: UUID, *, rev: int, days: int, act: Act) -> Notice:
    """Give what was not accepted back to the institution, with a new term from today.

    Raises: Absent, Denied, Changed, NoticeWrongState, NothingToReturn, OutOfBounds.
    """
    policy.require(act.by, "notices.review")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "return_reply")
        refused = [line.finding for line in notice.findings if line.outcome == "not_accepted"]
        if not refused or any(line.outcome is None for line in notice.findings):
            raise NothingToReturn
        terms.check(terms.RECTIFY, days, notice.region)
        term = terms.term(terms.RECTIFY, trigger=on_day(act.at), amount=days, region=notice.region)
        await notices.put_off(notice_id, refused, term)
        change = {Row.state: state, Row.due_on: term.due_on}
        return await notices.save(notice, change, "notice.reply_returned", act=act)


async def close(notice_id: UUID, *, rev: int, act: Act) -> Notice:
    """Close 销号: every finding was accepted or withdrawn, by others than the one who closes.

    The closing record is kept with the notice.
    Source: casework 1 (G7), 4. Raises: Absent, Denied, Changed, NoticeWrongState, OutcomesOpen,
    NoticeSamePerson.
    """
    policy.require(act.by, "notices.close")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "close")
        if any(line.outcome not in SETTLED for line in notice.findings):
            raise OutcomesOpen
        accepted = (one.decided_by for one in notice.findings if one.outcome == "accepted")
        for author in {notice.author, *accepted}:
            gates.second_person(Noun.NOTICE, author=author, approver=act.by.id)
        await _end_findings(notice)
        change = {
            Row.state: state,
            Row.closed_at: act.at,
            Row.closed_by: act.by.id,
            Row.closing: await _closing(notice, act=act),
        }
        return await notices.save(notice, change, "notice.closed", act=act)


async def _closing(notice: Notice, *, act: Act) -> dict[str, Any]:
    """The closing record: what ended how, after which answers and visits, and its digest."""
    answers = [dict(row) for row in await DB.connection.fetch(ANSWERS, notice.id)]
    looked = [
        {"visit": row["code"], "findings": [str(one) for one in row["findings"]]}
        for row in await DB.connection.fetch(LOOKED, notice.id)
    ]
    record: dict[str, Any] = {
        "notice": notice.number or "",
        "closed_on": on_day(act.at).isoformat(),
        "closed_by": str(act.by.id),
        "findings": [
            {
                "finding": str(line.finding),
                "item": line.item,
                "outcome": line.outcome or "",
                "decided_by": str(line.decided_by or ""),
                "refused": line.refused_count,
            }
            for line in notice.findings
        ],
        "answers": answers,
        "visits": looked,
    }
    return record | {"digest": sha256(canon.encode(record)).hexdigest()}


async def _end_findings(notice: Notice) -> None:
    """Accepted findings are corrected, withdrawn ones are over, the others stay open."""
    for line in notice.findings:
        if line.outcome == "withdrawn":
            continue
        verb = "correct" if line.outcome == "accepted" else "leave_open"
        state = states.require(Noun.FINDING, line.finding_state, verb)
        await FindingRow.update({FindingRow.state: state}).where(FindingRow.id == line.finding)


async def heard(notice: Notice, *, today: date) -> None:
    """G5: the institution stated its case, or the term for it ran out.

    Raises: PartyNotHeard ("case.party_not_heard").
    """
    stated = await DB.connection.fetchval(STATED, notice.id)
    still = any(one.whose is Whose.PARTY for one in notice.stopped)
    term = None if still else notice.statement_term  # no term runs out while it stands still
    gates.party_heard(
        stated_on=on_day(stated) if stated else None,
        term_ends_on=term.due_on if term else None,
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

    Call it in the deed's transaction. Raises: Denied, NoticeWrongState, NotExhausted,
    PartyNotHeard, Stayed.
    """
    policy.require(act.by, "notices.review")
    state = states.require(Noun.NOTICE, notice.state, verb)
    if not exhausted(notice):
        raise NotExhausted
    gates.not_stayed(notice.stayed)
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
