"""Storages of phones 设备存储: numbers count within one, and a new one says that it was wiped."""

from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import device_alarms
from backend.services.act import Act

HOLD = "select true from device where id = $1 for no key update"
ENTER = """
insert into device_storage (dev, inst_epoch, region, wave, seen_at)
select $1, $2, coalesce((select region from device where id = $1), $3),
  1 + coalesce((select max(wave) from device_storage where dev = $1), 0), $4
on conflict (dev, inst_epoch) do nothing returning wave
"""
KNOWN = "select wave from device_storage where dev = $1 and inst_epoch = $2"


async def enter(dev: UUID, inst_epoch: str, *, region: int, act: Act) -> int:
    """Which of the phone's storages this is, from 1, in the caller's transaction.

    One that was not seen before, after another, is an alarm: the phone was wiped, and what it
    had not sent is gone.
    Source: evidence spec 2 (inst_epoch), 3 (a wipe).
    """
    # Two batches that arrive first at once: the second finds what the first has written.
    await DB.connection.fetchval(HOLD, dev)
    wave: int | None = await DB.connection.fetchval(ENTER, dev, inst_epoch, region, act.at)
    if wave is None:
        known: int = await DB.connection.fetchval(KNOWN, dev, inst_epoch)
        return known
    if wave > 1:
        await device_alarms.sound("storage_wiped", dev, inst_epoch, region=region, act=act)
    return wave
