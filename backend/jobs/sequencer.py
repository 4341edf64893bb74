"""The loop that orders the audit log, anchors its heads and seals evidence."""

import asyncio
from datetime import timedelta

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services import sequencer
from inspection_plans import policy
from inspection_plans.vocabulary import NATIONAL
from media import checkpoint

NATION = 100000
PAUSE_S = 0.2
ANCHOR_EVERY = timedelta(seconds=30)  # a head lies in the locked bucket within 60 s of a change


async def once(context: Context) -> int:
    """Place what is pending, anchor the head when it is time, seal; how much was done."""
    known = context.memory.known
    if not context.memory.looked:
        newest = await sequencer.head()
        known = await context.memory.look(context.bucket, newest.size if newest else 0)
    placed = await sequencer.sequence(
        at=context.clock(), keys=context.keys, origin=context.settings.log_origin, known=known
    )
    if placed and (signed := await sequencer.head()):
        context.memory.keep(signed.note)
    await _anchor(context)
    provisional = context.settings.evidence_mode == "off"
    sealed = await sequencer.seal(
        act=context.act(NATION), keys=context.keys, provisional=provisional
    )
    return placed + sealed


async def _anchor(context: Context) -> None:
    """Put the newest head into the locked bucket, outside any transaction."""
    at = context.clock()
    head = await sequencer.unanchored(before=at - ANCHOR_EVERY)
    if head is None:
        return
    years = policy.number("evidence_retention_years", NATIONAL)
    await asyncio.to_thread(
        context.bucket.put_locked,
        f"{checkpoint.parse(head.note).head.origin}/{head.size:020d}.note",
        head.note.encode(),
        "text/plain",
        retain_until=at + timedelta(days=366 * years),
    )
    await sequencer.anchored(head.size, at=at)


async def _paced(context: Context) -> int:
    """One pass; the next follows at once only on a full batch, for every pass signs a head."""
    return int(await once(context) >= sequencer.MOST)


async def run(context: Context) -> None:
    """Keep the log in order until cancelled; while it is down, sealing waits and no write does."""
    await worker.forever("sequencer", _paced, context, PAUSE_S)
