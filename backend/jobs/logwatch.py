"""The nightly check of the audit log against its anchors.

Source: evidence spec 8 (``log verify``, nightly).
"""

from backend.jobs import orders, worker
from backend.jobs.context import Context
from backend.services import log_checks, occurrences

HOUR_UTC = 18  # two o'clock at night in Shanghai
PAUSE_S = 60.0


async def once(context: Context) -> int:
    """Check the log if nobody has since the last nightly hour; 1 when it was checked, else 0."""
    last = await log_checks.last()
    if last is not None and last.verified_at >= occurrences.daily_slot(context.clock(), HOUR_UTC):
        return 0
    await orders.check_log(context)
    return 1


async def run(context: Context) -> None:
    """Watch until cancelled."""
    await worker.forever("log check", once, context, PAUSE_S)
