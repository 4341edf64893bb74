"""The other eyes on a notice: legal review 法制审核, approval, issue with its number."""

from typing import Any
from uuid import UUID

from backend.db.tables.findings import Finding as FindingRow
from backend.db.tables.notices import Notice as Row
from backend.piccolo_conf import DB
from backend.services import notices, numbers, policy
from backend.services.act import Act
from backend.services.notices import Notice
from inspection_plans import gates, states
from inspection_plans.states import Noun
from inspection_plans.vocabulary import Severity

# Everybody who inspected, verified or wrote: none of them reviews the law of it.
INVOLVED = """
select i.account as person from assignment a join inspector i on i.id = a.inspector
  where i.account is not null
    and a.visit in (select f.visit from notice_finding nf join finding f on f.id = nf.finding
      where nf.notice = $1)
union select f.verified_by from notice_finding nf join finding f on f.id = nf.finding
  where nf.notice = $1 and f.verified_by is not null
union select author from notice where id = $1
"""


def _needed(notice: Notice) -> bool:
    return gates.legal_review_needed(Severity(line.severity) for line in notice.findings)


async def _review_done(notice: Notice, reviewer: UUID | None) -> None:
    involved = {row["person"] for row in await DB.connection.fetch(INVOLVED, notice.id)}
    gates.legal_review(needed=_needed(notice), reviewer=reviewer, involved=involved)


async def send_to_legal(notice_id: UUID, *, rev: int, act: Act) -> Notice:
    """The author asks for the legal review. Raises: Absent, Changed, NoticeWrongState."""
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "send_to_legal")
        return await notices.save(notice, {Row.state: state}, "notice.sent_to_legal", act=act)


async def clear(notice_id: UUID, *, rev: int, opinion: str, act: Act) -> Notice:
    """The legal reviewer has no objection; the notice waits for approval.

    Source: casework 1 (G6). Raises: Absent, Denied, Changed, NoticeWrongState,
    LegalReviewerInvolved.
    """
    policy.require(act.by, "notices.legal")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        states.require(Noun.NOTICE, notice.state, "send_back")  # only what lies with the reviewer
        await _review_done(notice, act.by.id)
        change = {Row.legal_by: act.by.id, Row.legal_reason: opinion}
        return await notices.save(notice, change, "notice.legally_reviewed", act=act)


async def send_back(notice_id: UUID, *, rev: int, reason: str, act: Act) -> Notice:
    """The reviewer or approver wants it changed: it is a draft again, the reason with it.

    Raises: Absent, Denied, Changed, NoticeWrongState.
    """
    policy.require(act.by, "notices.return")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "send_back")
        change = {Row.state: state, Row.legal_by: None, Row.legal_reason: reason}
        return await notices.save(notice, change, "notice.sent_back", act=act, reason=reason)


async def approve(notice_id: UUID, *, rev: int, act: Act) -> Notice:
    """Another person approves what stands at ``rev``.

    Source: casework 1 (G4, G6, G7, G11). Raises: Absent, Denied, Changed, NoticeWrongState,
    NoticeSamePerson, LegalReviewMissing, LegalReviewerInvolved, FindingNotVerified,
    NoLawLevelBasis.
    """
    policy.require(act.by, "notices.approve")  # a job has no roles, and may not approve
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "approve")
        gates.second_person(Noun.NOTICE, author=notice.author, approver=act.by.id)
        gates.verified_only(line.finding_state for line in notice.findings)
        if notice.kind == "order":
            gates.law_level_basis(notice.basis, notice.competent_authority)
        await _review_done(notice, notice.legal_by)
        change = {Row.state: state, Row.approved_by: act.by.id, Row.approved_at: act.at}
        return await notices.save(notice, change, "notice.approved", act=act)


async def issue(notice_id: UUID, *, act: Act) -> Notice:
    """Give the approved notice its number, in the same transaction.

    Source: casework 2. Raises: Absent, Denied, NoticeWrongState.
    """
    policy.require(act.by, "notices.serve")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act)
        state = states.require(Noun.NOTICE, notice.state, "issue")
        number = await numbers.take(notice.office, notice.kind, act=act)
        change = {
            Row.state: state,
            Row.number: number.text,
            Row.year: number.year,
            Row.seq: number.seq,
            Row.issued_at: act.at,
        }
        return await notices.save(notice, change, "notice.issued", act=act)


async def void(notice_id: UUID, *, rev: int, reason: str, act: Act) -> Notice:
    """Make an issued notice void 作废, by another person than its author.

    It keeps its number and says so; what it had ordered may be ordered anew.
    Source: casework 1 (G7), 2. Raises: Absent, Denied, Changed, NoticeWrongState,
    NoticeSamePerson.
    """
    policy.require(act.by, "notices.close")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        state = states.require(Noun.NOTICE, notice.state, "void")
        gates.second_person(Noun.NOTICE, author=notice.author, approver=act.by.id)
        for line in notice.findings:
            if line.finding_state == "ordered":
                left = states.require(Noun.FINDING, line.finding_state, "leave_open")
                change: dict[Any, Any] = {FindingRow.state: left}
                await FindingRow.update(change).where(FindingRow.id == line.finding)
        change_notice = {
            Row.state: state,
            Row.void_at: act.at,
            Row.void_by: act.by.id,
            Row.void_reason: reason,
        }
        return await notices.save(notice, change_notice, "notice.voided", act=act, reason=reason)
