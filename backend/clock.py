"""The only source of time, ids and secrets; everything below the edge gets them as arguments."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

Clock = Callable[[], datetime]
Ids = Callable[[], UUID]


def now() -> datetime:
    """This instant in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place


def uuid7(ms: int, rand: int) -> UUID:
    """A version 7 id of ``ms`` since the epoch (48 bits) and ``rand`` (74 bits)."""
    return UUID(
        int=(ms & (1 << 48) - 1) << 80
        | 7 << 76
        | (rand >> 62) << 64
        | 2 << 62
        | rand & (1 << 62) - 1
    )


def new_id() -> UUID:
    """A fresh version 7 id: sorts by the time it was made."""
    return uuid7(time.time_ns() // 1_000_000, secrets.randbits(74))


def token(size: int = 32) -> bytes:
    """Unguessable bytes for a token, a salt or a draw secret."""
    return secrets.token_bytes(size)
