"""What every operation of a phone goes through: read, its site locked, its verb asked, its entry.

Source: evidence spec 3. One by one in ``ops``, several of one visit together in ``op_runs``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from backend.piccolo_conf import DB
from backend.services import (
    answers,
    audit,
    bodies,
    device_storages,
    doubts,
    evidence,
    rollcalls,
    slips,
    visit_events,
    visits,
)
from backend.services.act import Act
from backend.services.deeds import REVOKED, Deed, Effect, Signer, Site, Tools, flags_of
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media import canon
from media import ops as envelopes
from media.ops import Envelope


class ForeignDevice(ServiceRefusal):
    """The operation names a device that is none of the sender's."""

    code = "op.foreign_device"
    family = Family.DENIED


class KindUnknown(ServiceRefusal):
    """No operation of this kind."""

    code = "op.kind_unknown"


class BodyInvalid(ServiceRefusal):
    """The body does not have the form of its kind; ``field`` is its path."""

    code = "op.body_invalid"


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
    "slip.issue": Kind(bodies.SlipIssue, slips.issue),
    "document.copy": Kind(bodies.DocumentCopy, visit_events.document_copy),
    "preservation.list": Kind(bodies.PreservationList, visit_events.preservation),
    "data.extract": Kind(bodies.DataExtract, visit_events.extraction),
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


# The visit is locked for the whole operation: two of its operations, or one and its completion,
# take turns. A common table expression, because an outer join's side cannot be locked. What was
# opened stays open, or a server clock that is set back would refuse what a phone made meanwhile.
LOAD = """
with v as (
  select id, region, institution, code, state, epoch, kind, sheet, sheet_digest, jurisdiction,
    on_date, sealed_until, training_class from visit
  where id = $2 and (sealed_until <= $4 or opened_at is not null) for no key update)
select v.*, a.id as assignment, a.epoch as assignment_epoch, a.state as assignment_state,
  array(select op_id from op where op_id = any ($1::uuid[])) as known, s.wave,
  case when a.state = 'recused' then (select max(e.seq) from visit_event e
    where e.visit = v.id and e.kind = 'recusal.declare' and e.dev = $5 and e.wave = s.wave)
    end as recused_seq,
  v.state = 'closed' and exists (select from withdrawal w
    where w.visit = v.id and w.state = 'confirmed') as withdrawn
from (values (1)) one (n) left join v on true
left join device_storage s on s.dev = $5 and s.inst_epoch = $6
left join lateral (select id, epoch, state from assignment
  where visit = v.id and inspector = $3 order by epoch desc, id desc limit 1) a on true
"""
STORED = "select op_id, digest, dev, result, status from op where op_id = any ($1::uuid[])"


def authentic(raw: bytes, signers: Mapping[str, Signer]) -> Envelope:
    """The envelope, once its digest and the signature of one of these devices hold.

    Raises: ForeignDevice ("op.foreign_device"), those of ``media.ops.parse`` and ``verify``.
    """
    envelope = envelopes.parse(raw)
    signer = signers.get(envelope.dev)
    if signer is None:
        raise ForeignDevice(field="dev")
    envelopes.verify(envelope, signer.spki)
    return envelope


def body_of(envelope: Envelope) -> bodies.Body:
    """The typed body; raises KindUnknown, BodyInvalid ("op.…"), NotCanonical."""
    decoder = DECODERS.get(envelope.kind)
    if decoder is None:
        raise KindUnknown(field="kind", kind=envelope.kind, known=sorted(KINDS))
    raw = bytes(envelope.body)
    try:
        body = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise BodyInvalid(field=envelopes.path_of(error), detail=str(error)) from None
    canon.spelled(raw, body)
    return body


async def load(
    op_ids: Sequence[UUID], visit: UUID, signer: Signer, inst_epoch: str, act: Act
) -> dict[str, Any]:
    """Lock the visit; which of the operations are ``known``, and the columns of its site."""
    found = dict(
        await DB.connection.fetchrow(
            LOAD, op_ids, visit, signer.inspector, act.at, signer.dev, inst_epoch
        )
    )
    if found["id"] is not None and found["wave"] is None:
        found["wave"] = await device_storages.enter(
            signer.dev, inst_epoch, region=found["region"], act=act
        )
    return found


async def stored(op_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Digest, device and result of operations that are there, by id."""
    return {row["op_id"]: row for row in await DB.connection.fetch(STORED, op_ids)}


def same(envelope: Envelope, known: Any) -> bool:  # noqa: ANN401 - a row of asyncpg
    """Whether a stored operation is this one, and not another under its id."""
    return bool(known["digest"] == envelope.digest and str(known["dev"]) == envelope.dev)


def site_of(found: dict[str, Any]) -> Site:
    """The visit and assignment; a foreign, sealed or unknown visit is the same Absent."""
    if found["id"] is None or found["assignment"] is None:
        raise Absent(field="visit")
    return Site(**{name: found[name] for name in Site.__struct_fields__})


def deed_of(
    envelope: Envelope,
    site: Site,
    body: bodies.Body,
    act: Act,
    tools: Tools,
    *,
    signer: Signer,
    lifted: Sequence[str] = (),
) -> Deed:
    """The operation as its verb is handed it; ``act`` carries its id, ``lifted`` are doubts."""
    odd = flags_of(
        site,
        asg_epoch=envelope.base.asg_epoch,
        plan=envelope.base.plan,
        at_ms=body.at,
        seq=envelope.seq,
        now=act.at,
    )
    flags = [flag for flag in odd if flag not in lifted]
    if signer.revoked and REVOKED not in lifted:
        flags.append(REVOKED)
    if lifted:
        flags.append("adopted")
    return Deed(
        op_id=UUID(envelope.op_id),
        dev=signer.dev,
        spki=signer.spki,
        inspector=signer.inspector,
        inst_epoch=envelope.inst_epoch,
        seq=envelope.seq,
        kind=envelope.kind,
        digest=envelope.digest,
        body=bytes(envelope.body),
        site=site,
        flags=tuple(flags),
        act=act,
        tools=tools,
        adopted=bool(lifted),
    )


async def effect_of(deed: Deed, body: bodies.Body) -> Effect:
    """Ask the kind's verb; of an operation in doubt only a capture is taken, as flagged.

    Raises: what the verb raises.
    Source: evidence spec 3 (reassignment), 0.5.
    """
    if deed.doubts:
        await doubts.note(deed)
        if deed.kind != "evidence.declare":
            return Effect(object_id=deed.site.id)
    return await KINDS[deed.kind].verb(deed, body)


def outcome_of(deed: Deed, effect: Effect) -> Outcome:
    """What is stored and told of an operation that had its effect."""
    return Outcome("applied", flags=(*deed.flags, *effect.flags), data=effect.data)


def entry_of(deed: Deed, effect: Effect) -> audit.Entry:
    """The audit entry of an operation that had its effect."""
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
