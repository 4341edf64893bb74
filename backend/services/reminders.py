"""Reminders 提醒 of a notice's term: found once a day, recorded, told by inbox and mail."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, notices, notifications, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.noticerows import SETTLED
from backend.services.notifications import Matter, To
from inspection_plans import reminders
from inspection_plans.loader import load_calendar
from inspection_plans.reminders import Step

# Papers whose clock runs, with the day their next unanswered finding is due.
RUNNING = """
select n.id, n.region, n.institution, n.number, n.served_on, min(nf.due_on) as due_on
from notice n join notice_finding nf on nf.notice = n.id
where n.state in ('served', 'answered', 'under_review') and nf.due_on is not null
  and coalesce(nf.outcome, '') <> all ($1)
  and not exists (select from reply r where r.notice = n.id and r.state = 'submitted'
    and r.kind <> 'extension' and (r.finding is null or r.finding = nf.finding)
    and (nf.decided_at is null or r.submitted_at > nf.decided_at))
  and not exists (select from clock_stop s where s.notice = n.id and s.whose = 'party'
    and s.first_on <= $2 and (s.last_on is null or s.last_on >= $2))
  and not exists (select from reminder m where m.notice = n.id and m.on_day = $2)
group by n.id order by n.id
"""
SENT = "select notice, step from reminder where notice = any ($1) and due_on = any ($2)"
# Two runs at once remind once: a day has one reminder a paper, and a step comes once a term.
INSERT = """
insert into reminder (id, region, institution, notice, step, due_on, on_day, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id
"""
SUBJECTS = {
    Step.HALF: "reminder.half",
    Step.THREE: "reminder.due",
    Step.ONE: "reminder.due",
    Step.OVERDUE: "notice.overdue",
}


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """One reminder: which step of which term, and on which day it was given."""

    notice: UUID
    step: Step
    due_on: date
    on_day: date


async def run(*, act: Act) -> tuple[Reminder, ...]:
    """Remind of every term that has come to a step today; a second run the same day does nothing.

    That a paper was served is told when it is served; its row here keeps the day free.
    Source: casework 4 (at service, half term, 3 and 1 working day, overdue; one a day at most).
    """
    today = on_day(act.at)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(RUNNING, list(SETTLED), today)
        sent: dict[UUID, set[Step]] = defaultdict(set)
        ids, days = [row["id"] for row in rows], [row["due_on"] for row in rows]
        for row in await DB.connection.fetch(SENT, ids, days):
            sent[row["notice"]].add(Step(row["step"]))
    given = []
    for row in rows:
        step = reminders.due(
            served_on=row["served_on"],
            due_on=row["due_on"],
            today=today,
            sent=sent[row["id"]],
            calendar=load_calendar(),
        )
        if step is not None and (one := await _give(row, step, act=act)):
            given.append(one)
    return tuple(given)


async def _give(row: Mapping[str, Any], step: Step, *, act: Act) -> Reminder | None:
    today, due_on = on_day(act.at), row["due_on"]
    async with DB.transaction(act.by.scope):
        added = await DB.connection.fetchval(
            INSERT,
            act.new_id(),
            row["region"],
            row["institution"],
            row["id"],
            step.value,
            due_on,
            today,
            act.at,
        )
        if added is None:
            return None
        await audit.record(
            act,
            "notice.reminded",
            "notice",
            row["id"],
            region=row["region"],
            title=row["number"] or "",
            reason=step.value,
        )
        if step in SUBJECTS:
            await _tell(row, step, act=act)
    return Reminder(notice=row["id"], step=step, due_on=due_on, on_day=today)


async def _tell(row: Mapping[str, Any], step: Step, *, act: Act) -> None:
    """Leave the message with whoever sends it, in the transaction of its row."""
    facts: dict[str, object] = {"number": row["number"]}
    if step is not Step.OVERDUE:
        facts["due_on"] = row["due_on"]
    if step in (Step.THREE, Step.ONE):
        facts["days"] = terms.days_left(row["due_on"], on_day(act.at))
    await notifications.tell(
        SUBJECTS[step],
        Matter(noun="notice", id=row["id"], region=row["region"], institution=row["institution"]),
        to=To(institution=True, roles=("supervisor",) if step is Step.OVERDUE else ()),
        act=act,
        dedupe=f"{step.value} {row['due_on']}",
        **facts,
    )


async def of(notice_id: UUID, *, act: Act) -> tuple[Reminder, ...]:
    """The reminders of a notice, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(
            "select notice, step, due_on, on_day from reminder where notice = $1 order by on_day",
            notice_id,
        )
    return tuple(msgspec.convert(dict(row), Reminder) for row in rows)
