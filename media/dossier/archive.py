"""Writes a bundle's container: store-only, one spelling, piece by piece with flat memory.

Source: evidence-and-sync 9; `media.offline.boxes` reads it back by writing it again.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct

from media.errors import Family, MediaRefusal
from media.offline.boxes import Entry, directory, legal, local_header
from media.offline.checks import SUMS, SUMS_SIG

ONE_MOST = 0xFFFFFFFE  # a file of 4 GiB would need another header
Signer = Callable[[bytes], bytes]


class Changed(MediaRefusal):
    """A file's bytes are no longer those that were hashed a moment ago."""

    code: ClassVar[str] = "dossier.changed"
    family: ClassVar[Family] = Family.CONFLICT


class Blob(Struct, frozen=True):
    """A file to come: size, SHA-256 (lower hex), CRC-32, and how to read it once more."""

    size: int
    sha256: str
    crc: int
    read: Callable[[], Iterable[bytes]]


def blob(raw: bytes) -> Blob:
    """A small file that is at hand."""
    return Blob(len(raw), sha256(raw).hexdigest(), zlib.crc32(raw), lambda: (raw,))


def measure(read: Callable[[], Iterable[bytes]]) -> Blob:
    """Read a file through to know it, in constant memory."""
    digest, crc, size = sha256(), 0, 0
    for piece in read():
        digest.update(piece)
        crc = zlib.crc32(piece, crc)
        size += len(piece)
    return Blob(size, digest.hexdigest(), crc, read)


def sums(files: Mapping[str, Blob]) -> bytes:
    """The text of SHA256SUMS, sorted by name, as ``sha256sum -c`` reads it."""
    return "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files)).encode()


def pack(files: Mapping[str, Blob], sign: Signer) -> Iterator[bytes]:
    """Yield the ZIP of ``files`` with their list and its signature at the end.

    Shapes: ``sign`` gives 64 bytes, Ed25519 over the bundle tag and the list.
    Raises: Changed ("dossier.changed"); ValueError for a name or size that the form forbids.
    Source: evidence-and-sync 9.
    """
    listed = sums(files)
    last = {SUMS: blob(listed), SUMS_SIG: blob(sign(listed))}
    entries: list[Entry] = []
    place = 0
    for name, file in [*sorted(files.items()), *last.items()]:
        if not legal(name) or file.size > ONE_MOST:
            raise ValueError(name)
        entries.append(Entry(name, file.size, file.crc, place))
        header = local_header(entries[-1])
        yield header
        yield from _checked(name, file)
        place += len(header) + file.size
    yield directory(entries, place)


def packed_size(files: Mapping[str, Blob]) -> int:
    """How many bytes ``pack`` yields: the signature's are 64 whatever they are."""
    last = {SUMS: blob(sums(files)), SUMS_SIG: blob(bytes(64))}
    entries, place = [], 0
    for name, file in [*sorted(files.items()), *last.items()]:
        entries.append(Entry(name, file.size, file.crc, place))
        place += len(local_header(entries[-1])) + file.size
    return place + len(directory(entries, place))


def _checked(name: str, file: Blob) -> Iterator[bytes]:
    digest, size = sha256(), 0
    for piece in file.read():
        digest.update(piece)
        size += len(piece)
        yield piece
    if (digest.hexdigest(), size) != (file.sha256, file.size):
        raise Changed(file=name)
