"""The audit log grown again from its entries, batch by batch, and held against everything stored.

Pure: rows, nodes, heads and anchors come in, faults come out. Source: evidence spec 8 (verify).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from backend.services import audit
from backend.services.recovery import Epochs
from media import checkpoint, merkle
from media.checkpoint import Checkpoint, NoteInvalid
from media.merkle import Address

Kind = Literal["bucket", "stamp", "cosignature", "witness", "paper"]
Outcome = Literal["held", "settled", "differs", "beyond"]
Fact = int | str


class Fault(msgspec.Struct, frozen=True):
    """One thing that is not as it was written; ``code`` has a sentence in ``texts/log.yaml``."""

    code: str
    facts: dict[str, Fact] = {}

    def __str__(self) -> str:
        """For logs; people read the sentence."""
        return f"{self.code} {self.facts}"


class Row(msgspec.Struct, frozen=True):
    """A stored entry; ``body`` is the JSON text as the database gives it back."""

    id: int
    region: int
    place: int | None
    leaf: bytes
    body: str


class SignedHead(msgspec.Struct, frozen=True):
    """A stored head with its note."""

    size: int
    root: bytes
    note: str


class Claim(msgspec.Struct, frozen=True):
    """What an anchor says: at ``at_ms`` the first ``size`` entries had ``root`` (32 bytes)."""

    kind: Kind
    where: str
    origin: str
    size: int
    root: bytes
    at_ms: int | None = None


class Held(msgspec.Struct, frozen=True):
    """An anchor with what came of it."""

    claim: Claim
    outcome: Outcome


def body_of(text: str) -> object:
    """A stored body as values; None where the text is none of JSON that is read here."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


class Replay:
    """Grows the tree from its entries; ``claims`` are looked at where their size is passed."""

    def __init__(self, origin: str, public: bytes, claims: Sequence[Claim] = ()) -> None:
        self.epochs, self.public = Epochs(origin), public
        self.faults: list[Fault] = []
        self.held: list[Held] = []
        self.size, self.heads, self.node_count = 0, 0, 0
        self.edge: dict[Address, bytes] = {}
        self._claims = sorted(claims, key=lambda claim: claim.size, reverse=True)
        self._odd: list[tuple[Claim, bool]] = []
        self._lost: dict[str, str] = {}
        self._shifted = False

    def grow(
        self, rows: Sequence[Row], stored: Mapping[Address, bytes], heads: Sequence[SignedHead]
    ) -> None:
        """Take the next entries, the nodes stored for them, and the heads signed within them."""
        sealed = {value for (level, _), value in stored.items() if level == 0}
        for place, row in enumerate(rows, start=self.size):
            self._entry(place, row, stored.get((0, place)), sealed)
        new = merkle.append(self.size, self.edge, [row.leaf for row in rows])
        self._nodes(new, stored)
        known = {**self.edge, **new}
        grown = self.size + len(rows)
        for head in heads:
            self._head(head, known)
        signed = {head.size for head in heads}
        while self._claims and self._claims[-1].size <= grown:
            self._claim(self._claims.pop(), known, signed)
        self.edge = {address: known[address] for address in merkle.edge(grown)}
        self.size, self.node_count = grown, self.node_count + len(new)

    def _entry(self, place: int, row: Row, node: bytes | None, sealed: set[bytes]) -> None:
        if row.place != place and not self._shifted:
            self._shifted = True
            code = "entry.missing" if (row.place or 0) > place else "entry.extra"
            self._fault(code, place=place, id=row.id)
        found = body_of(row.body)
        body: Mapping[str, Any] = found if isinstance(found, dict) else {}
        if not audit.holds(found, row.leaf):
            self._fault("entry.edited", place=place, id=row.id)
        elif body.get("region") != row.region:
            self._fault("entry.region", place=place, id=row.id)
        if node is not None and node != row.leaf and not self._shifted:
            moved = row.leaf in sealed
            self._fault("entry.moved" if moved else "entry.replaced", place=place, id=row.id)
        if not isinstance(body.get("object"), dict):  # a forged one must not stop the check
            body = {}
        if not self.epochs.meet(place, body):
            self._fault("entry.epoch", place=place, id=row.id)
        elif self.epochs.turns and self.epochs.turns[-1][0] == place:
            self._lost[self.epochs.turns[-1][1]] = str(body.get("before_sha", ""))

    def _nodes(self, new: Mapping[Address, bytes], stored: Mapping[Address, bytes]) -> None:
        wrong = [address for address, value in new.items() if stored.get(address) != value]
        if wrong:
            level, index = min(wrong)
            self._fault("node.differs", level=level, index=index, count=len(wrong))

    def _head(self, head: SignedHead, known: Mapping[Address, bytes]) -> None:
        self.heads += 1
        if head.size < 1:
            self._fault("head.beyond", size=head.size, entries=self.size)
            return
        root, origin = merkle.root(head.size, known), self.epochs.of_head(head.size)
        try:
            signed = checkpoint.verify(head.note, name=origin, public=self.public)
        except NoteInvalid:
            self._fault("head.unsigned", size=head.size)
            return
        if root != head.root or signed != Checkpoint(origin, head.size, root):
            self._fault("head.differs", size=head.size)

    def _claim(self, claim: Claim, known: Mapping[Address, bytes], signed: set[int]) -> None:
        if merkle.root(claim.size, known) != claim.root:
            self._odd.append((claim, False))
            return
        self.held.append(Held(claim, "held"))
        if claim.size not in signed:
            self._fault("head.missing", size=claim.size, where=claim.where)

    def _fault(self, code: str, **facts: Fact) -> None:
        self.faults.append(Fault(code, facts))

    def finish(
        self, *, nodes: int, heads: Sequence[SignedHead], waiting: Sequence[Row] = ()
    ) -> None:
        """Say what is left over: nodes, heads and anchors beyond the last entry, waiting rows."""
        if nodes != self.node_count:
            self._fault("node.count", stored=nodes, expected=self.node_count)
        for head in heads:
            self.heads += 1
            self._fault("head.beyond", size=head.size, entries=self.size)
        for row in waiting:
            if not audit.holds(body_of(row.body), row.leaf):
                self._fault("entry.waiting_edited", id=row.id)
        self._odd += [(claim, True) for claim in self._claims]
        self._claims = []
        for claim, beyond in self._odd:
            self._judge(claim, beyond=beyond)

    def _judge(self, claim: Claim, *, beyond: bool) -> None:
        """A head of an epoch that was ended is settled by the entry that announced the next.

        Settled is what lies beyond the place of that entry, and the one head it names as lost.
        """
        ended = [turn for turn in self.epochs.turns if turn[1] > claim.origin]
        if ended and (claim.size > ended[0][0] or claim.root.hex() == self._lost.get(ended[0][1])):
            self.held.append(Held(claim, "settled"))
            return
        self.held.append(Held(claim, "beyond" if beyond else "differs"))
        code = "anchor.beyond" if beyond else "anchor.differs"
        self._fault(code, where=claim.where, size=claim.size, entries=self.size)
