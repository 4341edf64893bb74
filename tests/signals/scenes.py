"""Pictures of places drawn by code, and what people do to a picture: the labelled corpus.

A place is drawn from one number; another number says which day it was photographed: people sit
elsewhere, the light and the camera have moved a little.
"""

import io
import random
from collections.abc import Callable
from functools import partial

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from media import likeness
from media.imaging import raster
from media.likeness import Likeness

SIZE = (480, 360)
MARGIN = 40  # a hand never holds the camera where another hand held it
TILT = 1.5  # degrees
Draw = ImageDraw.ImageDraw
Paint = Callable[[Draw, random.Random, random.Random], None]


def _colour(rng: random.Random, low: int = 20, high: int = 235) -> tuple[int, int, int]:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def _person(draw: Draw, rng: random.Random, x: int, y: int, size: int) -> None:
    head = size // 3
    draw.ellipse((x - head // 2, y - size, x + head // 2, y - size + head), fill=_colour(rng, 10))
    draw.rounded_rectangle(
        (x - size // 3, y - size + head, x + size // 3, y), size // 6, fill=_colour(rng, 10)
    )


def _classroom(draw: Draw, place: random.Random, day: random.Random) -> None:
    width, height = SIZE
    draw.rectangle((0, height * 3 // 4, width, height), fill=_colour(place, 60, 170))
    left, top = place.randint(40, 160), place.randint(30, 70)
    draw.rectangle((left, top, left + place.randint(120, 250), top + 90), fill=(30, 80, 60))
    for x in range(place.randint(20, 60), width, place.randint(90, 170)):
        if place.random() < 0.4:
            draw.rectangle((x, 20, x + 50, 110), fill=(200, 225, 240), outline=(90, 90, 90))
    rows, across = place.randint(2, 4), place.randint(4, 8)
    for row in range(rows):
        for seat in range(across):
            x = 30 + seat * (width - 60) // across + row * 6
            y = height // 2 + row * (height // 2) // rows + 40
            draw.rectangle((x, y, x + 38, y + 8), fill=(170, 130, 90))
            if day.random() < 0.7:
                _person(draw, day, x + 18, y, 34 + row * 6)


def _entrance(draw: Draw, place: random.Random, day: random.Random) -> None:
    width, height = SIZE
    for y in range(0, height, 14):
        shade = place.randint(120, 200)
        draw.rectangle((0, y, width, y + 14), fill=(shade, shade - 20, shade - 40))
    left = place.randint(90, 220)
    draw.rectangle((left, 130, left + 140, height), fill=_colour(place))
    draw.line((left + 70, 130, left + 70, height), fill=(20, 20, 20), width=4)
    draw.rectangle((40, 40, width - 40, 100), fill=_colour(place), outline=(60, 40, 20), width=4)
    _glyphs(draw, place, (60, 50), 12, 26)
    for _ in range(day.randint(0, 3)):
        _person(draw, day, day.randint(20, width - 20), height - 4, day.randint(70, 110))


def _office(draw: Draw, place: random.Random, day: random.Random) -> None:
    width, height = SIZE
    for _ in range(place.randint(6, 12)):
        x, y = place.randint(0, width), place.randint(0, height)
        box = (x, y, x + place.randint(30, 150), y + place.randint(30, 120))
        draw.rectangle(box, fill=_colour(place), outline=_colour(place))
    for shelf in range(place.randint(1, 3)):
        y = 60 + shelf * 80
        for x in range(place.randint(0, 60), width - 40, 12):
            draw.rectangle((x, y, x + 9, y + place.randint(30, 60)), fill=_colour(place))
    for _ in range(day.randint(0, 2)):
        _person(draw, day, day.randint(20, width - 20), day.randint(250, height), 90)


def _workshop(draw: Draw, place: random.Random, day: random.Random) -> None:
    width, height = SIZE
    vanish = place.randint(150, 330)
    for edge in range(-width, 2 * width, place.randint(40, 80)):
        draw.line((vanish, 120, edge, height), fill=(90, 90, 90), width=3)
    for side in (0, width):
        for depth in range(4):
            x = side + (vanish - side) * depth // 5
            half = 70 - depth * 14
            y = height - 60 - depth * 45
            draw.rectangle((x - half, y - half, x + half, y + half // 2), fill=_colour(place))
    for _ in range(day.randint(1, 5)):
        _person(draw, day, day.randint(60, width - 60), day.randint(200, height), 80)


def _glyphs(draw: Draw, rng: random.Random, at: tuple[int, int], count: int, size: int) -> None:
    """Something like signs: a few strokes in a square each."""
    for place in range(count):
        x, y = at[0] + place * (size + 3), at[1]
        for _ in range(rng.randint(3, 6)):
            one = (x + rng.randint(0, size), y + rng.randint(0, size))
            other = (
                (one[0], y + rng.randint(0, size))
                if rng.random() < 0.5
                else (
                    x + rng.randint(0, size),
                    one[1],
                )
            )
            draw.line((*one, *other), fill=(30, 30, 36), width=max(1, size // 9))


def _paper(draw: Draw, place: random.Random, day: random.Random) -> None:
    """A filled form: its layout is the place, what is written in it the day."""
    width, height = SIZE
    draw.rectangle((0, 0, width, height), fill=_colour(place, 60, 140))
    draw.rectangle((70, 10, width - 70, height - 10), fill=(248, 246, 240))
    _glyphs(draw, place, (130, 24), 8, 20)
    lines = place.randint(8, 14)
    for line in range(lines):
        y = 62 + line * (height - 90) // lines
        if place.random() < 0.5:
            draw.line((86, y + 16, width - 86, y + 16), fill=(150, 150, 150))
        _glyphs(draw, place, (90, y), place.randint(2, 5), 11)
        _glyphs(draw, day, (170, y), day.randint(4, 15), 11)
    x, y = day.randint(250, 340), day.randint(230, 290)
    draw.ellipse((x, y, x + 56, y + 56), outline=(200, 40, 40), width=3)


PLACES: tuple[Paint, ...] = (_classroom, _entrance, _office, _workshop, _paper)


def scene(place: int, day: int = 0) -> Image.Image:
    """The place as it was photographed that day."""
    rng, today = random.Random(place), random.Random(f"{place}/{day}")
    size = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    picture = Image.new("RGB", size, _colour(rng, 150, 225))
    PLACES[place % len(PLACES)](ImageDraw.Draw(picture), rng, today)
    grain = Image.frombytes("L", (120, 90), today.randbytes(120 * 90)).resize(size)
    picture = Image.blend(picture, grain.convert("RGB"), 0.08)
    picture = ImageEnhance.Brightness(picture).enhance(today.uniform(0.85, 1.15))
    picture = picture.rotate(today.uniform(-TILT, TILT), Image.Resampling.BILINEAR)
    left, top = today.randint(0, MARGIN), today.randint(0, MARGIN)
    wide = today.randint(0, MARGIN)
    box = (left, top, left + SIZE[0] + wide, top + SIZE[1] + wide)
    return picture.crop(box).resize(SIZE)


def jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture as a camera or a messenger writes it."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def again(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as it looks after it was saved once more."""
    with Image.open(io.BytesIO(jpeg(picture, quality)), formats=["JPEG"]) as found:
        found.load()
        return found.copy()


def _smaller(picture: Image.Image, percent: int) -> Image.Image:
    small = (picture.width * percent // 100, picture.height * percent // 100)
    return again(picture.resize(small), 80)


def _cropped(picture: Image.Image, percent: int) -> Image.Image:
    x, y = picture.width * percent // 200, picture.height * percent // 200
    return again(picture.crop((x, y, picture.width - x, picture.height - y)), 85)


Edit = Callable[[Image.Image], Image.Image]
# What is promised, and beside it what is only measured.
EDITS: dict[str, Edit] = {
    "recompress": partial(again, quality=40),
    "resize": partial(_smaller, percent=40),
    "mirror": lambda one: again(ImageOps.mirror(one), 80),
    "rotate 90": lambda one: again(one.transpose(Image.Transpose.ROTATE_90), 80),
}
OTHER_EDITS: dict[str, Edit] = {
    "rotate 180": lambda one: again(one.transpose(Image.Transpose.ROTATE_180), 80),
    "mirror + rotate 270 + resize": lambda one: _smaller(
        ImageOps.mirror(one).transpose(Image.Transpose.ROTATE_270), 60
    ),
    "messenger (quality 25, half)": lambda one: again(_smaller(one, 50), 25),
    "brighter by a fifth": lambda one: again(ImageEnhance.Brightness(one).enhance(1.2), 85),
    "grey": lambda one: again(ImageOps.grayscale(one).convert("RGB"), 85),
    "blurred": lambda one: again(one.filter(ImageFilter.GaussianBlur(2)), 85),
    "crop 5 %": partial(_cropped, percent=5),
    "crop 15 %": partial(_cropped, percent=15),
    "rotate 5 degrees": lambda one: again(one.rotate(5), 85),
}


def hashed(picture: Image.Image) -> Likeness:
    """The hashes that the decoding child would give."""
    return likeness.of_raster(raster(picture))
