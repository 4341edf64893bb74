"""Several pieces of evidence at once: their addresses, and that their bytes are there.

A visit's photos are asked for and reported together; a call for each would cost phone and app a
round trip a photo.
Source: evidence spec 4.1, 14 row 7.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, evidence, tasks, uploads
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.evidence import AWAITED, DAY_BYTES, SENT_TODAY, VERIFY, QuotaUsed, Stored
from backend.services.uploads import Addresses, LaneClosed, Lanes
from inspection_plans import states
from inspection_plans.states import Noun
from media.bucket import Bucket
from media.rooms import Room, StoreAbsent
from media.spool import Spool

MINE = """
select e.*, u.state as upload_state from evidence e left join upload u on u.evidence = e.id
where e.id = any($1::uuid[])
  and (e.dev = $2 or e.channel = 'portal' and e.institution = $3) order by e.id
"""
# The entries are written in the statement of their effect.
BEGIN = """
with begun as (update evidence set state = $4 where id = any($5::uuid[]))
insert into aud.entry (region, leaf, body)
select * from unnest($1::int[], $2::bytea[], $3::jsonb[])
"""
RECEIVE = """
update evidence e set state = $3, received_at = $4, version_id = t.version
from unnest($1::uuid[], $2::text[]) as t (id, version)
where e.id = t.id and e.state = any($5::text[]) returning e.id
"""
FOLLOW = """
with told as (insert into aud.entry (region, leaf, body)
  select * from unnest($1::int[], $2::bytea[], $3::jsonb[])),
ordered as (insert into task (queue, kind, region, payload, dedupe, run_at, attempts,
    max_attempts, created_at)
  select $4, $5, t.region, jsonb_build_object('evidence', t.id), t.id, $7, 0, $8, $7
  from unnest($1::int[], $6::text[]) as t (region, id)
  on conflict (kind, dedupe) where done_at is null and dedupe is not null do nothing)
select pg_notify('task', $4)
"""

ABSENT = "-"


class Standing(msgspec.Struct, frozen=True):
    """A piece and what has become of it; ``awaited`` while the store does not have its bytes."""

    id: UUID
    state: str
    awaited: bool


class _Found(msgspec.Struct, frozen=True):
    """A piece of the caller's, and the state of its upload where one was opened."""

    piece: Stored
    upload: str | None


async def _mine(sql: str, ids: Sequence[UUID], act: Act) -> list[_Found]:
    rows = await DB.connection.fetch(sql, list(ids), act.by.device, act.by.institution)
    if len(rows) != len(set(ids)):
        raise Absent
    return [_Found(evidence.stored(row), row["upload_state"]) for row in rows]


def _entries(
    pieces: Sequence[Stored], verb: str, act: Act
) -> tuple[list[int], list[bytes], list[str]]:
    made = [
        audit.compose(act, verb, "evidence", one.id, region=one.region, after_sha256=one.sha256)
        for one in pieces
    ]
    return [one.region for one in pieces], [one.leaf for one in made], [one.body for one in made]


async def addresses(
    ids: Sequence[UUID], *, lanes: Lanes, act: Act, bucket: Bucket
) -> list[Addresses]:
    """One pinned address for each awaited piece, for 15 minutes; none for one that is there.

    Raises: Absent when one is not the caller's, LaneClosed ("upload.lane_closed"), QuotaUsed
    ("upload.quota"); then nothing has changed.
    """
    if "direct" not in lanes.open:
        raise LaneClosed(lanes=list(lanes.open))
    target = states.require(Noun.EVIDENCE, "declared", "upload")
    async with DB.transaction(act.by.scope):
        found = [one.piece for one in await _mine(MINE + " for no key update of e", ids, act)]
        if new := [one for one in found if one.state == "declared"]:
            await _within_quota(new, act)
            entries = _entries(new, "evidence.uploading", act)
            await DB.connection.execute(BEGIN, *entries, target, [one.id for one in new])
    return [_address(one, target, bucket, act) for one in found]


async def _within_quota(new: Sequence[Stored], act: Act) -> None:
    if act.by.device is not None:
        since = act.at - timedelta(days=1)
        sent = await DB.connection.fetchval(SENT_TODAY, act.by.device, since)
        if sent + sum(one.size for one in new) > DAY_BYTES:
            raise QuotaUsed(sent_bytes=int(sent), day_bytes=DAY_BYTES)


def _address(one: Stored, target: str, bucket: Bucket, act: Act) -> Addresses:
    if one.state not in AWAITED:
        return Addresses(id=one.id, state=one.state)
    put = bucket.presign_put(
        one.object_key, size=one.size, mime=one.mime, sha256_hex=one.sha256, now=act.at
    )
    state = target if one.state == "declared" else one.state
    return Addresses(id=one.id, state=state, puts=((1, put),))


async def arrived(
    ids: Sequence[UUID], *, act: Act, bucket: Bucket, spool: Spool
) -> list[Standing]:
    """Look whether the store has these pieces, and have those that are there verified; repeatable.

    One that is not there, or came in parts that are not whole, stays awaited beside the others.
    Raises: Absent when one is not the caller's, StoreUnavailable.
    """
    async with DB.transaction(act.by.scope):
        found = await _mine(MINE, ids, act)
    whole = [one.piece for one in found if one.upload != "open" and one.piece.state in AWAITED]
    state = await _receive(whole, act, bucket)
    for one in found:
        if one.upload == "open" and one.piece.state in AWAITED:
            state[one.piece.id] = await _of_parts(one.piece, act, bucket, spool)
    told = [(one.piece.id, state.get(one.piece.id, one.piece.state)) for one in found]
    return [Standing(ident, now, now in AWAITED) for ident, now in told]


async def _of_parts(piece: Stored, act: Act, bucket: Bucket, spool: Spool) -> str:
    try:
        return (await uploads.complete(piece.id, act=act, bucket=bucket, spool=spool)).state
    except evidence.NotSent:
        return piece.state


async def _receive(pieces: Sequence[Stored], act: Act, bucket: Bucket) -> dict[UUID, str]:
    """The new states of those whose objects are in the store at the declared size."""
    versions = await asyncio.gather(*(_version(one, bucket) for one in pieces))
    there = {
        one.id: version for one, version in zip(pieces, versions, strict=True) if version != ABSENT
    }
    if not there:
        return {}
    target = states.require(Noun.EVIDENCE, "uploading", "receive")
    async with DB.transaction(act.by.scope):
        moved = await DB.connection.fetch(
            RECEIVE, list(there), list(there.values()), target, act.at, sorted(AWAITED)
        )
        ids = {row["id"] for row in moved}
        new = [one for one in pieces if one.id in ids]
        if new:
            entries = _entries(new, "evidence.received", act)
            names = [str(one.id) for one in new]
            await DB.connection.execute(
                FOLLOW, *entries, tasks.MAIN, VERIFY, names, act.at, tasks.MAX_ATTEMPTS
            )
    return dict.fromkeys(there, target)


async def _version(one: Stored, bucket: Bucket) -> str | None:
    """The version of the piece's object, ``ABSENT`` when it is not there at the declared size."""
    try:
        held = await asyncio.to_thread(bucket.head, Room.QUARANTINE, one.object_key)
    except StoreAbsent:
        return ABSENT
    return held.version if held.size == one.size else ABSENT
