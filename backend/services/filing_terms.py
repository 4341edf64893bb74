"""What is owed: the filings an institution has to make, until when, and who has not made them."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import registers
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.filings import OPEN, State
from backend.services.registers import Trigger
from backend.services.terms import days_left
from inspection_plans.deadlines import Deadline
from inspection_plans.errors import Family
from inspection_plans.library import Library

MONTHS_OF_A_QUARTER = 3
OWNER = "select region, kinds from institution where id = $1"
MADE = """
select id, register, period, state, submitted_at from filing
where institution = $1 and register = any($2)
"""
CLASSES = """
select c.code, c.starts_on, coalesce((select (e.payload ->> 'ended_on')::date from filing e
    where e.register = 'R15' and e.institution = $1 and e.period = c.code), c.ends_on) as ends_on
from training_class c
where c.institution = $1 and c.status <> 'cancelled' and c.ends_on >= $2
order by c.starts_on, c.code
"""
BATCHES = """
select period, (payload ->> 'examined_on')::date as examined_on from filing
where institution = $1 and register = 'R19' and (payload ->> 'examined_on')::date >= $2
order by 2, 1
"""
MISSING = """
select i.id, i.region, i.name from institution i
where i.region = any($5) and i.status = 'active' and 'training' = any(i.kinds)
  and ($1::uuid is null or i.id < $1)
  and not exists (select from filing f where f.institution = i.id and f.register = $2
    and f.period = $3 and f.state in ('submitted', 'accepted'))
order by i.id desc limit $4
"""


class NotDue(ServiceRefusal):
    """No clause names a day until which the register is filed."""

    code: ClassVar[str] = "filing.no_due_day"
    family: ClassVar[Family] = Family.INVALID


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """An institution that has not filed although its day is past."""

    institution: UUID
    region: int
    name: str
    due_on: date


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """One filing that a paper asks for: its day, its basis, and how far it has come.

    ``filing`` and ``state`` are None when nothing was written yet. ``days_left`` counts working
    days, the due day included; it is negative once the day is over.
    """

    register: str
    zh: str
    en: str
    period: str
    due_on: date
    clauses: tuple[str, ...]
    recipients: tuple[str, ...]
    provisional: bool
    days_left: int
    filing: UUID | None
    state: State | None
    overdue: bool
    late: bool


class _Span(msgspec.Struct, frozen=True):
    kind: str
    period: str
    days: dict[Trigger, date | None]


def _quarters(today: date) -> Iterator[str]:
    """The quarter that runs and the three before it."""
    place = today.year * 4 + (today.month - 1) // MONTHS_OF_A_QUARTER
    for back in range(3, -1, -1):
        year, number = divmod(place - back, 4)
        yield f"{year}Q{number + 1}"


async def _spans(institution: UUID, today: date) -> list[_Span]:
    """What filings may be about: this year and the last, quarters, classes, batches."""
    since = date(today.year - 1, 1, 1)
    spans = [_Span("year", str(year), {}) for year in (today.year - 1, today.year)]
    spans += [_Span("quarter", quarter, {}) for quarter in _quarters(today)]
    for row in await DB.connection.fetch(CLASSES, institution, since):
        days: dict[Trigger, date | None] = {
            "class_start": row["starts_on"],
            "class_end": row["ends_on"],
        }
        spans.append(_Span("class", row["code"], days))
    for row in await DB.connection.fetch(BATCHES, institution, since):
        spans.append(_Span("batch", row["period"], {"exam_day": row["examined_on"]}))
    return spans


async def owed(institution_id: UUID, *, act: Act, rules: Library) -> tuple[Owed, ...]:
    """Everything an institution has to file with a due day, the earliest day first.

    Covers this year and the last. Raises: Absent ("thing.absent").
    """
    today = on_day(act.at)
    async with DB.transaction(act.by.scope, readonly=True):
        owner = await DB.connection.fetchrow(OWNER, institution_id)
        if owner is None:
            raise Absent
        spans = await _spans(institution_id, today)
        dated = [code for code, found in registers.registers().items() if found.due]
        rows = await DB.connection.fetch(MADE, institution_id, dated)
    made = {(row["register"], row["period"]): row for row in rows}
    found = []
    for span in spans:
        for code, register in registers.of_period(span.kind):
            term = registers.deadline(code, span.period, owner["region"], rules, span.days)
            if term is not None:
                row = made.get((code, span.period))
                found.append(_owed(code, register, span.period, term, row, today))
    return tuple(sorted(found, key=lambda one: (one.due_on, one.register, one.period)))


def _owed(
    code: str,
    register: registers.Register,
    period: str,
    term: Deadline,
    row: Any,  # noqa: ANN401 - a driver's row or None
    today: date,
) -> Owed:
    state = row["state"] if row else None
    submitted = row["submitted_at"] if row else None
    waiting = state is None or state in OPEN
    return Owed(
        register=code,
        zh=register.zh,
        en=register.en,
        period=period,
        due_on=term.due,
        clauses=tuple(one.clause for one in term.each),
        recipients=term.recipients or register.to,
        provisional=term.provisional,
        days_left=days_left(term.due, today),
        filing=row["id"] if row else None,
        state=state,
        overdue=waiting and today > term.due,
        late=submitted is not None and on_day(submitted) > term.due,
    )


async def missing(
    register: str,
    period: str,
    *,
    act: Act,
    rules: Library,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[Missing, ...]:
    """Active training institutions without a submitted filing, once its day is past.

    Raises: RegisterUnknown, PeriodMalformed, NotDue ("filing.…").
    """
    registers.require_period(register, period)
    rule = registers.register(register).due
    if rule is None or rule.trigger != "period":
        raise NotDue(field="register")
    due = registers.period_end(period)
    if on_day(act.at) <= due:
        return ()
    asked = [r for r in act.by.regions if registers.due_on(register, period, r, rules)]
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(MISSING, after, register, period, limit, asked)
    return tuple(
        Missing(institution=row["id"], region=row["region"], name=row["name"], due_on=due)
        for row in rows
    )
