"""Filings 备案与报送: a typed document of a register, drafted, submitted, accepted or returned.

Every submission and decision leaves a version; a submission gives a receipt, and desk review
looks at what changed.
"""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, bars, desk_orders, registers
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.payloads import Enrolment, Payload
from backend.services.registers import Trigger
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.library import Library
from media import base64url, canon
from media.keys import ServerKey

State = Literal["draft", "submitted", "accepted", "returned"]
OPEN = ("draft", "returned")
# First bytes under a filing's receipt, so that no other signature of this key can stand for it.
DOMAIN = b"MINGCHA-FILING-V1\n"
DAYS: tuple[Trigger, ...] = ("class_start", "class_end", "exam_day")

INSTITUTION = "select id, region, name from institution where id = $1"
# The second of two first savers waits here and then finds the row of the first.
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
# A term runs from the day a class began or ended, or an exam was held: as filed, else as planned.
SELECT = """
select f.*, c.starts_on as class_start,
  coalesce((select (e.payload ->> 'ended_on')::date from filing e where e.register = 'R15'
    and e.institution = f.institution and e.period = f.period), c.ends_on) as class_end,
  (select (e.payload ->> 'examined_on')::date from filing e where e.register = 'R19'
    and e.institution = f.institution and e.period = f.period) as exam_day
from filing f left join training_class c on c.institution = f.institution and c.code = f.period
"""
HELD = """
select * from filing where institution is not distinct from $1 and register = $2 and period = $3
  and region = $4 for update
"""
PAYLOAD = """
select payload from filing where institution is not distinct from $1 and register = $2
  and period = $3 and (institution is not null or region = $4)
"""
LOCKED = f"{SELECT} where f.id = $1 for update of f"
ONE = f"{SELECT} where f.id = $1"
CREATE = """
insert into filing (id, region, institution, register, period, state, payload, rev, by_account,
  created_at)
values ($1, $2, $3, $4, $5, 'draft', $6, 1, $7, $8)
"""
REPLACE = "update filing set payload = $2, by_account = $3, rev = rev + 1 where id = $1"
SUBMIT = """
update filing set state = $2, submitted_at = $3, by_account = $4, receipt = $5, reason = null,
  decided_at = null, decided_by = null, rev = rev + 1
where id = $1
"""
DECIDE = """
update filing set state = $2, decided_at = $3, decided_by = $4, reason = $5, rev = rev + 1
where id = $1
"""
KEEP = """
insert into filing_version (filing, rev, region, institution, state, payload, sha256, reason,
  by_account, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
SEEN = "select true from filing where id = $1"
VERSIONS = """
select rev, state, payload, sha256, reason, by_account, at from filing_version where filing = $1
order by rev
"""
ALL = f"""
{SELECT} where ($1::uuid is null or f.id < $1) and ($2::text is null or f.register = $2)
  and ($3::text is null or f.state = $3) and ($4::uuid is null or f.institution = $4)
order by f.id desc limit $5
"""
CLASS = "select id from training_class where institution = $1 and code = $2"
ROSTER = """
select jsonb_array_length(payload -> 'entries') from directory_version
where kind = 'roster' and subject = $1 and rev = $2
"""


class WrongFiler(ServiceRefusal):
    """The register is filed by the other side: ``filer`` says by whom."""

    code: ClassVar[str] = "filing.wrong_filer"
    family: ClassVar[Family] = Family.DENIED


class WrongSubject(ServiceRefusal):
    """The register is about one institution and none is named, or the other way round."""

    code: ClassVar[str] = "filing.wrong_subject"
    family: ClassVar[Family] = Family.INVALID


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


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the filer keeps: ``digest`` is the payload's SHA-256.

    ``raw`` and ``signature`` are base64url; the signature is Ed25519 over the domain and ``raw``.
    """

    digest: str
    rev: int
    submitted_at: datetime
    kid: str
    raw: str
    signature: str


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """备案件: ``overdue`` (open after its day) and ``late`` (came after it) are computed.

    ``due_clauses`` name the papers the day rests on, ``recipients`` all who must be served.
    ``institution`` is None for what an office files about itself.
    """

    id: UUID
    region: int
    institution: UUID | None
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
    receipt: Receipt | None
    due_on: date | None
    due_clauses: tuple[str, ...]
    recipients: tuple[str, ...]
    provisional: bool
    overdue: bool
    late: bool


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a filing said when it was submitted or decided; ``sha256`` is its payload's."""

    rev: int
    state: State
    payload: dict[str, Any]
    sha256: str
    reason: str | None
    by_account: UUID
    at: datetime


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 of a payload with its keys in order, hex."""
    return sha256(msgspec.json.encode(payload, order="deterministic")).hexdigest()


def _of(row: Any, act: Act, rules: Library) -> Filing:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    values = dict(row)
    days: dict[Trigger, date | None] = {name: values.pop(name) for name in DAYS}
    term = registers.deadline(row["register"], row["period"], row["region"], rules, days)
    due, submitted = term.due if term else None, row["submitted_at"]
    values["receipt"] = values["receipt"] and msgspec.convert(values["receipt"], Receipt)
    return Filing(
        **values,
        due_on=due,
        due_clauses=tuple(one.clause for one in term.each) if term else (),
        recipients=term.recipients if term else (),
        provisional=term is not None and term.provisional,
        overdue=due is not None and row["state"] in OPEN and on_day(act.at) > due,
        late=due is not None and submitted is not None and on_day(submitted) > due,
    )


async def _load(filing_id: UUID, act: Act, rules: Library, *, locked: bool = False) -> Filing:
    row = await DB.connection.fetchrow(LOCKED if locked else ONE, filing_id)
    return _of(row, act, rules)


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
        after_sha256=digest(filing.payload),
    )


async def _keep(filing: Filing, act: Act) -> None:
    """Keep what was submitted or decided, and have desk review look at it."""
    await DB.connection.execute(
        KEEP,
        filing.id,
        filing.rev,
        filing.region,
        filing.institution,
        filing.state,
        filing.payload,
        digest(filing.payload),
        filing.reason,
        act.by.id,
        act.at,
    )
    if filing.institution is not None:
        await desk_orders.order(filing.institution, region=filing.region, at=act.at)
    else:
        await desk_orders.order_all(region=filing.region, at=act.at)


async def _require_class(institution: UUID, register: str, period: str, head: Payload) -> None:
    """A filing about a class names one that stands; a roll names a version of its roster."""
    if registers.register(register).period != "class" or register in ("R07", "R08"):
        return
    class_id = await DB.connection.fetchval(CLASS, institution, period)
    if class_id is None:
        raise ClassUnknown(field="period")
    if isinstance(head, Enrolment):
        persons = await DB.connection.fetchval(ROSTER, class_id, head.roster_rev)
        if persons != head.persons:
            raise RosterDiffers(field="payload.roster_rev", persons=persons)


def _require_filer(register: str, act: Act) -> None:
    filer = registers.register(register).filer
    if act.by.kind != filer:
        raise WrongFiler(filer=filer)


async def _region(institution_id: UUID | None, register: str, act: Act) -> int:
    about = registers.register(register).about
    if (institution_id is None) != (about == "office"):
        raise WrongSubject(field="institution", about=about)
    if institution_id is None:
        return act.by.region
    owner = await DB.connection.fetchrow(INSTITUTION, institution_id)
    if owner is None:
        raise Absent
    return int(owner["region"])


async def save(
    institution_id: UUID | None,
    register: str,
    period: str,
    payload: dict[str, Any],
    *,
    act: Act,
    rules: Library,
    rev: int | None = None,
) -> Filing:
    """Write a draft, or rewrite one that is open and still stands at ``rev`` if given.

    Raises: RegisterUnknown, PeriodMalformed, PayloadInvalid, WrongFiler, WrongSubject,
    ClassUnknown, RosterDiffers, NotOpen ("filing.…"), Absent ("thing.absent"), Changed
    ("thing.changed").
    """
    registers.require_period(register, period)
    content = registers.read(register, period, payload)
    _require_filer(register, act)
    async with DB.transaction(act.by.scope):
        region = await _region(institution_id, register, act)
        owner = institution_id or region
        await DB.connection.execute(LOCK, f"filing {owner} {register} {period}")
        held = await DB.connection.fetchrow(HELD, institution_id, register, period, region)
        _require_open(held, rev)
        if institution_id is not None:
            await _require_class(institution_id, register, period, content.head)
        filing_id = held["id"] if held else act.new_id()
        if held is None:
            await DB.connection.execute(
                CREATE,
                filing_id,
                region,
                institution_id,
                register,
                period,
                content.written(),
                act.by.id,
                act.at,
            )
        else:
            await DB.connection.execute(REPLACE, filing_id, content.written(), act.by.id)
        filing = await _load(filing_id, act, rules)
        await _record(act, "saved", filing)
    return filing


async def payload_of(
    institution_id: UUID | None, register: str, period: str, *, act: Act
) -> dict[str, Any]:
    """What a filing says now; empty where nothing was written yet."""
    async with DB.transaction(act.by.scope, readonly=True):
        found = await DB.connection.fetchval(
            PAYLOAD, institution_id, register, period, act.by.region
        )
    return found or {}


def _require_open(held: Any, rev: int | None) -> None:  # noqa: ANN401 - a driver's row or None
    if held is not None and held["state"] not in OPEN:
        raise NotOpen(field="state", state=held["state"])
    if rev is not None and (held is None or held["rev"] != rev):
        raise Changed(field="rev", rev=held["rev"] if held else 0)


def _receipt(filing: Filing, act: Act, key: ServerKey) -> Receipt:
    content = {
        "digest": digest(filing.payload),
        "filing": str(filing.id),
        "institution": str(filing.institution or ""),
        "period": filing.period,
        "register": filing.register,
        "rev": filing.rev + 1,
        "submitted_at": act.at.isoformat(),
    }
    raw = canon.encode(content)
    return Receipt(
        digest=str(content["digest"]),
        rev=filing.rev + 1,
        submitted_at=act.at,
        kid=key.kid,
        raw=base64url.encode(raw),
        signature=base64url.encode(key.sign(DOMAIN + raw)),
    )


async def submit(filing_id: UUID, *, act: Act, rules: Library, key: ServerKey) -> Filing:
    """Hand the filing in; it carries its signed receipt from then on.

    Raises: Absent ("thing.absent"), FilingWrongState ("filing.wrong_state"), WrongFiler, Barred
    ("institution.barred").
    """
    async with DB.transaction(act.by.scope):
        held = await _load(filing_id, act, rules, locked=True)
        _require_filer(held.register, act)
        state = states.require(states.Noun.FILING, held.state, "submit")
        if held.institution and registers.register(held.register).barred:
            await bars.free(held.institution, on=on_day(act.at))
        receipt = msgspec.to_builtins(_receipt(held, act, key))
        await DB.connection.execute(SUBMIT, filing_id, state, act.at, act.by.id, receipt)
        filing = await _load(filing_id, act, rules)
        await _keep(filing, act)
        await _record(act, "submitted", filing)
    return filing


async def _decide(
    filing_id: UUID, verb: str, reason: str | None, *, act: Act, rules: Library
) -> Filing:
    async with DB.transaction(act.by.scope):
        held = await _load(filing_id, act, rules, locked=True)
        state = states.require(states.Noun.FILING, held.state, verb)
        gates.second_person(states.Noun.FILING, author=held.by_account, approver=act.by.id)
        await DB.connection.execute(DECIDE, filing_id, state, act.at, act.by.id, reason)
        filing = await _load(filing_id, act, rules)
        await _keep(filing, act)
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
        return await _load(filing_id, act, rules)


async def versions(filing_id: UUID, *, act: Act) -> tuple[Version, ...]:
    """What the filing said at every submission and decision, the oldest first.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        if await DB.connection.fetchval(SEEN, filing_id) is None:
            raise Absent
        rows = await DB.connection.fetch(VERSIONS, filing_id)
    return tuple(Version(**dict(row)) for row in rows)


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
