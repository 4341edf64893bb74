"""Stopped clocks 中止, and terms counted anew: after a stop, and when a holiday table arrives."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from backend.db.tables.notices import Notice as NoticeRow
from backend.db.tables.stops import ClockStop as Row
from backend.piccolo_conf import DB
from backend.services import audit, cases, noticerows, notices, policy, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.noticerows import SETTLED
from backend.services.notices import Notice
from inspection_plans import gates, stops
from inspection_plans.stops import Ground, Interval, Whose

Text = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]
OF_NOTICE = "select * from clock_stop where notice = $1 order by id"
OF_CASE = "select * from clock_stop where case_file = $1 order by id"
OPEN = """
select * from clock_stop where (notice = $1 or case_file = $1) and whose = $2 and ground = $3
  and last_on is null for update
"""
# Open notices whose due days rest on a year without a published table.
UNSURE = """
select id from notice where state in ('served', 'answered', 'under_review')
  and (due_basis @? '$.*.provisional ? (@ == true)' or exists (select from notice_finding nf
    where nf.notice = notice.id and (nf.due_basis ->> 'provisional')::bool)) order by id
"""


class NewStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose clock stands still, why, since when, and the paper that says so."""

    whose: Whose
    ground: Ground
    first_on: date
    reason: Text
    paper: Text


class ClockStop(msgspec.Struct, frozen=True, kw_only=True):
    """中止: one recorded interval; ``last_on`` is None while it lasts."""

    id: UUID
    notice: UUID | None
    case_file: UUID | None
    whose: Whose
    ground: Ground
    first_on: date
    last_on: date | None
    reason: str
    paper: str
    begun_by: UUID | None
    begun_at: datetime
    ended_by: UUID | None
    ended_at: datetime | None


def _record(row: asyncpg.Record, *, act: Act) -> ClockStop:
    kept = {name: row[name] for name in ClockStop.__struct_fields__}
    if act.by.institution is not None:
        kept |= {"begun_by": None, "ended_by": None}
    return msgspec.convert(kept, ClockStop)


async def begin(notice_id: UUID, new: NewStop, *, act: Act) -> ClockStop:
    """Let a clock of a served notice stand still.

    Source: casework 1 (G12), 3. Raises: Absent, Denied, NotServed, StopOutOfOrder, StopOpen.
    """
    policy.require(act.by, "clocks.stop")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act)
        known = (await noticerows.intervals([notice_id]))[notice_id]
        since = gates.service_before_clock(notice.served_on)
        wanted = Interval(new.whose, new.ground, new.first_on)
        stops.begin(wanted, known, since=since, today=on_day(act.at))
        about: dict[Any, Any] = {Row.notice: notice.id, Row.region: notice.region}
        row = await _insert(about | {Row.institution: notice.institution}, new, act=act)
        await notices.save(notice, {}, "notice.clock_stopped", act=act, reason=new.reason)
    return _record(row, act=act)


async def begin_case(case_id: UUID, new: NewStop, *, act: Act) -> ClockStop:
    """Let a case stand still: a stay suspends what it would carry out.

    Raises: Absent, Denied, StopOutOfOrder, StopOpen.
    """
    policy.require(act.by, "clocks.stop")
    async with DB.transaction(act.by.scope):
        case = await cases.lock(case_id)
        rows = await DB.connection.fetch(OF_CASE, case_id)
        wanted = Interval(new.whose, new.ground, new.first_on)
        known = [noticerows.interval(row) for row in rows]
        stops.begin(wanted, known, since=on_day(case.opened_at), today=on_day(act.at))
        about: dict[Any, Any] = {Row.case_file: case.id, Row.region: case.region}
        row = await _insert(about | {Row.institution: case.institution}, new, act=act)
        await _entered(case, "case.clock_stopped", new.reason, act=act)
    return _record(row, act=act)


async def _entered(case: cases.Case, verb: str, reason: str, *, act: Act) -> None:
    await audit.record(act, verb, "case", case.id, region=case.region, reason=reason)


async def _insert(about: dict[Any, Any], new: NewStop, *, act: Act) -> asyncpg.Record:
    ident = act.new_id()
    await Row.insert(
        Row(
            {
                **about,
                Row.id: ident,
                Row.whose: new.whose.value,
                Row.ground: new.ground.value,
                Row.first_on: new.first_on,
                Row.reason: new.reason,
                Row.paper: new.paper,
                Row.begun_by: act.by.id,
                Row.begun_at: act.at,
            }
        )
    )
    return await DB.connection.fetchrow("select * from clock_stop where id = $1", ident)


async def end(
    about: UUID, whose: Whose, ground: Ground, *, last_on: date, reason: str, act: Act
) -> ClockStop:
    """End the open stop of a notice or a case; a notice's terms are counted anew with it.

    Raises: Absent, Denied, StopOutOfOrder ("stop.out_of_order").
    """
    policy.require(act.by, "clocks.stop")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(OPEN, about, whose.value, ground.value)
        if row is None:
            raise Absent
        if not row["first_on"] <= last_on <= on_day(act.at):
            raise stops.StopOutOfOrder(field="last_on", since=row["first_on"].isoformat())
        change: dict[Any, Any] = {
            Row.last_on: last_on,
            Row.ended_by: act.by.id,
            Row.ended_at: act.at,
        }
        await Row.update(change).where(Row.id == row["id"])
        if row["notice"]:
            notice = await notices.lock(row["notice"], act=act)
            await _count(notice, "notice.clock_resumed", reason, always=True, act=act)
        else:
            case = await cases.lock(row["case_file"])
            await _entered(case, "case.clock_resumed", reason, act=act)
        done = await DB.connection.fetchrow("select * from clock_stop where id = $1", row["id"])
    return _record(done, act=act)


async def of_notice(notice_id: UUID, *, act: Act) -> tuple[ClockStop, ...]:
    """The stops of a notice, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(OF_NOTICE, notice_id)
    return tuple(_record(row, act=act) for row in rows)


async def of_case(case_id: UUID, *, act: Act) -> tuple[ClockStop, ...]:
    """The stops of a case, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from case_file where id = $1", case_id):
            raise Absent
        rows = await DB.connection.fetch(OF_CASE, case_id)
    return tuple(_record(row, act=act) for row in rows)


async def recount(notice_id: UUID, *, act: Act) -> bool:
    """Count a notice's terms by today's holiday tables; whether a day changed.

    Source: casework 3 (recomputed, with an audit entry, when the table arrives).
    """
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act)
        return await _count(notice, "notice.recounted", "", always=False, act=act)


async def recount_unsure(*, act: Act) -> int:
    """Count anew what rested on a year without a table; how many notices changed."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(UNSURE)
    changed = 0
    for row in rows:
        changed += await recount(row["id"], act=act)
    return changed


async def _count(notice: Notice, verb: str, reason: str, *, always: bool, act: Act) -> bool:
    """Write every term that comes out differently; the notice is due on its latest day."""
    known = (await noticerows.intervals([notice.id]))[notice.id]
    # What still stands moves no day yet: it may turn out shorter than until today.
    ended = [one for one in known if one.last is not None]
    party = stops.of(ended, Whose.PARTY, until=on_day(act.at))
    moved = False
    days = []
    for line in notice.findings:
        if line.term is None or line.due_on is None:
            continue
        new = line.term if line.outcome in SETTLED else terms.recounted(line.term, party)
        days.append(new.due_on)
        if new != line.term:
            moved = True
            await notices.put_off(notice.id, [line.finding], new)
    kept = {"rectify": notice.term, "statement": notice.statement_term}
    whole = {name: terms.recounted(one, party) for name, one in kept.items() if one}
    moved = moved or whole != {name: one for name, one in kept.items() if one}
    if moved or always:
        change = {
            NoticeRow.due_on: max(days, default=notice.due_on),
            NoticeRow.due_basis: terms.stored(whole),
        }
        await notices.save(notice, change, verb, act=act, reason=reason)
    return moved
