"""Reminders 提醒 of instalments 分期: found once a day, recorded, told by inbox and mail."""

from collections import defaultdict
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, case_steps, notifications, recoveries, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.cases import Case
from backend.services.errors import Absent
from backend.services.notifications import Matter, To
from backend.services.recoveries import Standing
from inspection_plans import reminders
from inspection_plans.loader import load_calendar
from inspection_plans.reminders import Step

# Cases with money to come in; while a stay suspends the execution nobody is asked to pay.
OPEN = """
select c.* from case_file c where c.state <> 'closed'
  and exists (select from case_step s where s.case_file = c.id and s.kind = 'recovery')
  and not exists (select from clock_stop k where k.case_file = c.id and k.ground = 'stay'
    and k.first_on <= $1 and (k.last_on is null or k.last_on >= $1))
order by c.id
"""
SENT = "select recovery, due_on, step from instalment_reminder where case_file = $1"
# Two runs at once remind once: a day has one reminder a recovery, a step comes once an instalment.
INSERT = """
insert into instalment_reminder (id, region, case_file, recovery, step, due_on, on_day, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id
"""
OF = """
select recovery, step, due_on, on_day from instalment_reminder where case_file = $1
order by on_day, id
"""


class InstalmentReminder(msgspec.Struct, frozen=True, kw_only=True):
    """One reminder: of which recovery, which step of which instalment, given on which day."""

    recovery: UUID
    step: Step
    due_on: date
    on_day: date


async def run(*, act: Act) -> tuple[InstalmentReminder, ...]:
    """Remind of every unpaid instalment that has come to a step; again the same day, nothing.

    Of several unpaid instalments the earliest is told: money that comes in covers it first.
    Source: casework 4, 5.
    """
    today = on_day(act.at)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OPEN, today)
    given = []
    for row in rows:
        case = msgspec.convert(dict(row), Case)
        given += await _of_case(case, today, act=act)
    return tuple(given)


async def _of_case(case: Case, today: date, *, act: Act) -> list[InstalmentReminder]:
    async with DB.transaction(act.by.scope):
        steps = await case_steps.load(case.id)
        sent: dict[tuple[UUID, date], set[Step]] = defaultdict(set)
        for row in await DB.connection.fetch(SENT, case.id):
            sent[row["recovery"], row["due_on"]].add(Step(row["step"]))
        found = []
        for one in recoveries.standing(steps, today=today):
            due_on = next((p.due_on for p in one.balance.parts if p.paid_fen < p.amount_fen), None)
            if due_on is None:
                continue
            step = reminders.of_instalment(
                due_on=due_on, today=today, sent=sent[one.id, due_on], calendar=load_calendar()
            )
            if step is not None and await _give(case, one, step, due_on, act=act):
                found.append(
                    InstalmentReminder(recovery=one.id, step=step, due_on=due_on, on_day=today)
                )
    return found


async def _give(case: Case, one: Standing, step: Step, due_on: date, *, act: Act) -> bool:
    """Record a reminder with its entry and its message; False when another run was first."""
    today = on_day(act.at)
    added = await DB.connection.fetchval(
        INSERT, act.new_id(), case.region, case.id, one.id, step.value, due_on, today, act.at
    )
    if added is None:
        return False
    await audit.record(
        act,
        "case.instalment_reminded",
        "case",
        case.id,
        region=case.region,
        title=one.number or "",
        reason=step.value,
    )
    late = step is Step.OVERDUE
    facts: dict[str, Any] = {"number": one.number, "due_on": due_on}
    if not late:
        facts["days"] = terms.days_left(due_on, today)
    await notifications.tell(
        "recovery.overdue" if late else "recovery.due",
        Matter(noun="case", id=case.id, region=case.region, institution=case.institution),
        to=To(institution=True, roles=("supervisor",) if late else ()),
        act=act,
        dedupe=f"{one.id} {step.value} {due_on}",
        **facts,
    )
    return True


async def of(case_id: UUID, *, act: Act) -> tuple[InstalmentReminder, ...]:
    """The reminders of a case's instalments, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from case_file where id = $1", case_id):
            raise Absent
        rows = await DB.connection.fetch(OF, case_id)
    return tuple(msgspec.convert(dict(row), InstalmentReminder) for row in rows)
