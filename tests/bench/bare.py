"""The measure beside the product: one plain transaction that writes a submission's rows.

The same tables with the same indexes and foreign keys, the same number of rows of the same size,
by ``unnest``, as a superuser whom no policy binds, on a connection that is already open. It reads
nothing, checks nothing, hashes nothing and verifies no signature.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.clock import new_id
from media import merkle
from tests import world
from tests.bench.crew import Submission, spelled
from tests.bench.rig import CONNECTIONS, SMALL, Spent, Stand, spend

OP = """
insert into op (op_id, region, dev, inst_epoch, seq, kind, visit, digest, envelope, status, result,
  received_at)
select t.op_id, $1, $2, $3, t.seq, t.kind, $4, t.digest, t.envelope, 'applied', t.result, $5
from unnest($6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::bytea[], $11::bytea[])
  as t (op_id, seq, kind, digest, envelope, result)
"""
ANSWER = """
insert into answer (visit, dev, item, region, institution, inspector, seq, value, verdict, failed,
  reason, flags, canon, op_id, recorded_at)
select $1, $2, t.item, $3, $4, $5, $6, t.value::jsonb, 'pass', null, t.reason, '{}', t.canon,
  $7, $8
from unnest($9::text[], $10::text[], $11::text[], $12::text[]) as t (item, value, reason, canon)
"""
EVIDENCE = """
insert into evidence (id, region, institution, visit, channel, item, dev, kid, inst_epoch, seq,
  manifest, manifest_sha256, signature, sha256, size, mime, source, transport, state, flags, late,
  disclosed, object_key, captured_at, location, declared_at)
select t.id, $1, $2, $3, 'phone', t.item, $4, $5, $6, t.seq, t.manifest, t.sha, t.signature, t.sha,
  300, 'image/jpeg', 'stream', $7::text::jsonb, 'declared', '{}', false, false, t.key, $8,
  $9::text::jsonb, $8
from unnest($10::uuid[], $11::text[], $12::bigint[], $13::bytea[], $14::text[], $15::bytea[],
  $16::text[]) as t (id, item, seq, manifest, sha, signature, key)
"""
CLAIM = """
insert into claim (visit, dev, region, op_id, items, answers_sha256, seq, claimed_at)
values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8)
"""
VISIT = """
update visit set state = 'submitted', opened_at = $2, started_at = $2, submitted_at = $2
where id = $1
"""
ENTRY = """
insert into aud.entry (region, leaf, body)
select $1, t.leaf, t.body::jsonb from unnest($2::bytea[], $3::text[]) as t (leaf, body)
"""
TEXTS = """
select o.result, e.body::text as body from op o
join aud.entry e on e.body ->> 'op_id' = o.op_id::text where o.visit = $1 order by o.seq
"""


@dataclass(frozen=True)
class Rows:
    """One transaction's statements with their arguments, ready to be executed."""

    statements: tuple[tuple[str, tuple[Any, ...]], ...]


async def texts_of(owner: asyncpg.Connection, visit: UUID) -> list[asyncpg.Record]:
    """Stored results and audit bodies of a submission that the app has carried out."""
    found: list[asyncpg.Record] = await owner.fetch(TEXTS, visit)
    return found


def rows_of(
    like: Submission, visit: UUID, at: datetime, institution: UUID, texts: list[asyncpg.Record]
) -> Rows:
    """The rows of ``like`` for another visit, under fresh ids and numbers of their own."""
    dev, epoch, region = like.phone.dev, "ba" * 8, world.SHANDONG
    first = new_id().int >> 80
    ids = [new_id() for _ in like.operations]
    seqs = [first * 100 + n for n in range(len(like.operations))]
    said = [msgspec.json.decode(raw) for raw in like.operations]
    bodies = [
        msgspec.json.decode(text["body"]) | {"op_id": str(i)}
        for text, i in zip(texts, ids, strict=True)
    ]
    entries = [spelled(body) for body in bodies]
    manifests = [spelled(one.body["manifest"]) for one in like.captures]
    op = (
        region,
        dev,
        epoch,
        visit,
        at,
        ids,
        seqs,
        [one["kind"] for one in said],
        [one["digest"] for one in said],
        like.operations,
        [text["result"] for text in texts],
    )
    answer = (
        visit,
        dev,
        region,
        institution,
        like.phone.inspector,
        seqs[0],
        ids[0],
        at,
        [one["item"] for one in like.answers],
        [spelled(one["value"]) for one in like.answers],
        [one.get("reason") for one in like.answers],
        [spelled(one) for one in like.answers],
    )
    evidence = (
        region,
        institution,
        visit,
        dev,
        like.phone.key.kid,
        epoch,
        spelled(like.captures[0].body["transport"]),
        at,
        spelled(like.captures[0].body["manifest"]["loc"]),
        [new_id() for _ in manifests],
        [one.body["manifest"]["item"] for one in like.captures],
        seqs[1:3],
        [one.encode() for one in manifests],
        [sha256(one.encode()).hexdigest() for one in manifests],
        [b"\0" * 64 for _ in manifests],
        [f"{region}/{one.id}/{one.sha256}" for one in like.captures],
    )
    listed = msgspec.json.encode([one.listed for one in like.captures]).decode()
    claim = (visit, dev, region, ids[-1], listed, "ab" * 32, seqs[-1], at)
    leaves = [merkle.leaf_hash(one.encode()) for one in entries]
    return Rows(
        (
            (OP, op),
            (ANSWER, answer),
            (EVIDENCE, evidence),
            (VISIT, (visit, at)),
            (CLAIM, claim),
            (ENTRY, (region, leaves, entries)),
        )
    )


class Bare:
    """Eight connections that write prepared rows."""

    def __init__(self, connections: list[asyncpg.Connection]) -> None:
        self.free = connections

    @classmethod
    async def open(cls, stand: Stand) -> "Bare":
        """Connect once; nothing is opened or reset between transactions."""
        return cls(list(await asyncio.gather(*(stand.owner(SMALL) for _ in range(CONNECTIONS)))))

    async def write(self, rows: Rows) -> None:
        """One transaction."""
        connection = self.free.pop()
        async with connection.transaction():
            for sql, arguments in rows.statements:
                await connection.execute(sql, *arguments)
        self.free.append(connection)

    async def spend(self, pieces: list[Rows]) -> Spent:
        """All of them, eight at a time."""
        return await spend(self.write, pieces)

    async def close(self) -> None:
        """Let the connections go."""
        for connection in self.free:
            await connection.close()
