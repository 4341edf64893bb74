"""Consents to electronic service 送达地址确认书, and the ladder of ways when one fails."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from backend.db.tables.notices import ServiceAttempt as AttemptRow
from backend.piccolo_conf import DB
from backend.services import audit, notices, policy, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.notices import Notice
from inspection_plans import service
from inspection_plans.errors import Family
from inspection_plans.loader import load_calendar
from inspection_plans.service import Attempt, Outcome, Proposal, Way

Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
STANDING = """
select * from service_consent where institution = $1 and region = $2 and withdrawn_on is null
"""
OF = "select * from service_consent where institution = $1 order by id desc"
INSERT = """
insert into service_consent (id, region, institution, reference, address, receiver, agreed_on,
  recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning *
"""
ATTEMPTS = "select * from service_attempt where notice = $1 order by id"
ARRIVED = """
select p.arrived_at, exists (select from service_proof o where o.notice = p.notice
  and o.first_viewed_at is not null) as opened
from service_proof p where p.notice = $1 order by p.id desc limit 1
"""


class ConsentStands(ServiceRefusal):
    """A consent stands already; it is withdrawn before another is recorded."""

    code = "consent.stands"
    family = Family.CONFLICT


class ConsentOutOfTime(ServiceRefusal):
    """A consent is given today or earlier, and withdrawn no earlier than it was given."""

    code = "consent.out_of_time"


class NewConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the signed paper says: its reference, the address, the authorised receiver, the day."""

    reference: Line
    address: Line
    receiver: Line
    agreed_on: date


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """送达地址确认书: stands until it is withdrawn."""

    id: UUID
    region: int
    institution: UUID
    reference: str
    address: str
    receiver: str
    agreed_on: date
    withdrawn_on: date | None
    recorded_by: UUID | None
    recorded_at: datetime


class NewAttempt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An attempt that did not serve the paper or did not reach its reader."""

    way: Way
    outcome: Outcome
    on_day: date
    details: Line


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as recorded; by None the product found the paper not opened."""

    id: UUID
    way: Way
    outcome: Outcome
    on_day: date
    details: str
    recorded_by: UUID | None
    recorded_at: datetime


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """The next way of service with its reason, and what was tried."""

    way: Way | None
    why: service.Why
    consent: UUID | None
    tried: tuple[Tried, ...]


async def standing(institution: UUID, *, region: int) -> Consent | None:
    """The consent that stands with an office, inside the caller's transaction."""
    row = await DB.connection.fetchrow(STANDING, institution, region)
    return None if row is None else msgspec.convert(dict(row), Consent)


async def record(institution: UUID, new: NewConsent, *, act: Act) -> Consent:
    """Record a signed confirmation for the institution's office.

    Source: casework 4. Raises: Absent, Denied, ConsentOutOfTime, ConsentStands ("consent.…").
    """
    policy.require(act.by, "notices.serve")
    if new.agreed_on > on_day(act.at):
        raise ConsentOutOfTime(field="agreed_on")
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(
            "select region from institution where id = $1", institution
        )
        if region is None:
            raise Absent
        try:
            async with DB.transaction():
                row = await DB.connection.fetchrow(
                    INSERT,
                    act.new_id(),
                    region,
                    institution,
                    new.reference,
                    new.address,
                    new.receiver,
                    new.agreed_on,
                    act.by.id,
                    act.at,
                )
        except asyncpg.UniqueViolationError:
            raise ConsentStands(field="institution") from None
        consent = msgspec.convert(dict(row), Consent)
        await _entered(consent, "consent.recorded", act=act)
    return consent


async def _entered(consent: Consent, verb: str, *, act: Act, reason: str = "") -> None:
    await audit.record(
        act,
        verb,
        "institution",
        consent.institution,
        region=consent.region,
        title=consent.reference,
        reason=reason,
    )


async def withdraw(institution: UUID, *, reason: str, act: Act) -> Consent:
    """End the standing consent from today; what was served under it stays served.

    Raises: Absent, Denied.
    """
    policy.require(act.by, "notices.serve")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "update service_consent set withdrawn_on = greatest($2, agreed_on)"
            " where institution = $1 and withdrawn_on is null returning *",
            institution,
            on_day(act.at),
        )
        if row is None:
            raise Absent
        consent = msgspec.convert(dict(row), Consent)
        await _entered(consent, "consent.withdrawn", act=act, reason=reason)
    return consent


async def of(institution: UUID, *, act: Act) -> tuple[Consent, ...]:
    """The consents of an institution, the newest first; persons are None for its own users."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF, institution)
    hide = act.by.institution is not None
    found = (msgspec.convert(dict(row), Consent) for row in rows)
    return tuple(msgspec.structs.replace(c, recorded_by=None) if hide else c for c in found)


async def attempt(notice_id: UUID, new: NewAttempt, *, act: Act) -> Ladder:
    """Record an attempt that failed and propose the next way.

    Raises: Absent, Denied, NotIssued ("notice.not_issued"), ConsentOutOfTime.
    """
    policy.require(act.by, "notices.serve")
    async with DB.transaction(act.by.scope):
        notice = await _issued(notice_id, act=act)
        issued_on = on_day(notice.issued_at) if notice.issued_at else on_day(act.at)
        if not issued_on <= new.on_day <= on_day(act.at):
            raise ConsentOutOfTime(field="on_day", issued_on=issued_on.isoformat())
        await _keep(notice, new, act=act)
        return await _ladder(notice, act=act)


async def _issued(notice_id: UUID, *, act: Act) -> Notice:
    notice = await notices.lock(notice_id, act=act)
    if notice.state not in ("issued", "served", "answered", "under_review"):
        raise NotIssued(state=notice.state)
    return notice


class NotIssued(ServiceRefusal):
    """Only a paper that was issued, and is not over, is being served."""

    code = "notice.not_issued"
    family = Family.CONFLICT


async def _keep(notice: Notice, new: NewAttempt, *, act: Act) -> None:
    person = None if act.by.kind == "system" else act.by.id
    await AttemptRow.insert(
        AttemptRow(
            {
                AttemptRow.id: act.new_id(),
                AttemptRow.region: notice.region,
                AttemptRow.institution: notice.institution,
                AttemptRow.notice: notice.id,
                AttemptRow.way: new.way.value,
                AttemptRow.outcome: new.outcome.value,
                AttemptRow.on_day: new.on_day,
                AttemptRow.details: new.details,
                AttemptRow.recorded_by: person,
                AttemptRow.recorded_at: act.at,
            }
        )
    )
    await audit.record(
        act,
        "notice.service_failed",
        "notice",
        notice.id,
        region=notice.region,
        title=notice.number or "",
        rev=notice.rev,
        reason=f"{new.way.value}: {new.outcome.value}",
    )


async def next_way(notice_id: UUID, *, act: Act) -> Ladder:
    """Propose how to serve a notice next; an electronic one not opened in time asks for more.

    Source: casework 4. Raises: Absent.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        return await _ladder(await notices.load(notice_id, act=act), act=act)


async def _ladder(notice: Notice, *, act: Act) -> Ladder:
    rows = await DB.connection.fetch(ATTEMPTS, notice.id)
    tried = tuple(
        msgspec.convert({n: row[n] for n in Tried.__struct_fields__}, Tried) for row in rows
    )
    consent = await standing(notice.institution, region=notice.region)
    arrived = await DB.connection.fetchrow(ARRIVED, notice.id)
    attempts = [Attempt(one.way, one.outcome) for one in tried]
    if arrived and not arrived["opened"] and _waited(arrived["arrived_at"], notice, act=act):
        attempts.insert(0, Attempt(Way.ELECTRONIC, Outcome.NOT_OPENED))
    found: Proposal = service.propose(
        consented=consent is not None,
        opened=bool(arrived and arrived["opened"]),
        attempts=attempts,
    )
    served = arrived is not None and not attempts
    return Ladder(
        way=None if served else found.way,
        why=service.Why.SERVED if served else found.why,
        consent=consent.id if consent else None,
        tried=tried,
    )


def _waited(arrived_at: datetime | None, notice: Notice, *, act: Act) -> bool:
    """Whether a paper that arrived in the portal has waited too long to be opened."""
    return arrived_at is not None and service.unopened(
        arrived_on=on_day(arrived_at),
        working_days=terms.standard(terms.OPEN, notice.region),
        today=on_day(act.at),
        calendar=load_calendar(),
    )
