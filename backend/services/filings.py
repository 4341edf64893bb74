"""Filings 备案与报送: a typed document of a register, drafted, submitted, accepted or returned."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, registers
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.payloads import Enrolment
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.library import Library

State = Literal["draft", "submitted", "accepted", "returned"]
OPEN = ("draft", "returned")

INSTITUTION = "select id, region, name from institution where id = $1"
# The second of two first savers waits here and then finds the row of the first.
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
HELD = "select * from filing where institution = $1 and register = $2 and period = $3 for update"
LOCKED = "select * from filing where id = $1 for update"
ONE = "select * from filing where id = $1"
CREATE = """
insert into filing (id, region, institution, register, period, state, payload, rev, by_account,
  created_at)
values ($1, $2, $3, $4, $5, 'draft', $6, 1, $7, $8) returning *
"""
REPLACE = """
update filing set payload = $2, by_account = $3, rev = rev + 1 where id = $1 returning *
"""
SUBMIT = """
update filing set state = $2, submitted_at = $3, by_account = $4, reason = null, decided_at = null,
  decided_by = null, rev = rev + 1
where id = $1 returning *
"""
DECIDE = """
update filing set state = $2, decided_at = $3, decided_by = $4, reason = $5, rev = rev + 1
where id = $1 returning *
"""
ALL = """
select * from filing where ($1::uuid is null or id < $1) and ($2::text is null or register = $2)
  and ($3::text is null or state = $3) and ($4::uuid is null or institution = $4)
order by id desc limit $5
"""
CLASS = "select id from training_class where institution = $1 and code = $2"
ROSTER = """
select jsonb_array_length(payload -> 'entries') from directory_version
where kind = 'roster' and subject = $1 and rev = $2
"""
MISSING = """
select i.id, i.region, i.name from institution i
where i.region = any($5) and i.status = 'active' and 'training' = any(i.kinds)
  and ($1::uuid is null or i.id < $1)
  and not exists (select from filing f where f.institution = i.id and f.register = $2
    and f.period = $3 and f.state in ('submitted', 'accepted'))
order by i.id desc limit $4
"""


class WrongFiler(ServiceRefusal):
    """The register is filed by the other side: ``filer`` says by whom."""

    code: ClassVar[str] = "filing.wrong_filer"
    family: ClassVar[Family] = Family.DENIED


class NotOpen(ServiceRefusal):
    """A submitted or accepted filing is not rewritten; it is returned first."""

    code: ClassVar[str] = "filing.not_open"
    family: ClassVar[Family] = Family.CONFLICT


class ClassUnknown(ServiceRefusal):
    """The institution has no class with this code."""

    code: ClassVar[str] = "filing.class_unknown"
    family: ClassVar[Family] = Family.INVALID


class RosterDiffers(ServiceRefusal):
    """No roster of the class has this version, or it has another number of persons."""

    code: ClassVar[str] = "filing.roster_differs"
    family: ClassVar[Family] = Family.INVALID


class NotDue(ServiceRefusal):
    """No clause names a day until which the register is filed."""

    code: ClassVar[str] = "filing.no_due_day"
    family: ClassVar[Family] = Family.INVALID


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """备案件: ``overdue`` (open after its day) and ``late`` (came after it) are computed."""

    id: UUID
    region: int
    institution: UUID
    register: str
    period: str
    state: State
    payload: dict[str, Any]
    rev: int
    reason: str | None
    by_account: UUID
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by: UUID | None
    due_on: date | None
    overdue: bool
    late: bool


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """An institution that has not filed although its day is past."""

    institution: UUID
    region: int
    name: str
    due_on: date


def _of(row: Any, act: Act, rules: Library) -> Filing:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    due = registers.due_on(row["register"], row["period"], row["region"], rules)
    submitted = row["submitted_at"]
    return Filing(
        **dict(row),
        due_on=due,
        overdue=due is not None and row["state"] in OPEN and on_day(act.at) > due,
        late=due is not None and submitted is not None and on_day(submitted) > due,
    )


async def _record(act: Act, verb: str, filing: Filing) -> None:
    await audit.record(
        act,
        f"filing.{verb}",
        "filing",
        filing.id,
        region=filing.region,
        title=f"{filing.register} {filing.period}",
        rev=filing.rev,
        reason=filing.reason or "",
    )


async def _require_class(institution: UUID, register: str, period: str, read: object) -> None:
    """A filing about a class names one that stands; a roll names a version of its roster."""
    if registers.register(register).period != "class" or register == "R07":
        return
    class_id = await DB.connection.fetchval(CLASS, institution, period)
    if class_id is None:
        raise ClassUnknown(field="period")
    if isinstance(read, Enrolment):
        persons = await DB.connection.fetchval(ROSTER, class_id, read.roster_rev)
        if persons != read.persons:
            raise RosterDiffers(field="payload.roster_rev", persons=persons)


def _require_filer(register: str, act: Act) -> None:
    filer = registers.register(register).filer
    if act.by.kind != filer:
        raise WrongFiler(filer=filer)


async def save(
    institution_id: UUID,
    register: str,
    period: str,
    payload: dict[str, Any],
    *,
    act: Act,
    rules: Library,
    rev: int | None = None,
) -> Filing:
    """Write a draft, or rewrite one that is open and still stands at ``rev`` if given.

    Raises: RegisterUnknown, PeriodMalformed, PayloadInvalid, WrongFiler, ClassUnknown,
    RosterDiffers, NotOpen ("filing.…"), Absent ("thing.absent"), Changed ("thing.changed").
    """
    registers.require_period(register, period)
    read = registers.read(register, payload)
    _require_filer(register, act)
    async with DB.transaction(act.by.scope):
        owner = await DB.connection.fetchrow(INSTITUTION, institution_id)
        if owner is None:
            raise Absent
        await DB.connection.execute(LOCK, f"filing {institution_id} {register} {period}")
        held = await DB.connection.fetchrow(HELD, institution_id, register, period)
        _require_open(held, rev)
        await _require_class(institution_id, register, period, read)
        clean = msgspec.to_builtins(read)
        if held is None:
            row = await DB.connection.fetchrow(
                CREATE,
                act.new_id(),
                owner["region"],
                institution_id,
                register,
                period,
                clean,
                act.by.id,
                act.at,
            )
        else:
            row = await DB.connection.fetchrow(REPLACE, held["id"], clean, act.by.id)
        filing = _of(row, act, rules)
        await _record(act, "saved", filing)
    return filing


def _require_open(held: Any, rev: int | None) -> None:  # noqa: ANN401 - a driver's row or None
    if held is not None and held["state"] not in OPEN:
        raise NotOpen(field="state", state=held["state"])
    if rev is not None and (held is None or held["rev"] != rev):
        raise Changed(field="rev", rev=held["rev"] if held else 0)


async def submit(filing_id: UUID, *, act: Act, rules: Library) -> Filing:
    """Hand the filing in.

    Raises: Absent ("thing.absent"), FilingWrongState ("filing.wrong_state"), WrongFiler.
    """
    async with DB.transaction(act.by.scope):
        held = _of(await DB.connection.fetchrow(LOCKED, filing_id), act, rules)
        _require_filer(held.register, act)
        state = states.require(states.Noun.FILING, held.state, "submit")
        row = await DB.connection.fetchrow(SUBMIT, filing_id, state, act.at, act.by.id)
        filing = _of(row, act, rules)
        await _record(act, "submitted", filing)
    return filing


async def _decide(
    filing_id: UUID, verb: str, reason: str | None, *, act: Act, rules: Library
) -> Filing:
    async with DB.transaction(act.by.scope):
        held = _of(await DB.connection.fetchrow(LOCKED, filing_id), act, rules)
        state = states.require(states.Noun.FILING, held.state, verb)
        gates.second_person(states.Noun.FILING, author=held.by_account, approver=act.by.id)
        row = await DB.connection.fetchrow(DECIDE, filing_id, state, act.at, act.by.id, reason)
        filing = _of(row, act, rules)
        await _record(act, state, filing)
    return filing


async def accept(filing_id: UUID, *, act: Act, rules: Library) -> Filing:
    """Accept a submitted filing; nobody accepts their own.

    Raises: Absent ("thing.absent"), FilingWrongState ("filing.wrong_state"), SamePerson.
    """
    return await _decide(filing_id, "accept", None, act=act, rules=rules)


async def send_back(filing_id: UUID, reason: str, *, act: Act, rules: Library) -> Filing:
    """Return a submitted filing with the reason, so that it can be corrected.

    Raises: Absent ("thing.absent"), FilingWrongState ("filing.wrong_state"), SamePerson.
    """
    return await _decide(filing_id, "return", reason, act=act, rules=rules)


async def filing(filing_id: UUID, *, act: Act, rules: Library) -> Filing:
    """One filing.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, filing_id)
    return _of(row, act, rules)


async def filings(
    *,
    act: Act,
    rules: Library,
    register: str | None = None,
    state: State | None = None,
    institution: UUID | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[Filing, ...]:
    """Filings the caller may see, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ALL, after, register, state, institution, limit)
    return tuple(_of(row, act, rules) for row in rows)


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
    if registers.register(register).due is None:
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
