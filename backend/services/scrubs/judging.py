"""Looking at the store: is each object there, is it what it was, is it still locked. Blocks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from backend.services.backups.copying import in_order
from backend.services.scrubs.pages import Page, Piece, evidence_of
from media.bucket import Bucket, Facts, Item, Room, StoreAbsent, StoreUnavailable

ORPHAN_AGE = timedelta(hours=24)
LOCK_SLACK = timedelta(seconds=2)  # stores keep whole seconds
What = Literal[
    "absent",
    "altered",
    "unreadable",
    "unlocked",
    "derivative_absent",
    "orphan",
    "row_removed",
]


class Damage(Struct, frozen=True):
    """One thing that is not as it must be; ``found`` is the hash of altered bytes."""

    what: What
    name: str
    piece: Piece | None = None
    found: str = ""


class Judged(Struct, frozen=True):
    """What one page showed; ``extended`` pieces got a later day because their matter closed."""

    seen: int
    read: int
    bytes: int
    damages: tuple[Damage, ...]
    extended: tuple[tuple[Piece, datetime], ...]


class Judge:
    """Judges pages of one room; ``keep`` tells until when an original must be kept."""

    def __init__(
        self, bucket: Bucket, room: Room, *, now: datetime, keep: Callable[[datetime], datetime]
    ) -> None:
        self.bucket, self.room, self.now, self.keep = bucket, room, now, keep
        self.damages: list[Damage] = []
        self.extended: list[tuple[Piece, datetime]] = []

    def judge(self, page: Page) -> Judged:
        """Hold the rows of a page against its objects, and its objects against the rows.

        Raises: StoreUnavailable when the store is down, which is nobody's damage.
        """
        there = {(item.key, item.version) for item in page.items if not item.deleted}
        keys = {item.key for item in page.items if not item.deleted}
        deep = [piece for piece in page.pieces if piece.deep]

        def look(piece: Piece) -> None:
            present = (piece.key, piece.version) in there or (
                piece.version is None and piece.key in keys
            )
            if not present:
                self._absent(piece)
            elif piece.deep:
                self._read(piece)

        for _ in in_order(
            look, page.pieces
        ):  # a few at a time: a store answers slowly, not seldom
            pass
        self.damages.sort(key=lambda damage: (damage.what, damage.name))
        self.damages += [
            Damage("orphan", f"{self.room}/{item.key}")
            for item in page.items
            if self._orphan(item, page)
        ]
        return Judged(
            len(page.pieces),
            len(deep),
            sum(piece.size for piece in deep),
            tuple(self.damages),
            tuple(self.extended),
        )

    def _orphan(self, item: Item, page: Page) -> bool:
        """An object whose evidence has no row, and which no upload of today explains."""
        if item.deleted or item.at is None or self.now - item.at < ORPHAN_AGE:
            return False
        return evidence_of(item.key) not in page.known

    def _absent(self, piece: Piece) -> None:
        """What a page did not list may have come since: asked once more by name."""
        try:
            self.bucket.head(self.room, piece.key, piece.version)
        except StoreAbsent:
            made = self.room is Room.DERIVATIVES
            self._damage("derivative_absent" if made else "absent", piece)

    def _read(self, piece: Piece) -> None:
        try:
            found = self.bucket.rehash(self.room, piece.key, piece.version)
            facts = self.bucket.facts(self.room, piece.key, piece.version)
        except StoreAbsent:
            self._damage("absent", piece)
            return
        except StoreUnavailable:
            # Its own checksum may be what fails; a store that is down fails the next question too.
            self.bucket.check()
            self._damage("unreadable", piece)
            return
        if (found.sha256, found.size) != (piece.sha256, piece.size):
            self._damage("altered", piece, found.sha256)
            return
        self._locked(piece, facts)

    def _locked(self, piece: Piece, facts: Facts) -> None:
        """The lock stands until its day, the hold until two persons lift it; else it is set again.

        A matter that closed later asks for a later day: the floor only rises.
        """
        floor = self.keep(piece.kept_from) if piece.kept_from else None
        wanted = max((at for at in (piece.retain_until, floor) if at), default=None)
        until = facts.lock.until
        short = wanted is not None and (until is None or until < wanted - LOCK_SLACK)
        promised = piece.retain_until is not None and (
            until is None or until < piece.retain_until - LOCK_SLACK
        )
        unheld = piece.hold and not facts.lock.hold
        if wanted is not None and (short or unheld) and piece.hold:
            self._lock_again(piece, wanted)
        if promised or unheld:
            self._damage("unlocked", piece)
        elif short and piece.hold and wanted is not None:
            self.extended.append((piece, wanted))

    def _lock_again(self, piece: Piece, until: datetime) -> None:
        if piece.lock_mode == "compliance":
            self.bucket.comply(piece.key, piece.version, until=until)
        self.bucket.lock(piece.key, piece.version, until)

    def _damage(self, what: What, piece: Piece, found: str = "") -> None:
        self.damages.append(Damage(what, str(piece.id), piece, found))
