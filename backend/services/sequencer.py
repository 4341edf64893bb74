"""The audit log's tree 审计树: entries get their place, heads are signed, evidence is sealed.

Source: evidence spec 8. Writers only insert; one sequencer at a time orders what can no longer
be overtaken by an open transaction, and signs a head over it.
"""

from datetime import datetime
from typing import Any

import msgspec

from backend.db.engine import Scope
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, recovery
from backend.services.act import Act
from inspection_plans import states
from inspection_plans.states import Noun
from media import checkpoint, merkle, receipt
from media.checkpoint import Checkpoint
from media.merkle import Address

SEQ = Scope(role="seq")
LOCK_KEY = 7302  # not the timer's: its session holds that one as long as it leads
MOST = 2000
SEAL_MOST = 200

LEADER = "select pg_try_advisory_xact_lock($1)"
HEAD = "select size, note from aud.checkpoint order by size desc limit 1"
# Below the oldest open transaction nothing can be inserted any more, so ids below are complete.
# What is seen although its transaction is still to come belongs to the cluster it was restored
# from. After a recovery the entry that announces it comes first, alone.
PENDING = """
select id, leaf, body from aud.entry where tree_index is null
  and (xid < pg_snapshot_xmin(pg_current_snapshot())
    or xid >= pg_snapshot_xmax(pg_current_snapshot()))
  and (cardinality($2::bigint[]) = 0 or id = any ($2)) order by id limit $1
"""
NODES = """
select n.level, n.idx, n.h from unnest($1::int[], $2::bigint[]) as t (level, idx)
join aud.node n on n.level = t.level and n.idx = t.idx
"""
PLACE = """
update aud.entry e set tree_index = t.idx from unnest($1::bigint[], $2::bigint[]) as t (id, idx)
where e.id = t.id
"""
GROW = """
insert into aud.node (level, idx, h) select * from unnest($1::int[], $2::bigint[], $3::bytea[])
"""
SIGN = """
insert into aud.checkpoint (size, root, note, created_at, urgent) values ($1, $2, $3, $4, $5)
"""
# A head over one of these is stamped at once, not at the next full hour (evidence spec 8).
URGENT = frozenset({"case.closed", "case.exported", "dossier.ordered", "log.recovered"})
UNANCHORED = """
with last as (select size, anchored_at from aud.checkpoint where anchored_at is not null
  order by size desc limit 1)
select size, note from aud.checkpoint where size > coalesce((select size from last), 0)
  and coalesce((select anchored_at from last) <= $1, true) order by size desc limit 1
"""
ANCHORED = "update aud.checkpoint set anchored_at = $2 where size = $1 and anchored_at is null"
# Each piece is locked before its row changes; another sequencer's are skipped.
TO_SEAL = """
select e.id, e.region, e.dev, e.sha256, e.size, e.flags, a.tree_index, a.leaf
from evidence e join aud.entry a on a.id = e.entry
where e.state = 'verified' and a.tree_index < $1 and ($3 or not exists (
  select from receipt r where r.evidence = e.id))
order by a.tree_index limit $2 for no key update of e skip locked
"""
SEAL = "update evidence set state = $2, sealed_at = $3 where id = any ($1)"
RECEIPTS = """
insert into receipt (region, dev, evidence, body, signature, created_at)
select t.*, $1 from unnest($2::int[], $3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[]) as t
on conflict (evidence) do nothing
"""


class LogBroken(RuntimeError):  # noqa: N818 - the alarm's own words
    """A stored entry no longer has the leaf it was written with; nothing more is signed."""


async def nodes(addresses: list[Address]) -> dict[Address, bytes]:
    """Stored nodes by address, in the caller's transaction."""
    rows = await DB.connection.fetch(
        NODES, [level for level, _ in addresses], [index for _, index in addresses]
    )
    return {(row["level"], row["idx"]): bytes(row["h"]) for row in rows}


async def sequence(
    *, at: datetime, keys: Keyring, origin: str, known: recovery.Known | None = None
) -> int:
    """Give pending entries their places and sign the new head; how many were placed.

    A tree without the published head that is ``known`` halts; until a recovery nothing is placed.
    Raises: LogBroken when a stored body no longer hashes to its leaf.
    Source: evidence spec 8 (sequencer, checkpoint).
    """
    async with DB.transaction(SEQ):
        if not await DB.connection.fetchval(LEADER, LOCK_KEY):
            return 0
        stands = await recovery.standing(origin)
        head = await DB.connection.fetchrow(HEAD)
        size, origin = head["size"] if head else 0, stands.origin
        if stands.halted or (
            known and await recovery.rolled_back(known, size=size, origin=origin, at=at)
        ):
            return 0
        rows = await DB.connection.fetch(PENDING, MOST, stands.announced)
        if not rows:
            return 0
        leaves = [_leaf(row) for row in rows]
        edge = await nodes(merkle.edge(size))
        new = merkle.append(size, edge, leaves)
        grown = size + len(leaves)
        root = merkle.root(grown, edge | new)
        note = checkpoint.sign(Checkpoint(origin, grown, root), name=origin, key=keys.log)
        ids = [row["id"] for row in rows]
        await DB.connection.execute(PLACE, ids, list(range(size, grown)))
        await DB.connection.execute(
            GROW, [level for level, _ in new], [index for _, index in new], list(new.values())
        )
        urgent = any(row["body"].get("verb") in URGENT for row in rows)
        await DB.connection.execute(SIGN, grown, root, note, at, urgent)
    return len(leaves)


def _leaf(row: Any) -> bytes:  # noqa: ANN401 - a row of asyncpg
    leaf = bytes(row["leaf"])
    if not audit.holds(row["body"], leaf):
        raise LogBroken(f"entry {row['id']} does not hash to its leaf")
    return leaf


class Head(msgspec.Struct, frozen=True):
    """A signed head: how many entries, and the note that says so."""

    size: int
    note: str


async def head() -> Head | None:
    """The newest signed head, or None for an empty log."""
    async with DB.transaction(Scope(role="public"), readonly=True):
        row = await DB.connection.fetchrow(HEAD)
    return Head(row["size"], row["note"]) if row else None


async def unanchored(*, before: datetime) -> Head | None:
    """The newest head to put into the locked bucket, if the last went there before ``before``."""
    async with DB.transaction(SEQ, readonly=True):
        row = await DB.connection.fetchrow(UNANCHORED, before)
    return Head(row["size"], row["note"]) if row else None


async def anchored(size: int, *, at: datetime) -> None:
    """The head of this size lies in the locked bucket."""
    async with DB.transaction(SEQ):
        await DB.connection.execute(ANCHORED, size, at)


async def seal(*, act: Act, keys: Keyring, provisional: bool) -> int:
    """Seal verified evidence whose entry lies under the newest head; sign a receipt for each.

    ``provisional`` (evidence mode off): receipts say ``verified`` and nothing is sealed.
    Source: evidence spec 5 (sealed, receipt), 6 (evidence mode).
    """
    newest = await head()
    if newest is None:
        return 0
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(TO_SEAL, newest.size, SEAL_MOST, not provisional)
        if not rows:
            return 0
        needed = {
            address
            for row in rows
            for address in merkle.inclusion_nodes(row["tree_index"], newest.size)
        }
        stored = await nodes(sorted(needed))
        signed = [
            _receipt(row, newest, stored, act, keys, provisional=provisional) for row in rows
        ]
        await DB.connection.execute(
            RECEIPTS,
            act.at,
            [row["region"] for row in rows],
            [row["dev"] for row in rows],
            [row["id"] for row in rows],
            [one.raw for one in signed],
            [one.signature for one in signed],
        )
        if not provisional:
            await _sealed(rows, act)
    return len(rows)


async def _sealed(rows: list[Any], act: Act) -> None:
    target = states.require(Noun.EVIDENCE, "verified", "seal")
    await DB.connection.execute(SEAL, [row["id"] for row in rows], target, act.at)
    for row in rows:
        await audit.record(
            act,
            "evidence.sealed",
            "evidence",
            row["id"],
            region=row["region"],
            after_sha256=row["sha256"],
        )


def _receipt(
    row: Any,  # noqa: ANN401 - a row of asyncpg
    newest: Head,
    stored: dict[Address, bytes],
    act: Act,
    keys: Keyring,
    *,
    provisional: bool,
) -> receipt.SignedReceipt:
    index = row["tree_index"]
    proof = merkle.inclusion_proof(index, newest.size, stored)
    piece = receipt.Piece(
        str(row["id"]),
        row["sha256"],
        row["size"],
        "verified" if provisional else "sealed",
        tuple(row["flags"]),
    )
    log_proof = receipt.LogProof(
        index, bytes(row["leaf"]).hex(), tuple(node.hex() for node in proof), newest.note
    )
    return receipt.build(
        keys.server,
        piece,
        t=int(act.at.timestamp() * 1000),
        log_proof=None if provisional else log_proof,
    )
