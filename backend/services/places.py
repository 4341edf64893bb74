"""Where a visit's phones say they were, beside the institution's filed address, in metres."""

from datetime import datetime
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.signals import rows
from inspection_plans.signals.geodesy import (
    ONE,
    RADIUS_CM,
    UNKNOWN,
    Position,
    apart_cm,
    cosine,
    radians,
    to_wgs84,
)
from media import manifest
from media.manifest import Location

CAPTURES = """
select id, item, manifest, coalesce(captured_at, declared_at) as at from evidence
where visit = $1 and channel = 'phone' and length(manifest) > 0 order by id
"""
METRE = 100


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """One position: metres east and north of the middle, its accuracy and distance in metres.

    ``evidence`` is None for a check-in; ``apart_m`` None where no address is filed.
    """

    evidence: UUID | None
    item: str | None
    at: datetime
    east_m: int
    north_m: int
    accuracy_m: int
    apart_m: int | None


class Places(msgspec.Struct, frozen=True):
    """The spots of a visit; ``filed`` says whether the middle is the filed address.

    ``silent`` captures told no position; ``sure`` is False where a datum is unknown.
    """

    filed: bool
    sure: bool
    silent: int
    spots: tuple[Spot, ...]


def _offset_m(middle: Position, at: Position) -> tuple[int, int]:
    """Metres east and north of the middle, on a flat map: good enough around one address."""
    here, there = to_wgs84(middle), to_wgs84(at)
    north = radians(there.lat_e7 - here.lat_e7) * RADIUS_CM // ONE
    wide = cosine(radians(here.lat_e7))
    east = radians(there.lon_e7 - here.lon_e7) * wide // ONE * RADIUS_CM // ONE
    return east // METRE, north // METRE


def _position(loc: Location) -> Position | None:
    if loc.st != "ok" or loc.lat is None or loc.lon is None or loc.acc_cm is None:
        return None
    return Position(lat_e7=loc.lat, lon_e7=loc.lon, crs=loc.crs)


async def of_visit(visit_id: UUID, *, act: Act) -> Places:
    """Check-ins and captures of a visit as spots around its address; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        visit = await DB.connection.fetchrow(rows.VISIT, visit_id)
        if visit is None:
            raise Absent
        checkins = await DB.connection.fetch(rows.CHECKINS, visit_id)
        captures = await DB.connection.fetch(CAPTURES, visit_id)
    told: list[tuple[UUID | None, str | None, datetime, Location]] = [
        (None, None, row["recorded_at"], msgspec.convert(row["body"]["loc"], Location))
        for row in checkins
    ]
    told += [
        (row["id"], row["item"], row["at"], manifest.parse(row["manifest"]).loc)
        for row in captures
    ]
    known = [(*one, at) for one in told if (at := _position(one[3])) is not None]
    address = (
        Position(lat_e7=visit["lat_e7"], lon_e7=visit["lon_e7"], crs=visit["crs"] or UNKNOWN)
        if visit["lat_e7"] is not None and visit["lon_e7"] is not None
        else None
    )
    silent = len(told) - len(known)
    if not known:
        return Places(address is not None, sure=True, silent=silent, spots=())
    middle = address or known[0][4]
    spots, sure = [], True
    for evidence, item, instant, loc, at in known:
        apart, certain = apart_cm(middle, at)
        sure = sure and certain
        east, north = _offset_m(middle, at)
        spots.append(
            Spot(
                evidence=evidence,
                item=item,
                at=instant,
                east_m=east,
                north_m=north,
                accuracy_m=(loc.acc_cm or 0) // METRE,
                apart_m=apart // METRE if address else None,
            )
        )
    return Places(address is not None, sure=sure, silent=silent, spots=tuple(spots))
