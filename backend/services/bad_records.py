"""Bad records 不良信息记录: entered from a case, barring new plans and enrolments until a day."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.db.tables.cases import BadRecord as Row
from backend.piccolo_conf import DB
from backend.services import audit, case_steps, consequences, due_process, policy
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.case_steps import BadRecordEntered, CaseStep, Text
from inspection_plans import gates, states
from inspection_plans.clock import Clock
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.loader import jurisdiction_of, load_calendar, load_settings
from inspection_plans.settings import nearest
from inspection_plans.states import Noun

BAN = "bad_record_ban"
PAGE = """
select * from bad_record where ($1::uuid is null or institution = $1)
  and ($2::uuid is null or id < $2) order by id desc limit $3
"""


class Entered(ServiceRefusal):
    """The case has its bad record already."""

    code = "bad_record.entered"
    family = Family.CONFLICT


class Ended(ServiceRefusal):
    """The bad record has ended before, or was taken back."""

    code = "bad_record.ended"
    family = Family.CONFLICT


class NewBadRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is entered: why, and the day of the decision it rests on."""

    reason: Text
    decided_on: date
    remedies: Text


class BadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """不良信息记录 with its bar, from ``entered_on`` and before ``until_on`` or its end."""

    id: UUID
    region: int
    institution: UUID
    case_file: UUID | None
    clause: str
    reason: str
    decided_on: date
    entered_on: date
    until_on: date
    ended_on: date | None
    ended_reason: str | None
    standing: bool


def _record(row: asyncpg.Record, *, act: Act) -> BadRecord:
    end = min(filter(None, (row["until_on"], row["ended_on"])))
    kept = {n: row[n] for n in BadRecord.__struct_fields__ if n != "standing"}
    if act.by.institution is not None:
        kept["case_file"] = None
    return BadRecord(**kept, standing=row["entered_on"] <= on_day(act.at) < end)


async def enter(case_id: UUID, new: NewBadRecord, *, rules: Library, act: Act) -> CaseStep:
    """Enter a bad record where the papers of the place state one; its bar is counted by clause.

    Source: heilongjiang-2023-13/5.4/bad-record, heilongjiang-2023-13/5.4/ban-3y; casework 1 (G5,
    G6, G7, G12), 5. Raises: Absent, Denied, Recused, CaseWrongState, NoneStated, OutOfTime,
    Entered and what ``due_process.sound`` raises.
    """
    policy.require(act.by, "cases.propose")
    async with DB.transaction(act.by.scope):
        case, steps = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "close")  # the facts hold, and it is not over
        today = on_day(act.at)
        case_steps.in_time(case, new.decided_on, today=today)
        clauses = await consequences.stated(case.findings, (BAN,), rules=rules)
        await due_process.sound(case, steps, "recovery", new.remedies, act=act)
        place = jurisdiction_of(case.region)
        since = _since(new, today, place)
        term = Clock(rules, load_settings(), load_calendar()).deadline(BAN, place, since)
        if term is None:
            raise consequences.NoneStated(field="findings", concepts=[BAN])
        if await DB.connection.fetchval(
            "select true from bad_record where case_file = $1", case_id
        ):
            raise Entered(field="case")
        ident = act.new_id()
        await Row.insert(
            Row(
                {
                    Row.id: ident,
                    Row.region: case.region,
                    Row.institution: case.institution,
                    Row.case_file: case_id,
                    Row.clause: clauses[0],
                    Row.reason: new.reason,
                    Row.decided_on: new.decided_on,
                    Row.entered_on: since,
                    Row.until_on: term.due,
                    Row.entered_by: act.by.id,
                    Row.entered_at: act.at,
                }
            )
        )
        body = BadRecordEntered(bad_record=ident, entered_on=since, until_on=term.due)
        return await case_steps.append(case, body, act=act)


def foreseen(region: int, *, rules: Library, today: date) -> date | None:
    """The first day that would be free again if a record were entered and decided today."""
    clock = Clock(rules, load_settings(), load_calendar())
    term = clock.deadline(BAN, jurisdiction_of(region), today)
    return None if term is None else term.due


def _since(new: NewBadRecord, today: date, place: str) -> date:
    """The first barred day, by the setting: of the entry or of the decision."""
    by_entry = nearest(load_settings(), "bad_record_start", place).value == "entry_day"
    return today if by_entry else new.decided_on


async def end(record_id: UUID, *, reason: str, act: Act) -> BadRecord:
    """Take a bad record back before its day, by another person than who entered it.

    Raises: Absent, Denied, CaseSamePerson, Ended.
    """
    policy.require(act.by, "cases.propose")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "select * from bad_record where id = $1 for update", record_id
        )
        if row is None:
            raise Absent
        if not _record(row, act=act).standing:
            raise Ended(field="ended_on")
        gates.second_person(Noun.CASE, author=row["entered_by"], approver=act.by.id)
        change: dict[Any, Any] = {
            Row.ended_on: on_day(act.at),
            Row.ended_reason: reason,
            Row.ended_by: act.by.id,
        }
        await Row.update(change).where(Row.id == record_id)
        await audit.record(
            act, "bad_record.ended", "bad_record", record_id, region=row["region"], reason=reason
        )
        done = await DB.connection.fetchrow("select * from bad_record where id = $1", record_id)
    return _record(done, act=act)


async def page(
    *, act: Act, institution: UUID | None = None, after: UUID | None = None, limit: int = 50
) -> tuple[BadRecord, ...]:
    """Bad records of the scope, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, institution, after, limit)
    return tuple(_record(row, act=act) for row in rows)
