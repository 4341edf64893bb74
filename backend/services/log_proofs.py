"""Proofs of the audit log for everybody, and the recomputation of all of it.

Source: evidence spec 8 (public API, ``mingcha log verify``).
"""

from typing import Any

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import recovery
from backend.services.errors import Absent, ServiceRefusal
from backend.services.sequencer import Head, head, nodes
from media import canon, checkpoint, merkle
from media.checkpoint import Checkpoint, NoteInvalid

PUBLIC = Scope(role="public")
SEQ = Scope(role="seq")
NOTE = "select note from aud.checkpoint where size = $1"
INDEX = "select idx from aud.node where level = 0 and h = $1"
ENTRIES = """
select id, leaf, body, tree_index from aud.entry where tree_index is not null order by tree_index
"""
CHECKPOINTS = "select size, root, note from aud.checkpoint order by size"
NODE_COUNT = "select count(*) from aud.node"
BATCH = 1000
FAULTS_MOST = 100


class NoSuchSize(ServiceRefusal):
    """No head was signed at this size; ask for the checkpoint first."""

    code = "log.no_such_size"


class Inclusion(msgspec.Struct, frozen=True):
    """The way from a leaf to the root of ``size`` entries; hashes are lower hex."""

    leaf: str
    leaf_index: int
    size: int
    proof: tuple[str, ...]
    checkpoint: str


class Consistency(msgspec.Struct, frozen=True):
    """The proof that ``new`` entries begin with the ``old`` ones."""

    old: int
    new: int
    proof: tuple[str, ...]
    checkpoint: str


class LogReport(msgspec.Struct, frozen=True):
    """What recomputing the whole log found; without ``faults`` it holds."""

    size: int
    entries: int
    checkpoints: int
    faults: tuple[str, ...]


async def newest() -> Head:
    """The newest signed head; raises Absent while the log is empty."""
    found = await head()
    if found is None:
        raise Absent
    return found


async def _note(size: int) -> str:
    note: str | None = await DB.connection.fetchval(NOTE, size)
    if note is None:
        raise NoSuchSize(field="size", size=size)
    return note


async def inclusion(leaf: str, size: int) -> Inclusion:
    """Prove that an entry lies under the head of ``size``.

    Raises: Absent for a leaf that is not in the log, NoSuchSize, OutsideTree ("log.…").
    """
    async with DB.transaction(PUBLIC, readonly=True):
        note = await _note(size)
        index = await DB.connection.fetchval(INDEX, bytes.fromhex(leaf))
        if index is None:
            raise Absent(field="leaf")
        stored = await nodes(merkle.inclusion_nodes(index, size))
        proof = merkle.inclusion_proof(index, size, stored)
    return Inclusion(leaf, index, size, tuple(node.hex() for node in proof), note)


async def consistency(old: int, new: int) -> Consistency:
    """Prove that the head of ``new`` extends the head of ``old``.

    Raises: NoSuchSize, OutsideTree ("log.…").
    """
    async with DB.transaction(PUBLIC, readonly=True):
        note = await _note(new)
        stored = await nodes(merkle.consistency_nodes(old, new))
        proof = merkle.consistency_proof(old, new, stored)
    return Consistency(old, new, tuple(node.hex() for node in proof), note)


class _Replay:
    """The log grown again from its entries, batch by batch, held against what is stored."""

    def __init__(self, origin: str, public: bytes) -> None:
        self.epochs, self.public = recovery.Epochs(origin), public
        self.size, self.node_count = 0, 0
        self.edge: dict[merkle.Address, bytes] = {}
        self.faults: list[str] = []

    async def grow(self, rows: list[dict[str, Any]], heads: list[dict[str, Any]]) -> None:
        """Add entries, compare the nodes they make, and check the heads signed within them."""
        leaves = []
        for place, row in enumerate(rows, start=self.size):
            if row["tree_index"] != place:
                self.faults.append(f"entry {row['id']}: at {row['tree_index']}, not {place}")
            if not self.epochs.meet(place, row["body"]):
                self.faults.append(f"entry {row['id']}: announces no later epoch of this log")
            leaves.append(merkle.leaf_hash(canon.encode(row["body"])))
            if leaves[-1] != bytes(row["leaf"]):
                self.faults.append(f"entry {row['id']}: body does not hash to its leaf")
        new = merkle.append(self.size, self.edge, leaves)
        stored = await nodes(list(new))
        self.faults += [
            f"node {level}/{index}: differs"
            for (level, index), value in new.items()
            if stored.get((level, index)) != value
        ]
        known = self.edge | new
        grown = self.size + len(rows)
        for signed in heads:
            if self.size < signed["size"] <= grown:
                self._check(signed, known)
        self.edge = {address: known[address] for address in merkle.edge(grown)}
        self.size, self.node_count = grown, self.node_count + len(new)

    def _check(self, head: dict[str, Any], known: dict[merkle.Address, bytes]) -> None:
        root = merkle.root(head["size"], known)
        origin = self.epochs.of_head(head["size"])
        try:
            signed = checkpoint.verify(head["note"], name=origin, public=self.public)
        except NoteInvalid:
            self.faults.append(f"head {head['size']}: not signed by this log's key")
            return
        if root != bytes(head["root"]) or signed != Checkpoint(origin, head["size"], root):
            self.faults.append(f"head {head['size']}: not the root of its entries")


async def log_verify(*, origin: str, public: bytes) -> LogReport:
    """Recompute every leaf, node, root and signature; each head is one of the same growing tree.

    Finds edits, deletions, insertions, another order, a cut tail and forged heads.
    """
    replay = _Replay(origin, public)
    async with DB.transaction(SEQ, isolation="repeatable_read", readonly=True):
        heads = [dict(row) for row in await DB.connection.fetch(CHECKPOINTS)]
        rows: list[dict[str, Any]] = []
        async for row in DB.stream(ENTRIES):
            rows.append(row)
            if len(rows) == BATCH:
                await replay.grow(rows, heads)
                rows = []
        await replay.grow(rows, heads)
        stored = await DB.connection.fetchval(NODE_COUNT)
    faults = replay.faults
    if stored != replay.node_count:
        faults.append(f"{stored} nodes stored, {replay.node_count} expected")
    faults += [
        f"head {head['size']}: beyond the last entry"
        for head in heads
        if head["size"] > replay.size
    ]
    size = heads[-1]["size"] if heads else 0
    return LogReport(size, replay.size, len(heads), tuple(faults[:FAULTS_MOST]))
