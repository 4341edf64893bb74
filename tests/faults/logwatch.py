"""The audit log as an outsider rebuilds it: places, leaves, roots, signed heads, fair order.

Written without the product's own tree and canonical form, so that a fault there shows here.
Source: evidence spec 8.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import asyncpg

from backend.services import recovery
from media import checkpoint
from media.errors import MediaRefusal

NEW = """
select id, xid::text::bigint as xid, leaf, body, body ->> 'verb' as verb, tree_index from aud.entry
where tree_index >= $1 order by tree_index
"""
HEADS = "select size, root, note from aud.checkpoint where size > $1 order by size"


def leaf_of(body: object) -> bytes:
    """RFC 6962 leaf over the canonical text of an entry."""
    value = json.loads(body) if isinstance(body, str) else body
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(b"\0" + text.encode()).digest()


@dataclass
class Tree:
    """The right edge of a growing Merkle tree: whole subtrees, the largest first."""

    size: int = 0
    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Put one leaf at the end."""
        height, node = 0, leaf
        while self.peaks and self.peaks[-1][0] == height:
            node = sha256(b"\1" + self.peaks.pop()[1] + node).digest()
            height += 1
        self.peaks.append((height, node))
        self.size += 1

    def root(self) -> bytes:
        """The root over everything so far."""
        if not self.peaks:
            return sha256(b"").digest()
        node = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            node = sha256(b"\1" + left + node).digest()
        return node


@dataclass
class LogWatch:
    """Follows one log from its first entry; ``look`` says what is wrong with what is new.

    Entries up to the id ``lost`` came from a backup: their transactions were another server's.
    """

    name: str
    public: bytes
    lost: int = 0
    tree: Tree = field(default_factory=Tree)
    newest_xid: int = 0
    notes: set[str] = field(default_factory=set)

    async def look(self, owner: asyncpg.Connection) -> list[str]:
        """Rebuild what came since the last look."""
        began = self.tree.size
        rows = await owner.fetch(NEW, began)
        heads = await owner.fetch(HEADS, began)
        wrong: list[str] = []
        at = 0
        for head in heads:
            batch = rows[at : head["size"] - began]
            at = head["size"] - began
            wrong += self._batch(batch) + self._head(head)
        if at < len(rows):
            wrong.append("log: entries have places but no signed head")
        return wrong

    def _batch(self, rows: Sequence[Any]) -> list[str]:
        """Places without gaps, true leaves, and nothing older than what was placed before."""
        wrong = []
        for row in rows:
            if row["tree_index"] != self.tree.size:
                wrong.append(f"log: place {self.tree.size} is {row['tree_index']}")
            leaf = bytes(row["leaf"])
            if leaf_of(row["body"]) != leaf:
                wrong.append(f"log: entry {row['id']} does not hash to its leaf")
            self.tree.add(leaf)
        # A recovery's own entry is placed before all that waited for it: spec 8 (rollback).
        fair = [row for row in rows if row["id"] > self.lost and row["verb"] != recovery.VERB]
        xids = [row["xid"] for row in fair]
        if xids and min(xids) <= self.newest_xid:
            wrong.append("log: an open transaction was overtaken")
        self.newest_xid = max([self.newest_xid, *xids])
        return wrong

    def _head(self, head: Any) -> list[str]:
        self.notes.add(head["note"])
        told = (self.tree.size, self.tree.root())
        try:
            signed = checkpoint.verify(head["note"], name=self.name, public=self.public)
        except MediaRefusal as refusal:
            return [f"log: head {head['size']}: {refusal.code}"]
        text = base64.b64encode(told[1]).decode()
        if (signed.size, signed.root) != told or f"\n{told[0]}\n{text}\n" not in head["note"]:
            return [f"log: head {head['size']} is not over these entries"]
        return []
