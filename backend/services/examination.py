"""Looking at one uploaded file: its hash, its structure, its previews. Blocks; run in a thread."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.services.signals.pictures import Look
from media import admission, kinds
from media.bucket import Bucket, Hashed, HashMismatch, ObjectTooLarge, Room
from media.darkroom import Darkroom
from media.movies import Read
from media.previews import Developed

HELD = frozenset({"image", "paper"})


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The stored object to look at: where it is and what it was declared to be."""

    id: UUID
    region: int
    sha256: str
    size: int
    mime: str
    object_key: str
    version: str | None


class Made(msgspec.Struct, frozen=True):
    """One derivative 派生件 as stored."""

    kind: str
    sha256: str
    size: int
    object_key: str


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: flags to show, facts of the file, previews and how they were made.

    ``look`` is what a picture is compared with others by.
    """

    flags: tuple[str, ...]
    facts: dict[str, Any]
    recipe: dict[str, Any]
    derivatives: tuple[Made, ...] = ()
    look: Look | None = None


def examine(piece: Piece, bucket: Bucket, darkroom: Darkroom) -> Examined:
    """Hash and examine the bytes in quarantine, and store previews of a picture.

    Raises: HashMismatch ("media.hash_mismatch"), the refusals of ``admission`` and ``darkroom``,
    StoreUnavailable.
    Source: evidence spec 5 (verified), 7, 12.4.
    """
    hashed, read = _source(piece, bucket)
    if (hashed.sha256, hashed.size) != (piece.sha256, piece.size):
        raise HashMismatch(expected=piece.sha256, found=hashed.sha256)
    found = admission.examine(piece.mime, piece.size, read)
    facts = {} if found.movie is None else {"movie": msgspec.to_builtins(found.movie)}
    if found.kind.group != "image":
        return Examined(flags=found.flags, facts=facts, recipe={})
    developed = darkroom.develop(piece.mime, read(0, piece.size))
    return Examined(
        flags=found.flags,
        facts={
            "width": developed.width,
            "height": developed.height,
            "exif": msgspec.to_builtins(developed.exif),
        },
        recipe=msgspec.to_builtins(developed.recipe),
        derivatives=_store(piece, developed, bucket),
        look=Look(developed.likeness, developed.place),
    )


def _source(piece: Piece, bucket: Bucket) -> tuple[Hashed, Read]:
    """The hash of the stored bytes, and a reader of the bytes that were hashed.

    Pictures and papers, at most 25 MB, are fetched once and held: the store is what whoever
    sends photos waits for too. Of the rest the headers are read again.
    """
    where = Room.QUARANTINE, piece.object_key

    def part(offset: int, length: int) -> bytes:
        return bucket.read(*where, offset, length, piece.version)

    if kinds.declare(piece.mime, piece.size).group not in HELD:
        return bucket.rehash(*where, piece.version), part
    try:
        raw = bucket.fetch(*where, limit=piece.size, version=piece.version)
    except ObjectTooLarge:
        return bucket.rehash(*where, piece.version), part
    return Hashed(sha256(raw).hexdigest(), len(raw)), lambda start, size: raw[start : start + size]


def _store(piece: Piece, developed: Developed, bucket: Bucket) -> tuple[Made, ...]:
    made = []
    for kind, raw in (("preview", developed.preview), ("thumb", developed.thumb)):
        digest = sha256(raw).hexdigest()
        key = f"{piece.region}/{piece.id}/{kind}-{digest}.jpg"
        bucket.put(Room.DERIVATIVES, key, raw, "image/jpeg")
        made.append(Made(kind, digest, len(raw), key))
    return tuple(made)
