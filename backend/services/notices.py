"""Notices 责令整改通知书 and advice 提示函: drafts, what they hold, and who sees them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db.queries.paging import newest
from backend.db.tables.notices import Notice as Row
from backend.piccolo_conf import DB
from backend.services import audit, office_recusals, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.noticerows import ANSWERED, OVER, SETTLED, records
from backend.services.phrases import phrase
from backend.services.records.notices import Demand, Draft, Line, Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

__all__ = ["Demand", "Draft", "Line", "Notice"]
TAKEN = """
select nf.finding from notice_finding nf join notice n on n.id = nf.notice
where nf.finding = any ($1) and n.id <> $2 and n.state <> all ($3)
"""
# Named state by state: what is over is nearly all there is, and its index is by state.
RUNNING = tuple(state for state in states.states(Noun.NOTICE) if state not in OVER)
OVERDUE = f"""
n.state in {RUNNING!r} and exists (select from notice_finding nf
  where nf.notice = n.id and nf.due_on < {{0}} and coalesce(nf.outcome, '') not in {SETTLED!r}
  and not {ANSWERED}) and not exists (select from clock_stop s where s.notice = n.id
  and s.whose = 'party' and s.first_on <= {{0}} and (s.last_on is null or s.last_on >= {{0}}))
"""  # noqa: S608 - constants


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


async def load(notice_id: UUID, *, act: Act) -> Notice:
    """The notice inside a running transaction; raises Absent."""
    row = await DB.connection.fetchrow("select * from notice where id = $1", notice_id)
    if row is None:
        raise Absent
    return (await records([row], act=act))[0]


async def lock(notice_id: UUID, *, act: Act, rev: int | None = None) -> Notice:
    """The notice, held until COMMIT; ``rev`` is what the caller has read.

    Raises: Absent, Changed ("thing.changed") with the revision and state that stand now.
    """
    row = await DB.connection.fetchrow("select * from notice where id = $1 for update", notice_id)
    if row is None:
        raise Absent
    if rev is not None and row["rev"] != rev:
        raise Changed(field="rev", rev=row["rev"], state=row["state"])
    return (await records([row], act=act))[0]


async def save(
    notice: Notice, change: dict[Any, Any], verb: str, *, act: Act, reason: str = ""
) -> Notice:
    """Write a change with its next revision and its entry; call it in the deed's transaction.

    Raises: OfficeRecused.
    """
    await office_recusals.refuse(notice.institution, act=act)
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


async def put_off(notice_id: UUID, findings: Sequence[UUID], term: terms.Term) -> None:
    """Give findings of a notice a term, in the deed's transaction."""
    await DB.connection.execute(
        "update notice_finding set due_on = $3, due_basis = $4 where notice = $1"
        " and finding = any ($2)",
        notice_id,
        list(findings),
        term.due_on,
        msgspec.to_builtins(term),
    )


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
    """What the paper says; an order names its remedies 复议、诉讼 (G12)."""
    return {
        "text": draft.text,
        "remedies": phrase("remedies", "zh") if draft.kind == "order" else "",
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
    FindingWrongState, FindingTaken, FindingsMixed, NoLawLevelBasis, OutOfBounds, OfficeRecused.
    """
    notice_id = act.new_id()
    async with DB.transaction(act.by.scope):
        if act.by.office is None:
            raise NoOffice
        subject = await _checked(new, notice_id)
        await office_recusals.refuse(subject["institution"], act=act)
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


def _nameless(closing: dict[str, Any] | None) -> dict[str, Any] | None:
    """The closing record without the accounts of those who decided."""
    if closing is None:
        return None
    plain = {key: value for key, value in closing.items() if key not in ("closed_by", "digest")}
    lines = [{k: v for k, v in one.items() if k != "decided_by"} for one in closing["findings"]]
    return plain | {"findings": lines}


def _shown(notice: Notice, *, act: Act) -> Notice:
    """The notice as the caller may see it: an institution is not told which persons acted."""
    if act.by.institution is None:
        return notice
    lines = tuple(msgspec.structs.replace(line, decided_by=None) for line in notice.findings)
    return msgspec.structs.replace(
        notice,
        author=None,
        legal_by=None,
        legal_reason=None,
        approved_by=None,
        review_term=None,
        closing=_nameless(notice.closing),
        findings=lines,
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
    tests = (
        ("n.state = {0}", wanted.state),
        ("n.institution = {0}", wanted.institution),
        ("n.id < {0}", after),
        (OVERDUE, on_day(act.at) if wanted.overdue else None),
    )
    statement, values = newest("select n.* from notice n", tests, limit)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(statement, *values)
        return tuple(_shown(one, act=act) for one in await records(rows, act=act))
