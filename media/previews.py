"""Records of a picture's previews, and the frames they travel in between parent and child.

Source: evidence-and-sync 7, 12.4.  A frame is a 4-byte big-endian length, that many bytes of
JSON, and the bytes whose sizes the JSON names.
"""

from typing import IO, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from media.errors import Family, MediaRefusal
from media.likeness import Likeness
from media.renderings import Order

FRAME_MAX_BYTES = 65_536
PREVIEW_MAX_BYTES = 8_000_000
PICTURE_MAX_BYTES = 60_000_000

Text = Annotated[str, Meta(max_length=80)]
Side = Annotated[int, Meta(ge=1, le=1_000_000)]
Reason = Literal["bomb", "not_decodable", "memory"]


class Bomb(MediaRefusal):
    """More pixels than any camera here takes: 50 million."""

    code: ClassVar[str] = "media.bomb"


class NotDecodable(MediaRefusal):
    """The bytes are no picture of the declared type, or a broken one."""

    code: ClassVar[str] = "media.not_decodable"


class DecodeLimit(MediaRefusal):
    """Decoding needed more time or memory than a picture may."""

    code: ClassVar[str] = "media.decode_limit"
    family: ClassVar[Family] = Family.LIMIT


class ImagingUnavailable(MediaRefusal):
    """The decoding process does not start or was ended from outside; no word on the picture."""

    code: ClassVar[str] = "imaging.unavailable"
    family: ClassVar[Family] = Family.UNAVAILABLE


class Exif(Struct, frozen=True):
    """What the original's EXIF claims; all absent is neutral, since browsers strip it.

    ``taken`` as written (``2026:05:01 09:30:00``), ``offset`` like ``+08:00``.
    """

    taken: Text | None
    offset: Text | None
    camera: Text | None
    software: Text | None
    gps: bool


class Place(Struct, frozen=True):
    """Where the original's EXIF says it was taken: 1e-7 degrees, datum WGS84 by its standard."""

    lat_e7: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
    lon_e7: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]


class Recipe(Struct, frozen=True):
    """How derivatives were made, for their ``derivation.json``."""

    name: str
    ver: int
    params: dict[str, int]
    lib: str


class Developed(Struct, frozen=True):
    """Upright size of the original in pixels, its EXIF, and two JPEGs without metadata.

    ``likeness`` and ``place`` are for comparing with other pictures, not for showing.
    """

    width: int
    height: int
    exif: Exif
    recipe: Recipe
    preview: bytes
    thumb: bytes
    likeness: Likeness
    place: Place | None


class Rendered(Struct, frozen=True):
    """A derivative that a person ordered: a JPEG without metadata, its size in pixels."""

    width: int
    height: int
    quality: int
    lib: str
    picture: bytes


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """One picture for the child; ``size`` bytes follow.  Without an order its previews."""

    mime: str
    size: int
    order: Order | None = None


class Ready(Struct, frozen=True, forbid_unknown_fields=True, tag="ready"):
    """First frame of a child that has loaded its decoders and shut its doors."""


class Refused(Struct, frozen=True, forbid_unknown_fields=True, tag="refused"):
    """Why the child gives no previews; ``detail`` is the decoder's sentence."""

    reason: Reason
    detail: Annotated[str, Meta(max_length=400)]


class Made(Struct, frozen=True, forbid_unknown_fields=True, tag="made"):
    """Facts of a developed picture; preview and thumb follow in that order."""

    width: Side
    height: Side
    exif: Exif
    recipe: Recipe
    likeness: Likeness
    place: Place | None
    preview_bytes: Annotated[int, Meta(ge=1, le=PREVIEW_MAX_BYTES)]
    thumb_bytes: Annotated[int, Meta(ge=1, le=PREVIEW_MAX_BYTES)]


class Drawn(Struct, frozen=True, forbid_unknown_fields=True, tag="drawn"):
    """An ordered derivative; its bytes follow."""

    width: Side
    height: Side
    quality: int
    lib: str
    picture_bytes: Annotated[int, Meta(ge=1, le=PICTURE_MAX_BYTES)]


Answer = Ready | Refused | Made | Drawn


def send(pipe: IO[bytes], head: Struct, *bodies: bytes) -> None:
    """Write one frame."""
    raw = msgspec.json.encode(head)
    for part in (len(raw).to_bytes(4), raw, *bodies):
        pipe.write(part)
    pipe.flush()


def receive_head(pipe: IO[bytes]) -> bytes:
    """Read a frame's JSON.

    Raises: EOFError when the other side is gone or sends no frame.
    """
    length = int.from_bytes(receive(pipe, 4))
    if length > FRAME_MAX_BYTES:
        raise EOFError
    return receive(pipe, length)


def receive(pipe: IO[bytes], size: int) -> bytes:
    """Read exactly ``size`` bytes.

    Raises: EOFError.
    """
    raw = pipe.read(size)
    if len(raw) != size:
        raise EOFError
    return raw
