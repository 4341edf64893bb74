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
from backend.services import exhibits, notices, terms
from backend.services.accounts import on_day
from backend.services.act import Act
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
    """Electronic service needs a consent with address confirmation 送达地址确认书 before it."""

    code = "notice.no_consent"
    family = Family.GATE


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="way"):
    """What every way of service records: who received it, and the day it counts as served."""

    receiver: Line
    served_on: date


class Electronic(Way, frozen=True, kw_only=True, tag="electronic"):
    """电子送达: with the confirmation that allows it; the receiver is the authorised one."""

    consent_reference: Line
    consented_on: date
    address: Line


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


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """送达回证: way, receiver, day; the first look of the institution is another event."""

    id: UUID
    notice: UUID
    way: Literal["electronic", "in_person", "post", "left_with_witness", "announcement"]
    receiver: str
    details: dict[str, Any]
    served_at: datetime
    recorded_by: UUID | None
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
    if isinstance(way, Electronic) and way.consented_on > way.served_on:
        raise NoConsent(field="consented_on", served_on=way.served_on.isoformat())


async def serve(notice_id: UUID, way: AnyWay, *, act: Act) -> Notice:
    """Record the service; every term runs from the day after it, every finding is ordered.

    Source: casework 1 (G8), 3, 4. Raises: Absent, NoticeWrongState, ServedOutOfTime, NoConsent.
    """
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


async def _prove(notice: Notice, way: AnyWay, *, act: Act) -> None:
    details: dict[str, Any] = msgspec.to_builtins(way)
    kind, receiver = details.pop("way"), details.pop("receiver")
    await ProofRow.insert(
        ProofRow(
            {
                ProofRow.id: act.new_id(),
                ProofRow.region: notice.region,
                ProofRow.institution: notice.institution,
                ProofRow.notice: notice.id,
                ProofRow.way: kind,
                ProofRow.receiver: receiver,
                ProofRow.details: details,
                ProofRow.served_at: act.at,
                ProofRow.recorded_by: act.by.id,
            }
        )
    )


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
        await DB.connection.execute(
            "update notice_finding set due_on = $3 where notice = $1 and finding = $2",
            notice.id,
            line.finding,
            due.due_on,
        )
        state = states.require(Noun.FINDING, line.finding_state, "order")
        await FindingRow.update({FindingRow.state: state}).where(FindingRow.id == line.finding)
    return latest


async def of(notice_id: UUID, *, act: Act) -> tuple[Proof, ...]:
    """The proofs of a notice's service, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(
            "select * from service_proof where notice = $1 order by id", notice_id
        )
    hide = act.by.institution is not None
    found = [msgspec.convert(dict(row), Proof) for row in rows]
    return tuple(msgspec.structs.replace(p, recorded_by=None) if hide else p for p in found)
