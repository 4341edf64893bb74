"""What the server holds of one phone: counters, holes, what it still owes, its heartbeat.

Who holds what, seen from the office, is in ``holdings``.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import device_storages
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family
from media.fields import Hex16

HOLES_MOST = 100
# Rows compared with their neighbours: a number after a jump closes a hole that opened before it.
CURSOR = """
with numbered as (
  select seq, lag(seq, 1, 0::bigint) over (order by seq) as before from op
  where dev = $1 and inst_epoch = $2)
select (select coalesce(max(seq), 0) from numbered) as highest,
  array(select before + 1 from numbered where seq > before + 1 order by seq limit $3) as opens,
  array(select seq - 1 from numbered where seq > before + 1 order by seq limit $3) as closes
"""
EXPECTED = """
select i ->> 'id' as id from claim c, jsonb_array_elements(c.items) i
where c.dev = $1 and c.closed_by is null and not exists (
  select from evidence e where e.id = (i ->> 'id')::uuid and e.visit = c.visit
    and e.sha256 = i ->> 'sha256' and e.state in ('received', 'verified', 'sealed'))
order by 1 limit 400
"""
BEAT = """
update device set heartbeat = $2, last_seen_at = $3 where id = $1 returning region
"""


class NoDevice(ServiceRefusal):
    """The token is not bound to an enrolled device; sign in with the device."""

    code = "device.not_bound"
    family = Family.DENIED


class Hole(msgspec.Struct, frozen=True):
    """Numbers that never came, both ends included."""

    first: int
    last: int


class Cursor(msgspec.Struct, frozen=True):
    """Up to where everything is here, what is missing between, and the captures still due."""

    max_contiguous: int
    highest: int
    holes: tuple[Hole, ...]
    expected_items: tuple[UUID, ...]


Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Instant = Annotated[datetime, Meta(tz=True)]


class Pending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a phone has not sent yet of one task."""

    visit: UUID
    pending_count: Count
    pending_bytes: Count
    oldest_pending_at: Instant | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a phone has not sent yet: in all, and by task.

    ``inst_epoch`` is its storage: a new one is told at once, before any operation comes.
    """

    pending_count: Count
    pending_bytes: Count
    oldest_pending_at: Instant | None = None
    inst_epoch: Hex16 | None = None
    tasks: Annotated[tuple[Pending, ...], Meta(max_length=500)] = ()


def _device(act: Act) -> UUID:
    if act.by.device is None:
        raise NoDevice
    return act.by.device


async def cursor(inst_epoch: str, *, act: Act) -> Cursor:
    """Where the caller's phone stands since its storage was last wiped.

    Raises: NoDevice ("device.not_bound").
    Source: evidence spec 3.
    """
    device = _device(act)
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(CURSOR, device, inst_epoch, HOLES_MOST)
        expected = await DB.connection.fetch(EXPECTED, device)
    holes = tuple(Hole(*pair) for pair in zip(row["opens"], row["closes"], strict=True))
    return Cursor(
        max_contiguous=holes[0].first - 1 if holes else row["highest"],
        highest=row["highest"],
        holes=holes,
        expected_items=tuple(UUID(one["id"]) for one in expected),
    )


async def heartbeat(beat: Heartbeat, *, act: Act) -> None:
    """Keep what the phone still has, for the alarms of its age; raises NoDevice.

    Source: evidence spec 3 (heartbeat, alarms).
    """
    device = _device(act)
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(BEAT, device, msgspec.to_builtins(beat), act.at)
        if beat.inst_epoch is not None:
            await device_storages.enter(device, beat.inst_epoch, region=region, act=act)
