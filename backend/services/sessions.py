"""Rows behind server-side sessions 会话: a key, bytes, an end; every process sees them."""

from datetime import timedelta

from backend.db.engine import Scope
from backend.piccolo_conf import DB

NOBODY = Scope()
PUT = """
insert into session_kv (key, value, expires_at)
values ($1, $2, now() + make_interval(secs => $3))
on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at
"""
LIVE = "(expires_at is null or expires_at > now())"


async def put(key: str, value: bytes, life: timedelta | None) -> None:
    """Store a value until it ends; without ``life`` it never does."""
    async with DB.transaction(NOBODY):
        await DB.connection.execute(PUT, key, value, life.total_seconds() if life else None)


async def get(key: str, renew: timedelta | None = None) -> bytes | None:
    """The living value, its end moved to ``renew`` from now when given."""
    async with DB.transaction(NOBODY):
        if renew:
            await DB.connection.execute(
                f"update session_kv set expires_at = now() + make_interval(secs => $2)"  # noqa: S608
                f" where key = $1 and {LIVE}",
                key,
                renew.total_seconds(),
            )
        value: bytes | None = await DB.connection.fetchval(
            f"select value from session_kv where key = $1 and {LIVE}",  # noqa: S608 - a constant
            key,
        )
    return value


async def remaining(key: str) -> int | None:
    """Seconds a value still lives; None when it is gone or never ends."""
    async with DB.transaction(NOBODY):
        seconds: int | None = await DB.connection.fetchval(
            f"select extract(epoch from expires_at - now())::int from session_kv"  # noqa: S608
            f" where key = $1 and {LIVE}",
            key,
        )
    return seconds


async def drop(key: str | None = None) -> None:
    """Forget one key, or all of them."""
    async with DB.transaction(NOBODY):
        await DB.connection.execute(
            "delete from session_kv where $1::text is null or key = $1", key
        )


async def sweep() -> None:
    """Forget what has ended."""
    async with DB.transaction(NOBODY):
        await DB.connection.execute("delete from session_kv where expires_at <= now()")
