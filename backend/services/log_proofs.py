"""Proofs of the audit log for everybody, and what a bundle needs to know of an entry.

Source: evidence spec 8 (public API), 9 (V6, V7, V9). ``log_verify`` and its report stand in
``log_verify.py`` and are named here for their callers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.errors import Absent, ServiceRefusal
from backend.services.log_verify import LogReport, log_verify
from backend.services.sequencer import Head, head, nodes
from media import merkle
from media.merkle import Address

__all__ = [
    "Consistency",
    "Inclusion",
    "LogReport",
    "NoSuchSize",
    "Sealed",
    "Stamped",
    "at_seal",
    "consistency",
    "gap",
    "inclusion",
    "log_verify",
    "newest",
]

PUBLIC = Scope(role="public")
SEQ = Scope(role="seq")
NOTE = "select note from aud.checkpoint where size = $1"
INDEX = "select idx from aud.node where level = 0 and h = $1 order by idx limit 1"
# The first head over an entry, the first of those in the locked bucket, the first stamped one.
AT_SEAL = """
select e.id, e.leaf, e.tree_index, c.size, c.note, c.created_at, o.anchored_at,
  s.size as stamp_size, s.note as stamp_note, s.tsr, s.stamped_at, s.authority
from aud.entry e
cross join lateral (select size, note, created_at from aud.checkpoint
  where size > e.tree_index order by size limit 1) c
left join lateral (select anchored_at from aud.checkpoint
  where anchored_at is not null and size > e.tree_index order by size limit 1) o on true
left join lateral (select size, note, tsr, stamped_at, authority from aud.checkpoint
  where tsr is not null and size > e.tree_index order by size limit 1) s on true
where e.id = any ($1) order by e.id
"""


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


class Stamped(msgspec.Struct, frozen=True):
    """The first time stamp over an entry: raw reply ``tsr`` over the bytes of ``note``.

    ``authority`` is the signer's name; ``dev-tsa`` convinces nobody outside.
    """

    size: int
    note: str
    tsr: bytes
    at: datetime
    authority: str


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it was sealed: its place, and the way to the head signed over it then.

    ``proof`` leads from ``leaf`` at ``index`` to the root in ``checkpoint``, which has ``size``
    entries. ``anchored_at`` is when a head over it lay in the locked bucket; it and ``stamp`` are
    None while that has not happened.
    """

    entry: int
    leaf: str
    index: int
    size: int
    proof: tuple[str, ...]
    checkpoint: str
    signed_at: datetime
    anchored_at: datetime | None
    stamp: Stamped | None


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


async def at_seal(entries: Sequence[int]) -> tuple[Sealed, ...]:
    """How each entry (``aud.entry.id``) was sealed, by id; one that still waits is left out.

    Source: evidence spec 9 (log, proofs, checkpoints at seal, tsa).
    """
    async with DB.transaction(SEQ, isolation="repeatable_read", readonly=True):
        rows = await DB.connection.fetch(AT_SEAL, list(entries))
        needed = {
            address
            for row in rows
            for address in merkle.inclusion_nodes(row["tree_index"], row["size"])
        }
        stored = await nodes(sorted(needed))
    return tuple(_sealed(row, stored) for row in rows)


def _sealed(row: Any, stored: dict[Address, bytes]) -> Sealed:  # noqa: ANN401 - a row of asyncpg
    index, size = row["tree_index"], row["size"]
    stamp = None
    if row["tsr"] is not None:
        stamp = Stamped(
            row["stamp_size"],
            row["stamp_note"],
            bytes(row["tsr"]),
            row["stamped_at"],
            row["authority"],
        )
    return Sealed(
        entry=row["id"],
        leaf=bytes(row["leaf"]).hex(),
        index=index,
        size=size,
        proof=tuple(node.hex() for node in merkle.inclusion_proof(index, size, stored)),
        checkpoint=row["note"],
        signed_at=row["created_at"],
        anchored_at=row["anchored_at"],
        stamp=stamp,
    )


def gap(captured_at: datetime, sealed: Sealed) -> timedelta | None:
    """From a capture to the first anchor outside the database; None while there is none.

    An anchor is the locked bucket or a time stamp, whichever came first. Negative where a phone
    claims a capture after its own anchor.
    Source: evidence spec 0.6, 9 (gap capture to anchor), 14 row 17.
    """
    stamped = sealed.stamp.at if sealed.stamp else None
    anchors = [at for at in (sealed.anchored_at, stamped) if at is not None]
    return min(anchors) - captured_at if anchors else None
