"""Small files of every kind, made on the spot: honest ones and hostile ones."""

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image


def encoded(picture: Image.Image, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, **options)
    return out.getvalue()


def a_picture(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """A gradient that differs in every corner, so that turning it shows."""
    across = Image.linear_gradient("L").resize((width, height))
    down = Image.linear_gradient("L").rotate(90).resize((width, height))
    flat = Image.new("L", (width, height), 80)
    return Image.merge("RGB", (across, down, flat)).convert(mode)


def a_jpeg(width: int = 640, height: int = 480, **options: Any) -> bytes:
    return encoded(a_picture(width, height), "JPEG", **options)


def a_photo(width: int, height: int) -> bytes:
    """A JPEG as heavy as a camera's: 2.4 MB for 12 megapixels."""
    grain = Image.effect_noise((width // 8, height // 8), 60).resize((width, height))
    across = Image.linear_gradient("L").resize((width, height))
    turned = grain.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return encoded(Image.merge("RGB", (grain, across, turned)), "JPEG", quality=88)


def phone_tags(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.Make] = "Made Up"
    tags[ExifTags.Base.Model] = "Phone 7\x07"
    tags[ExifTags.Base.Software] = "editor " * 30
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:01 09:30:00"
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    place = tags.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitude] = (36.0, 39.0, 0.0)
    place[ExifTags.GPS.GPSLongitude] = (117.0, 0.0, 0.0)
    return tags


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size; its rows are zeros and deflate to almost nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    deflater = zlib.compressobj(9)
    row = bytes(width + 1)
    body = b"".join(deflater.compress(row) for _ in range(height)) + deflater.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I", 8 + len(body)) + name + body


def a_track(handler: bytes, width: int = 0, height: int = 0, *, version: int = 0) -> bytes:
    times = bytes(32 if version else 20)
    rest = bytes(52) + struct.pack(">II", width << 16, height << 16)
    tkhd = box(b"tkhd", bytes([version, 0, 0, 7]), times, rest)
    hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
    return box(b"trak", tkhd, box(b"mdia", box(b"mdhd", bytes(24)), hdlr))


def a_movie(
    brand: bytes = b"isom",
    *,
    tracks: tuple[bytes, ...] | None = None,
    scale: int = 600,
    units: int = 7200,
    version: int = 0,
) -> bytes:
    if tracks is None:
        tracks = (a_track(b"vide", 1280, 720, version=version), a_track(b"soun"))
    clock = struct.pack(">IQ", scale, units) if version else struct.pack(">II", scale, units)
    mvhd = box(b"mvhd", bytes([version, 0, 0, 0]), bytes(16 if version else 8), clock, bytes(80))
    return (
        box(b"ftyp", brand, bytes(4), b"isom")
        + box(b"mdat", bytes(1000))
        + box(b"moov", mvhd, *tracks)
    )


def a_pdf(*objects: bytes) -> bytes:
    body = b"\n".join(objects)
    return (
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        + body
        + b"\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    )


def object_stream(text: bytes) -> bytes:
    packed = zlib.compress(text)
    head = b"5 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n"
    return head % len(packed) + packed + b"\nendstream\nendobj"


ZIP = b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml"
HOSTILE = {
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "gif": encoded(a_picture(8, 8), "GIF"),
    "tiff": encoded(a_picture(8, 8), "TIFF"),
    "bmp": encoded(a_picture(8, 8), "BMP"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "eps with a header": b"\xc5\xd0\xd3\xc6" + bytes(26) + b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "zip or office": ZIP,
    "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "gzip": b"\x1f\x8b\x08" + bytes(20),
    "rar": b"Rar!\x1a\x07\x00" + bytes(20),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "exe": b"MZ" + bytes(200),
    "elf": b"\x7fELF" + bytes(200),
    "avif": box(b"ftyp", b"avif", bytes(4)) + bytes(50),
    "wav": b"RIFF" + bytes(4) + b"WAVEfmt " + bytes(30),
    "text": "普通文字".encode(),
    "one byte": b"\xff",
    "spaces before pdf": b"   %PDF-1.7\n%%EOF",
}
