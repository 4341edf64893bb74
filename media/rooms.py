"""What is said about the object store without speaking to it: rooms, records, refusals.

Source: evidence-and-sync 4, 5.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from msgspec import Struct

from media.errors import Family, MediaRefusal


class StoreUnavailable(MediaRefusal):
    """The object store does not answer, or answers with a fault of its own."""

    code: ClassVar[str] = "store.unavailable"
    family: ClassVar[Family] = Family.UNAVAILABLE


class StoreAbsent(MediaRefusal):
    """No such object or version."""

    code: ClassVar[str] = "store.absent"
    family: ClassVar[Family] = Family.ABSENT


class HashMismatch(MediaRefusal):
    """Stored bytes do not have the hash they must have."""

    code: ClassVar[str] = "media.hash_mismatch"
    family: ClassVar[Family] = Family.CONFLICT


class ObjectTooLarge(MediaRefusal):
    """An object is larger than its reader allows in memory."""

    code: ClassVar[str] = "store.object_too_large"
    family: ClassVar[Family] = Family.LIMIT


class Room(StrEnum):
    """What a bucket is for; its real name has the installation's prefix in front."""

    QUARANTINE = "quarantine"
    ORIGINALS = "originals"
    DERIVATIVES = "derivatives"
    CHECKPOINTS = "checkpoints"
    EXPORTS = "exports"


LOCKED = frozenset({Room.QUARANTINE, Room.ORIGINALS, Room.CHECKPOINTS})


class Store(Protocol):
    """Settings of a store: its address for us and for phones (with scheme), key, our prefix."""

    @property
    def endpoint(self) -> str: ...
    @property
    def public_endpoint(self) -> str: ...
    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def prefix(self) -> str: ...


class Held(Struct, frozen=True):
    """An object as the store holds it; ``version`` is None in a room without versions."""

    size: int
    version: str | None


class Item(Struct, frozen=True):
    """One line of a room's list; ``at`` is when it was stored, ``deleted`` marks a deletion."""

    key: str
    version: str | None
    size: int
    at: datetime | None
    deleted: bool = False


class Hashed(Struct, frozen=True):
    """SHA-256 (lower hex) and size of an object's stored bytes."""

    sha256: str
    size: int


class Lock(Struct, frozen=True):
    """What keeps an object: its mode, until when, and whether a legal hold lies on it."""

    mode: str | None
    until: datetime | None
    hold: bool


class Facts(Struct, frozen=True):
    """What a restored object must have again: its size, type and lock; ``version`` as in Held."""

    size: int
    version: str | None
    mime: str
    lock: Lock


class Part(Struct, frozen=True):
    """One part of an upload that the store holds; the tag is the store's own name for it."""

    number: int
    size: int
    etag: str


def newest(listed: Iterable[tuple[str, Part]]) -> tuple[Part, ...]:
    """Of (time, part) the newest of each number, where one can be told; in order."""
    held: dict[int, tuple[str, set[Part]]] = {}
    for at, part in listed:
        known, twins = held.get(part.number, ("", set()))
        if at > known:
            held[part.number] = (at, {part})
        elif at == known:
            twins.add(part)
    newest = [twins for _, (_, twins) in sorted(held.items())]
    return tuple(part for twins in newest if len(twins) == 1 for part in twins)
