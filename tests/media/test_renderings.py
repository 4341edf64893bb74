"""Copies that a person orders: blackened, pointed at, stamped; and nothing else in the file."""

import io
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from media import previews, renderings, stills
from media.darkroom import Darkroom
from media.renderings import Arrow, Box, Kind, Order
from tests.media import samples

ORIGINAL = samples.a_jpeg(1600, 800, exif=samples.phone_tags(6), comment=b"secret", quality=95)


@pytest.fixture(scope="module")
def room() -> Iterator[Darkroom]:
    with Darkroom() as opened:
        yield opened


def seen(raw: bytes) -> Image.Image:
    with Image.open(io.BytesIO(raw), formats=["JPEG"]) as picture:
        picture.load()
        return picture.convert("RGB")


def test_redaction_is_solid_and_leaves_the_rest(room: Darkroom) -> None:
    boxes = (Box(100, 40, 200, 300), Box(600, 1500, 200, 100))
    made = room.render("image/jpeg", ORIGINAL, Order("redacted", boxes))
    assert (made.width, made.height) == (800, 1600)
    shown = seen(made.picture)
    for box in boxes:
        inside = shown.crop((box.x + 16, box.y + 16, box.x + box.w - 16, box.y + box.h - 16))
        assert max(high for _, high in inside.getextrema()) <= 2
    plain = seen(room.render("image/jpeg", ORIGINAL, Order("redacted")).picture)
    elsewhere = (320, 400, 800, 1400)
    same = ImageChops.difference(shown.crop(elsewhere), plain.crop(elsewhere))
    assert max(high for _, high in same.getextrema()) <= 8


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_every_mode_is_blackened(room: Darkroom, mode: str) -> None:
    raw = samples.encoded(samples.a_picture(200, 100).convert(mode), "PNG")
    made = room.render("image/png", raw, Order("redacted", (Box(20, 20, 60, 60),)))
    assert max(seen(made.picture).getpixel((50, 50))) <= 2


def test_annotations_are_drawn_and_numbered(room: Darkroom) -> None:
    order = Order("annotated", (Box(100, 100, 300, 300),), (Arrow(700, 1500, 500, 1200),))
    shown = seen(room.render("image/jpeg", ORIGINAL, order).picture)
    plain = seen(room.render("image/jpeg", ORIGINAL, Order("annotated")).picture)
    for x, y in ((101, 250), (250, 101), (500, 1200)):
        red, green, blue = shown.getpixel((x, y))
        assert red > 150
        assert max(green, blue) < 110
    changed = ImageChops.difference(shown, plain).convert("L").point(lambda v: 255 * (v > 40))
    assert changed.crop((103, 103, 140, 160)).getbbox() is not None
    assert changed.crop((200, 500, 400, 1000)).getbbox() is None


def test_a_stamp_is_everywhere_and_readable_by_a_person(room: Darkroom) -> None:
    order = Order("watermarked", stamp="01a1fed2-81a8-7000-8000-0dcf3734f157 2026-03-02 01:00Z")
    for colour in ("black", "white", "grey"):
        raw = samples.encoded(Image.new("RGB", (1600, 1000), colour), "JPEG")
        made = room.render("image/jpeg", raw, order)
        assert (made.width, made.height) == (1280, 800)
        shown = seen(made.picture).convert("L")
        plain = shown.getpixel((0, 0))
        for left in range(0, 1280, 320):
            for top in range(0, 800, 200):
                low, high = shown.crop((left, top, left + 320, top + 200)).getextrema()
                assert high - low > 40, (colour, left, top, plain)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_no_copy_carries_anything_beside_its_picture(room: Darkroom, kind: Kind) -> None:
    order = Order(kind, (Box(10, 10, 50, 50),), (Arrow(1, 1, 90, 90),), "viewer")
    hidden = samples.a_jpeg(
        400, 300, exif=samples.phone_tags(3), comment=b"secret", icc_profile=b"p" * 3000
    )
    for raw in (ORIGINAL, hidden, hidden + samples.ZIP):
        made = room.render("image/jpeg", raw, order)
        assert stills.beyond_picture(made.picture) == ()
        assert b"secret" not in made.picture


def test_the_checker_names_what_is_too_much() -> None:
    plain = samples.a_jpeg()
    assert stills.beyond_picture(plain) == ()
    full = samples.a_jpeg(exif=samples.phone_tags(), comment=b"secret", icc_profile=b"p" * 70_000)
    assert stills.beyond_picture(full + b"PK") == ("APP1", "APP2", "FE", stills.TRAILING)
    thumbed = plain.replace(
        b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0", b"JFIF\0\x01\x01\0\0\x01\0\x01\1\1"
    )
    assert stills.beyond_picture(thumbed) == ("APP0",)
    twice = plain[:2] + b"\xff\xe0\x00\x07hello" + plain[2:]
    assert stills.beyond_picture(twice) == ("APP0",)


@given(st.data())
def test_marks_stay_inside(data: st.DataObject) -> None:
    side = st.integers(0, 130)
    box = Box(data.draw(side), data.draw(side), data.draw(side) + 1, data.draw(side) + 1)
    fits = box.x + box.w <= 100 and box.y + box.h <= 80 and min(box.w, box.h) >= 4
    order = Order("redacted", (Box(0, 0, 5, 5), box))
    if fits:
        renderings.check(order, width=100, height=80)
        return
    with pytest.raises(renderings.MarkOutside) as refused:
        renderings.check(order, width=100, height=80)
    assert refused.value.facts["number"] == 2


@pytest.mark.parametrize("arrow", [Arrow(5, 5, 5, 5), Arrow(100, 0, 5, 5), Arrow(0, 0, 5, 80)])
def test_arrows_point_at_something_inside(arrow: Arrow) -> None:
    renderings.check(Order("annotated", arrows=(Arrow(0, 0, 99, 79),)), width=100, height=80)
    with pytest.raises(renderings.MarkOutside):
        renderings.check(Order("annotated", arrows=(arrow,)), width=100, height=80)


@pytest.mark.parametrize("stamp", ["", "x" * 81, "中文", "tab\t", "line\n"])
def test_a_stamp_is_plain_letters(stamp: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "watermarked", "stamp": stamp}, Order)


def test_fifty_megapixels_are_blackened_or_refused_by_their_size(room: Darkroom) -> None:
    raw = samples.png_of(10_000, 5000)
    made = room.render("image/png", raw, Order("redacted", (Box(0, 0, 100, 100),)))
    assert (made.width, made.height) == (10_000, 5000)
    with pytest.raises(previews.Bomb):
        room.render("image/png", samples.png_of(7100, 7100), Order("redacted"))
    assert room.develop("image/jpeg", samples.a_jpeg()).width == 640
