"""Where a picture ends: JPEG, PNG and WebP structure, read without decoding.

Source: evidence-and-sync 12.4 (flag ``trailing_data``: bytes behind the picture's end, as in
JPEG and ZIP or HTML polyglots; a phone's motion photo has them too, hence a flag).
"""

import re
from collections.abc import Iterator

from media.kinds import Truncated

TRAILING = "trailing_data"
MARKERS_MAX = 100_000

_SOS, _EOI, _RST_FIRST, _RST_LAST, _TEM = 0xDA, 0xD9, 0xD0, 0xD7, 0x01
# In entropy-coded bytes FF00 is a stuffed FF, FFD0-FFD7 a restart and FFFF fill.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_APP0, _APP15 = 0xE0, 0xEF
# DQT, SOF0 to SOF2, DHT, DRI, SOS, EOI and restarts: what it takes to show a picture.
_PICTURE = frozenset({0xDB, 0xC0, 0xC1, 0xC2, 0xC4, 0xDD, _SOS, _EOI, *range(_RST_FIRST, _EOI)})
# JFIF 1.x with a density and no thumbnail.
_PLAIN_JFIF = re.compile(rb"JFIF\0\x01[\0-\x02][\0-\x02].{4}\0\0", re.DOTALL)
_PNG_SIGNATURE_BYTES = 8
_PNG_FRAME_BYTES = 12  # length, type, checksum
_RIFF_HEADER_BYTES = 8


def flags(mime: str, raw: bytes) -> tuple[str, ...]:
    """Flag bytes behind the end of a whole JPEG, PNG or WebP file whose magic was checked.

    Raises: Truncated ("media.truncated").
    Source: evidence-and-sync 12.4.
    """
    end = {"image/jpeg": _jpeg_end, "image/png": _png_end, "image/webp": _webp_end}[mime](raw)
    return (TRAILING,) if end < len(raw) else ()


def beyond_picture(raw: bytes) -> tuple[str, ...]:
    """What a JPEG carries beside its picture: names of segments, sorted, each once.

    Empty means that nothing but tables, frame, scan and a plain JFIF header is there: no EXIF,
    XMP, ICC profile, comment, embedded thumbnail, second picture or trailing bytes.
    Raises: Truncated ("media.truncated").
    Source: evidence-and-sync 7 (no APPn, COM, XMP or ICC beyond an allow-list).
    """
    found, end = set(), 0
    for marker, start, stop in _jpeg_segments(raw):
        body, end = raw[start:stop], stop
        if marker in _PICTURE or (marker == _APP0 and _PLAIN_JFIF.fullmatch(body)):
            continue
        found.add(f"APP{marker - _APP0}" if _APP0 <= marker <= _APP15 else f"{marker:02X}")
    if end < len(raw):
        found.add(TRAILING)
    return tuple(sorted(found))


def _jpeg_end(raw: bytes) -> int:
    end = 0
    for _, _, stop in _jpeg_segments(raw):
        end = stop
    return end


def _jpeg_segments(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Each marker with where its body starts and stops; the last is the end of the picture."""
    at = 2
    for _ in range(MARKERS_MAX):
        while raw[at : at + 2] == b"\xff\xff":
            at += 1
        if len(raw) < at + 2 or raw[at] != 0xFF:  # noqa: PLR2004 - the marker byte
            break
        marker = raw[at + 1]
        at += 2
        if marker == _EOI:
            yield marker, at, at
            return
        if marker == _TEM or _RST_FIRST <= marker <= _RST_LAST:
            yield marker, at, at
            continue
        length = int.from_bytes(raw[at : at + 2])
        if length < 2:  # noqa: PLR2004 - a segment counts its own two length bytes
            break
        yield marker, at + 2, at + length
        at += length
        if marker == _SOS:
            found = _NEXT_MARKER.search(raw, at)
            if found is None:
                break
            at = found.start()
    raise Truncated(format="jpeg")


def _png_end(raw: bytes) -> int:
    at = _PNG_SIGNATURE_BYTES
    while at + _PNG_FRAME_BYTES <= len(raw):
        length = int.from_bytes(raw[at : at + 4])
        name = raw[at + 4 : at + 8]
        at += _PNG_FRAME_BYTES + length
        if name == b"IEND" and at <= len(raw):
            return at
    raise Truncated(format="png")


def _webp_end(raw: bytes) -> int:
    length = int.from_bytes(raw[4:8], "little")
    end = _RIFF_HEADER_BYTES + length + (length & 1)
    if end > len(raw):
        raise Truncated(format="webp")
    return end
