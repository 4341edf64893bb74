"""One page of a room: its objects and the rows that name them, between two keys."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from msgspec import Struct

from backend.piccolo_conf import DB
from media.bucket import Bucket, Item, Room

PERIOD_DAYS = 30
PAGE_KEYS = 300
PAGE_BYTES = 1 << 30  # read again within one slice, so that it ends before its lease

# A piece is read again on its own day of thirty, by the last bytes of its id, and when it is new.
ORIGINALS = """
select e.object_key as key, e.version_id as version, e.id, e.region, e.visit, e.state, e.sha256,
  e.size, e.retain_until, e.lock_mode,
  $3::timestamptz is null or e.verified_at >= $3 or (get_byte(uuid_send(e.id), 14) * 256
    + get_byte(uuid_send(e.id), 15)) % 30 = any ($4::int[]) as deep,
  greatest(e.verified_at, v.concluded_at,
    (select max(n.closed_at) from notice n where n.visit = e.visit or n.id = e.notice),
    (select max(c.closed_at) from case_file c where c.notice = e.notice or exists (
      select from finding f where f.id = any (c.findings) and f.visit = e.visit))) as kept_from,
  not exists (select from custody_act a where a.evidence = e.id and a.kind = 'unlock'
    and a.state = 'approved') as hold
from evidence e left join visit v on v.id = e.visit
where e.verified_at is not null and e.state <> 'missing'
  and e.object_key collate "C" > $1 and ($2::text is null or e.object_key collate "C" <= $2)
order by e.object_key collate "C"
"""
QUARANTINE = """
select e.object_key as key, e.version_id as version, e.id, e.region, e.visit, e.state, e.sha256,
  e.size from evidence e where e.state = 'received'
  and e.object_key collate "C" > $1 and ($2::text is null or e.object_key collate "C" <= $2)
order by e.object_key collate "C"
"""
DERIVATIVES = """
select d.object_key as key, null as version, d.evidence as id, d.region, null::uuid as visit,
  'made' as state, d.sha256, d.size from derivative d
where d.object_key collate "C" > $1 and ($2::text is null or d.object_key collate "C" <= $2)
order by d.object_key collate "C"
"""
# An emergency package lies in quarantine too, under its own id.
KNOWN = """
select id from evidence where id = any ($1) union all select id from package where id = any ($1)
"""
ROOMS = (Room.ORIGINALS, Room.QUARANTINE, Room.DERIVATIVES)


class Piece(Struct, frozen=True, kw_only=True):
    """A row that names an object; ``deep``: its bytes and its lock are looked at tonight."""

    key: str
    version: str | None
    id: UUID
    region: int
    visit: UUID | None
    state: str
    sha256: str
    size: int
    deep: bool = False
    hold: bool = False
    lock_mode: str | None = None
    retain_until: datetime | None = None
    kept_from: datetime | None = None


class Page(Struct, frozen=True):
    """Objects and rows up to ``last``, None when the room ends here; ``known`` have a row."""

    items: tuple[Item, ...]
    pieces: tuple[Piece, ...]
    known: frozenset[UUID]
    last: str | None


class Night(Struct, frozen=True):
    """Which pieces are read: verified from ``since`` on, and those of these days of thirty."""

    since: datetime | None
    slots: tuple[int, ...]


def evidence_of(key: str) -> UUID | None:
    """The evidence whose id stands in a key ``<region>/<id>/<name>``."""
    parts = key.split("/")
    try:
        return UUID(parts[1])
    except (IndexError, ValueError):
        return None


def listed(bucket: Bucket, room: Room, after: str) -> tuple[tuple[Item, ...], str | None]:
    """The next keys of a room with all their versions, and the last key unless it was the end."""
    found: list[Item] = []
    keys = groupby(bucket.listed(room, after=after, versions=True), key=lambda item: item.key)
    for count, (key, items) in enumerate(keys, start=1):
        found += items
        if count == PAGE_KEYS:
            return tuple(found), key
    return tuple(found), None


def _pieces(rows: list[Mapping[str, Any]]) -> Iterator[Piece]:
    return (Piece(**row) for row in rows)


async def rows_of(
    room: Room, items: tuple[Item, ...], after: str, last: str | None, night: Night
) -> Page:
    """The rows of the same stretch of keys, cut where a slice has enough to read."""
    queries = {Room.QUARANTINE: QUARANTINE, Room.DERIVATIVES: DERIVATIVES}
    if room is Room.ORIGINALS:
        args = (after, last, night.since, list(night.slots))
        found = await DB.connection.fetch(ORIGINALS, *args)
    else:
        found = await DB.connection.fetch(queries[room], after, last)
    pieces = tuple(_pieces([dict(row) for row in found]))
    pieces, last = _cut(pieces, last)
    items = tuple(item for item in items if last is None or item.key <= last)
    ids = {one for item in items if (one := evidence_of(item.key)) is not None}
    known = await DB.connection.fetch(KNOWN, list(ids))
    return Page(items, pieces, frozenset(row["id"] for row in known), last)


def _cut(pieces: tuple[Piece, ...], last: str | None) -> tuple[tuple[Piece, ...], str | None]:
    """As many pieces as may be read in one slice, at least one."""
    so_far = 0
    for place, piece in enumerate(pieces):
        so_far += piece.size if piece.deep else 0
        if so_far > PAGE_BYTES and place + 1 < len(pieces):
            return pieces[: place + 1], piece.key
    return pieces, last
