"""The loop that has heads of the log time-stamped: hourly, and at once where it matters.

Source: evidence spec 8 (anchor b). Nothing else waits for the authority: while it is silent,
writes and seals go on, and papers say "not timestamped yet".
"""

import asyncio
from datetime import timedelta

import structlog

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services import anchors
from inspection_plans import policy
from inspection_plans.vocabulary import NATIONAL
from media import checkpoint, stamping, timestamps
from media.errors import MediaRefusal
from media.timestamps import Stamp

EVERY = timedelta(hours=1)
NONCE_BYTES = 16
PAUSE_S = 5.0
SILENT_S = 60.0
log = structlog.get_logger()


async def once(context: Context) -> int:
    """Have the newest head stamped if that is due; 1 when it was, else 0.

    Raises: StampSilent, StampRefused, StampInvalid, StoreUnavailable; the head stays due.
    """
    settings = context.settings
    if not settings.tsa_url or settings.tsa_roots is None:
        return 0
    head = await anchors.due(before=context.clock() - EVERY)
    if head is None:
        return 0
    pem = await asyncio.to_thread(settings.tsa_roots.read_bytes)
    content, nonce = head.note.encode(), int.from_bytes(context.token(NONCE_BYTES))

    def asked() -> tuple[bytes, Stamp]:
        reply = stamping.ask(settings.tsa_url, timestamps.request(content, nonce=nonce))
        roots = timestamps.roots_of(pem)
        return reply, timestamps.verify(reply, content, roots=roots, nonce=nonce)

    reply, stamp = await asyncio.to_thread(asked)
    years = policy.number("evidence_retention_years", NATIONAL)
    await asyncio.to_thread(
        context.bucket.put_locked,
        f"{checkpoint.parse(head.note).head.origin}/{head.size:020d}{anchors.REPLY}",
        reply,
        stamping.REPLY,
        retain_until=context.clock() + timedelta(days=366 * years),
    )
    await anchors.stamped(head.size, reply, stamp)
    return 1


async def _patient(context: Context) -> int:
    """One step; an authority that does not answer is asked again in a minute."""
    try:
        return await once(context)
    except MediaRefusal as refusal:
        log.warning("not timestamped", code=refusal.code)
        await asyncio.sleep(SILENT_S)
        return 0


async def run(context: Context) -> None:
    """Stamp until cancelled."""
    await worker.forever("timestamps", _patient, context, PAUSE_S)
