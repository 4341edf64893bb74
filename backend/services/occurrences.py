"""Slots of schedules: each fires once, whoever saw it first, and says how late it was."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import tasks

NATION = 100_000
CLAIM = """
insert into occurrence (schedule, fire_at, region, late_by_s, created_at)
values ($1, $2, $3, $4, $5) on conflict do nothing returning true
"""
DUE_PLANS = """
select id, region, fire_at from plan where state = 'approved' and fire_at <= $1
  and coalesce(spec ->> 'origin', 'here') = 'here'
order by fire_at, id limit 500
"""


async def _fire(
    schedule: str,
    fire_at: datetime,
    *,
    region: int,
    at: datetime,
    kind: str,
    payload: Mapping[str, Any],
) -> bool:
    """Claim a slot and order its work in one transaction; False when it was claimed before."""
    late = max(int((at - fire_at).total_seconds()), 0)
    mine = await DB.connection.fetchval(CLAIM, schedule, fire_at, region, late, at)
    if not mine:
        return False
    await tasks.enqueue(kind, dict(payload), region=region, at=at, dedupe=schedule)
    return True


async def fire_due_plans(*, regions: tuple[int, ...], at: datetime) -> int:
    """Order the draw of every approved plan whose instant has come; how many were ordered.

    A slot missed while nothing ran is ordered late, never skipped.
    Source: design, step 2; draw.md section 10 (quiet omission).
    """
    fired = 0
    async with DB.transaction(Scope(regions=regions, role="worker")):
        for row in await DB.connection.fetch(DUE_PLANS, at):
            fired += await _fire(
                f"plan:{row['id']}",
                row["fire_at"],
                region=row["region"],
                at=at,
                kind="draw.fire",
                payload={"plan": str(row["id"])},
            )
    return fired


def daily_slot(at: datetime, hour: int) -> datetime:
    """The last full ``hour`` (UTC) that is not after ``at``."""
    slot = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    return slot if slot <= at else slot - timedelta(days=1)


async def fire_daily(
    schedule: str, kind: str, *, hour: int, regions: tuple[int, ...], at: datetime
) -> int:
    """Order a daily piece of work once its hour (UTC) has come; 1 when this call ordered it."""
    slot = daily_slot(at, hour)
    async with DB.transaction(Scope(regions=regions, role="worker")):
        return int(await _fire(schedule, slot, region=NATION, at=at, kind=kind, payload={}))
