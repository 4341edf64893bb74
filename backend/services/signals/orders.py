"""When signals are to be computed: soon after new facts, once for many of them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from backend.services import tasks

VISIT, NOTICE, DAILY = "signals.visit", "signals.notice", "signals.daily"
# Facts come in bunches: a visit's pictures are verified one after another.
SETTLE = timedelta(seconds=10)


class Touch(msgspec.Struct, frozen=True):
    """Another visit (``visited``) or reply whose signals may change with this one's facts."""

    occasion: UUID
    region: int
    visited: bool


async def order(
    kind: str, occasion: UUID, *, region: int, at: datetime, after: timedelta = SETTLE
) -> None:
    """Have the signals of a visit or of a reply computed, in the transaction of the new facts."""
    await tasks.renew(
        kind,
        {"occasion": str(occasion)},
        region=region,
        at=at,
        run_at=at + after,
        dedupe=f"{occasion}",
    )
