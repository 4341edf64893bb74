"""The timer: every minute it orders what has come due; the only speaker of APScheduler."""

from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from backend.jobs import casework, desk
from backend.jobs.context import Context
from backend.services import occurrences, packages, sessions, uploads, visitors
from backend.services.listings import expiry
from backend.services.occurrences import NATION
from backend.services.scrubs import running
from backend.services.signals import orders
from backend.services.signals import run as signals

DISCLOSURE_HOUR_UTC = 17  # one o'clock at night in Shanghai
ROSTERS_HOUR_UTC = 18
SCRUB_HOUR_UTC = 19
DESK_HOUR_UTC = 20
MORNING_HOUR_UTC = 0  # eight o'clock in Shanghai, when offices open


async def tick(context: Context) -> int:
    """Order due draws and the daily look at disclosures; how many were ordered.

    Sessions that have ended and uploads that nobody went on with are forgotten on the way; for
    visits with new operations, and daily for rosters, signals are ordered.
    """
    at = context.clock()
    await sessions.sweep()
    await visitors.sweep(at)
    ordered = await occurrences.fire_due_plans(regions=context.regions, at=at)
    await uploads.expire(act=context.act(NATION), bucket=context.bucket, spool=context.spool)
    await packages.expire(act=context.act(NATION))
    await expiry.sweep(act=context.act(NATION), bucket=context.bucket)
    await signals.sweep(regions=context.regions, at=at)
    await occurrences.fire_daily(
        "signals:daily", orders.DAILY, hour=ROSTERS_HOUR_UTC, regions=context.regions, at=at
    )
    await occurrences.fire_daily(
        "desk:daily", desk.DAILY, hour=DESK_HOUR_UTC, regions=context.regions, at=at
    )
    await occurrences.fire_daily(
        "scrub:daily", running.NIGHT, hour=SCRUB_HOUR_UTC, regions=context.regions, at=at
    )
    await occurrences.fire_daily(
        "casework:daily", casework.MORNING, hour=MORNING_HOUR_UTC, regions=context.regions, at=at
    )
    return ordered + await occurrences.fire_daily(
        "draws:daily", "draw.daily", hour=DISCLOSURE_HOUR_UTC, regions=context.regions, at=at
    )


def timer(context: Context) -> AsyncIOScheduler:
    """A started scheduler that ticks at once and then every minute.

    Slots are kept in the occurrence table, not here: a tick that was missed costs a minute.
    """
    scheduler = AsyncIOScheduler(timezone=ZoneInfo("Asia/Shanghai"))
    scheduler.add_job(
        tick,
        "cron",
        args=[context],
        minute="*",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    scheduler.add_job(tick, args=[context], misfire_grace_time=None)
    scheduler.start()
    return scheduler
