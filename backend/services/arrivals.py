"""Bytes on their way and there: what both lanes do to pieces of evidence, one or several at once.

Source: evidence spec 4, 5 (uploading, received).
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.stored import AWAITED, Stored
from inspection_plans import states
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media.bucket import Bucket
from media.rooms import Held, Room, StoreAbsent

DAY_BYTES = 5_000_000_000
VERIFY = "evidence.verify"
# Entries and tasks are written in one statement: a photo's way should not cost ten of them. What
# the device sent before is what stood before this statement.
BEGIN = """
with begun as (update evidence set state = $4 where id = any ($5::uuid[])),
told as (insert into aud.entry (region, leaf, body)
  select * from unnest($1::int[], $2::bytea[], $3::jsonb[]))
select coalesce(sum(size), 0)::bigint from evidence where dev = $6 and declared_at > $7
  and state not in ('declared', 'withdrawn')
"""
RECEIVE = """
with t as (select * from unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[], $5::jsonb[])
    as t (id, version, region, leaf, body)),
moved as (update evidence e set state = $6, received_at = $7, version_id = t.version
  from t where e.id = t.id and e.state = any ($8::text[]) returning e.id),
told as (insert into aud.entry (region, leaf, body)
  select t.region, t.leaf, t.body from t join moved using (id)),
ordered as (insert into task (queue, kind, region, payload, dedupe, run_at, attempts,
    max_attempts, created_at)
  select $9, $10, t.region, jsonb_build_object('evidence', t.id), t.id::text, $7, 0, $11, $7
  from t join moved using (id)
  on conflict (kind, dedupe) where done_at is null and dedupe is not null do nothing)
select pg_notify('task', $9) from moved limit 1
"""


class QuotaUsed(ServiceRefusal):
    """The device has sent as much as one may within a day."""

    code = "upload.quota"
    family = Family.LIMIT


async def begin(pieces: Sequence[Stored], act: Act) -> list[Stored]:
    """The locked pieces as ones whose bytes are on their way; else as they stand.

    Raises: QuotaUsed ("upload.quota").
    """
    new = [one for one in pieces if one.state == "declared"]
    if not new:
        return list(pieces)
    target = states.require(Noun.EVIDENCE, "declared", "upload")
    entries, since = _entries(new, "evidence.uploading", act), act.at - timedelta(days=1)
    which = [one.id for one in new], new[0].dev, since
    sent = await DB.connection.fetchval(BEGIN, *entries, target, *which)
    if new[0].dev is not None and sent + sum(one.size for one in new) > DAY_BYTES:
        raise QuotaUsed(sent_bytes=sent, day_bytes=DAY_BYTES)
    return [
        msgspec.structs.replace(one, state=target) if one.state == "declared" else one
        for one in pieces
    ]


def _entries(
    pieces: Sequence[Stored], verb: str, act: Act
) -> tuple[list[int], list[bytes], list[str]]:
    made = [
        audit.compose(
            act, verb, "evidence", one.id, region=one.region, after_sha256=one.original.sha256
        )
        for one in pieces
    ]
    return [one.region for one in pieces], [one.leaf for one in made], [one.body for one in made]


async def look(pieces: Sequence[Stored], bucket: Bucket) -> list[Held | None]:
    """What the store has of each piece. Raises: StoreUnavailable."""

    async def one(piece: Stored) -> Held | None:
        try:
            return await asyncio.to_thread(bucket.head, Room.QUARANTINE, piece.object_key)
        except StoreAbsent:
            return None

    return await asyncio.gather(*(one(piece) for piece in pieces))


async def receive(pieces: Sequence[Stored], held: Mapping[UUID, Held], act: Act) -> str:
    """Take the pieces that the store has as received, and have them verified; their new state.

    One that somebody else has taken meanwhile is left as it is.
    Source: evidence spec 5 (received).
    """
    target = states.require(Noun.EVIDENCE, "uploading", "receive")
    there = [one for one in pieces if one.id in held]
    if not there:
        return target
    versions = [held[one.id].version for one in there]
    entries = _entries(there, "evidence.received", act)
    which = [one.id for one in there], versions, *entries
    order = tasks.MAIN, VERIFY, tasks.MAX_ATTEMPTS
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(RECEIVE, *which, target, act.at, sorted(AWAITED), *order)
    return target
