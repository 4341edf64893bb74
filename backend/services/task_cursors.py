"""How far a phone has been told of its tasks 任务游标: by transactions, not by a clock.

A cursor names the oldest transaction that had not ended when the phone was answered. Whatever is
committed later has that number or a higher one: it cannot be missed, and may come twice.
"""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

REMEMBERED = 8
NOW = "select pg_snapshot_xmin(pg_current_snapshot())::text"
KNOWN = "select $2 = any (cursors) from device where id = $1"
TELL = """
update device set cursors = (array[$2::text] || cursors)[:$3] where id = $1
"""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """From where on to tell: ``oldest`` and ``at`` of the phone's cursor, None for everything.

    ``now`` is the oldest open transaction of this answer.
    """

    oldest: str | None
    at: datetime | None
    now: str

    @property
    def whole(self) -> bool:
        """Whether everything is to be told."""
        return self.oldest is None


async def place(since: str, *, act: Act) -> Place:
    """Where the phone stands; to be asked first, in the transaction that answers it.

    A cursor counts when it was told to this very phone: after the database was restored from an
    older copy, numbers of transactions come a second time.
    """
    now = await DB.connection.fetchval(NOW)
    oldest, _, ms = since.partition("-")
    device: UUID | None = act.by.device
    if not ms or not await DB.connection.fetchval(KNOWN, device, since):
        return Place(oldest=None, at=None, now=now)
    return Place(oldest=oldest, at=datetime.fromtimestamp(int(ms) / 1000, UTC), now=now)


async def told(here: Place, *, act: Act) -> str:
    """The cursor of this answer, remembered for the phone in the same transaction."""
    cursor = f"{here.now}-{int(act.at.timestamp() * 1000)}"
    await DB.connection.execute(TELL, act.by.device, cursor, REMEMBERED)
    return cursor
