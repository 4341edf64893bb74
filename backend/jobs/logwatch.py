"""The nightly check of the audit log against its anchors.

Source: evidence spec 8 (``log verify``, nightly).
"""

import time

import structlog

from backend.jobs import worker
from backend.jobs.context import Context
from backend.services import log_checks, occurrences
from backend.services.anchors import LogKey
from backend.services.log_checks import Outside
from backend.services.occurrences import NATION

HOUR_UTC = 18  # two o'clock at night in Shanghai
PAUSE_S = 60.0
log = structlog.get_logger()


async def once(context: Context) -> int:
    """Check the log if nobody has since the last nightly hour; 1 when it was checked, else 0."""
    at = context.clock()
    last = await log_checks.last()
    if last is not None and last.verified_at >= occurrences.daily_slot(at, HOUR_UTC):
        return 0
    settings, began = context.settings, time.monotonic()
    report = await log_checks.check(
        LogKey(settings.log_origin, context.keys.log.public),
        Outside(context.bucket, settings.tsa_roots, settings.witnesses),
    )
    took_ms = int((time.monotonic() - began) * 1000)
    await log_checks.keep(report, act=context.act(NATION), took_ms=took_ms)
    if report.faults:
        log.error("audit log does not hold", found=report.found, first=str(report.faults[0]))
    return 1


async def run(context: Context) -> None:
    """Watch until cancelled."""
    await worker.forever("log check", once, context, PAUSE_S)
