"""Lost originals brought back from a backup: the same bytes, under a lock, as a new version.

Source: evidence spec 0.4 (SHA-256 at the shutter = in the bucket), 5 (missing). Their entry of the
log never went away, so they are verified again at once, and sealed by the next head.
"""

import asyncio
from typing import Any
from uuid import UUID

from msgspec import Struct

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.backups.pool import Pool
from backend.services.scrubs import losses
from backend.services.scrubs.running import keep_until
from inspection_plans import states
from inspection_plans.states import Noun
from media.bucket import Bucket, Facts, Lock, Room

LOST = """
select id, region, visit, object_key, sha256, size, mime, retain_until, lock_mode from evidence
where state = 'missing' and verified_at is not null order by id
"""
STATE = "select state from evidence where id = $1 for no key update"
HEAL = "update evidence set state = $2, version_id = $3, reason = null where id = $1"


class Healed(Struct, frozen=True):
    """Pieces that are whole again, and those whose bytes the backup does not have."""

    healed: tuple[UUID, ...]
    lost: tuple[UUID, ...]


async def heal(pool: Pool, *, act: Act, bucket: Bucket) -> Healed:
    """Bring back every lost original whose bytes the pool of a backup holds.

    Raises: StoreUnavailable. Safe to repeat.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(LOST)
    healed, lost = [], []
    for row in rows:
        version = await asyncio.to_thread(_bring, row, pool, bucket, act)
        if version is None:
            lost.append(row["id"])
        elif await _again(row, version, act):
            healed.append(row["id"])
    return Healed(tuple(healed), tuple(lost))


def _bring(row: Any, pool: Pool, bucket: Bucket, act: Act) -> str | None:  # noqa: ANN401 - a row of asyncpg
    """Store the bytes as a new locked version and read them back; None when they are not here."""
    if not pool.holds(row["sha256"]):
        return None
    until = max(row["retain_until"] or act.at, keep_until(act.at))
    facts = Facts(row["size"], None, row["mime"], Lock("GOVERNANCE", until, hold=True))
    with pool.place(row["sha256"]).open("rb") as file:
        held = bucket.bring_back(Room.ORIGINALS, row["object_key"], file, facts)
    bucket.lock(row["object_key"], held.version, until)
    if row["lock_mode"] == "compliance":
        bucket.comply(row["object_key"], held.version, until=until)
    back = bucket.rehash(Room.ORIGINALS, row["object_key"], held.version)
    return held.version if back.sha256 == row["sha256"] else None


async def _again(row: Any, version: str, act: Act) -> bool:  # noqa: ANN401 - a row of asyncpg
    """The piece is verified again and its visit perhaps out of doubt; False if it moved on."""
    async with DB.transaction(act.by.scope):
        state = await DB.connection.fetchval(STATE, row["id"])
        if state != "missing":
            return False
        target = states.require(Noun.EVIDENCE, state, "heal")
        await DB.connection.execute(HEAL, row["id"], target, version)
        await audit.record(
            act,
            "evidence.healed",
            "evidence",
            row["id"],
            region=row["region"],
            reason="backup",
            after_sha256=row["sha256"],
        )
        if row["visit"] is not None:
            await losses.settle(row["visit"], act=act)
    return True
