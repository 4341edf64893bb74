"""Objects of every room into the pool: new bytes are copied and hashed, known ones are named.

Blocks; run in a thread. Memory stays flat: the store's list, what rows want and the list of the
backup before are read side by side, key by key.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from backend.services.backups.dump import Wanted
from backend.services.backups.pool import Pool
from backend.services.backups.records import Count, Damage, Line, What
from media.bucket import Bucket, Facts, Item, Room, StoreAbsent, StoreUnavailable
from media.rooms import LOCKED

THREADS = 4
WINDOW = 32
T = TypeVar("T")
R = TypeVar("R")
LOCK_SEEN = timedelta(days=1)  # a lock only grows; what is older is looked at again
Row = Item | Wanted | Line
Outcome = tuple[list[Line], list[Damage]]


class Key(Struct, frozen=True):
    """One key of a room: what the store lists (oldest first), what rows want, what was known."""

    key: str
    items: tuple[Item, ...]
    wanted: tuple[Wanted, ...]
    known: tuple[Line, ...]


class Copied(Struct, frozen=True):
    """The lines of one key, what was wrong with it, bytes and objects that were copied."""

    lines: tuple[Line, ...]
    damaged: tuple[Damage, ...]
    new_objects: int
    new_bytes: int


def side_by_side(
    items: Iterable[Item], wanted: Iterable[Wanted], known: Iterable[Line]
) -> Iterator[Key]:
    """Three lists that are sorted by key, as one list of keys."""
    merged: Iterator[Row] = heapq.merge(items, wanted, known, key=lambda row: row.key)
    for key, group in groupby(merged, key=lambda row: row.key):
        rows = list(group)
        listed = [row for row in rows if isinstance(row, Item)]
        yield Key(
            key,
            tuple(reversed(listed)),
            tuple(row for row in rows if isinstance(row, Wanted)),
            tuple(row for row in rows if isinstance(row, Line)),
        )


class Copier:
    """Copies one room; ``now`` is when the backup is taken."""

    def __init__(self, bucket: Bucket, room: Room, pool: Pool, *, now: datetime) -> None:
        self.bucket, self.room, self.pool, self.now = bucket, room, pool, now

    def copy(self, key: Key) -> Copied:
        """Lines of one key; its bytes are in the pool when this returns.

        Raises: StoreUnavailable.
        """
        before = {(line.version, line.size, line.at): line for line in key.known}
        right = {one.version: one for one in key.wanted}
        lines: list[Line] = []
        damaged: list[Damage] = []
        new_objects, new_bytes = 0, 0
        for item in key.items:
            known = before.get((item.version, item.size, item.at))
            if known is not None and self.pool.has(known.sha256, known.size):
                line: Line | None = self._again(known)
            else:
                line = self._new(item)
                new_objects, new_bytes = new_objects + 1, new_bytes + item.size
            one = right.pop(item.version, None)
            kept, damage = self._judged(key.key, line, one, key.known)
            lines += kept
            damaged += damage
        for one in right.values():
            kept, damage = self._instead(one, key.known, "absent")
            lines += kept
            damaged += damage
        return Copied(tuple(lines), tuple(damaged), new_objects, new_bytes)

    def _judged(
        self, key: str, line: Line | None, one: Wanted | None, known: Sequence[Line]
    ) -> Outcome:
        """What is kept of a version, held against the row that names it."""
        if line is None:
            if one is not None:
                return self._instead(one, known, "unreadable")
            lost = Damage(self.room, key, "unreadable", healed=False)
            return [], [lost] if self.room in LOCKED else []
        if one is None or one.sha256 == line.sha256:
            return [line], []
        kept, damage = self._instead(one, [replace(line, size=one.size)], "altered")
        return kept or [line], damage

    def _instead(self, one: Wanted, lines: Sequence[Line], what: What) -> Outcome:
        """A line with the right bytes for a damaged version, if an earlier backup has them."""
        good = self.pool.has(one.sha256, one.size) and self.pool.holds(one.sha256)
        kept = [
            replace(line, sha256=one.sha256)
            for line in lines
            if good and line.version == one.version
        ]
        return kept, [Damage(self.room, one.key, what, healed=bool(kept))]

    def _again(self, known: Line) -> Line:
        if self.room not in LOCKED or self.now - known.seen < LOCK_SEEN:
            return known
        facts = self.bucket.facts(self.room, known.key, known.version)
        return self._line(known.key, known.version, known.at, known.sha256, facts)

    def _new(self, item: Item) -> Line | None:
        """A version that was not known; None for one that is gone or cannot be read.

        A store that finds its own disk spoilt answers for this object as if it were down.
        """
        try:
            facts = self.bucket.facts(self.room, item.key, item.version)
            taken = self.pool.take(self.bucket.stream(self.room, item.key, item.version))
        except StoreAbsent:
            return None
        except StoreUnavailable:
            self.bucket.check()
            return None
        facts = replace(facts, size=taken.size)
        return self._line(item.key, item.version, item.at, taken.sha256, facts)

    def _line(
        self, key: str, version: str | None, at: datetime | None, sha256: str, facts: Facts
    ) -> Line:
        lock = facts.lock
        return Line(
            room=self.room,
            key=key,
            version=version,
            size=facts.size,
            sha256=sha256,
            mime=facts.mime,
            at=at,
            seen=self.now,
            mode=lock.mode,
            until=lock.until,
            hold=lock.hold,
        )


def in_order(work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
    """Results in the order of the pieces; a few at a time, never all of them in memory."""
    with ThreadPoolExecutor(THREADS) as threads:
        waiting: deque[Future[R]] = deque()
        try:
            for piece in pieces:
                waiting.append(threads.submit(work, piece))
                if len(waiting) >= WINDOW:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()


def counted(so_far: Count, copied: Copied) -> Count:
    """The room's count with one more key."""
    return Count(
        so_far.objects + len(copied.lines),
        so_far.bytes + sum(line.size for line in copied.lines),
        so_far.new_objects + copied.new_objects,
        so_far.new_bytes + copied.new_bytes,
    )
