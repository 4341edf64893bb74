"""The facts of one visit or reply, loaded for the rules of ``inspection_plans.signals``."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.errors import Absent
from backend.services.signals import heads, pictures, positions, rows
from backend.services.signals.orders import Touch
from inspection_plans.loader import jurisdiction_of
from inspection_plans.signals.chains import Epoch, Link, Told
from inspection_plans.signals.clocks import Shot
from inspection_plans.signals.geodesy import UNKNOWN, Position
from inspection_plans.signals.pictures import Alike, Exif
from inspection_plans.signals.places import Fix
from inspection_plans.signals.visit import Facts, Phone, Piece
from media import likeness, manifest
from media.manifest import Manifest

PROVED = ("verified", "sealed")


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What signals are about: a visit, or the reply to a notice."""

    id: UUID
    region: int
    institution: UUID
    training_class: UUID | None
    notice: UUID | None
    jurisdiction: str
    filed: Position | None


class Loaded(msgspec.Struct, frozen=True):
    """The facts, and the other occasions whose signals may change with them."""

    occasion: Occasion
    facts: Facts
    touched: frozenset[Touch]


class _Row(msgspec.Struct, frozen=True):
    """A row of ``PIECES`` with its manifest read; replies have none."""

    row: Any
    capture: Manifest | None

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def signed(self) -> bool:
        """Whether the enrolled key signed it: what nobody signed says nothing about the phone."""
        return self.capture is not None and "unknown_key" not in self.row["flags"]


async def occasion_of(occasion_id: UUID) -> Occasion:
    """The visit or notice with its place, in the caller's transaction; raises Absent."""
    row = await DB.connection.fetchrow(rows.VISIT, occasion_id)
    if row is None:
        raise Absent
    known = row["lat_e7"] is not None and row["lon_e7"] is not None
    filed = (
        Position(lat_e7=row["lat_e7"], lon_e7=row["lon_e7"], crs=row["crs"] or UNKNOWN)
        if known
        else None
    )
    place = row["jurisdiction"] or jurisdiction_of(row["region"])  # a notice may have no visit
    names = set(Occasion.__struct_fields__) - {"filed", "jurisdiction"}
    given = {name: row[name] for name in names}
    return Occasion(**given, jurisdiction=place, filed=filed)


async def load(occasion_id: UUID, *, at: datetime) -> Loaded:
    """Everything the rules ask, in the caller's transaction, as the product; raises Absent."""
    occasion = await occasion_of(occasion_id)
    found = [
        _Row(row, manifest.parse(row["manifest"]) if row["channel"] == "phone" else None)
        for row in await DB.connection.fetch(rows.PIECES, occasion_id)
    ]
    touched: set[Touch] = set()
    same, near = await _same(occasion_id, touched), await _near(found, occasion_id, touched)
    if occasion.notice is not None:
        facts = _reply(occasion, found, same, near)
        return Loaded(occasion, facts, frozenset(touched))
    phones = await _devices(occasion_id, found)
    who = {dev: row["inspector"] for dev, row in phones.items()}
    shots = [_shot(one) for one in found if one.signed]
    captured = [fix for one in found if one.signed for fix in _fix(one, who)]
    fixes = (*captured, *await positions.checkins(occasion_id, who, _offsets(shots)))
    around, near_by = await positions.around(occasion_id, fixes, who)
    touched |= near_by
    by_source = {fix.source: fix for fix in captured}
    counts, counted = await heads.counts(
        occasion_id, [(one.id, one.capture.roll) for one in found if one.capture]
    )
    facts = Facts(
        visit=str(occasion_id),
        pieces=tuple(_piece(one, same, near, by_source) for one in found),
        phones=tuple(
            [
                await _phone(occasion_id, dev, row, found, fixes, at, touched)
                for dev, row in phones.items()
            ]
        ),
        fixes=fixes,
        around=around,
        filed=occasion.filed,
        heads=counts,
        heads_evidence=counted,
    )
    return Loaded(occasion, facts, frozenset(touched))


def _reply(
    occasion: Occasion,
    found: Sequence[_Row],
    same: Mapping[str, tuple[str, ...]],
    near: Mapping[str, tuple[Alike, ...]],
) -> Facts:
    """Files of a reply were received, not captured: only what pictures say by themselves."""
    return Facts(
        visit=str(occasion.id),
        pieces=tuple(_piece(one, same, near, {}) for one in found),
        phones=(),
        fixes=(),
        around=(),
        filed=None,
        heads={},
        heads_evidence=(),
    )


async def _same(occasion_id: UUID, touched: set[Touch]) -> dict[str, tuple[str, ...]]:
    """Older pieces with the same bytes; a newer one is told where it was handed in."""
    older: dict[str, list[str]] = {}
    for row in await DB.connection.fetch(rows.SAME, occasion_id):
        if row["older"]:
            older.setdefault(str(row["id"]), []).append(str(row["other"]))
        else:
            touched.add(Touch(row["occasion"], row["region"], row["visited"]))
    return {piece: tuple(others) for piece, others in older.items()}


async def _near(
    found: Sequence[_Row], occasion_id: UUID, touched: set[Touch]
) -> dict[str, tuple[Alike, ...]]:
    """Older pictures that look alike, by piece; a newer one is told where it was handed in."""
    older: dict[str, tuple[Alike, ...]] = {}
    for one in found:
        row = one.row
        if not row["hashed"] or row["state"] not in PROVED:
            continue
        look = pictures.of_row(row)
        alike = []
        for other in await pictures.near(look, occasion=occasion_id, sha256=row["sha256"]):
            if (other.taken_at, other.id) < (row["taken_at"], row["id"]):
                alike.append(_alike(other, likeness.distances(look, other.look), look.detail))
            else:
                touched.add(Touch(other.occasion, other.region, other.visited))
        older[one.id] = tuple(alike)
    return older


def _alike(other: pictures.Near, far: likeness.Distances, detail: int) -> Alike:
    return Alike(
        evidence=str(other.id),
        variant=far.variant,
        p=far.p,
        d=far.d,
        w=far.w,
        fine=far.fine,
        detail=min(detail, other.look.detail),
    )


def _instant_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _shot(one: _Row) -> Shot:
    capture, row = one.capture, one.row
    if capture is None or row["captured_at"] is None:
        raise TypeError("a shot is a signed capture")
    return Shot(
        evidence=one.id,
        device=str(row["dev"]),
        item=capture.item,
        wall_ms=capture.t.wall,
        at_ms=_instant_ms(row["captured_at"]),
        proved="time_unproved" not in row["flags"],
    )


def _offsets(shots: Sequence[Shot]) -> dict[str, int]:
    """How far each device's clock was ahead of the server's anchor, by its middle capture."""
    by_device: dict[str, list[int]] = {}
    for shot in shots:
        if shot.proved:
            by_device.setdefault(shot.device, []).append(shot.wall_ms - shot.at_ms)
    return {device: sorted(off)[len(off) // 2] for device, off in by_device.items()}


def _fix(one: _Row, who: Mapping[UUID, UUID]) -> list[Fix]:
    capture, row = one.capture, one.row
    if capture is None or row["dev"] not in who or row["captured_at"] is None:
        return []
    return positions.fix(
        capture.loc,
        source=one.id,
        evidence=True,
        visit=capture.visit,
        device=row["dev"],
        inspector=who[row["dev"]],
        at_ms=_instant_ms(row["captured_at"]),
        timed="time_unproved" not in row["flags"],
    )


def _taken_ms(text: str | None) -> int | None:
    """EXIF's ``2026:05:01 09:30:00`` as if it were UTC; None for what is no time."""
    try:
        taken = datetime.strptime(text or "", "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return _instant_ms(taken)


def _zone_min(text: str | None) -> int | None:
    """EXIF's ``+08:00`` in minutes; None for what is no zone."""
    try:
        zone = datetime.strptime(text or "", "%z").utcoffset()
    except ValueError:
        return None
    return None if zone is None else zone // timedelta(minutes=1)


def _exif(row: Any) -> Exif:  # noqa: ANN401 - a row of asyncpg
    said = row["exif"] or {}
    place = (
        Position(lat_e7=row["lat_e7"], lon_e7=row["lon_e7"], crs="wgs84")
        if row["lat_e7"] is not None
        else None
    )
    return Exif(
        taken_ms=_taken_ms(said.get("taken")),
        zone_min=_zone_min(said.get("offset")),
        camera=said.get("camera"),
        software=said.get("software"),
        place=place,
    )


def _piece(
    one: _Row,
    same: Mapping[str, tuple[str, ...]],
    near: Mapping[str, tuple[Alike, ...]],
    fixes: Mapping[str, Fix],
) -> Piece:
    at = one.row["captured_at"]
    return Piece(
        evidence=one.id,
        same=same.get(one.id, ()),
        near=near.get(one.id, ()),
        exif=_exif(one.row),
        device=str(one.row["dev"]) if one.row["dev"] else None,
        captured_ms=None if at is None else _instant_ms(at),
        zone_min=one.capture.t.tz_min if one.capture else 0,
        fix=fixes.get(one.id),
    )


async def _devices(visit: UUID, found: Sequence[_Row]) -> dict[UUID, Any]:
    """The devices that did something at the visit, whose inspector is known."""
    devs = {one.row["dev"] for one in found if one.signed}
    devs |= {row["dev"] for row in await DB.connection.fetch(rows.CHECKINS, visit)}
    people = await DB.connection.fetch(rows.PEOPLE, sorted(devs))
    return {row["dev"]: row for row in people}


async def _phone(
    visit: UUID,
    dev: UUID,
    known: Any,  # noqa: ANN401 - a row of asyncpg
    found: Sequence[_Row],
    fixes: Sequence[Fix],
    at: datetime,
    touched: set[Touch],
) -> Phone:
    own = [one for one in found if one.signed and one.row["dev"] == dev]
    epochs = sorted({one.row["inst_epoch"] for one in own})
    chains = []
    for epoch in epochs:
        links = await DB.connection.fetch(rows.CHAIN, visit, dev, epoch)
        touched |= {
            Touch(row["visit"], row["region"], visited=True)
            for row in links
            if row["visit"] != visit
        }
        chains.append(tuple(_link(row) for row in links))
    cameras = await DB.connection.fetch(rows.CAMERAS, [dev], at)
    lives = await DB.connection.fetch(rows.EPOCHS, visit, [dev])
    return Phone(
        device=str(dev),
        shots=tuple(_shot(one) for one in own),
        chains=tuple(chains),
        told=Told(now_ms=_instant_ms(at), empty_ms=_empty_ms(known)),
        epochs=tuple(_epoch(row) for row in lives),
        cameras={row["camera"]: row["pictures"] for row in cameras},
        elsewhere=await positions.of_device(visit, dev, known["inspector"], fixes),
    )


def _link(row: Any) -> Link:  # noqa: ANN401 - a row of asyncpg
    return Link(
        evidence=str(row["id"]),
        visit=str(row["visit"]),
        seq=row["seq"],
        prev=row["prev"],
        digest=row["manifest_sha256"],
        received_ms=_instant_ms(row["declared_at"]),
    )


def _epoch(row: Any) -> Epoch:  # noqa: ANN401 - a row of asyncpg
    return Epoch(
        id=row["inst_epoch"],
        first_ms=_instant_ms(row["seen_at"]),
        here=row["here"],
        elsewhere_before=int(row["begun_elsewhere"]),
    )


def _empty_ms(known: Any) -> int | None:  # noqa: ANN401 - a row of asyncpg
    """Since when the phone says that it has nothing left to send, if it does."""
    beat, seen = known["heartbeat"], known["last_seen_at"]
    if not beat or beat.get("pending_count") != 0 or seen is None:
        return None
    return _instant_ms(seen)
