"""A corpus of hostile files, made here, each with the label of what must become of it.

``refused`` names the codes that are right answers; ``flags`` what a taken file must be shown
with; a file that is damaged at random may be either, but never anything else.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from PIL import Image

from tests.media import samples
from tests.media.samples import HOSTILE, ZIP, a_jpeg, a_movie, a_pdf, a_picture, a_track, box

JPEG, PNG, WEBP, HEIC = "image/jpeg", "image/png", "image/webp", "image/heic"
MP4, MOV, M4A, PDF = "video/mp4", "video/quicktime", "audio/mp4", "application/pdf"
BROKEN = frozenset({"media.truncated", "media.not_decodable"})
MISMATCH = frozenset({"media.type_mismatch"})
MOVIE = frozenset({"media.truncated", "media.movie_malformed", "media.type_mismatch"})
ANY = BROKEN | MOVIE | {"media.bomb", "media.decode_limit"}


@dataclass(frozen=True)
class Case:
    """One file: what it is declared as, its bytes, and the right answers."""

    name: str
    mime: str
    raw: bytes
    refused: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    either: bool = False


def small(form: str, **options: object) -> bytes:
    return samples.encoded(a_picture(48, 40), form, **options)


HONEST = {
    JPEG: small("JPEG"),
    PNG: small("PNG"),
    WEBP: small("WEBP"),
    MP4: a_movie(),
    MOV: a_movie(b"qt  "),
    M4A: a_movie(b"M4A ", tracks=(a_track(b"soun"),)),
    PDF: a_pdf(b"<< /Length 3 >>"),
}
PAYLOADS = {
    "zip": ZIP,
    "html": HOSTILE["html"],
    "svg": HOSTILE["svg"],
    "script": b"<script src=//evil.invalid></script>",
    "php": b"<?php system($_GET[0]); ?>",
    "phar": b"<?php __HALT_COMPILER(); ?>" + bytes(40),
    "pdf": HONEST[PDF],
    "exe": HOSTILE["exe"],
    "elf": HOSTILE["elf"],
    "gzip": HOSTILE["gzip"],
    "rar": HOSTILE["rar"],
    "7z": HOSTILE["7z"],
    "jpeg": HONEST[JPEG],
    "movie": HONEST[MP4],
    "one byte": b"\0",
}


def polyglots() -> Iterator[Case]:
    """Two files in one: behind the picture, before it, and inside its comments."""
    for name, tail in PAYLOADS.items():
        for mime in (JPEG, PNG, WEBP):
            yield Case(f"{mime}+{name}", mime, HONEST[mime] + tail, flags=("trailing_data",))
        inside = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(tail) + 2) + tail
        yield Case(f"{name} in a comment", JPEG, inside + HONEST[JPEG][2:])
        if name != "jpeg":
            yield Case(f"{name} before a JPEG", JPEG, tail + HONEST[JPEG], MISMATCH)
        if name not in ("pdf", "html", "svg", "script", "php", "phar"):
            yield Case(f"PDF+{name}", PDF, HONEST[PDF] + tail, BROKEN, ("trailing_data",), True)


def wrong_types() -> Iterator[Case]:
    """Refused kinds under allowed names, and allowed kinds under each other's."""
    mimes = list(HONEST)
    for number, (name, raw) in enumerate(HOSTILE.items()):
        for step in (0, 3):
            mime = mimes[(number + step) % len(mimes)]
            yield Case(f"{name} as {mime}", mime, raw, MISMATCH)
    for declared in mimes:
        for actual in mimes:
            if declared != actual:
                yield Case(f"{actual} as {declared}", declared, HONEST[actual], MISMATCH)


def truncated() -> Iterator[Case]:
    """Files that end before their format does."""
    whole = HONEST | {JPEG: a_jpeg(200, 160, progressive=True)}
    for mime, raw in whole.items():
        for parts in range(1, 10):
            cut = raw[: max(13, len(raw) * parts // 10)]
            yield Case(f"{mime} cut at {parts}/10", mime, cut, BROKEN | MOVIE)


def bombs() -> Iterator[Case]:
    """A few bytes that would be very many once opened."""
    bomb = frozenset({"media.bomb"})
    for width, height in ((13_000, 13_000), (7_100, 7_100), (100_000, 1_000), (600, 100_000)):
        yield Case(f"PNG of {width} by {height}", PNG, samples.png_of(width, height), bomb)
    huge = bytearray(HONEST[JPEG])
    at = huge.index(b"\xff\xc0") + 5
    huge[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    yield Case("JPEG that claims 65,000 by 65,000", JPEG, bytes(huge), bomb)
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\0" + b"\xfe\x3f\0"
    raw = b"WEBP" + canvas + HONEST[WEBP][12:]
    big = b"RIFF" + struct.pack("<I", len(raw)) + raw
    yield Case("WebP that claims 16,383 by 16,383", WEBP, big, bomb | BROKEN)
    deep = _png((7_000, 7_000), depth=16, colour=0)
    yield Case("PNG of 16 bits a pixel", PNG, deep, BROKEN | {"media.decode_limit"}, (), True)
    text = b"k\0\0" + zlib.compress(bytes(80_000_000), 9)
    profile = b"icc\0\0" + zlib.compress(bytes(80_000_000), 9)
    for name, body in ((b"zTXt", text), (b"iCCP", profile), (b"iTXt", b"k\0\1\0\0\0" + text[3:])):
        raw = _with_chunk(HONEST[PNG], name, body)
        yield Case(f"PNG with 80 MB in {name.decode()}", PNG, raw, BROKEN, (), True)
    stream = samples.object_stream(bytes(120_000_000))
    yield Case("PDF with 120 MB in a stream", PDF, a_pdf(stream), flags=("pdf_opaque",))


def _png(size: tuple[int, int], *, depth: int, colour: int) -> bytes:
    """A PNG of zeros of any depth."""
    width, height = size
    bits = depth * {0: 1, 2: 3, 6: 4}[colour]
    row = bytes(1 + width * bits // 8)
    deflater = zlib.compressobj(9)
    body = b"".join(deflater.compress(row) for _ in range(height)) + deflater.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, part) for name, part in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """The chunk behind the header."""
    return png[:33] + _chunk(name, body) + png[33:]


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def _with_segments(*segments: bytes) -> bytes:
    return HONEST[JPEG][:2] + b"".join(segments) + HONEST[JPEG][2:]


def metadata() -> Iterator[Case]:
    """What tells too much, and what is broken in order to break its reader."""
    for orientation in range(1, 9):
        tags = samples.phone_tags(orientation)
        yield Case(f"EXIF with GPS, turned {orientation}", JPEG, small("JPEG", exif=tags))
    tags, profile = samples.phone_tags(), b"p" * 3000
    for form, mime in (("PNG", PNG), ("WEBP", WEBP)):
        yield Case(f"{form} with EXIF", mime, small(form, exif=tags))
        yield Case(f"{form} with ICC", mime, small(form, icc_profile=profile))
    yield Case("WebP with XMP", WEBP, small("WEBP", xmp=b"<x:xmpmeta/>"))
    yield Case("JPEG with ICC in 3 parts", JPEG, small("JPEG", icc_profile=b"p" * 150_000))
    yield Case("JPEG with a comment", JPEG, small("JPEG", comment=b"secret"))
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>GPS</x:xmpmeta>"
    for name, segment in {
        "XMP": _segment(0xE1, xmp),
        "IPTC": _segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\x00"),
        "Adobe": _segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
        "MPF": _segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\0"),
        "FlashPix": _segment(0xE2, b"FPXR\0" + bytes(60)),
        "Ducky": _segment(0xEC, b"Ducky" + bytes(20)),
        "64 KB EXIF": _segment(0xE1, b"Exif\0\0" + bytes(65_000)),
    }.items():
        raw = _with_segments(segment)
        yield Case(f"JPEG with {name}", JPEG, raw, BROKEN, (), True)
    many = [_segment(0xE0 + number % 16, bytes(20)) for number in range(4_000)]
    yield Case("JPEG with 4,000 segments", JPEG, _with_segments(*many), BROKEN, (), True)
    for name, body in _broken_exif():
        raw = _with_segments(_segment(0xE1, b"Exif\0\0" + body))
        yield Case(f"EXIF that {name}", JPEG, raw, BROKEN, (), True)


def _broken_exif() -> Iterator[tuple[str, bytes]]:
    head = b"MM\0*\0\0\0\x08"

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack(">HHII", tag, kind, count, value)

    yield "points at itself", head + b"\0\1" + entry(0x8769, 4, 1, 8) + struct.pack(">I", 8)
    yield "points beyond its end", head + b"\0\1" + entry(0x8769, 4, 1, 2**31) + bytes(4)
    yield "counts four thousand million", head + b"\0\1" + entry(0x10F, 2, 2**32 - 1, 8) + bytes(4)
    yield "has an unknown kind", head + b"\0\1" + entry(0x112, 99, 1, 3) + bytes(4)
    yield "has orientation 999", head + b"\0\1" + entry(0x112, 3, 1, 999 << 16) + bytes(4)
    gps = entry(2, 5, 3, 60) + entry(4, 5, 3, 60)
    zero = head + b"\0\1" + entry(0x8825, 4, 1, 26) + bytes(4) + b"\0\2" + gps + bytes(40)
    yield "divides by zero", zero
    yield "lists 65,535 tags", head + b"\xff\xff" + entry(0x10F, 2, 4, 0) * 200
    yield "is a TIFF of another order", b"II" + head[2:] + bytes(20)


def papers() -> Iterator[Case]:
    """Active content of PDF, plain, spelled oddly and hidden."""
    active = {
        "pdf_javascript": (b"<< /S /JavaScript /JS (x) >>", b"<< /JS 5 0 R >>", b"/J#61vaScript"),
        "pdf_launch": (b"<< /S /Launch /F (a.exe) >>", b"/#4caunch", b"/Launch<</Win<<>>>>"),
        "pdf_embedded_file": (b"/EmbeddedFile", b"/EmbeddedFiles 4 0 R", b"/Embedded#46ile"),
        "pdf_encrypted": (b"/Encrypt 9 0 R", b"/#45ncrypt", b"/Encrypt<<>>"),
    }
    for flag, texts in active.items():
        for number, text in enumerate(texts):
            yield Case(f"{flag} {number}", PDF, a_pdf(text), flags=(flag,))
            hidden = samples.object_stream(text)
            yield Case(f"{flag} {number} in a stream", PDF, a_pdf(hidden), flags=(flag,))
    for name, text in {
        "no stream": b"<< /Type /ObjStm >> endobj",
        "no deflate": b"<< /Type /ObjStm >> stream\nnope",
        "half a stream": samples.object_stream(b"x" * 5000)[:90] + b"\nendstream",
    }.items():
        yield Case(f"object stream with {name}", PDF, a_pdf(text), flags=("pdf_opaque",))
    many = b"\n".join(samples.object_stream(b"1") for _ in range(2_100))
    yield Case("2,100 object streams", PDF, a_pdf(many), flags=("pdf_opaque",))
    yield Case("PDF without an end", PDF, HONEST[PDF].replace(b"%%EOF", b""), BROKEN)
    yield Case("spaces before a PDF", PDF, b"  " + HONEST[PDF], MISMATCH)
    yield Case("only a header", PDF, b"%PDF-1.7\n", BROKEN)


def movies() -> Iterator[Case]:
    """Boxes that lie, loop and overflow."""
    head = box(b"ftyp", b"isom", bytes(4))
    for name, raw in {
        "a box of 4 bytes": head + struct.pack(">I4s", 4, b"moov"),
        "a box of 2^63 bytes": head + struct.pack(">I4sQ", 1, b"moov", 2**63),
        "a box of 2^64-1 bytes": head + struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1),
        "a wide box of 8 bytes": head + struct.pack(">I4sQ", 1, b"moov", 8) + bytes(40),
        "a box beyond the end": head + struct.pack(">I4s", 5_000, b"moov") + bytes(20),
        "no moov": head + box(b"mdat", bytes(500)),
        "5,000 boxes": head + box(b"free") * 5_000 + a_movie(),
        "5,000 tracks' boxes": head + box(b"moov", box(b"trak") * 5_000),
        "a moov of 40 MB": head + struct.pack(">I4s", 40_000_000, b"moov") + bytes(40_000_000),
        "an mvhd of one byte": head + box(b"moov", box(b"mvhd", b"\0")),
        "a tkhd of one byte": head + box(b"moov", box(b"trak", box(b"tkhd", b"\0"))),
        "an mvhd of version 1, cut": head + box(b"moov", box(b"mvhd", b"\1" + bytes(15))),
        "no tracks": a_movie(tracks=()),
        "half a header": head + b"\0\0\0",
        "an ftyp to the end": b"\0\0\0\0ftypisom" + bytes(4) + a_movie()[20:],
        "only sound": a_movie(tracks=(a_track(b"soun"),)),
    }.items():
        yield Case(f"MP4 with {name}", MP4, raw, MOVIE)
    yield Case("M4A with pictures", M4A, a_movie(b"M4A "), MISMATCH)
    for brand in (b"avif", b"crx ", b"3gp4", b"dash", b"\0\0\0\0"):
        yield Case(f"movie of brand {brand!r}", MP4, a_movie(brand), MISMATCH)
    nested = box(b"mdia", b"")
    for _ in range(200):
        nested = box(b"trak", nested)
    taken = {
        "200 levels": box(b"udta", nested),
        "a wrong box inside": box(b"udta", struct.pack(">I4s", 2**31, b"meta")),
        "70 tracks": b"".join([a_track(b"soun")] * 70),
        "an endless duration": b"",
        "a timescale of zero": b"",
    }
    for name, extra in taken.items():
        scale, units = (
            (0, 5) if "zero" in name else (1, 2**32 - 1) if "endless" in name else (600, 9)
        )
        tracks = (a_track(b"vide", 65_535, 65_535), extra)
        yield Case(f"MP4 with {name}", MP4, a_movie(tracks=tracks, scale=scale, units=units))


def pictures() -> Iterator[Case]:
    """Codes and tables that no encoder writes."""
    raw = HONEST[JPEG]
    frame = raw.index(b"\xff\xc0")
    for name, at, value in (
        ("no components", frame + 9, 0),
        ("255 components", frame + 9, 255),
        ("12 bits", frame + 4, 12),
        ("sampling 15 by 15", frame + 11, 0xFF),
        ("table 255", frame + 12, 255),
        ("no height", frame + 6, 0),
    ):
        changed = bytearray(raw)
        changed[at] = value
        yield Case(f"JPEG with {name}", JPEG, bytes(changed), BROKEN, (), True)
    yield Case("JPEG without tables", JPEG, raw[:2] + raw[frame:], BROKEN)
    arithmetic = raw.replace(b"\xff\xc0", b"\xff\xc9")
    yield Case("JPEG of arithmetic codes", JPEG, arithmetic, ANY, (), either=True)
    yield Case("JPEG of lossless codes", JPEG, raw.replace(b"\xff\xc0", b"\xff\xc3"), ANY)
    yield Case(
        "JPEG with PostScript behind its magic",
        JPEG,
        b"\xff\xd8\xff" + HOSTILE["eps"] * 99,
        BROKEN,
    )
    yield Case("JPEG that is a start alone", JPEG, b"\xff\xd8\xff\xd9", BROKEN)
    yield Case(
        "JPEG of empty segments",
        JPEG,
        b"\xff\xd8" + b"\xff\xfe\0\2" * 100_001 + b"\xff\xd9",
        BROKEN,
    )
    yield Case("PNG without pixels", PNG, HONEST[PNG].replace(b"IDAT", b"IDAX"), BROKEN)
    yield Case("PNG with a wrong checksum", PNG, HONEST[PNG].replace(b"IHDR", b"IHDr"), BROKEN)
    yield Case(
        "PNG of no size",
        PNG,
        samples.png_of(48, 40).replace(b"\0\0\0\x30\0\0\0\x28", bytes(8)),
        BROKEN,
    )
    yield Case(
        "PNG with a lying length",
        PNG,
        HONEST[PNG][:33] + b"\x7f\xff\xff\xffIDAT" + bytes(90),
        BROKEN,
    )
    frames = io.BytesIO()
    a_picture(24, 24).save(
        frames, "PNG", save_all=True, append_images=[Image.new("RGB", (24, 24))] * 40
    )
    yield Case("APNG of 41 frames", PNG, frames.getvalue(), BROKEN, (), True)
    frames = io.BytesIO()
    a_picture(24, 24).save(
        frames, "WEBP", save_all=True, append_images=[Image.new("RGB", (24, 24))] * 40
    )
    yield Case("WebP of 41 frames", WEBP, frames.getvalue(), BROKEN, (), True)
    yield Case("WebP of noise", WEBP, b"RIFF\x20\0\0\0WEBPVP8 " + bytes(24), BROKEN)
    for brand in (b"heic", b"heix", b"heim", b"mif1", b"msf1"):
        missing = frozenset({"media.decoder_missing"})
        yield Case(
            f"HEIC of brand {brand!r}", HEIC, box(b"ftyp", brand, bytes(8)) + bytes(99), missing
        )
    for mime in HONEST:
        yield Case(f"{mime} without a byte", mime, b"", frozenset({"media.empty"}))
        yield Case(f"{mime} of one byte", mime, b"\xff", MISMATCH)


def damaged() -> Iterator[Case]:
    """Honest files with some bytes changed, by one seed each."""
    for mime, raw in HONEST.items():
        for seed in range(12):
            rng, changed = Random(f"{mime} {seed}"), bytearray(raw)
            for _ in range(rng.randint(1, 12)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            yield Case(f"{mime} damaged by {seed}", mime, bytes(changed), ANY, (), True)


def corpus() -> Iterator[Case]:
    """All of it."""
    for family in (
        *(polyglots, wrong_types, truncated, bombs, metadata),
        *(papers, movies, pictures, damaged),
    ):
        yield from family()
