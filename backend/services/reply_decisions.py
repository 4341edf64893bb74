"""Decisions about what an institution asked for: more time 延期, or a finding taken back 异议."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.db.tables.findings import Finding as FindingRow
from backend.db.tables.notices import Notice as NoticeRow
from backend.db.tables.notices import NoticeFinding as LineRow
from backend.db.tables.replies import ReplyDecision as Row
from backend.piccolo_conf import DB
from backend.services import audit, notices, numbers, policy, public_objections, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.noticerows import SETTLED
from backend.services.notices import Line, Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
REPLY = """
select r.id, r.kind, r.finding, r.submitted_at, r.wanted_on, r.region, r.institution,
  exists (select from reply_decision d where d.reply = r.id) as decided
from reply r where r.id = $1 and r.notice = $2 and r.state = 'submitted' for update
"""
OF = "select * from reply_decision where notice = $1 order by decided_at"
WAITING = """
select r.id as reply, r.notice, r.finding, r.kind, r.wanted_on, r.submitted_at, n.number,
  i.name as institution_name
from reply r join notice n on n.id = r.notice join institution i on i.id = r.institution
where r.state = 'submitted' and r.kind in ('extension', 'objection')
  and n.state in ('served', 'answered', 'under_review') and ($1::uuid is null or r.id > $1)
  and not exists (select from reply_decision d where d.reply = r.id)
order by r.id limit $2
"""
# Who said that a finding is true, or ordered it: another person decides the objection.
JUDGES = "select verified_by from finding where id = any ($1) and verified_by is not null"


class NothingAsked(ServiceRefusal):
    """The reply asks neither for time nor objects, so there is nothing to decide."""

    code = "reply.nothing_asked"


class AlreadyDecided(ServiceRefusal):
    """The reply was decided before; a decision stands."""

    code = "reply.already_decided"
    family = Family.CONFLICT


class AskedLate(ServiceRefusal):
    """More time is asked for before the term ends."""

    code = "reply.asked_late"
    family = Family.GATE


class ExtendedOften(ServiceRefusal):
    """The finding was put off as often as the setting allows."""

    code = "reply.extended_often"
    family = Family.GATE


class NotLater(ServiceRefusal):
    """The new day lies after the present one."""

    code = "reply.not_later"


class NewDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Granted or not, and why; ``due_on`` is the new day of a granted extension."""

    granted: bool
    reason: Reason
    due_on: date | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """延期决定 or 异议决定; a granted extension has a number and both days."""

    reply: UUID
    notice: UUID
    finding: UUID | None
    kind: str
    granted: bool
    reason: str
    number: str | None
    due_before: date | None
    due_on: date | None
    decided_by: UUID | None
    decided_at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request or objection that waits for its decision."""

    reply: UUID
    notice: UUID
    number: str
    institution_name: str
    finding: UUID | None
    kind: str
    wanted_on: date | None
    submitted_at: datetime


def _about(notice: Notice, finding: UUID | None) -> tuple[Line, ...]:
    """The lines a reply is about that are not settled: one, or all of the notice's."""
    return tuple(
        line
        for line in notice.findings
        if finding in (None, line.finding) and line.outcome not in SETTLED
    )


async def decide(notice_id: UUID, reply_id: UUID, new: NewDecision, *, act: Act) -> Decision:
    """Decide a request for time or an objection, by another person than who ordered it.

    Source: casework 1 (G7), 4. Raises: Absent, Denied, NotOpen, NothingAsked, AlreadyDecided,
    NoticeSamePerson, AskedLate, ExtendedOften, NotLater, TooLong, FindingWrongState.
    """
    policy.require(act.by, "replies.decide")
    async with DB.transaction(act.by.scope):
        notice = await notices.open_for_reply(notice_id, act=act)
        reply = await DB.connection.fetchrow(REPLY, reply_id, notice_id)
        if reply is None:
            raise Absent
        if reply["kind"] not in ("extension", "objection"):
            raise NothingAsked(kind=reply["kind"])
        if reply["decided"]:
            raise AlreadyDecided(field="reply")
        gates.second_person(Noun.NOTICE, author=notice.author, approver=act.by.id)
        kept = _extend if reply["kind"] == "extension" else _object
        return await kept(notice, dict(reply), new, act=act)


async def _extend(
    notice: Notice, reply: dict[str, Any], new: NewDecision, *, act: Act
) -> Decision:
    lines = _about(notice, reply["finding"])
    before = max((line.due_on for line in lines if line.due_on), default=None)
    if before is None:
        raise NotLater(field="finding")
    term = _new_term(notice, lines, reply, new) if new.granted else None
    number = await numbers.take(notice.office, "extension", act=act) if term else None
    decision = await _keep(
        notice,
        reply,
        new,
        act=act,
        number=number.text if number else None,
        due_before=before,
        due_on=term.due_on if term else None,
    )
    verb = "notice.extended" if term else "notice.extension_refused"
    change: dict[Any, Any] = {}
    if term:
        await notices.put_off(notice.id, [line.finding for line in lines], term)
        others = [line.due_on for line in notice.findings if line not in lines and line.due_on]
        change = {NoticeRow.due_on: max([term.due_on, *others])}
    await notices.save(notice, change, verb, act=act, reason=new.reason)
    return decision


def _new_term(
    notice: Notice, lines: tuple[Line, ...], reply: dict[str, Any], new: NewDecision
) -> terms.Term:
    """The term that runs from the present due day to the new one, within the settings."""
    days = [line.due_on for line in lines if line.due_on]
    first, before = min(days), max(days)
    if on_day(reply["submitted_at"]) > first:
        raise AskedLate(field="reply", due_on=first.isoformat())
    if any(line.extended >= terms.standard(terms.EXTENSIONS, notice.region) for line in lines):
        raise ExtendedOften(field="reply")
    wanted = new.due_on or reply["wanted_on"]
    if wanted is None or wanted <= before:
        raise NotLater(field="due_on", due_on=before.isoformat())
    days_more = (wanted - before).days
    return terms.chosen(terms.EXTENSION, trigger=before, days=days_more, region=notice.region)


async def _object(
    notice: Notice, reply: dict[str, Any], new: NewDecision, *, act: Act
) -> Decision:
    """An objection upheld withdraws the finding: it counts for nothing from here on."""
    lines = _about(notice, reply["finding"])
    found = [line.finding for line in lines]
    for row in await DB.connection.fetch(JUDGES, found):
        gates.second_person(Noun.NOTICE, author=row["verified_by"], approver=act.by.id)
    decision = await _keep(notice, reply, new, act=act)
    if new.granted:
        for line in lines:
            await _withdraw(notice, line, new.reason, act=act)
    await public_objections.settle(notice, act=act)
    verb = "notice.objection_upheld" if new.granted else "notice.objection_refused"
    await notices.save(notice, {}, verb, act=act, reason=new.reason)
    return decision


async def _withdraw(notice: Notice, line: Line, reason: str, *, act: Act) -> None:
    state = states.require(Noun.FINDING, line.finding_state, "withdraw")
    change: dict[Any, Any] = {FindingRow.state: state, FindingRow.reason: reason}
    await LineRow.update(
        {
            LineRow.outcome: "withdrawn",
            LineRow.outcome_reason: reason,
            LineRow.decided_by: act.by.id,
            LineRow.decided_at: act.at,
        }
    ).where((LineRow.notice == notice.id) & (LineRow.finding == line.finding))
    await FindingRow.update(change).where(FindingRow.id == line.finding)
    await audit.record(
        act,
        "finding.withdrawn",
        "finding",
        line.finding,
        region=notice.region,
        title=line.title_zh,
        reason=reason,
    )


async def _keep(
    notice: Notice,
    reply: dict[str, Any],
    new: NewDecision,
    *,
    act: Act,
    number: str | None = None,
    due_before: date | None = None,
    due_on: date | None = None,
) -> Decision:
    decision = Decision(
        reply=reply["id"],
        notice=notice.id,
        finding=reply["finding"],
        kind=reply["kind"],
        granted=new.granted,
        reason=new.reason,
        number=number,
        due_before=due_before,
        due_on=due_on,
        decided_by=act.by.id,
        decided_at=act.at,
    )
    await Row.insert(
        Row(
            {
                Row.reply: decision.reply,
                Row.region: reply["region"],
                Row.institution: reply["institution"],
                Row.notice: decision.notice,
                Row.finding: decision.finding,
                Row.kind: decision.kind,
                Row.granted: decision.granted,
                Row.reason: decision.reason,
                Row.number: decision.number,
                Row.due_before: decision.due_before,
                Row.due_on: decision.due_on,
                Row.decided_by: decision.decided_by,
                Row.decided_at: decision.decided_at,
            }
        )
    )
    return decision


async def of(notice_id: UUID, *, act: Act) -> tuple[Decision, ...]:
    """The decisions about a notice's replies, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(OF, notice_id)
    hide = act.by.institution is not None
    found = [
        msgspec.convert({n: row[n] for n in Decision.__struct_fields__}, Decision) for row in rows
    ]
    return tuple(msgspec.structs.replace(d, decided_by=None) if hide else d for d in found)


async def waiting(*, act: Act, after: UUID | None = None, limit: int = 50) -> tuple[Asked, ...]:
    """Requests and objections without a decision, oldest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(WAITING, after, limit)
    return tuple(msgspec.convert(dict(row), Asked) for row in rows)
