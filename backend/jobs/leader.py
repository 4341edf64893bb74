"""One scheduler among many processes: whoever holds the advisory lock on its own connection."""

import asyncio
from contextlib import suppress

import asyncpg
import structlog

from backend.jobs.context import Context
from backend.jobs.schedule import timer

KEY = 7301
RETRY_S = 1.0
PING_S = 5.0
log = structlog.get_logger()


async def _elected(connection: asyncpg.Connection, lost: asyncio.Event) -> bool:
    """Wait for the lock; False when the connection was lost meanwhile."""
    while not lost.is_set():
        if await connection.fetchval("select pg_try_advisory_lock($1)", KEY):
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), RETRY_S)
    return False


async def _lead(context: Context, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
    """Keep the timer running as long as the connection that holds the lock lives."""
    scheduler = timer(context)
    try:
        while not lost.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(lost.wait(), PING_S)
            if not lost.is_set():  # over TCP a dead peer shows only when spoken to
                await connection.fetchval("select 1", timeout=PING_S)
    finally:
        scheduler.shutdown(wait=False)


async def serve(context: Context) -> None:
    """Be a candidate once: connect, wait for the lock, lead until the connection is lost.

    Two leaders would be harmless: the occurrence table lets each slot be claimed once.
    """
    connection = await asyncpg.connect(context.settings.database.dsn("worker"))
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        if await _elected(connection, lost):
            log.info("leading")
            await _lead(context, connection, lost)
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=RETRY_S)


async def run(context: Context) -> None:
    """Be a candidate for ever; a lost database is tried again every second."""
    while True:
        try:
            await serve(context)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            log.warning("leader lost", kind=type(fault).__name__)
        await asyncio.sleep(RETRY_S)
