"""Where phones say they were: check-ins and captures of a visit, and around it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.accounts import SHANGHAI
from backend.services.signals import rows
from backend.services.signals.orders import Touch
from inspection_plans.signals.geodesy import Position
from inspection_plans.signals.places import Fix
from media.manifest import Location

# A check-in's time is the phone's word: taken when it arrived soon after, or the phone's own
# captures tell how its clock was off.
PROMPT_MS = 600_000
REACH_MS = 12 * 3_600_000


def fix(  # noqa: PLR0913 - what a position is made of
    loc: Location,
    *,
    source: str,
    evidence: bool,
    visit: str,
    device: UUID,
    inspector: UUID,
    at_ms: int,
    timed: bool,
) -> list[Fix]:
    """One position for the rules, or none where the phone had none."""
    if loc.st != "ok" or loc.lat is None or loc.lon is None or loc.acc_cm is None:
        return []
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SHANGHAI)
    made = Fix(
        source=source,
        evidence=evidence,
        visit=visit,
        device=str(device),
        inspector=str(inspector),
        at_ms=at_ms,
        age_ms=loc.age_ms or 0,
        day=at.date().isoformat(),
        position=Position(lat_e7=loc.lat, lon_e7=loc.lon, crs=loc.crs),
        accuracy_cm=loc.acc_cm,
        timed=timed,
    )
    return [made]


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


async def checkins(
    visit: UUID, who: Mapping[UUID, UUID], offsets: Mapping[str, int]
) -> tuple[Fix, ...]:
    """Check-ins of a visit; ``offsets`` say how far each device's clock was ahead, in ms."""
    found: list[Fix] = []
    for row in await DB.connection.fetch(rows.CHECKINS, visit):
        said = row["body"]["at"]
        off = offsets.get(str(row["dev"]))
        prompt = 0 <= _ms(row["recorded_at"]) - said <= PROMPT_MS
        found += fix(
            msgspec.convert(row["body"]["loc"], Location),
            source=str(row["op_id"]),
            evidence=False,
            visit=str(visit),
            device=row["dev"],
            inspector=who.get(row["dev"], row["inspector"]),
            at_ms=said - (off or 0),
            timed=prompt or off is not None,
        )
    return tuple(found)


def _elsewhere(row: Any, inspector: UUID) -> list[Fix]:  # noqa: ANN401 - a row of asyncpg
    at = _ms(row["at"])
    return fix(
        msgspec.convert(row["location"], Location),
        source=str(row["source"]),
        evidence=row["evidence"],
        visit=str(row["visit"]),
        device=row["dev"],
        inspector=inspector,
        at_ms=at,
        timed=row["evidence"] or 0 <= _ms(row["recorded_at"]) - at <= PROMPT_MS,
    )


async def around(
    visit: UUID, fixes: Sequence[Fix], who: Mapping[UUID, UUID]
) -> tuple[tuple[Fix, ...], set[Touch]]:
    """Positions of the same people at other visits within half a day, with those visits."""
    timed = [one.at_ms for one in fixes if one.timed]
    if not timed:
        return (), set()
    people = sorted(set(who.values()))
    visits = await DB.connection.fetch(rows.AROUND, visit, people)
    found = await DB.connection.fetch(rows.FIXES_ELSEWHERE, [row["id"] for row in visits])
    owners = await DB.connection.fetch(rows.PEOPLE, sorted({row["dev"] for row in found}))
    holder = {row["dev"]: row["inspector"] for row in owners if row["inspector"] in people}
    low, high = min(timed) - REACH_MS, max(timed) + REACH_MS
    near = tuple(
        one
        for row in found
        if row["dev"] in holder
        for one in _elsewhere(row, holder[row["dev"]])
        if low <= one.at_ms <= high
    )
    reached = {one.visit for one in near}
    return near, {
        Touch(row["id"], row["region"], visited=True)
        for row in visits
        if str(row["id"]) in reached
    }


async def of_device(
    visit: UUID, dev: UUID, inspector: UUID, fixes: Sequence[Fix]
) -> tuple[Fix, ...]:
    """Where the device read exactly one of these positions at another visit, in 90 days."""
    own = [one for one in fixes if one.device == str(dev) and one.timed]
    if not own:
        return ()
    last = datetime.fromtimestamp(max(one.at_ms for one in own) / 1000, UTC)
    found = await DB.connection.fetch(
        rows.FIXES_OF_DEVICES,
        visit,
        [dev],
        [one.position.lat_e7 for one in own],
        [one.position.lon_e7 for one in own],
        last + timedelta(seconds=1),
    )
    return tuple(one for row in found for one in _elsewhere(row, inspector))
