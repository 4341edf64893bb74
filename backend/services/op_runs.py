"""Operations of one visit that come together and are in order: one transaction, told as ever.

A phone sends a visit in one batch. Each operation still has its effect, row and audit entry in
one transaction; that they share it changes nothing that a phone is told, and saves most of the
work. Whatever is unusual undoes the run, and ``ops`` carries out each operation by itself.
Source: evidence spec 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

from backend.piccolo_conf import DB
from backend.services import op_kinds, visits
from backend.services.act import Act
from backend.services.audit import Entry
from backend.services.bodies import Body
from backend.services.deeds import Effect, Signer, Site, Tools
from backend.services.errors import REFUSALS
from backend.services.op_kinds import Told
from media.ops import Envelope

# After these the visit and the assignment stand as they were loaded; after others look again.
STEADY = frozenset({"answer.set", "evidence.declare", "certificate.shown", "signature.record"})
SAVE = """
with saved as (
  insert into op (op_id, region, dev, inst_epoch, seq, kind, visit, digest, envelope, status,
    result, received_at)
  select t.op_id, $1, $2::uuid, t.inst_epoch, t.seq, t.kind, $3, t.digest, t.envelope, 'applied',
    t.result, $4
  from unnest($5::uuid[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bytea[],
    $11::bytea[]) as t (op_id, inst_epoch, seq, kind, digest, envelope, result)),
logged as (
  insert into aud.entry (region, leaf, body)
  select $1, t.leaf, t.body from unnest($12::bytea[], $13::jsonb[]) as t (leaf, body))
select exists (select from op where visit = $3 and status = 'blocked')
"""


class Step(Struct, frozen=True):
    """An authentic operation with its typed body."""

    envelope: Envelope
    raw: bytes
    body: Body
    signer: Signer

    @property
    def where(self) -> tuple[str, str, str]:
        """Visit, device and storage: what the operations of a run have in common."""
        return self.body.visit, self.envelope.dev, self.envelope.inst_epoch


class Run(Struct, frozen=True):
    """What the first operations of a run were told; ``waiting``: others wait for such as these."""

    told: tuple[Told, ...]
    waiting: bool = False


class Done(Struct, frozen=True):
    """One step that had its effect, before it is written."""

    step: Step
    result: bytes
    entry: Entry


class _Unusual(Exception):  # noqa: N818 - it is no error, only another way
    """Some of the operations are known and some are not, or one id has two bodies."""


def read(raw: bytes, signers: Mapping[str, Signer]) -> Step | None:
    """The operation, when nothing is wrong with it that can be seen before asking anybody."""
    try:
        envelope = op_kinds.authentic(raw, signers)
        return Step(envelope, raw, op_kinds.body_of(envelope), signers[envelope.dev])
    except REFUSALS:  # told by ``ops``, which reads it again and keeps what was refused
        return None


def first_run(steps: Sequence[Step | None]) -> list[Step]:
    """The operations at the beginning that are of one visit and one phone."""
    run: list[Step] = []
    for step in steps:
        if step is None or (run and step.where != run[0].where):
            break
        run.append(step)
    return run


async def together(steps: Sequence[Step], *, act: Act, tools: Tools) -> Run | None:
    """Carry out the first of these operations of one visit, at least one, in one transaction.

    None when anything is unusual: nothing is changed then, and each is to go by itself.
    """
    try:
        async with DB.transaction(act.by.scope):
            ids = [UUID(step.envelope.op_id) for step in steps]
            found = await _load(ids, steps[0], act)
            if found["known"]:
                return await _repeated(steps, ids)
            return await _carry_out(steps, op_kinds.site_of(found), act, tools)
    except (*REFUSALS, _Unusual, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
        return None


async def _load(ids: Sequence[UUID], step: Step, act: Act) -> dict[str, Any]:
    visit, _, inst_epoch = step.where
    return await op_kinds.load(ids, UUID(visit), step.signer, inst_epoch, act)


async def _repeated(steps: Sequence[Step], ids: Sequence[UUID]) -> Run:
    """The stored results of operations that are all there; raises _Unusual."""
    known = await op_kinds.stored(ids)
    for step, op_id in zip(steps, ids, strict=True):
        if op_id not in known or not op_kinds.same(step.envelope, known[op_id]):
            raise _Unusual
    return Run(tuple(Told(str(op_id), "duplicate", Raw(known[op_id]["result"])) for op_id in ids))


async def _carry_out(steps: Sequence[Step], site: Site, act: Act, tools: Tools) -> Run:
    """Ask each kind's verb in turn, then write rows and entries at once.

    The run ends where the visit may be complete: what follows meets a complete visit.
    """
    done: list[Done] = []
    closing = False
    for step in steps:
        if done and done[-1].step.envelope.kind not in STEADY:
            site = op_kinds.site_of(await _load((), step, act))
        effect = await _effect(step, site, act, tools, done)
        closing = effect.may_complete or site.state == "submitted"
        if closing:
            break
    waiting = await _save(done, site, act)
    if closing:
        await visits.complete_if_ready(site.id, act=act, rules=tools.rules)
    told = (Told(one.step.envelope.op_id, "applied", Raw(one.result)) for one in done)
    return Run(tuple(told), waiting)


async def _effect(step: Step, site: Site, act: Act, tools: Tools, done: list[Done]) -> Effect:
    """Carry out one step and note what is to be written of it."""
    own = msgspec.structs.replace(act, op_id=UUID(step.envelope.op_id))
    deed = op_kinds.deed_of(step.envelope, site, step.body, own, tools, signer=step.signer)
    effect = await op_kinds.effect_of(deed, step.body)
    result = msgspec.json.encode(op_kinds.outcome_of(deed, effect))
    done.append(Done(step, result, op_kinds.entry_of(deed, effect)))
    return effect


async def _save(done: Sequence[Done], site: Site, act: Act) -> bool:
    """Write the rows and entries; whether operations of this device wait for others."""
    envelopes = [one.step.envelope for one in done]
    waiting: bool = await DB.connection.fetchval(
        SAVE,
        site.region,
        done[0].step.signer.dev,
        site.id,
        act.at,
        [UUID(envelope.op_id) for envelope in envelopes],
        [envelope.inst_epoch for envelope in envelopes],
        [envelope.seq for envelope in envelopes],
        [envelope.kind for envelope in envelopes],
        [envelope.digest for envelope in envelopes],
        [one.step.raw for one in done],
        [one.result for one in done],
        [one.entry.leaf for one in done],
        [one.entry.body for one in done],
    )
    return waiting
