"""What a backup says of itself: its manifest, and one line for every version of an object."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
What = Literal["absent", "unreadable", "altered"]
LINE = msgspec.json.Encoder()


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one object: where it was, its bytes' hash, type and lock.

    ``at`` is when the store took it, ``seen`` when its lock was last looked at.
    """

    room: str
    key: str
    version: str | None
    size: int
    sha256: Sha256
    mime: str
    at: datetime | None
    seen: datetime
    mode: str | None = None
    until: datetime | None = None
    hold: bool = False


class Damage(Struct, frozen=True):
    """An object that is not what its row says: ``absent``, ``unreadable`` or ``altered``.

    ``healed``: an earlier backup still holds the right bytes, and this one names them.
    """

    room: str
    key: str
    what: What
    healed: bool


class Count(Struct, frozen=True):
    """Objects of a room: all, and those whose bytes this backup copied."""

    objects: int
    bytes: int
    new_objects: int
    new_bytes: int


class FileSum(Struct, frozen=True):
    """SHA-256 and size of a file of the set."""

    sha256: Sha256
    size: int


class Marks(Struct, frozen=True):
    """Which keys the office has, told without telling them."""

    server: str
    log: str
    kek: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of one backup; a set without it is none."""

    typ: Literal["mingcha.backup/1"]
    taken_at: datetime
    finished_at: datetime
    postgres: str
    migration: str
    log_origin: str
    marks: Marks
    head_size: int
    head_note: str
    entries: int
    pending: int
    tables: dict[str, int]
    rooms: dict[str, Count]
    files: dict[str, FileSum]
    damaged: tuple[Damage, ...]
    damages: int
    previous: str | None = None


def spell(line: Line) -> bytes:
    """A line of the list, with its newline."""
    return LINE.encode(line) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Line]:
    """Lines of a list, in its order: rooms, keys by bytes, versions from the oldest."""
    decoder = msgspec.json.Decoder(Line)
    return (decoder.decode(line) for line in lines)
