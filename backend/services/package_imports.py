"""Bringing an emergency package in: operations by their own path, blobs by evidence's.

A frame is done once its items are written, so that a killed import goes on where it was. The
package itself stays in quarantine's store: what could not be read today can be tomorrow.
Source: evidence spec 3 (packages, same op path), 11.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from backend.piccolo_conf import DB
from backend.services import accounts, evidence, ops, policy
from backend.services.act import Act
from backend.services.deeds import Tools
from backend.services.errors import ServiceRefusal
from backend.services.op_kinds import Told
from backend.services.packages import LOCK, ONE, PackageItem, note, spooled
from backend.services.stored import AWAITED, stored
from inspection_plans.errors import Family
from media import package, sealing
from media.bucket import Bucket, Room
from media.errors import MediaRefusal
from media.package import Batch, Blob, Damage, End, Frame, Opening
from media.spool import SEGMENT_BYTES, Spool

KIND = "application/octet-stream"
OPS_MAX = 100
PER_FRAME = 128  # an item's number is its frame's, times this, plus its place
OPEN_RESULTS = ("blocked", "retry")
BODY_MAX_BYTES = package.OPS_MAX_BYTES + sealing.TAG_BYTES

STORED = """
update package set state = 'stored', version_id = $2, facts = $3 where id = $1
"""
DONE = "update package set state = 'done', facts = facts || $2::jsonb, done_at = $3 where id = $1"
KNOWN = """
select distinct number / $2 as frame from package_item where package = $1
  and result <> all ($3::text[])
"""
WRITE = """
insert into package_item (package, region, number, kind, subject, result, code, facts)
select $1, $2, t.* from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::jsonb[]) as t
on conflict (package, number) do update set result = excluded.result, code = excluded.code,
  facts = excluded.facts
"""
COUNTS = "select kind, result, count(*) from package_item where package = $1 group by 1, 2"
# Somebody in the field brings the captures of their own phones, an office those of its region.
PIECE = """
select e.* from evidence e join device d on d.id = e.dev
where e.id = $1 and ($2::uuid is null or d.account = $2)
"""


class Altered(MediaRefusal):
    """The bytes in the package are not the ones that its frame names."""

    code = "package.altered"


class PackageWaits(ServiceRefusal):
    """Something of the package could not be brought in just now; it is tried again."""

    code = "package.waits"
    family = Family.UNAVAILABLE


class Bench(msgspec.Struct, frozen=True):
    """What a package is brought in with."""

    bucket: Bucket
    spool: Spool
    tools: Tools


class _Run(msgspec.Struct, frozen=True):
    """One import: the package's row, whose deed it is, whose captures alone (None: anybody's)."""

    row: Any
    act: Act
    only: UUID | None
    bench: Bench


class _Ops(Struct, frozen=True, forbid_unknown_fields=True):
    ops: Annotated[list[Raw], Meta(min_length=1, max_length=OPS_MAX)]


_batch = msgspec.json.Decoder(_Ops)
Items = list[PackageItem]


async def bring_in(package_id: UUID, *, act: Act, bench: Bench) -> None:
    """Keep the file in the store, then bring in what it holds; safe to repeat.

    Raises: PackageWaits ("package.waits"), StoreUnavailable, SpoolTorn; the task is tried again.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, package_id)
    if row is None or row["state"] not in ("received", "stored"):
        return
    if row["state"] == "received":
        row = await _store(row, act, bench)
    run = await _run(row, act, bench)
    frames = await asyncio.to_thread(_frames, run)
    async with DB.transaction(act.by.scope, readonly=True):
        known = await DB.connection.fetch(KNOWN, package_id, PER_FRAME, list(OPEN_RESULTS))
    done = {one["frame"] for one in known}
    # Operations first: a blob is only taken for a capture that was declared.
    for wanted in (Damage, Batch, Blob):
        for number, found in frames:
            if number not in done and _is(found, wanted):
                await _write(run, number, await _bring(run, found))
    await _finish(run, frames)


def _is(found: Frame | Damage, wanted: type) -> bool:
    return isinstance(found.head if isinstance(found, Frame) else found, wanted)


async def _run(row: Any, act: Act, bench: Bench) -> _Run:  # noqa: ANN401 - a row of asyncpg
    """Whose deed it is: the bringer's, or the product's where the account was closed since."""
    by = row["brought_by"]
    person = await accounts.load_person(by, at=act.at) if by else None
    if person is None:
        return _Run(row, act, by, bench)
    office = bool(person.roles & policy.OFFICE)
    return _Run(row, msgspec.structs.replace(act, by=person), None if office else by, bench)


async def _store(row: Any, act: Act, bench: Bench) -> Any:  # noqa: ANN401 - rows of asyncpg
    """Move the file from the spool into the store, hashed on the way."""
    digest = sha256()

    def chunks() -> Iterator[bytes]:
        for at in range(0, row["taken"], SEGMENT_BYTES):
            size = min(SEGMENT_BYTES, row["taken"] - at)
            part = bench.spool.segment(spooled(row["id"]), at // SEGMENT_BYTES, size)
            digest.update(part)
            yield part

    held = await asyncio.to_thread(
        bench.bucket.put_flow, row["object_key"], chunks(), row["taken"], KIND
    )
    facts = {"whole": digest.hexdigest() == row["sha256"], "bytes": row["taken"]}
    async with DB.transaction(act.by.scope):
        await DB.connection.fetchrow(LOCK, row["id"])
        await DB.connection.execute(STORED, row["id"], held.version, facts)
        row = await DB.connection.fetchrow(ONE, row["id"])
    await asyncio.to_thread(bench.spool.clear, spooled(row["id"]))
    return row


def _read(run: _Run, offset: int, length: int) -> bytes:
    if length < 1:
        return b""
    row = run.row
    return run.bench.bucket.read(
        Room.QUARANTINE, row["object_key"], offset, length, row["version_id"]
    )


def _frames(run: _Run) -> list[tuple[int, Frame | Damage]]:
    """What the file holds, numbered from 1: heads and places, no bodies."""
    size = int(run.row["facts"]["bytes"])
    found = package.scan(lambda at, length: _read(run, at, length), size)
    return list(enumerate(found, 1))


async def _bring(run: _Run, found: Frame | Damage) -> Items:
    if isinstance(found, Damage):
        head = found.head
        subject = head.id if isinstance(head, Batch | Blob) else ""
        facts = {"offset": found.offset, "length": found.length, "reason": found.reason}
        return [PackageItem(0, "damage", subject, "lost", "package.damaged", facts)]
    if isinstance(found.head, Batch):
        return await _bring_ops(run, found, found.head)
    if isinstance(found.head, Blob):
        return [await _bring_blob(run, found, found.head)]
    return []


async def _bring_ops(run: _Run, found: Frame, head: Batch) -> Items:
    try:
        raw = await asyncio.to_thread(_opened, run, found, head)
        envelopes = [bytes(one) for one in _batch.decode(raw).ops]
    except (MediaRefusal, msgspec.MsgspecError, UnicodeDecodeError) as fault:
        code = getattr(fault, "code", "op.batch_malformed")
        return [PackageItem(0, "damage", head.id, "lost", code, {"offset": found.offset})]
    carry = ops.apply if run.only else ops.bring
    told = await carry(envelopes, act=run.act, tools=run.bench.tools)
    return [_told(place, one) for place, one in enumerate(told)]


def _opened(run: _Run, found: Frame, head: Batch) -> bytes:
    """The operations' bytes.

    Raises: Altered ("package.altered"), the refusals of ``sealing``.
    """
    if found.size > BODY_MAX_BYTES:
        raise Altered(field="size")
    raw = _read(run, found.offset, found.size)
    if sha256(raw).hexdigest() != head.sha256:
        raise Altered(field="sha256")
    if head.wrapped_key is None:
        return raw
    key = sealing.unwrap(head.wrapped_key, UUID(head.id), run.bench.tools.keys.transports)
    return b"".join(sealing.opened([raw], UUID(head.id), key, size=head.plain))


def _told(place: int, told: Told) -> PackageItem:
    outcome = msgspec.json.decode(told.outcome) if told.outcome is not None else {}
    facts = {name: outcome[name] for name in ("flags", "needs", "field") if outcome.get(name)}
    return PackageItem(place, "op", told.op_id, told.result, outcome.get("code", ""), facts)


async def _bring_blob(run: _Run, found: Frame, head: Blob) -> PackageItem:
    async with DB.transaction(run.act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(PIECE, UUID(head.id), run.only)
    if row is None:
        return PackageItem(0, "blob", head.id, "blocked", "package.not_declared", {})
    piece = stored(row)
    if piece.state not in AWAITED:
        return PackageItem(0, "blob", head.id, "duplicate", "", {"state": piece.state})
    named = (piece.sha256, piece.size)
    if named != (head.sha256, head.size) or named[0] != await asyncio.to_thread(_hash, run, found):
        return PackageItem(0, "blob", head.id, "rejected", Altered.code, {})
    chunks = _chunks(run, found)
    bucket = run.bench.bucket
    await asyncio.to_thread(bucket.put_flow, piece.object_key, chunks, found.size, piece.mime)
    received = await evidence.receive(piece, act=run.act, bucket=bucket)
    return PackageItem(0, "blob", head.id, "applied", "", {"state": received.state})


def _chunks(run: _Run, found: Frame) -> Iterator[bytes]:
    return run.bench.bucket.stream(
        Room.QUARANTINE,
        run.row["object_key"],
        run.row["version_id"],
        offset=found.offset,
        length=found.size,
    )


def _hash(run: _Run, found: Frame) -> str:
    digest = sha256()
    for chunk in _chunks(run, found):
        digest.update(chunk)
    return digest.hexdigest()


async def _write(run: _Run, frame: int, items: Items) -> None:
    async with DB.transaction(run.act.by.scope):
        await DB.connection.execute(
            WRITE,
            run.row["id"],
            run.row["region"],
            [frame * PER_FRAME + one.number for one in items],
            [one.kind for one in items],
            [one.subject for one in items],
            [one.result for one in items],
            [one.code for one in items],
            [one.facts for one in items],
        )


async def _finish(run: _Run, frames: Sequence[tuple[int, Frame | Damage]]) -> None:
    heads = [found.head for _, found in frames if isinstance(found, Frame)]
    opening = next((head for head in heads if isinstance(head, Opening)), None)
    facts: dict[str, Any] = {
        "ended": any(isinstance(head, End) for head in heads),
        "opening": None if opening is None else msgspec.to_builtins(opening),
    }
    async with DB.transaction(run.act.by.scope):
        rows = await DB.connection.fetch(COUNTS, run.row["id"])
        counts = Counter({f"{one['kind']}.{one['result']}": one["count"] for one in rows})
        if any(name.endswith(".retry") for name in counts):
            raise PackageWaits(counts=dict(counts))
        await DB.connection.execute(DONE, run.row["id"], facts | {"counts": counts}, run.act.at)
        await note(run.row, "package.brought_in", run.act)
