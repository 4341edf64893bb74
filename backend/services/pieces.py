"""Several pieces of evidence at once: their addresses, and that their bytes are there.

A visit's photos are asked for and reported together; a call for each would cost phone and app a
round trip a photo.
Source: evidence spec 4.1, 14 row 7.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import arrivals, evidence, uploads
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.stored import AWAITED, Stored, stored
from backend.services.uploads import Addresses, LaneClosed, Lanes
from media.bucket import Bucket
from media.spool import Spool

MINE = """
select e.*, u.state as upload_state from evidence e left join upload u on u.evidence = e.id
where e.id = any ($1::uuid[])
  and (e.dev in (select id from device where id = $2 or account = $4)
    or e.channel = 'portal' and e.institution = $3) order by e.id
"""


class Standing(msgspec.Struct, frozen=True):
    """A piece and what has become of it; ``awaited`` while the store does not have its bytes."""

    id: UUID
    state: str
    awaited: bool


class _Found(msgspec.Struct, frozen=True):
    """A piece of the caller's, and the state of its upload where one was opened."""

    piece: Stored
    upload: str | None

    @property
    def in_parts(self) -> bool:
        """Whether its bytes come in parts, which somebody has yet to put together."""
        return self.upload == "open" and self.piece.state in AWAITED


async def _mine(sql: str, ids: Sequence[UUID], act: Act) -> list[_Found]:
    """The caller's own pieces in the order of ``ids``; raises Absent for any other."""
    by = act.by
    rows = await DB.connection.fetch(sql, list(ids), by.device, by.institution, by.id)
    found = {row["id"]: _Found(stored(row), row["upload_state"]) for row in rows}
    if found.keys() != set(ids):
        raise Absent
    return [found[ident] for ident in dict.fromkeys(ids)]


async def addresses(
    ids: Sequence[UUID], *, lanes: Lanes, act: Act, bucket: Bucket
) -> list[Addresses]:
    """One pinned address for each awaited piece, for 15 minutes; none for one that is there.

    Raises: Absent when one is not the caller's, LaneClosed ("upload.lane_closed"), QuotaUsed
    ("upload.quota"); then nothing has changed.
    """
    if "direct" not in lanes.open:
        raise LaneClosed(lanes=list(lanes.open))
    async with DB.transaction(act.by.scope):
        found = await _mine(MINE + " for no key update of e", ids, act)
        pieces = await arrivals.begin([one.piece for one in found], act)
    return [
        Addresses(
            id=one.id,
            state=one.state,
            puts=((1, evidence.address(one, act, bucket)),) if one.state in AWAITED else (),
        )
        for one in pieces
    ]


async def arrived(
    ids: Sequence[UUID], *, act: Act, bucket: Bucket, spool: Spool
) -> list[Standing]:
    """Look whether the store has these pieces, and have those that are there verified; repeatable.

    One that is not there, or came in parts that are not whole, stays awaited beside the others.
    Raises: Absent when one is not the caller's, StoreUnavailable.
    """
    async with DB.transaction(act.by.scope):
        found = await _mine(MINE, ids, act)
    state = {one.piece.id: one.piece.state for one in found}
    whole = [one.piece for one in found if one.piece.state in AWAITED and not one.in_parts]
    seen = zip(whole, await arrivals.look(whole, bucket), strict=True)
    held = {one.id: was for one, was in seen if was is not None and was.size == one.size}
    state |= dict.fromkeys(held, await arrivals.receive(whole, held, act))
    for one in found:
        if one.in_parts:
            state[one.piece.id] = await _of_parts(one.piece, act, bucket, spool)
    return [Standing(ident, now, now in AWAITED) for ident, now in state.items()]


async def _of_parts(piece: Stored, act: Act, bucket: Bucket, spool: Spool) -> str:
    try:
        return (await uploads.complete(piece.id, act=act, bucket=bucket, spool=spool)).state
    except evidence.NotSent:
        return piece.state
