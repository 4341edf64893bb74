"""Service 送达 of a notice, its proof 送达回证, and the clock that starts with it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.db.tables.findings import Finding as FindingRow
from backend.db.tables.notices import Notice as Row
from backend.db.tables.notices import ServiceProof as ProofRow
from backend.piccolo_conf import DB
from backend.services import consents, exhibits, notices, policy, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.consents import Consent
from backend.services.errors import ServiceRefusal
from backend.services.notices import Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

CITED = "select distinct unnest(evidence) as id from finding where id = any ($1)"
Line = Annotated[str, Meta(min_length=1, max_length=200)]


class ServedOutOfTime(ServiceRefusal):
    """The day of service lies before the issue or in the future."""

    code = "notice.served_out_of_time"


class NoConsent(ServiceRefusal):
    """Electronic service needs a standing consent 送达地址确认书 and its authorised receiver."""

    code = "notice.no_consent"
    family = Family.GATE


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="way"):
    """What every way of service records: who received it, and the day it counts as served."""

    receiver: Line
    served_on: date


class Electronic(Way, frozen=True, kw_only=True, tag="electronic"):
    """电子送达: under a recorded consent; the receiver is the one it authorises.

    It is served when it arrives in the portal, whether or not anybody opens it.
    """

    consent: UUID


class InPerson(Way, frozen=True, kw_only=True, tag="in_person"):
    """直接送达: signed for by the receiver."""

    receiver_title: Line


class Post(Way, frozen=True, kw_only=True, tag="post"):
    """邮寄送达: tracking number and the day of posting; served on the day of delivery."""

    tracking_number: Line
    posted_on: date


class LeftWithWitness(Way, frozen=True, kw_only=True, tag="left_with_witness"):
    """留置送达: refused, left there before a witness."""

    witness: Line
    witness_title: Line
    refusal_reason: Line


class Announcement(Way, frozen=True, kw_only=True, tag="announcement"):
    """公告送达: where it was announced and since when; served on the day the term ran out."""

    place: Line
    announced_on: date


AnyWay = Electronic | InPerson | Post | LeftWithWitness | Announcement


class AlreadyServed(ServiceRefusal):
    """Only a paper whose clock runs already is handed over another time."""

    code = "notice.not_served_yet"
    family = Family.CONFLICT


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """送达回证: way, receiver, day; arrival and first look are events of their own."""

    id: UUID
    notice: UUID
    way: Literal["electronic", "in_person", "post", "left_with_witness", "announcement"]
    receiver: str
    details: dict[str, Any]
    served_at: datetime
    recorded_by: UUID | None
    consent: UUID | None
    arrived_at: datetime | None
    first_viewed_at: datetime | None


def _begins(way: AnyWay) -> date | None:
    """The day the way of service began, where it has one of its own."""
    match way:
        case Post():
            return way.posted_on
        case Announcement():
            return way.announced_on
        case _:
            return None


def _check(way: AnyWay, notice: Notice, today: date) -> None:
    issued_on = today if notice.issued_at is None else on_day(notice.issued_at)
    begins = _begins(way) or way.served_on
    if not issued_on <= begins <= way.served_on <= today:
        raise ServedOutOfTime(
            field="served_on", issued_on=issued_on.isoformat(), today=today.isoformat()
        )
    if isinstance(way, Electronic) and way.served_on != today:  # it arrives when it is sent
        raise ServedOutOfTime(field="served_on", today=today.isoformat())
    if isinstance(way, Announcement):
        term = terms.term(
            terms.ANNOUNCE, trigger=way.announced_on, region=notice.region, duty=False
        )
        if way.served_on < term.due_on:
            raise ServedOutOfTime(field="served_on", served_on=term.due_on.isoformat())


async def _consent(way: AnyWay, notice: Notice) -> Consent | None:
    """The consent an electronic service rests on. Raises: NoConsent ("notice.no_consent")."""
    if not isinstance(way, Electronic):
        return None
    found = await consents.standing(notice.institution, region=notice.region)
    if found is None or found.id != way.consent or found.agreed_on > way.served_on:
        raise NoConsent(field="consent")
    if way.receiver != found.receiver:
        raise NoConsent(field="receiver")
    return found


async def serve(notice_id: UUID, way: AnyWay, *, act: Act) -> Notice:
    """Record the service; every term runs from the day after it, every finding is ordered.

    Source: casework 1 (G8), 3, 4. Raises: Absent, Denied, NoticeWrongState, ServedOutOfTime,
    NoConsent.
    """
    policy.require(act.by, "notices.serve")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act)
        state = states.require(Noun.NOTICE, notice.state, "serve")
        _check(way, notice, on_day(act.at))
        await _prove(notice, way, act=act)
        await _disclose(notice, act=act)
        served_on = gates.service_before_clock(way.served_on)
        due_on = await _start_clocks(notice, served_on)
        longest = max(line.days for line in notice.findings)
        region = notice.region
        kept = {
            "rectify": terms.term(terms.RECTIFY, trigger=served_on, amount=longest, region=region),
            "statement": terms.term(terms.STATE_CASE, trigger=served_on, region=region),
        }
        change = {
            Row.state: state,
            Row.served_on: served_on,
            Row.due_on: due_on,
            Row.due_basis: terms.stored(kept),
        }
        return await notices.save(notice, change, "notice.served", act=act)


async def hand_over_again(notice_id: UUID, way: AnyWay, *, act: Act) -> Proof:
    """Record that a served paper reached the party in another way too; no clock moves.

    Source: casework 4 (not opening never stops the clock). Raises: Absent, Denied,
    AlreadyServed ("notice.not_served_yet"), ServedOutOfTime, NoConsent.
    """
    policy.require(act.by, "notices.serve")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act)
        if notice.state not in ("served", "answered", "under_review"):
            raise AlreadyServed(state=notice.state)
        _check(way, notice, on_day(act.at))
        proof = await _prove(notice, way, act=act)
        await notices.save(notice, {}, "notice.served_again", act=act)
        row = await DB.connection.fetchrow("select * from service_proof where id = $1", proof)
    return _proof(dict(row))


async def _prove(notice: Notice, way: AnyWay, *, act: Act) -> UUID:
    consent = await _consent(way, notice)
    details: dict[str, Any] = msgspec.to_builtins(way)
    kind, receiver = details.pop("way"), details.pop("receiver")
    if consent:
        details |= {
            "consent_reference": consent.reference,
            "consented_on": consent.agreed_on.isoformat(),
            "address": consent.address,
        }
    ident = act.new_id()
    await ProofRow.insert(
        ProofRow(
            {
                ProofRow.id: ident,
                ProofRow.region: notice.region,
                ProofRow.institution: notice.institution,
                ProofRow.notice: notice.id,
                ProofRow.way: kind,
                ProofRow.receiver: receiver,
                ProofRow.details: details,
                ProofRow.served_at: act.at,
                ProofRow.recorded_by: act.by.id,
                ProofRow.consent: consent.id if consent else None,
                ProofRow.arrived_at: act.at if consent else None,
            }
        )
    )
    return ident


async def _disclose(notice: Notice, *, act: Act) -> None:
    """The institution sees the evidence its findings rest on."""
    cited = await DB.connection.fetch(CITED, [line.finding for line in notice.findings])
    await exhibits.disclose([row["id"] for row in cited], act=act)


async def _start_clocks(notice: Notice, served_on: date) -> date:
    """Set every finding's due day and order it; the latest due day is the notice's."""
    latest = served_on
    for line in notice.findings:
        due = terms.term(terms.RECTIFY, trigger=served_on, amount=line.days, region=notice.region)
        latest = max(latest, due.due_on)
        await notices.put_off(notice.id, [line.finding], due)
        state = states.require(Noun.FINDING, line.finding_state, "order")
        await FindingRow.update({FindingRow.state: state}).where(FindingRow.id == line.finding)
    return latest


def _proof(row: dict[str, Any]) -> Proof:
    return msgspec.convert({name: row[name] for name in Proof.__struct_fields__}, Proof)


async def of(notice_id: UUID, *, act: Act) -> tuple[Proof, ...]:
    """The proofs of a notice's service, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(
            "select * from service_proof where notice = $1 order by id", notice_id
        )
    hide = act.by.institution is not None
    found = [_proof(dict(row)) for row in rows]
    return tuple(msgspec.structs.replace(p, recorded_by=None) if hide else p for p in found)
