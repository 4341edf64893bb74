"""Visitors: callers without an account, known by a mark that leads back to nobody.

The mark is a keyed digest of the address; the address itself goes no further than the edge.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

NOBODY = Scope()
WINDOW = timedelta(hours=1)
SPEND = """
insert into rate_kv as r (key, value, expires_at) values ($1, int4send(1), $2)
on conflict (key) do update set
  value = case when r.expires_at <= $3 then excluded.value
    else int4send(('x' || encode(r.value, 'hex'))::bit(32)::int + 1) end,
  expires_at = case when r.expires_at <= $3 then excluded.expires_at else r.expires_at end
returning ('x' || encode(value, 'hex'))::bit(32)::int as spent, expires_at
"""


class TooOften(ServiceRefusal):
    """The same address asked too often; ``until`` says from when on it may ask again."""

    code: ClassVar[str] = "visitor.too_often"
    family: ClassVar[Family] = Family.LIMIT


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody without an account, now, with sources of ids and of secret bytes."""

    mark: str
    at: datetime
    new_id: Callable[[], UUID]
    token: Callable[[int], bytes]


def mark(key: bytes, address: str) -> str:
    """The mark of an address: 128 bits, hex; other installations give it another one."""
    return hmac.digest(key, b"visitor\n" + address.encode(), hashlib.sha256).hex()[:32]


async def spend(purpose: str, visitor: Visitor, *, most: int) -> None:
    """Count one call of an address for a purpose.

    Committed by itself: a call that fails later was one all the same.
    Raises: TooOften ("visitor.too_often") for more than ``most`` in an hour.
    """
    async with DB.transaction(NOBODY):
        row = await DB.connection.fetchrow(
            SPEND, f"{purpose}:{visitor.mark}", visitor.at + WINDOW, visitor.at
        )
    if row["spent"] > most:
        raise TooOften(until=row["expires_at"].isoformat(), most=most)


async def sweep(at: datetime) -> None:
    """Forget counts whose hour is over."""
    async with DB.transaction(NOBODY):
        await DB.connection.execute("delete from rate_kv where expires_at <= $1", at)
