"""Facts of an MP4, MOV or M4A file from its box headers: bounded reads, nothing decoded.

Source: evidence-and-sync 12.4 (own bounded box reader), issue: header probe without decoding.
"""

import struct
from collections.abc import Callable, Iterator
from typing import ClassVar

from msgspec import Struct

from media.errors import MediaRefusal
from media.kinds import Truncated, TypeMismatch

BOXES_MAX = 4096
MOOV_MAX_BYTES = 32_000_000
HEADER_BYTES = 16
TRACKS_MAX = 64
SIDE_MAX = 16_384
DURATION_MAX_MS = 86_400_000

Read = Callable[[int, int], bytes]  # (offset, length) -> at most that many bytes


class MovieMalformed(MediaRefusal):
    """Boxes that contradict each other or never end."""

    code: ClassVar[str] = "media.movie_malformed"


class Movie(Struct, frozen=True):
    """What the headers say; a claim of the file, not a measurement of its frames."""

    duration_ms: int
    width: int
    height: int
    has_picture: bool
    has_sound: bool


class _Box(Struct, frozen=True):
    name: bytes
    start: int
    stop: int


class _Track(Struct, frozen=True):
    handler: bytes
    width: int
    height: int


def probe(mime: str, read: Read, size: int) -> Movie:
    """Read duration, picture size and kinds of tracks of a file of ``size`` bytes.

    Raises: Truncated, TypeMismatch, MovieMalformed ("media.…").
    Source: evidence-and-sync 12.4.
    """
    budget = iter(range(BOXES_MAX))
    moov: _Box | None = None
    for box in _boxes(read, 0, size, budget):
        if box.name == b"moov":
            moov = box
    if moov is None:
        raise Truncated(format="mp4", missing="moov")
    if moov.stop - moov.start > MOOV_MAX_BYTES:
        raise MovieMalformed(reason="moov_size")
    movie = _movie(read, moov, budget)
    if movie.has_picture is mime.startswith("audio/") or not (
        movie.has_picture or movie.has_sound
    ):
        raise TypeMismatch(field="mime", declared=mime, found=_found(movie))
    return movie


def _found(movie: Movie) -> str | None:
    if movie.has_picture:
        return "video/mp4"
    return "audio/mp4" if movie.has_sound else None


def _movie(read: Read, moov: _Box, budget: Iterator[int]) -> Movie:
    duration = 0
    tracks: list[_Track] = []
    for box in _boxes(read, moov.start, moov.stop, budget):
        if box.name == b"mvhd":
            duration = _duration_ms(_body(read, box, 32))
        elif box.name == b"trak" and len(tracks) < TRACKS_MAX:
            tracks.append(_track(read, box, budget))
    pictures = [track for track in tracks if track.handler == b"vide"]
    return Movie(
        duration_ms=duration,
        width=max((track.width for track in pictures), default=0),
        height=max((track.height for track in pictures), default=0),
        has_picture=bool(pictures),
        has_sound=any(track.handler == b"soun" for track in tracks),
    )


def _track(read: Read, trak: _Box, budget: Iterator[int]) -> _Track:
    handler, width, height = b"", 0, 0
    for box in _boxes(read, trak.start, trak.stop, budget):
        if box.name == b"tkhd":
            body = _body(read, box, 96)
            # Version 1 has 64-bit times, which moves the closing width and height by 12 bytes.
            at = 88 if body[:1] == b"\x01" else 76
            width, height = _sides(body[at : at + 8])
        elif box.name == b"mdia":
            for inner in _boxes(read, box.start, box.stop, budget):
                if inner.name == b"hdlr":
                    handler = _body(read, inner, 12)[8:12]
    return _Track(handler, width, height)


def _duration_ms(body: bytes) -> int:
    try:
        if body[:1] == b"\x01":
            scale, units = struct.unpack_from(">IQ", body, 20)
        else:
            scale, units = struct.unpack_from(">II", body, 12)
    except struct.error:
        raise Truncated(format="mp4", missing="mvhd") from None
    # All ones means unknown, which live writers leave behind.
    if scale == 0 or units in {0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF}:
        return 0
    return min(int(units * 1000 // scale), DURATION_MAX_MS)


def _sides(body: bytes) -> tuple[int, int]:
    try:
        width, height = struct.unpack(">II", body)
    except struct.error:
        raise Truncated(format="mp4", missing="tkhd") from None
    return min(width >> 16, SIDE_MAX), min(height >> 16, SIDE_MAX)  # 16.16 fixed point


def _body(read: Read, box: _Box, length: int) -> bytes:
    return read(box.start, min(length, box.stop - box.start))


def _boxes(read: Read, start: int, stop: int, budget: Iterator[int]) -> Iterator[_Box]:
    """Boxes of one level in order; ``budget`` ends after ``BOXES_MAX`` over the whole file."""
    at = start
    while at + 8 <= stop:
        if next(budget, None) is None:
            raise MovieMalformed(reason="boxes")
        header = read(at, min(HEADER_BYTES, stop - at))
        length, name, used = int.from_bytes(header[:4]), header[4:8], 8
        if length == 1:
            length, used = int.from_bytes(header[8:16]), 16
        elif length == 0:
            length = stop - at
        if length < used:
            raise MovieMalformed(reason="box_length")
        if at + length > stop:
            raise Truncated(format="mp4", missing=name.decode("latin-1"))
        yield _Box(name, at + used, at + length)
        at += length
