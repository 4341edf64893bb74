"""Orders of desk reviews: written with what changed, carried out once for many changes."""

from datetime import datetime
from uuid import UUID

from backend.services import tasks

REVIEW = "desk.review"
REVIEW_ALL = "desk.review_all"


async def order(institution: UUID, *, region: int, at: datetime) -> None:
    """Have what changed about one institution looked at, after this transaction."""
    await tasks.renew(
        REVIEW,
        {"institution": str(institution)},
        region=region,
        at=at,
        run_at=at,
        dedupe=str(institution),
    )


async def order_all(*, region: int, at: datetime) -> None:
    """Have every institution of the region looked at: something for all of them changed."""
    await tasks.renew(
        REVIEW_ALL, {"region": region}, region=region, at=at, run_at=at, dedupe=str(region)
    )
