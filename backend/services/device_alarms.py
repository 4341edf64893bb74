"""Alarms about phones 设备告警: each stays until somebody of the office has settled it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

Kind = Literal["storage_wiped", "conflict_digest", "seq_reused"]
SOUND = """
insert into device_alarm (id, region, dev, kind, subject, raised_at)
select $1, coalesce((select region from device where id = $2), $3), $2, $4, $5, $6
on conflict (dev, kind, subject) where settled_at is null do nothing returning region
"""
PAGE = """
select a.id, a.region, a.dev, a.kind, a.subject, a.raised_at, a.settled_at, a.reason,
  c.display_name as holder
from device_alarm a join device d on d.id = a.dev join account c on c.id = d.account
where a.region = any ($1) and ($2::uuid is null or a.id < $2)
  and ($3::bool or a.settled_at is null) order by a.id desc limit $4
"""
LOCK = "select region, dev, kind, settled_at from device_alarm where id = $1 for no key update"
SETTLE = """
update device_alarm set settled_at = $2, settled_by = $3, reason = $4 where id = $1
"""


class AlarmSettled(ServiceRefusal):
    """Somebody settled this alarm before."""

    code = "device.alarm_settled"
    family = Family.CONFLICT


class DeviceAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm; ``subject`` is the new storage, or the operation it is about."""

    id: UUID
    region: int
    dev: UUID
    holder: str
    kind: Kind
    subject: str
    raised_at: datetime
    settled_at: datetime | None
    reason: str | None


async def sound(kind: Kind, dev: UUID, subject: str, *, region: int, act: Act) -> None:
    """Raise an alarm once, in the caller's transaction; the same one again adds nothing."""
    raised = await DB.connection.fetchval(SOUND, act.new_id(), dev, region, kind, subject, act.at)
    if raised is not None:
        await audit.record(act, f"device.{kind}", "device", dev, region=raised, reason=subject)


async def page(
    *, act: Act, after: UUID | None = None, limit: int = 100, settled: bool = False
) -> tuple[DeviceAlarm, ...]:
    """Alarms of the caller's regions, newest first; settled ones only when asked for."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, act.by.regions, after, settled, limit)
    return tuple(msgspec.convert(dict(row), DeviceAlarm) for row in rows)


async def settle(alarm_id: UUID, reason: str, *, act: Act) -> None:
    """Say what came of an alarm; raises Absent, Denied, AlarmSettled ("device.alarm_settled")."""
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, alarm_id)
        if row is None:
            raise Absent
        if row["settled_at"] is not None:
            raise AlarmSettled(settled_at=row["settled_at"].isoformat())
        await DB.connection.execute(SETTLE, alarm_id, act.at, act.by.id, reason)
        await audit.record(
            act,
            "device.alarm_settled",
            "device",
            row["dev"],
            region=row["region"],
            title=row["kind"],
            reason=reason,
        )
