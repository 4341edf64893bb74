"""The strict store of an honest phone: what is written here is there until it may be freed.

Source: evidence spec 0.2, 3, 11. Bytes go only after a verified ``sealed`` receipt and seven more
days; a refused operation is kept; nothing that a server answers deletes anything else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

KEEP_MS = 7 * 24 * 3600 * 1000
Stand = Literal["queued", "blocked", "applied", "dead"]


@dataclass
class Letter:
    """One operation as signed; ``stand`` is what the phone knows of it."""

    op_id: str
    seq: int
    kind: str
    visit: str
    raw: bytes
    stand: Stand = "queued"
    outcome: bytes = b""

    @property
    def pending(self) -> bool:
        return self.stand in ("queued", "blocked")


@dataclass
class Kept:
    """One capture: its manifest for ever, its bytes until they may go.

    ``promised`` is the highest offset that the weak-link lane has promised; from ``twice_from``
    on the phone itself has sent two versions, of which the store cannot always tell the later;
    ``sealed_ms`` is the server's time in the verified receipt.
    """

    id: str
    visit: str
    item: str
    mime: str
    sha256: str
    size: int
    seq: int
    manifest: bytes
    body: dict[str, Any]
    raw: bytes | None
    state: str = ""
    opened: bool = False
    promised: int = 0
    twice_from: int | None = None
    sent: bool = False
    withdrawn: bool = False
    sealed_ms: int | None = None
    receipt: bytes = b""

    @property
    def listed(self) -> dict[str, str]:
        """How a finalize names it."""
        return {"id": self.id, "sha256": self.sha256}

    @property
    def due(self) -> bool:
        """Whether its bytes still have to be sent."""
        return self.raw is not None and not self.sent and not self.withdrawn


@dataclass
class Shelf:
    """Counters, operations and captures since the storage was last wiped."""

    inst_epoch: str
    prev: str
    seq: int = 0
    shots: int = 0
    letters: list[Letter] = field(default_factory=list)
    captures: dict[str, Kept] = field(default_factory=dict)
    answers: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    receipts_after: int = 0

    def pending(self) -> list[Letter]:
        """Operations without a final answer, in the order of their numbers."""
        return [letter for letter in self.letters if letter.pending]

    def due(self) -> list[Kept]:
        """Captures whose bytes are still to be sent."""
        return [one for one in self.captures.values() if one.due]

    def unsealed(self) -> list[Kept]:
        """Captures for which no verified receipt has come."""
        return [
            one
            for one in self.captures.values()
            if one.sealed_ms is None and not one.withdrawn and one.raw is not None
        ]

    def free(self, server_ms: int) -> Iterator[Kept]:
        """Free the bytes whose seven days are over; yields what went."""
        for one in self.captures.values():
            sealed = one.raw is not None and one.sealed_ms is not None
            if sealed and server_ms - (one.sealed_ms or 0) >= KEEP_MS:
                one.raw = None
                yield one
