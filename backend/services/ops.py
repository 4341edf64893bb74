"""Operations of phones: each applied exactly once, effect, row and audit entry in one transaction.

Source: evidence spec 3. A batch is no transaction, so that one bad operation never holds back the
rest; what a phone is told has been committed, and telling it again changes nothing.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

from backend.piccolo_conf import DB
from backend.services import audit, dead_letters, op_kinds, op_runs, visits
from backend.services.act import Act
from backend.services.deeds import Blocked, Tools
from backend.services.errors import REFUSALS, Refusal, ServiceRefusal
from backend.services.op_kinds import KINDS, ForeignDevice, Outcome, Told
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


class SeqReused(ServiceRefusal):
    """Another operation of this device has this number; a counter that went back was wiped."""

    code = "op.seq_reused"
    family = Family.CONFLICT


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
    steps = [op_runs.read(raw, act) for raw in batch]
    told: list[Told] = []
    waiting = False
    while len(told) < len(batch):
        run = op_runs.first_run(steps[len(told) :])
        done = await op_runs.together(run, act=act, tools=tools) if run else None
        if done is None:
            raws = batch[len(told) : len(told) + max(1, len(run))]
            alone = [await _one(raw, act, tools) for raw in raws]
            done = op_runs.Run(tuple(alone), any(line.result == "applied" for line in alone))
        told += done.told
        waiting = waiting or done.waiting
    if waiting:
        await _unblock(act, tools)
    return tuple(told)


async def _one(raw: bytes, act: Act, tools: Tools) -> Told:
    try:
        envelope = op_kinds.authentic(raw, act)
    except (MediaRefusal, ForeignDevice) as refusal:
        return await _unread(raw, refusal, act)
    act = msgspec.structs.replace(act, op_id=UUID(envelope.op_id))
    try:
        return await _carry_out(envelope, raw, act, tools)
    except asyncpg.UniqueViolationError as clash:
        row = Row(envelope=envelope, raw=raw, region=act.by.region, visit=None)
        return await _clashed(row, clash.constraint_name, act)


async def _carry_out(
    envelope: Envelope, raw: bytes, act: Act, tools: Tools, *, again: bool = False
) -> Told:
    """Load, ask the kind's verb, save; a refusal undoes the verb and is itself saved."""
    row = Row(envelope=envelope, raw=raw, region=act.by.region, visit=None, again=again)
    try:
        body = op_kinds.body_of(envelope)
        async with DB.transaction(act.by.scope):
            op_id = UUID(envelope.op_id)
            found = await op_kinds.load((op_id,), UUID(body.visit), act)
            if found["known"] and not again:
                return await _repeated(envelope, (await op_kinds.stored((op_id,)))[op_id], act)
            site = op_kinds.site_of(found)
            row = msgspec.structs.replace(row, region=site.region, visit=site.id)
            deed = op_kinds.deed_of(envelope, site, body, act, tools)
            effect = await KINDS[envelope.kind].verb(deed, body)
            outcome = op_kinds.outcome_of(deed, effect)
            told = await _save(row, outcome, act, op_kinds.entry_of(deed, effect))
            if effect.may_complete or site.state == "submitted":
                await visits.complete_if_ready(site.id, act=act, rules=tools.rules)
            return told
    except REFUSALS as refusal:
        if str(refusal.family) == Family.UNAVAILABLE:
            return Told(envelope.op_id, "retry", after_s=RETRY_S)
        return await _refuse(row, refusal, act)


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


async def _repeated(envelope: Envelope, known: Any, act: Act) -> Told:  # noqa: ANN401 - a row
    """The same operation again gets its stored result; another one under its id is an alarm."""
    if op_kinds.same(envelope, known, act):
        return Told(envelope.op_id, "duplicate", Raw(known["result"]))
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
