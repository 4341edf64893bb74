"""Operations of phones: each applied exactly once, effect, row and audit entry in one transaction.

Source: evidence spec 3. A batch is no transaction, so that one bad operation never holds back the
rest; what a phone is told has been committed, and telling it again changes nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

from backend.piccolo_conf import DB
from backend.services import (
    answers,
    audit,
    bodies,
    dead_letters,
    evidence,
    rollcalls,
    visit_events,
    visits,
)
from backend.services.act import Act
from backend.services.deeds import Blocked, Deed, Effect, Site, Tools, flags_of
from backend.services.errors import REFUSALS, Absent, Refusal, ServiceRefusal
from inspection_plans.errors import Family
from media import ops as envelopes
from media.errors import MediaRefusal
from media.ops import Envelope

BATCH_MAX = 100
RETRY_S = 30


class DeviceRequired(ServiceRefusal):
    """Operations come from an enrolled device of an inspector, over its own token."""

    code = "device.required"
    family = Family.DENIED


class ForeignDevice(ServiceRefusal):
    """The operation names another device than the one that sends it."""

    code = "op.foreign_device"
    family = Family.DENIED


class KindUnknown(ServiceRefusal):
    """No operation of this kind."""

    code = "op.kind_unknown"


class BodyInvalid(ServiceRefusal):
    """The body does not have the form of its kind; ``field`` is its path."""

    code = "op.body_invalid"


class SeqReused(ServiceRefusal):
    """Another operation of this device has this number; a counter that went back was wiped."""

    code = "op.seq_reused"
    family = Family.CONFLICT


class Kind(Struct, frozen=True):
    """How a kind is read and which verb carries it out."""

    body: type[bodies.Body]
    verb: Callable[[Deed, Any], Awaitable[Effect]]


KINDS: dict[str, Kind] = {
    "visit.start": Kind(bodies.VisitStart, visits.start),
    "visit.checkin": Kind(bodies.VisitCheckin, visit_events.checkin),
    "visit.finalize": Kind(bodies.VisitFinalize, visits.finalize),
    "certificate.shown": Kind(bodies.CertificateShown, visit_events.certificate_shown),
    "answer.set": Kind(bodies.AnswerSet, answers.record),
    "rollcall.record": Kind(bodies.RollcallRecord, rollcalls.record),
    "evidence.declare": Kind(bodies.EvidenceDeclare, evidence.declare),
    "evidence.withdraw": Kind(bodies.EvidenceWithdraw, evidence.withdraw),
    "interview.record": Kind(bodies.InterviewRecord, visit_events.interview),
    "party.statement": Kind(bodies.PartyStatement, visit_events.statement),
    "recusal.declare": Kind(bodies.RecusalDeclare, visits.recuse),
    "obstruction.record": Kind(bodies.ObstructionRecord, visits.obstruct),
    "slip.issue": Kind(bodies.SlipIssue, visit_events.slips),
    "document.copy": Kind(bodies.DocumentCopy, visit_events.document_copy),
    "contributor.list": Kind(bodies.ContributorList, visit_events.contributor),
    "signature.record": Kind(bodies.SignatureRecord, visit_events.signature),
}
DECODERS = {name: msgspec.json.Decoder(kind.body) for name, kind in KINDS.items()}

Word = Literal["applied", "duplicate", "conflict_digest", "blocked", "rejected", "retry"]


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of an operation; these bytes are stored and told again unchanged."""

    result: Literal["applied", "blocked", "rejected"]
    code: str = ""
    field: str | None = None
    facts: dict[str, Any] = {}
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    data: dict[str, Any] = {}


class Told(Struct, frozen=True, omit_defaults=True):
    """One line of the answer to a batch; ``outcome`` is the stored result, byte for byte."""

    op_id: str
    result: Word
    outcome: Raw | None = None
    after_s: int = 0


class Row(Struct, frozen=True, kw_only=True):
    """Where an operation's row stands before it is written."""

    envelope: Envelope
    raw: bytes
    region: int
    visit: UUID | None
    again: bool = False


# The visit is locked for the whole operation: two of its operations, or one and its completion,
# take turns. A common table expression, because an outer join's side cannot be locked.
LOAD = """
with v as (
  select id, region, institution, code, state, epoch, kind, sheet, sheet_digest, jurisdiction,
    on_date, sealed_until, training_class from visit
  where id = $2 and sealed_until <= $4 for no key update)
select v.*, a.id as assignment, a.epoch as assignment_epoch, a.state as assignment_state,
  o.digest as stored_digest, o.dev as stored_dev, o.result as stored_result
from (values (1)) one (n) left join v on true left join op o on o.op_id = $1
left join lateral (select id, epoch, state from assignment
  where visit = v.id and inspector = $3 order by epoch desc, id desc limit 1) a on true
"""
SAVE = """
with saved as (
  insert into op (op_id, region, dev, inst_epoch, seq, kind, visit, digest, envelope, status,
    result, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))
insert into aud.entry (region, leaf, body) values ($2, $13, $14)
"""
SAVE_AGAIN = """
with saved as (update op set status = $3, result = $4 where op_id = $1)
insert into aud.entry (region, leaf, body) values ($2, $5, $6)
"""
WAITING = """
select op_id, envelope from op where dev = $1 and status = 'blocked' order by inst_epoch, seq
limit 100
"""


async def apply(batch: Sequence[bytes], *, act: Act, tools: Tools) -> tuple[Told, ...]:
    """Carry out a batch in the order given; one answer an operation, in that order.

    Raises: DeviceRequired ("device.required") for the whole batch; what is wrong with one
    operation is told in its own line.
    Source: evidence spec 3.
    """
    if act.by.device is None or act.by.device_spki is None or act.by.inspector is None:
        raise DeviceRequired
    told = [await _one(raw, act, tools) for raw in batch]
    if any(line.result == "applied" for line in told):
        await _unblock(act, tools)
    return tuple(told)


async def _one(raw: bytes, act: Act, tools: Tools) -> Told:
    try:
        envelope = _authentic(raw, act)
    except (MediaRefusal, ForeignDevice) as refusal:
        return await _unread(raw, refusal, act)
    act = msgspec.structs.replace(act, op_id=UUID(envelope.op_id))
    try:
        return await _carry_out(envelope, raw, act, tools)
    except asyncpg.UniqueViolationError as clash:
        row = Row(envelope=envelope, raw=raw, region=act.by.region, visit=None)
        return await _clashed(row, clash.constraint_name, act)


def _authentic(raw: bytes, act: Act) -> Envelope:
    """The envelope, once its digest and the caller's own device's signature hold."""
    envelope = envelopes.parse(raw)
    if envelope.dev != str(act.by.device):
        raise ForeignDevice(field="dev")
    envelopes.verify(envelope, act.by.device_spki or b"")
    return envelope


async def _carry_out(
    envelope: Envelope, raw: bytes, act: Act, tools: Tools, *, again: bool = False
) -> Told:
    """Load, ask the kind's verb, save; a refusal undoes the verb and is itself saved."""
    row = Row(envelope=envelope, raw=raw, region=act.by.region, visit=None, again=again)
    try:
        body = _body(envelope)
        async with DB.transaction(act.by.scope):
            found = await _load(UUID(body.visit), act)
            if found["stored_digest"] is not None and not again:
                return await _repeated(envelope, found, act)
            site = _site(found)
            row = msgspec.structs.replace(row, region=site.region, visit=site.id)
            deed = _deed(envelope, site, body, act, tools)
            effect = await KINDS[envelope.kind].verb(deed, body)
            outcome = Outcome("applied", flags=(*deed.flags, *effect.flags), data=effect.data)
            told = await _save(row, outcome, act, _entry(deed, effect))
            if effect.may_complete or site.state == "submitted":
                await visits.complete_if_ready(site.id, act=act, rules=tools.rules)
            return told
    except REFUSALS as refusal:
        if str(refusal.family) == Family.UNAVAILABLE:
            return Told(envelope.op_id, "retry", after_s=RETRY_S)
        return await _refuse(row, refusal, act)


def _entry(deed: Deed, effect: Effect) -> audit.Entry:
    return audit.compose(
        deed.act,
        deed.kind,
        effect.object_type,
        effect.object_id,
        region=deed.site.region,
        title=effect.title or deed.site.code,
        reason=",".join((*deed.flags, *effect.flags)),
        after_sha256=deed.digest,
    )


def _body(envelope: Envelope) -> bodies.Body:
    """The typed body; raises KindUnknown, BodyInvalid, NotCanonical."""
    decoder = DECODERS.get(envelope.kind)
    if decoder is None:
        raise KindUnknown(field="kind", kind=envelope.kind, known=sorted(KINDS))
    raw = bytes(envelope.body)
    try:
        body = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise BodyInvalid(field=envelopes.path_of(error), detail=str(error)) from None
    envelopes.spelled(raw, body)
    return body


async def _load(visit: UUID | None, act: Act) -> dict[str, Any]:
    row = await DB.connection.fetchrow(LOAD, act.op_id, visit, act.by.inspector, act.at)
    return dict(row)


def _site(found: dict[str, Any]) -> Site:
    """The visit and assignment; a foreign, sealed or unknown visit is the same Absent."""
    if found["id"] is None or found["assignment"] is None:
        raise Absent(field="visit")
    return Site(**{name: found[name] for name in Site.__struct_fields__})


def _deed(envelope: Envelope, site: Site, body: bodies.Body, act: Act, tools: Tools) -> Deed:
    flags = flags_of(
        site,
        asg_epoch=envelope.base.asg_epoch,
        plan=envelope.base.plan,
        at_ms=body.at,
        now=act.at,
    )
    return Deed(
        op_id=UUID(envelope.op_id),
        dev=UUID(envelope.dev),
        spki=act.by.device_spki or b"",
        inspector=act.by.inspector or UUID(int=0),
        inst_epoch=envelope.inst_epoch,
        seq=envelope.seq,
        kind=envelope.kind,
        digest=envelope.digest,
        body=bytes(envelope.body),
        site=site,
        flags=flags,
        act=act,
        tools=tools,
    )


async def _save(row: Row, outcome: Outcome, act: Act, entry: audit.Entry) -> Told:
    """Write the operation with its result beside the effect; its entry in the same statement."""
    envelope, result = row.envelope, msgspec.json.encode(outcome)
    if row.again:
        await DB.connection.execute(
            SAVE_AGAIN, act.op_id, row.region, outcome.result, result, entry.leaf, entry.body
        )
    else:
        await DB.connection.execute(
            SAVE,
            act.op_id,
            row.region,
            act.by.device,
            envelope.inst_epoch,
            envelope.seq,
            envelope.kind,
            row.visit,
            envelope.digest,
            row.raw,
            outcome.result,
            result,
            act.at,
            entry.leaf,
            entry.body,
        )
    return Told(envelope.op_id, outcome.result, Raw(result))


async def _repeated(envelope: Envelope, stored: dict[str, Any], act: Act) -> Told:
    """The same operation again gets its stored result; another one under its id is an alarm."""
    if stored["stored_digest"] == envelope.digest and stored["stored_dev"] == act.by.device:
        return Told(envelope.op_id, "duplicate", Raw(stored["stored_result"]))
    await audit.record(
        act,
        "op.conflict_digest",
        "op",
        envelope.op_id,
        region=act.by.region,
        before_sha256=stored["stored_digest"],
        after_sha256=envelope.digest,
    )
    return Told(envelope.op_id, "conflict_digest")


async def _refuse(row: Row, refusal: Refusal, act: Act) -> Told:
    """Save that it was refused, or that it waits; what was sent is kept whole.

    A refusal is final for the phone: a supervisor may apply the dead letter later.
    """
    waits = isinstance(refusal, Blocked)
    outcome = Outcome(
        "blocked" if waits else "rejected",
        code="" if waits else refusal.code,
        field=refusal.field,
        facts={} if waits else refusal.facts,
        needs=refusal.needs if isinstance(refusal, Blocked) else (),
    )
    if waits and row.again:
        return Told(row.envelope.op_id, "blocked", Raw(msgspec.json.encode(outcome)))
    entry = audit.compose(
        act,
        "op.blocked" if waits else "op.rejected",
        "op",
        row.envelope.op_id,
        region=row.region,
        title=row.envelope.kind,
        reason=outcome.code,
        after_sha256=row.envelope.digest,
    )
    async with DB.transaction(act.by.scope):
        told = await _save(row, outcome, act, entry)
        if not waits:
            await dead_letters.bury(
                row.raw, outcome.code, act=act, op_id=act.op_id, visit=row.visit
            )
    return told


async def _unread(raw: bytes, refusal: MediaRefusal | ServiceRefusal, act: Act) -> Told:
    """Refuse what is not an authentic operation: kept, but not under the id it claims.

    Otherwise bytes broken on the way would stand where the true operation must stand.
    """
    op_id = _claimed_id(raw)
    async with DB.transaction(act.by.scope):
        if await dead_letters.bury(raw, refusal.code, act=act, op_id=op_id):
            await audit.record(
                act,
                "op.refused_unread",
                "op",
                op_id or "",
                region=act.by.region,
                reason=refusal.code,
                after_sha256=sha256(raw).hexdigest(),
            )
    outcome = Outcome("rejected", code=refusal.code, field=refusal.field, facts=refusal.facts)
    return Told(str(op_id or ""), "rejected", Raw(msgspec.json.encode(outcome)))


class _Claimed(Struct, frozen=True):
    op_id: UUID


def _claimed_id(raw: bytes) -> UUID | None:
    """The id that unreadable bytes claim, so that the phone can match the answer."""
    try:
        return msgspec.json.decode(raw, type=_Claimed).op_id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def _clashed(row: Row, constraint: str | None, act: Act) -> Told:
    """Somebody wrote this operation first, or the device used its number twice."""
    if constraint == "op_pkey":
        async with DB.transaction(act.by.scope):
            stored = await _load(None, act)
            if stored["stored_digest"] is not None:
                return await _repeated(row.envelope, stored, act)
    # Also an id taken by somebody whose rows this person does not see: told like any clash.
    return await _unread(row.raw, SeqReused(field="seq", seq=row.envelope.seq), act)


async def _unblock(act: Act, tools: Tools) -> None:
    """Apply what waited for operations that came just now, in the order of the device."""
    async with DB.transaction(act.by.scope):
        waiting = await DB.connection.fetch(WAITING, act.by.device)
    for row in waiting:
        raw = bytes(row["envelope"])
        deed = msgspec.structs.replace(act, op_id=row["op_id"])
        await _carry_out(envelopes.parse(raw), raw, deed, tools, again=True)
