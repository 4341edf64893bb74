"""A dead letter goes the same road again, under today's rules, because a supervisor says so."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw

from backend.piccolo_conf import DB
from backend.services import dead_letters, op_kinds, ops, policy, signers
from backend.services.act import Act
from backend.services.deeds import Blocked, Tools
from backend.services.errors import REFUSALS, Refusal, ServiceRefusal
from backend.services.op_kinds import Outcome, Told
from backend.services.ops import Hand, SeqReused
from inspection_plans.errors import Family


class IdTaken(ServiceRefusal):
    """Another operation stands under this id; this one can only be closed with a reason."""

    code = "op.id_taken"
    family = Family.CONFLICT


async def reapply(letter_id: UUID, reason: str, *, act: Act, tools: Tools) -> Told:
    """Carry out a refused operation again, at most once with effect; what it is told now.

    Digest, signature and rules are looked at anew, the device may have been revoked since. Its
    effect is the signer's, the deed the supervisor's. Refused once more it stays open.
    Raises: Absent, Denied, LetterClosed ("op.letter_closed"), refusals of family unavailable.
    Source: evidence spec 3 (dead letters).
    """
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope, readonly=True):
        await dead_letters.open_one(letter_id)
    try:
        return await _apply(letter_id, reason, act, tools)
    except REFUSALS as refusal:
        if str(refusal.family) == Family.UNAVAILABLE:
            raise
        return await _refused(letter_id, refusal, act)
    except asyncpg.UniqueViolationError:
        return await _refused(letter_id, SeqReused(field="seq"), act)


async def _apply(letter_id: UUID, reason: str, act: Act, tools: Tools) -> Told:
    async with DB.transaction(act.by.scope):
        letter = await dead_letters.lock(letter_id)
        raw = bytes(letter["envelope"])
        known = await signers.of(signers.claimed([raw]), act=act, mine=False)
        envelope = op_kinds.authentic(raw, known)
        own = msgspec.structs.replace(act, op_id=UUID(envelope.op_id))
        row = await _row(UUID(envelope.op_id))
        if row is not None and not op_kinds.same(envelope, row):
            raise IdTaken(field="op_id")
        again = row is not None and row["status"] == "rejected"
        hand = Hand(act=own, tools=tools, signers=known)
        told = await ops.carry_out(envelope, raw, hand, again=again)
        await dead_letters.applied(letter_id, letter, reason, act=own)
    return told


async def _row(op_id: UUID) -> Any:  # noqa: ANN401 - a row of asyncpg
    return (await op_kinds.stored((op_id,))).get(op_id)


async def _refused(letter_id: UUID, refusal: Refusal, act: Act) -> Told:
    """Note the refusal on the letter; the operation's stored result stays as it was told."""
    op_id = await dead_letters.tried(letter_id, refusal.code, act=act)
    waits = isinstance(refusal, Blocked)
    outcome = Outcome(
        "blocked" if waits else "rejected",
        code=refusal.code,
        field=refusal.field,
        facts=refusal.facts,
        needs=refusal.needs if isinstance(refusal, Blocked) else (),
    )
    return Told(str(op_id or ""), outcome.result, Raw(msgspec.json.encode(outcome)))
