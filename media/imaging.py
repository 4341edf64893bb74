"""The child that decodes pictures: Pillow behind limits, one picture after another.

Source: evidence-and-sync 7, 12.4.  Run as ``python -m media.imaging`` by ``media.darkroom``, never
imported by the application.  Before the first picture it has loaded every decoder, and after that
it can open no file and no socket; hostile bytes find a process with nothing in it.
"""

import io
import os
import resource
import struct
import sys
import time
import warnings
from fractions import Fraction
from typing import IO

import msgspec
from PIL import (
    ExifTags,
    Image,
    ImageDraw,
    ImageFile,
    ImageFont,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from media import likeness, previews
from media.renderings import Arrow, Box, Order

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
# Pillow imports a plugin at its first use, when no file can be opened any more.
LOADED = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)

PIXELS_MAX = 50_000_000
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 10
NICENESS = 10  # a phone waits for its answer, a preview can wait
PREVIEW_SIDE = 1280
THUMB_SIDE = 256
QUALITY = 80
FULL_QUALITY = 90  # of what is read closely: blackened and annotated copies
# Lanczos takes 47 ms for the preview of a 12-megapixel photo, this 22, decoding it 27 (measured).
FILTER = Image.Resampling.HAMMING
TEXT_MAX = 80
RED = (214, 30, 30)
STAMP_OPACITY = 110
SIXTIETHS = (1, 60, 3600)
LAT_MAX_E7, LON_MAX_E7 = 900_000_000, 1_800_000_000

LIB = f"Pillow {features.version('pil')}, libjpeg-turbo {features.version('libjpeg_turbo')}"
RECIPE = previews.Recipe(
    name="preview-and-thumb",
    ver=1,
    params={
        "preview": PREVIEW_SIDE,
        "thumb": THUMB_SIDE,
        "quality": QUALITY,
        "filter": FILTER.value,
    },
    lib=LIB,
)
_DECODER_FAULTS = (OSError, SyntaxError, ValueError, EOFError, struct.error)


class _TooManyPixels(Exception):  # noqa: N818 - an answer, not an error
    pass


def _opened(mime: str, raw: bytes) -> ImageFile.ImageFile:
    picture = Image.open(io.BytesIO(raw), formats=[FORMATS[mime]])
    if picture.width * picture.height > PIXELS_MAX:
        raise _TooManyPixels
    return picture


def develop(mime: str, raw: bytes) -> tuple[previews.Made, bytes, bytes]:
    """Decode one picture and make its two JPEGs, upright and without metadata.

    Source: evidence-and-sync 7 (recipe), 12.4.
    """
    with _opened(mime, raw) as picture:
        width, height = picture.size
        tags = picture.getexif()
        exif, place = _exif(tags), _place(tags.get_ifd(ExifTags.IFD.GPSInfo))
        if tags.get(ExifTags.Base.Orientation) in {5, 6, 7, 8}:
            width, height = height, width
        # draft makes libjpeg decode at 1/2, 1/4 or 1/8: 80 ms against 335 ms for 12 megapixels.
        picture.draft("RGB", (PREVIEW_SIDE, PREVIEW_SIDE))
        small = _shrunk(picture)
    # The box is square, so turning the small picture gives what turning the large one would.
    ImageOps.exif_transpose(small, in_place=True)
    flat = _flat(small)
    preview = _jpeg(flat)
    flat.thumbnail((THUMB_SIDE, THUMB_SIDE), FILTER)
    thumb = _jpeg(flat)
    made = previews.Made(
        width=width,
        height=height,
        exif=exif,
        recipe=RECIPE,
        likeness=likeness.of_raster(raster(flat)),
        place=place,
        preview_bytes=len(preview),
        thumb_bytes=len(thumb),
    )
    return made, preview, thumb


def render(mime: str, raw: bytes, order: Order) -> tuple[previews.Drawn, bytes]:
    """Make the derivative that a person ordered, upright and without metadata.

    Source: evidence-and-sync 7, 12.3.
    """
    quality = FULL_QUALITY
    with _opened(mime, raw) as picture:
        if order.kind == "watermarked":
            quality = QUALITY
            picture.draft("RGB", (PREVIEW_SIDE, PREVIEW_SIDE))
            whole = _shrunk(picture)
        else:
            picture.load()
            whole = picture
        # In place: a copy of 50 megapixels more would not fit.
        ImageOps.exif_transpose(whole, in_place=True)
        flat = _flat(whole)
    if flat.mode != "RGB" and order.kind != "redacted":
        flat = flat.convert("RGB")
    if order.kind == "redacted":
        _blacken(flat, order.boxes)
    elif order.kind == "annotated":
        _annotate(flat, order.boxes, order.arrows)
    else:
        _stamp(flat, order.stamp or "")
    made = _jpeg(flat, quality)
    return previews.Drawn(flat.width, flat.height, quality, LIB, len(made)), made


def _blacken(flat: Image.Image, boxes: tuple[Box, ...]) -> None:
    black = 0 if flat.mode == "L" else (0, 0, 0)
    for box in boxes:
        flat.paste(black, (box.x, box.y, box.x + box.w, box.y + box.h))


def _annotate(flat: Image.Image, boxes: tuple[Box, ...], arrows: tuple[Arrow, ...]) -> None:
    """Outlines and arrows in red with a white edge, numbered; the words stand in the recipe."""
    draw, unit = ImageDraw.Draw(flat), max(3, max(flat.size) // 300)
    font = ImageFont.load_default(unit * 8)
    for number, box in enumerate(boxes, 1):
        corners = (box.x, box.y, box.x + box.w - 1, box.y + box.h - 1)
        draw.rectangle(corners, outline="white", width=unit + 2)
        draw.rectangle(corners, outline=RED, width=unit)
        _number(draw, (box.x + 3 * unit, box.y + 2 * unit), str(number), font)
    for number, arrow in enumerate(arrows, len(boxes) + 1):
        start, end = (arrow.from_x, arrow.from_y), (arrow.to_x, arrow.to_y)
        draw.line((start, end), fill="white", width=unit + 4)
        draw.line((start, end), fill=RED, width=unit)
        tip = unit * 3
        draw.ellipse((end[0] - tip, end[1] - tip, end[0] + tip, end[1] + tip), fill=RED)
        _number(draw, start, str(number), font)


def _number(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    draw.text(place, text, fill=RED, font=font, stroke_width=2, stroke_fill="white")


def _stamp(flat: Image.Image, text: str) -> None:
    """The text in rows all over the picture, half transparent, legible on dark and on light."""
    font = ImageFont.load_default(max(10, max(flat.size) // 70))
    left, top, right, bottom = font.getbbox(text)
    wide, high = int(right - left) + 40, int(bottom - top) * 5
    mask = Image.new("L", flat.size, 0)
    draw = ImageDraw.Draw(mask)
    for row, y in enumerate(range(0, flat.height + high, high)):
        # Rows begin at different places, so that no column of the picture stays free.
        for x in range(-(row * wide // 3 % wide), flat.width, wide):
            draw.text((x, y), text, fill=STAMP_OPACITY, font=font)
    flat.paste((0, 0, 0), (1, 1), mask.crop((0, 0, flat.width - 1, flat.height - 1)))
    flat.paste((255, 255, 255), (0, 0), mask)


def raster(picture: Image.Image) -> bytes:
    """A picture squashed to the grey square that ``likeness`` hashes.

    Source: evidence-and-sync 10.
    """
    side = likeness.SIDE
    return picture.convert("L").resize((side, side), Image.Resampling.BILINEAR).tobytes()


def _shrunk(picture: ImageFile.ImageFile) -> Image.Image:
    picture.load()
    small: Image.Image = picture
    # Palettes and 1-bit pictures would be sampled at single points.
    if picture.mode in {"1", "P"}:
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), FILTER)
    if small.mode == "I;16":
        # 16-bit grey: converting alone would clip everything above 255 to white.
        small = small.point(lambda value: value * (1 / 256)).convert("L")
        small.info.pop("transparency", None)
    return small


def _flat(small: Image.Image) -> Image.Image:
    """Colours that JPEG can hold, on white, in an image that carries no metadata."""
    if small.has_transparency_data:
        layer = small.convert("RGBA")
        flat = Image.new("RGB", small.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    flat = small.convert("L" if small.mode == "L" else "RGB")
    # Pillow writes a comment found in the source even when none is asked for.
    flat.info.clear()
    return flat


def _jpeg(picture: Image.Image, quality: int = QUALITY) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, exif=b"")
    return out.getvalue()


def _exif(tags: Image.Exif) -> previews.Exif:
    detail = tags.get_ifd(ExifTags.IFD.Exif)
    gps = tags.get_ifd(ExifTags.IFD.GPSInfo)
    camera = [_text(tags.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    return previews.Exif(
        taken=_text(detail.get(ExifTags.Base.DateTimeOriginal)),
        offset=_text(detail.get(ExifTags.Base.OffsetTimeOriginal)),
        camera=_text(" ".join(part for part in camera if part)),
        software=_text(tags.get(ExifTags.Base.Software)),
        gps=ExifTags.GPS.GPSLatitude in gps and ExifTags.GPS.GPSLongitude in gps,
    )


def _place(gps: dict[int, object]) -> previews.Place | None:
    """The position in EXIF; None where it is missing, broken or none on earth."""
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "NS")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "EW")
    if lat is None or lon is None or abs(lat) > LAT_MAX_E7 or abs(lon) > LON_MAX_E7:
        return None
    return previews.Place(lat, lon)


def _degrees(parts: object, side: object, sides: str) -> int | None:
    """Degrees, minutes and seconds as 1e-7 degrees, negative in the second of the ``sides``."""
    if not isinstance(parts, tuple) or len(parts) != len(SIXTIETHS) or side not in tuple(sides):
        return None
    try:
        whole = sum(
            Fraction(int(part.numerator), int(part.denominator)) / sixtieth
            for part, sixtieth in zip(parts, SIXTIETHS, strict=True)
        )
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        return None
    return round(whole * 10_000_000) * (-1 if side == sides[1] else 1)


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    plain = "".join(char for char in value if char.isprintable()).strip()
    return plain[:TEXT_MAX] or None


def _answer(pipe: IO[bytes], ask: previews.Ask, raw: bytes) -> None:
    bodies: list[bytes]
    head: previews.Made | previews.Drawn
    try:
        if ask.order is None:
            head, *bodies = develop(ask.mime, raw)
        else:
            head, *bodies = render(ask.mime, raw, ask.order)
    except (_TooManyPixels, Image.DecompressionBombError, Image.DecompressionBombWarning):
        previews.send(pipe, previews.Refused("bomb", f"more than {PIXELS_MAX} pixels"))
    except MemoryError:
        previews.send(pipe, previews.Refused("memory", "out of memory"))
    except _DECODER_FAULTS as error:
        detail = f"{type(error).__name__}: {error}"[:400]
        previews.send(pipe, previews.Refused("not_decodable", detail))
    else:
        previews.send(pipe, head, *bodies)


def _load_decoders() -> None:
    """Use every codec once, EXIF included, so that nothing is left to import."""
    Image.init()
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    for mime, name in FORMATS.items():
        for mode in ("RGB", "L"):
            out = io.BytesIO()
            Image.new(mode, (8, 8)).save(out, name, exif=tags)
            develop(mime, out.getvalue())
    every = Order("annotated", (Box(1, 1, 5, 5),), (Arrow(0, 0, 3, 3),), "a")
    for kind in ("redacted", "annotated", "watermarked"):
        render(mime, out.getvalue(), msgspec.structs.replace(every, kind=kind))


def _shut_doors() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # Descriptors 0 to 3 are taken, so no file and no socket can be opened from here on.
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))


def _allow_cpu() -> None:
    used = int(time.process_time()) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, hard))


def main() -> None:
    """Serve pictures from standard input until it closes."""
    # Answers go to a private copy of standard output; what a library prints goes to nowhere.
    answers = os.dup(1)
    os.dup2(2, 1)
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    os.nice(NICENESS)
    _load_decoders()
    with os.fdopen(answers, "wb") as pipe:
        _shut_doors()
        previews.send(pipe, previews.Ready())
        while True:
            try:
                ask = msgspec.json.decode(
                    previews.receive_head(sys.stdin.buffer), type=previews.Ask
                )
                raw = previews.receive(sys.stdin.buffer, ask.size)
            except EOFError:
                return
            _allow_cpu()
            _answer(pipe, ask, raw)


if __name__ == "__main__":
    main()
