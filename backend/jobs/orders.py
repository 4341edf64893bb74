"""Work that a person ordered from a page: an import, a check of the audit log."""

import time
from uuid import UUID

import structlog

from backend.jobs.context import Context
from backend.services import import_orders, log_checks, log_history
from backend.services.anchors import LogKey
from backend.services.log_checks import Outside
from backend.services.occurrences import NATION
from backend.services.tasks import Task

log = structlog.get_logger()


async def check_log(context: Context) -> None:
    """Check the whole log against its anchors and keep what was found.

    Source: evidence spec 8 (``log verify``, nightly and on demand).
    """
    settings, began = context.settings, time.monotonic()
    report = await log_checks.check(
        LogKey(settings.log_origin, context.keys.log.public),
        Outside(context.bucket, settings.tsa_roots, settings.witnesses),
    )
    took_ms = int((time.monotonic() - began) * 1000)
    await log_checks.keep(report, act=context.act(NATION), took_ms=took_ms)
    if report.faults:
        log.error("audit log does not hold", found=report.found, first=str(report.faults[0]))


async def _log(_task: Task, context: Context) -> None:
    await check_log(context)


async def _import(task: Task, context: Context) -> None:
    act = context.act(task.region)
    await import_orders.advance(UUID(task.payload["order"]), act=act, rules=context.rules)


HANDLERS = {import_orders.KIND: _import, log_history.KIND: _log}
