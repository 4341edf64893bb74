"""Operations of phones: each applied exactly once, effect, row and audit entry in one transaction.

Source: evidence spec 3. A batch is no transaction, so that one bad operation never holds back the
rest; what a phone is told has been committed, and telling it again changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

from backend.piccolo_conf import DB
from backend.services import (
    accounts,
    audit,
    dead_letters,
    device_alarms,
    op_kinds,
    op_runs,
    signers,
    visits,
)
from backend.services.act import Act
from backend.services.deeds import Blocked, Signer, Tools
from backend.services.errors import REFUSALS, Refusal, ServiceRefusal
from backend.services.op_kinds import ForeignDevice, Outcome, Told
from inspection_plans.errors import Family
from media import ops as envelopes
from media.errors import MediaRefusal
from media.ops import Envelope

BATCH_MAX = 100
RETRY_S = 30


class DeviceRequired(ServiceRefusal):
    """Operations are signed by an enrolled device and brought by an inspector."""

    code = "device.required"
    family = Family.DENIED


class SeqReused(ServiceRefusal):
    """Another operation of this device has this number; a counter that went back was wiped."""

    code = "op.seq_reused"
    family = Family.CONFLICT


class Hand(Struct, frozen=True, kw_only=True):
    """Who brings operations, with which tools, and the devices that may have signed them.

    ``lifted`` are doubts that a person has set aside.
    """

    act: Act
    tools: Tools
    signers: Mapping[str, Signer]
    lifted: tuple[str, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """Where an operation's row stands before it is written."""

    envelope: Envelope
    raw: bytes
    region: int
    visit: UUID | None
    again: bool = False


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
# Of what waits, the operations for which everything has come, whichever phone brought it.
READY = """
select o.op_id, o.dev, o.envelope, d.account, d.spki, d.revoked_at
from op o join device d on d.id = o.dev
where o.visit = any ($1) and o.status = 'blocked' and not exists (
  select from jsonb_array_elements_text(convert_from(o.result, 'UTF8')::jsonb -> 'needs') n (id)
  where not exists (select from evidence e where e.id = n.id::uuid and e.visit = o.visit))
order by o.dev, o.inst_epoch, o.seq limit 100
"""


async def apply(batch: Sequence[bytes], *, act: Act, tools: Tools) -> tuple[Told, ...]:
    """Carry out a batch in the order given; one answer an operation, in that order.

    Operations of other devices of the same person are taken too: somebody whose phone was
    revoked or is lost sends them from another one.
    Raises: DeviceRequired ("device.required") for the whole batch; what is wrong with one
    operation is told in its own line.
    Source: evidence spec 3, 0.5.
    """
    if act.by.inspector is None:
        raise DeviceRequired
    own = signers.own(act)
    if others := signers.claimed(batch) - {signer.dev for signer in own.values()}:
        own |= await signers.of(others, act=act, mine=True)
    return await _each(batch, Hand(act=act, tools=tools, signers=own))


async def bring(batch: Sequence[bytes], *, act: Act, tools: Tools) -> tuple[Told, ...]:
    """The same for operations that somebody else brings, as an emergency package does.

    Any enrolled device within the caller's scope may have signed them.
    Source: evidence spec 3 (packages), 11.
    """
    known = await signers.of(signers.claimed(batch), act=act, mine=False)
    return await _each(batch, Hand(act=act, tools=tools, signers=known))


async def _each(batch: Sequence[bytes], hand: Hand) -> tuple[Told, ...]:
    steps = [op_runs.read(raw, hand.signers) for raw in batch]
    told: list[Told] = []
    awaited: set[UUID] = set()
    while len(told) < len(batch):
        run = op_runs.first_run(steps[len(told) :])
        done = await op_runs.together(run, act=hand.act, tools=hand.tools) if run else None
        if done is None:
            raws = batch[len(told) : len(told) + max(1, len(run))]
            alone = [await _one(raw, hand) for raw in raws]
            done = op_runs.Run(tuple(alone), any(line.result == "applied" for line in alone))
        if done.waiting and run:
            awaited.add(UUID(run[0].body.visit))
        told += done.told
    if awaited:
        await _unblock(awaited, hand)
    return tuple(told)


async def _one(raw: bytes, hand: Hand) -> Told:
    try:
        envelope = op_kinds.authentic(raw, hand.signers)
    except (MediaRefusal, ForeignDevice) as refusal:
        return await _unread(raw, refusal, hand.act)
    act = msgspec.structs.replace(hand.act, op_id=UUID(envelope.op_id))
    try:
        return await _settle(envelope, raw, msgspec.structs.replace(hand, act=act))
    except asyncpg.UniqueViolationError as clash:
        row = Row(envelope=envelope, raw=raw, region=act.by.region, visit=None)
        return await _clashed(row, clash.constraint_name, act)


async def _settle(envelope: Envelope, raw: bytes, hand: Hand, *, again: bool = False) -> Told:
    """Carry out; a refusal undoes the verb and is itself saved."""
    where: list[Row] = []
    try:
        return await carry_out(envelope, raw, hand, again=again, reached=where.append)
    except REFUSALS as refusal:
        if str(refusal.family) == Family.UNAVAILABLE:
            return Told(envelope.op_id, "retry", after_s=RETRY_S)
        plain = Row(envelope=envelope, raw=raw, region=hand.act.by.region, visit=None, again=again)
        return await _refuse((*where, plain)[0], refusal, hand.act)


async def carry_out(
    envelope: Envelope,
    raw: bytes,
    hand: Hand,
    *,
    again: bool = False,
    reached: Callable[[Row], object] | None = None,
) -> Told:
    """Load, ask the kind's verb, save, in one transaction; ``again`` when its row is there.

    ``reached`` is handed the row as soon as the visit is known, whatever happens then.
    Raises: Blocked ("op.blocked"), every refusal of reading and of the kind's verb.
    """
    act, signer = hand.act, hand.signers[envelope.dev]
    body = op_kinds.body_of(envelope)
    async with DB.transaction(act.by.scope):
        op_id = UUID(envelope.op_id)
        found = await op_kinds.load((op_id,), UUID(body.visit), signer, envelope.inst_epoch, act)
        if found["known"] and not again:
            return await _repeated(envelope, (await op_kinds.stored((op_id,)))[op_id], act)
        site = op_kinds.site_of(found)
        row = Row(envelope=envelope, raw=raw, region=site.region, visit=site.id, again=again)
        if reached is not None:
            reached(row)
        deed = op_kinds.deed_of(
            envelope, site, body, act, hand.tools, signer=signer, lifted=hand.lifted
        )
        effect = await op_kinds.effect_of(deed, body)
        outcome = op_kinds.outcome_of(deed, effect)
        told = await _save(row, outcome, act, op_kinds.entry_of(deed, effect))
        if effect.may_complete or site.state == "submitted":
            await visits.complete_if_ready(site.id, act=act, rules=hand.tools.rules)
        return told


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
            UUID(envelope.dev),
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


async def _repeated(envelope: Envelope, known: Any, act: Act) -> Told:  # noqa: ANN401 - a row
    """The same operation again gets its stored result; another one under its id is an alarm."""
    if op_kinds.same(envelope, known):
        return Told(envelope.op_id, "duplicate", Raw(known["result"]))
    await device_alarms.sound(
        "conflict_digest", UUID(envelope.dev), envelope.op_id, region=act.by.region, act=act
    )
    await audit.record(
        act,
        "op.conflict_digest",
        "op",
        envelope.op_id,
        region=act.by.region,
        before_sha256=known["digest"],
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
            op_id = UUID(row.envelope.op_id)
            if known := (await op_kinds.stored((op_id,))).get(op_id):
                return await _repeated(row.envelope, known, act)
    elif constraint == "uq_op_dev_seq":
        async with DB.transaction(act.by.scope):
            await device_alarms.sound(
                "seq_reused",
                UUID(row.envelope.dev),
                row.envelope.op_id,
                region=act.by.region,
                act=act,
            )
    # Also an id taken by somebody whose rows this person does not see: told like any clash.
    return await _unread(row.raw, SeqReused(field="seq", seq=row.envelope.seq), act)


async def _unblock(where: set[UUID], hand: Hand) -> None:
    """Apply what waited at these visits for operations that came just now, each as its signer's.

    What was in doubt never waited, so no doubt is raised here that was not there at receipt.
    """
    async with DB.transaction(hand.act.by.scope):
        ready = await DB.connection.fetch(READY, list(where))
    for row in ready:
        raw, dev = bytes(row["envelope"]), row["dev"]
        by = hand.act.by
        if dev != by.device:
            person = await accounts.load_person(row["account"], at=hand.act.at)
            if person is None or person.inspector is None:
                continue  # the account was closed: a supervisor finds it among what waits
            by = msgspec.structs.replace(person, device=dev, device_spki=row["spki"])
        act = msgspec.structs.replace(hand.act, by=by, op_id=row["op_id"])
        own = msgspec.structs.replace(hand, act=act, signers=signers.own(act))
        await _settle(envelopes.parse(raw), raw, own, again=True)
