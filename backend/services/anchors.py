"""Anchors of the audit log 锚定: where signed heads lie outside the database, and what they say.

Source: evidence spec 8 (anchors a, b, d). Reading them gives claims, which ``log_replay`` holds
the tree against, faults of the anchors themselves, and gaps: what nobody could check here.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec
from cryptography import x509

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.log_replay import Claim, Fault
from backend.services.sequencer import Head
from media import checkpoint, cosignature, timestamps
from media.bucket import Bucket, Item, Room, StoreAbsent
from media.checkpoint import NOTE_MAX_CHARS, Checkpoint, NoteInvalid
from media.cosignature import Vkey
from media.timestamps import REPLY_MAX_BYTES, Stamp, StampInvalid, StampRefused, StampUncheckable
from media.witnessing import Seen

SEQ = Scope(role="seq")
AT_ONCE = 8
NOTE, REPLY = ".note", ".tsr"
# Due is what nobody has stamped yet: an urgent head at once, any other after the given time.
DUE = """
with last as (select size, created_at from aud.checkpoint where tsr is not null
  order by size desc limit 1)
select size, note from aud.checkpoint where size > coalesce((select size from last), 0)
  and (coalesce((select created_at from last) <= $1, true)
    or exists (select from aud.checkpoint
      where urgent and size > coalesce((select size from last), 0)))
order by size desc limit 1
"""
STAMPED = """
update aud.checkpoint set tsr = $2, stamped_at = $3, authority = $4 where size = $1 and tsr is null
"""
STAMPS = "select size, note, tsr from aud.checkpoint where tsr is not null order by size"
COSIGNATURES = """
select c.size, c.name, c.line, h.note from aud.cosignature c join aud.checkpoint h using (size)
order by c.size, c.name
"""


class Found(msgspec.Struct, frozen=True):
    """What anchors of one kind say; sizes with a reply in the bucket, and in the database."""

    claims: tuple[Claim, ...] = ()
    faults: tuple[Fault, ...] = ()
    gaps: tuple[Fault, ...] = ()
    replies: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()


class LogKey(msgspec.Struct, frozen=True):
    """Whose heads are believed: the log's first origin and its public key (32 bytes)."""

    origin: str
    public: bytes

    def read(self, note: str) -> Checkpoint:
        """The head of a note of this log; raises NoteInvalid."""
        head = checkpoint.verify(note, name=self.origin, public=self.public)
        if not checkpoint.of_log(head.origin, self.origin):
            raise NoteInvalid(reason="origin")
        return head


def joined(found: Iterable[Found]) -> Found:
    """Several kinds as one; a reply in the bucket that the database has lost is a fault."""
    parts = list(found)
    kept = {size for part in parts for size in part.kept}
    lost = sorted({size for part in parts for size in part.replies} - kept)
    return Found(
        tuple(claim for part in parts for claim in part.claims),
        (
            *(fault for part in parts for fault in part.faults),
            *(Fault("stamp.missing", {"size": size}) for size in lost),
        ),
        tuple(gap for part in parts for gap in part.gaps),
    )


async def due(*, before: datetime) -> Head | None:
    """The newest head if it is to be stamped: the last stamped one is older, or it hurries.

    Older by our own clock, whatever the authority's says: signed at ``before`` or earlier.
    """
    async with DB.transaction(SEQ, readonly=True):
        row = await DB.connection.fetchrow(DUE, before)
    return Head(row["size"], row["note"]) if row else None


async def stamped(size: int, reply: bytes, stamp: Stamp) -> None:
    """Keep a verified reply beside its head."""
    async with DB.transaction(SEQ):
        await DB.connection.execute(STAMPED, size, reply, stamp.at, stamp.authority)


def of_bucket(bucket: Bucket, key: LogKey) -> Found:
    """Every version of every head in the locked bucket, deletions and missing locks.

    Blocks and touches the network: callers use ``asyncio.to_thread``, outside any transaction.
    Raises: StoreUnavailable.
    """
    listed = list(bucket.listed(Room.CHECKPOINTS, prefix=f"{key.origin}/", versions=True))
    notes = [item for item in listed if item.key.endswith(NOTE) and not item.deleted]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = list(pool.map(lambda item: _object(bucket, item, key), notes))
    covered = [Fault("anchor.covered", {"where": item.key}) for item in listed if item.deleted]
    replies = [item.key for item in listed if item.key.endswith(REPLY) and not item.deleted]
    return Found(
        claims=tuple(one for one in read if isinstance(one, Claim)),
        faults=(*covered, *(one for one in read if isinstance(one, Fault))),
        replies=frozenset(_size(name) for name in replies),
    )


def _size(key: str) -> int:
    digits = key.rpartition("/")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


def _object(bucket: Bucket, item: Item, key: LogKey) -> Claim | Fault:
    raw = bucket.fetch(Room.CHECKPOINTS, item.key, limit=NOTE_MAX_CHARS * 4, version=item.version)
    try:
        bucket.lock_of(item.key, item.version, room=Room.CHECKPOINTS)
    except StoreAbsent:
        return Fault("anchor.unlocked", {"where": item.key})
    try:
        head = key.read(raw.decode("utf-8", "replace"))
    except NoteInvalid:
        return Fault("anchor.unsigned", {"where": item.key})
    at_ms = None if item.at is None else int(item.at.timestamp() * 1000)
    return Claim("bucket", item.key, head.origin, head.size, head.root, at_ms)


async def of_stamps(key: LogKey, roots: Sequence[x509.Certificate]) -> Found:
    """Every stored time stamp, verified again over the note it stands beside."""
    async with DB.transaction(SEQ, readonly=True):
        rows = await DB.connection.fetch(STAMPS)
    kept = frozenset(row["size"] for row in rows)
    if rows and not roots:
        return Found(gaps=(Fault("stamp.no_roots", {"count": len(rows)}),), kept=kept)
    found = _sorted(
        _stamp(key, Head(row["size"], row["note"]), bytes(row["tsr"]), roots) for row in rows
    )
    return Found(found.claims, found.faults, found.gaps, kept=kept)


def _stamp(
    key: LogKey, head: Head, reply: bytes, roots: Sequence[x509.Certificate]
) -> Claim | Fault:
    try:
        said = key.read(head.note)
        stamp = timestamps.verify(reply[: REPLY_MAX_BYTES + 1], head.note.encode(), roots=roots)
    except NoteInvalid:
        return Fault("anchor.unsigned", {"where": f"stamp {head.size}"})
    except (StampInvalid, StampRefused) as refusal:
        return Fault("stamp.broken", {"size": head.size, "reason": str(refusal.facts)})
    except StampUncheckable:
        return Fault("stamp.unchecked", {"size": head.size})
    where = f"{stamp.authority} #{stamp.serial}"
    at_ms = int(stamp.at.timestamp() * 1000)
    return Claim("stamp", where, said.origin, said.size, said.root, at_ms)


def _sorted(read: Iterable[Claim | Fault]) -> Found:
    """Claims, faults and gaps apart; what could not be checked is no fault."""
    found = list(read)
    faults = [one for one in found if isinstance(one, Fault)]
    return Found(
        claims=tuple(one for one in found if isinstance(one, Claim)),
        faults=tuple(one for one in faults if one.code != "stamp.unchecked"),
        gaps=tuple(one for one in faults if one.code == "stamp.unchecked"),
    )


async def of_cosignatures(key: LogKey, witnesses: Sequence[Vkey]) -> Found:
    """Every stored cosignature, checked with the key the operator has of its witness."""
    known = {one.name: one for one in witnesses}
    async with DB.transaction(SEQ, readonly=True):
        rows = await DB.connection.fetch(COSIGNATURES)
    strange = {row["name"] for row in rows if row["name"] not in known}
    read = [_cosigned(key, row, known[row["name"]]) for row in rows if row["name"] in known]
    found = _sorted(read)
    gaps = tuple(Fault("witness.unknown", {"name": name}) for name in sorted(strange))
    return Found(found.claims, found.faults, gaps)


def _cosigned(key: LogKey, row: Any, by: Vkey) -> Claim | Fault:  # noqa: ANN401 - asyncpg's
    where = f"{row['name']} {row['size']}"
    try:
        head = key.read(row["note"])
        at_s = cosignature.cosigned(row["note"], row["line"], by=by)
    except NoteInvalid:
        return Fault("cosignature.broken", {"where": where})
    return Claim("cosignature", where, head.origin, head.size, head.root, at_s * 1000)


def of_witness(seen: Iterator[Seen], key: LogKey, *, file: str) -> Found:
    """What a witness's own file says; each head needs this log's signature, nothing else."""

    def read(number: int, one: Seen) -> Claim | Fault:
        where = f"{file}:{number}"
        try:
            head = key.read(one.note)
        except NoteInvalid:
            return Fault("anchor.unsigned", {"where": where})
        return Claim("witness", where, head.origin, head.size, head.root, one.at_s * 1000)

    return _sorted(read(number, one) for number, one in enumerate(seen, start=1))


def of_paper(note: str, key: LogKey, *, where: str) -> Found:
    """A head that was printed: the note's text as typed or scanned from its code."""
    try:
        head = key.read(note)
    except NoteInvalid:
        return Found(faults=(Fault("anchor.unsigned", {"where": where}),))
    return Found((Claim("paper", where, head.origin, head.size, head.root),))
