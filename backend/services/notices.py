"""Notices 责令整改通知书 and advice 提示函: drafts, what they hold, and who sees them."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.tables.notices import Notice as Row
from backend.piccolo_conf import DB
from backend.services import audit, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

OVER = ("closed", "second_order", "case")
LINES = """
select nf.finding, f.item, f.title_zh, f.detail, f.severity, f.clauses, f.state as finding_state,
  nf.demand, nf.evidence_asked, nf.due_on, nf.outcome, nf.outcome_reason, nf.refused_count,
  nf.decided_by, nf.decided_at,
  exists (select from reply r where r.notice = nf.notice and r.state = 'submitted'
    and (r.finding is null or r.finding = nf.finding)
    and (nf.decided_at is null or r.submitted_at > nf.decided_at)) as answered
from notice_finding nf join finding f on f.id = nf.finding where nf.notice = $1 order by f.item
"""
TAKEN = """
select nf.finding from notice_finding nf join notice n on n.id = nf.notice
where nf.finding = any ($1) and n.id <> $2 and n.state <> all ($3)
"""
PAGE = """
select n.id from notice n where ($1::text is null or n.state = $1)
  and ($2::uuid is null or n.institution = $2) and ($3::uuid is null or n.id < $3)
  and (not $4 or exists (select from notice_finding nf where nf.notice = n.id and nf.due_on < $5
    and nf.outcome is distinct from 'accepted' and n.state <> all ($6)
    and not exists (select from reply r where r.notice = n.id and r.state = 'submitted'
      and (r.finding is null or r.finding = nf.finding)
      and (nf.decided_at is null or r.submitted_at > nf.decided_at))))
order by n.id desc limit $7
"""


class NoOffice(ServiceRefusal):
    """The author's account belongs to no office, so nobody could issue the paper."""

    code = "notice.no_office"
    family = Family.GATE


class FindingTaken(ServiceRefusal):
    """A finding stands in another notice that is not over."""

    code = "notice.finding_taken"
    family = Family.CONFLICT


class FindingsMixed(ServiceRefusal):
    """One notice carries findings of one institution, each once."""

    code = "notice.findings_mixed"


class NotAuthor(ServiceRefusal):
    """A draft is edited by its author alone; another person would approve their own words."""

    code = "notice.not_author"
    family = Family.DENIED


class NotOpen(ServiceRefusal):
    """The notice takes no reply: it was not served, or it is over."""

    code = "notice.not_open"
    family = Family.CONFLICT


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What one finding asks of the institution, and in how many units of the setting's term."""

    finding: UUID
    demand: str
    evidence_asked: str
    days: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an author writes; ``inspection_item`` is the code of the office's published item."""

    kind: Literal["order", "advice"]
    text: str
    demands: tuple[Demand, ...]
    inspection_item: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One finding in a notice: what was seen, what is asked, how it ended."""

    finding: UUID
    item: str
    title_zh: str
    detail: str
    severity: str
    clauses: tuple[str, ...]
    finding_state: str
    demand: str
    evidence_asked: str
    days: int
    due_on: date | None
    days_left: int | None
    overdue: bool
    answered: bool
    outcome: str | None
    outcome_reason: str | None
    refused_count: int
    decided_by: UUID | None
    decided_at: datetime | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """通知书: the paper, its clock and its findings; persons are None for the institution."""

    id: UUID
    region: int
    institution: UUID
    visit: UUID | None
    office: UUID
    follows: UUID | None
    kind: str
    state: str
    number: str | None
    basis: str | None
    competent_authority: str | None
    text: str
    rev: int
    author: UUID | None
    legal_by: UUID | None
    legal_reason: str | None
    approved_by: UUID | None
    approved_at: datetime | None
    issued_at: datetime | None
    served_on: date | None
    due_on: date | None
    term: terms.Term | None
    statement_term: terms.Term | None
    overdue: bool
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    findings: tuple[Line, ...]


def _line(row: dict[str, Any], *, days: dict[str, int], over: bool, today: date) -> Line:
    due_on: date | None = row["due_on"]
    late = due_on is not None and due_on < today
    return msgspec.convert(
        {
            **row,
            "days": days[str(row["finding"])],
            "days_left": None if due_on is None else terms.days_left(due_on, today),
            "overdue": late and not over and not row["answered"] and row["outcome"] != "accepted",
        },
        Line,
    )


async def _record(row: dict[str, Any], *, act: Act) -> Notice:
    body, over, today = row["body"], row["state"] in OVER, on_day(act.at)
    lines = tuple(
        _line(dict(line), days=body["days"], over=over, today=today)
        for line in await DB.connection.fetch(LINES, row["id"])
    )
    full = {
        **row,
        "text": body["text"],
        "findings": lines,
        "term": terms.restored(row["due_basis"], "rectify"),
        "statement_term": terms.restored(row["due_basis"], "statement"),
        "overdue": any(line.overdue for line in lines),
    }
    return msgspec.convert(full, Notice)


async def load(notice_id: UUID, *, act: Act) -> Notice:
    """The notice inside a running transaction; raises Absent."""
    row = await DB.connection.fetchrow("select * from notice where id = $1", notice_id)
    if row is None:
        raise Absent
    return await _record(dict(row), act=act)


async def lock(notice_id: UUID, *, act: Act, rev: int | None = None) -> Notice:
    """The notice, held until COMMIT; ``rev`` is what the caller has read.

    Raises: Absent, Changed ("thing.changed") with the revision and state that stand now.
    """
    row = await DB.connection.fetchrow("select * from notice where id = $1 for update", notice_id)
    if row is None:
        raise Absent
    if rev is not None and row["rev"] != rev:
        raise Changed(field="rev", rev=row["rev"], state=row["state"])
    return await _record(dict(row), act=act)


async def save(
    notice: Notice, change: dict[Any, Any], verb: str, *, act: Act, reason: str = ""
) -> Notice:
    """Write a change with its next revision and its entry; call it in the deed's transaction."""
    rev = notice.rev + 1
    await Row.update({**change, Row.rev: rev, Row.updated_at: act.at}).where(Row.id == notice.id)
    saved = await load(notice.id, act=act)
    await audit.record(
        act,
        verb,
        "notice",
        notice.id,
        region=notice.region,
        title=saved.number or "",
        rev=rev,
        reason=reason,
    )
    return saved


async def _basis(draft: Draft, office: UUID) -> tuple[str | None, str | None]:
    """Law-level basis and competent authority that the office recorded for the item (G11)."""
    row = await DB.connection.fetchrow(
        "select i.law_basis, i.competent_authority from inspection_item i"
        " join office o on o.region = i.region where o.id = $1 and i.code = $2",
        office,
        draft.inspection_item,
    )
    basis, authority = (row["law_basis"], row["competent_authority"]) if row else (None, None)
    if draft.kind == "order":
        gates.law_level_basis(basis, authority)
    return basis, authority


async def _checked(draft: Draft, notice_id: UUID) -> dict[str, Any]:
    """The findings' common institution, visit and region; each held until COMMIT."""
    wanted = [demand.finding for demand in draft.demands]
    rows = await DB.connection.fetch(
        "select id, region, institution, visit, state from finding where id = any ($1)"
        " order by id for update",
        wanted,
    )
    if len(rows) != len(set(wanted)):
        raise Absent
    gates.verified_only(row["state"] for row in rows)
    for row in rows:
        states.require(Noun.FINDING, row["state"], "order")
    if len({(row["institution"], row["region"]) for row in rows}) != 1 or len(wanted) != len(rows):
        raise FindingsMixed(field="demands")
    if taken := await DB.connection.fetch(TAKEN, wanted, notice_id, list(OVER)):
        raise FindingTaken(field="demands", findings=[str(row["finding"]) for row in taken])
    for demand in draft.demands:
        terms.check(terms.RECTIFY, demand.days, rows[0]["region"])
    visits = {row["visit"] for row in rows}
    return {**rows[0], "visit": visits.pop() if len(visits) == 1 else None}


def _body(draft: Draft) -> dict[str, Any]:
    return {
        "text": draft.text,
        "inspection_item": draft.inspection_item,
        "days": {str(demand.finding): demand.days for demand in draft.demands},
    }


async def _put_lines(notice_id: UUID, subject: dict[str, Any], draft: Draft) -> None:
    await DB.connection.execute(
        "insert into notice_finding (notice, finding, region, institution, demand, evidence_asked,"
        " refused_count) select $1, t.finding, $2, $3, t.demand, t.asked, 0"
        " from unnest($4::uuid[], $5::text[], $6::text[]) as t (finding, demand, asked)",
        notice_id,
        subject["region"],
        subject["institution"],
        [demand.finding for demand in draft.demands],
        [demand.demand for demand in draft.demands],
        [demand.evidence_asked for demand in draft.demands],
    )


async def draft(new: Draft, *, act: Act, follows: UUID | None = None) -> Notice:
    """Begin a notice from verified findings; ``follows`` is the notice it comes after.

    Source: casework 1 (G4, G11), 4. Raises: Absent, NoOffice, FindingNotVerified,
    FindingWrongState, FindingTaken, FindingsMixed, NoLawLevelBasis, OutOfBounds.
    """
    notice_id = act.new_id()
    async with DB.transaction(act.by.scope):
        if act.by.office is None:
            raise NoOffice
        subject = await _checked(new, notice_id)
        basis, authority = await _basis(new, act.by.office)
        await Row.insert(
            Row(
                {
                    Row.id: notice_id,
                    Row.region: subject["region"],
                    Row.institution: subject["institution"],
                    Row.visit: subject["visit"],
                    Row.office: act.by.office,
                    Row.follows: follows,
                    Row.kind: new.kind,
                    Row.state: states.initial(Noun.NOTICE),
                    Row.basis: basis,
                    Row.competent_authority: authority,
                    Row.body: _body(new),
                    Row.rev: 1,
                    Row.author: act.by.id,
                    Row.created_at: act.at,
                    Row.updated_at: act.at,
                }
            )
        )
        await _put_lines(notice_id, subject, new)
        await audit.record(
            act, "notice.drafted", "notice", notice_id, region=subject["region"], rev=1
        )
        return await load(notice_id, act=act)


async def edit(notice_id: UUID, new: Draft, *, rev: int, act: Act) -> Notice:
    """Rewrite a draft; every gate of drafting is asked again.

    Raises: Absent, Changed, NoticeWrongState, NotAuthor and what ``draft`` raises.
    """
    async with DB.transaction(act.by.scope):
        old = await lock(notice_id, act=act, rev=rev)
        states.require(Noun.NOTICE, old.state, "send_to_legal")  # only a draft can be sent there
        if old.author != act.by.id:
            raise NotAuthor
        subject = await _checked(new, notice_id)
        if subject["institution"] != old.institution:
            raise FindingsMixed(field="demands")
        basis, authority = await _basis(new, old.office)
        await DB.connection.execute("delete from notice_finding where notice = $1", notice_id)
        await _put_lines(notice_id, subject, new)
        change = {
            Row.kind: new.kind,
            Row.visit: subject["visit"],
            Row.basis: basis,
            Row.competent_authority: authority,
            Row.body: _body(new),
        }
        return await save(old, change, "notice.edited", act=act)


def _shown(notice: Notice, *, act: Act) -> Notice:
    """The notice as the caller may see it: an institution is not told which persons acted."""
    if act.by.institution is None:
        return notice
    lines = tuple(msgspec.structs.replace(line, decided_by=None) for line in notice.findings)
    return msgspec.structs.replace(
        notice, author=None, legal_by=None, legal_reason=None, approved_by=None, findings=lines
    )


async def get(notice_id: UUID, *, act: Act) -> Notice:
    """One notice; the institution's first look at it is recorded. Raises: Absent."""
    async with DB.transaction(act.by.scope):
        notice = await load(notice_id, act=act)
        if act.by.institution is not None:
            await _first_view(notice, act=act)
        return _shown(notice, act=act)


async def _first_view(notice: Notice, *, act: Act) -> None:
    seen = await DB.connection.fetch(
        "update service_proof set first_viewed_at = $2, first_viewed_by = $3"
        " where notice = $1 and first_viewed_at is null returning id",
        notice.id,
        act.at,
        act.by.id,
    )
    if seen:
        await audit.record(
            act,
            "notice.first_viewed",
            "notice",
            notice.id,
            region=notice.region,
            title=notice.number or "",
            rev=notice.rev,
        )


async def open_for_reply(notice_id: UUID, *, act: Act) -> Notice:
    """The notice if it takes replies and their evidence now, held until COMMIT.

    Raises: Absent (also for another institution's), NotOpen ("notice.not_open").
    """
    async with DB.transaction(act.by.scope):
        notice = await lock(notice_id, act=act)
        if notice.state not in ("served", "answered", "under_review"):
            raise NotOpen(state=notice.state)
        return notice


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which notices a list shows; nothing set means all of the scope."""

    state: str | None = None
    institution: UUID | None = None
    overdue: bool = False


async def page(
    wanted: Wanted, *, act: Act, after: UUID | None = None, limit: int = 50
) -> tuple[Notice, ...]:
    """Notices of the scope, newest first, those older than ``after``."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            PAGE,
            wanted.state,
            wanted.institution,
            after,
            wanted.overdue,
            on_day(act.at),
            list(OVER),
            limit,
        )
        return tuple([_shown(await load(row["id"], act=act), act=act) for row in rows])
