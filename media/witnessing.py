"""A witness 见证: one append-only file of heads, and the refusal of any that does not extend it.

Source: evidence-and-sync 8 (anchor d), C2SP tlog-witness (same checks, other carrier).  A head is
in the file, on disk, before anybody sees the cosignature: a kill costs at most one line that was
never told to anyone.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, ClassVar, Self

import msgspec

from media import checkpoint, merkle
from media.checkpoint import Checkpoint
from media.cosignature import Vkey
from media.errors import Family, MediaRefusal

LINE_MAX_BYTES = 32_768
HASH_HEX = 64
PROOF_MAX = 64


class HeadRefused(MediaRefusal):
    """The head does not extend what was seen: the log forked, or went back."""

    code: ClassVar[str] = "witness.head_refused"
    family: ClassVar[Family] = Family.CONFLICT


class WitnessFileBroken(MediaRefusal):
    """A line of the witness's own file cannot be read; nothing is cosigned on top of it."""

    code: ClassVar[str] = "witness.file_broken"
    family: ClassVar[Family] = Family.CONFLICT


class WitnessBusy(MediaRefusal):
    """Another witness works on this file."""

    code: ClassVar[str] = "witness.busy"
    family: ClassVar[Family] = Family.CONFLICT


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: the note, our cosignature of it at ``at_s``, and the proof from the line before.

    Shapes: ``proof`` lower hex of 32 bytes each.
    """

    note: str
    line: str
    at_s: int
    proof: tuple[str, ...]


class Offer(msgspec.Struct, frozen=True):
    """A head with the proof that it extends the last one; from the log or from a file."""

    note: str
    proof: tuple[str, ...] = ()


def judge(last: Checkpoint | None, offer: Offer, *, log: Vkey) -> Checkpoint:
    """The head that is offered, once it extends ``last`` and bears the log's signature.

    Raises: HeadRefused ("witness.head_refused"), NoteInvalid ("checkpoint.invalid").
    Source: evidence-and-sync 8 (anchor d).
    """
    head = checkpoint.verify(offer.note, name=log.name, public=log.public)
    if not checkpoint.of_log(head.origin, log.name):
        raise HeadRefused(reason="origin", origin=head.origin)
    if last is None:
        return head
    if head.size < last.size or head.origin < last.origin:
        raise HeadRefused(reason="went_back", seen=last.size, offered=head.size)
    if head.size == last.size:
        if head.root != last.root:
            raise HeadRefused(reason="forked", seen=last.size, offered=head.size)
        return head
    proof = _hashes(offer.proof)
    if not merkle.extends(last.size, head.size, proof, last.root, head.root):
        raise HeadRefused(reason="forked", seen=last.size, offered=head.size)
    return head


def _hashes(proof: Sequence[str]) -> list[bytes]:
    if len(proof) > PROOF_MAX or any(len(one) != HASH_HEX for one in proof):
        raise HeadRefused(reason="proof")
    try:
        return [bytes.fromhex(one) for one in proof]
    except ValueError:
        raise HeadRefused(reason="proof") from None


def read(file: Path) -> Iterator[Seen]:
    """Every whole line of a witness's file; a last one that was cut off by a kill is no line.

    Raises: WitnessFileBroken ("witness.file_broken").
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith(b"\n"):
                yield _line(number, line)


def _line(number: int, line: bytes) -> Seen:
    try:
        if len(line) > LINE_MAX_BYTES:
            raise WitnessFileBroken(line=number)
        return msgspec.json.decode(line, type=Seen)
    except msgspec.DecodeError:
        raise WitnessFileBroken(line=number) from None


class WitnessFile:
    """The file opened for one witness alone; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: Checkpoint | None = None
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            self._begin(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self, file: BinaryIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WitnessBusy(file=str(self.path)) from None
        whole = 0
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            self.last = checkpoint.parse(_line(number, line).note).head
            whole += len(line)
        # What a kill left half written was told to nobody.
        file.truncate(whole)

    def append(self, seen: Seen) -> None:
        """Write one line and wait until the disk has it."""
        if self._file is None:
            raise WitnessBusy(file=str(self.path))
        self._file.write(msgspec.json.encode(seen) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.last = checkpoint.parse(seen.note).head
