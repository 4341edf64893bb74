"""Perceptual hashes: turned and mirrored ones follow exactly, and the index misses none."""

import io
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin

from media import likeness
from media.darkroom import Darkroom
from media.imaging import develop, raster
from media.likeness import SIDE, Likeness
from tests.media import samples
from tests.signals import scenes

WAYS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)


def noise(seed: int) -> Image.Image:
    return Image.frombytes("L", (SIDE, SIDE), random.Random(seed).randbytes(SIDE * SIDE))


@given(st.integers(0, 2**32), st.sampled_from(WAYS))
def test_a_turned_picture_has_one_of_the_eight_hashes(seed: int, way: Image.Transpose) -> None:
    picture = noise(seed)
    turned = picture if way is None else picture.transpose(way)
    one, other = likeness.of_raster(picture.tobytes()), likeness.of_raster(turned.tobytes())
    assert other in likeness.variants(one)
    far = likeness.distances(one, other)
    assert (far.p, far.d, far.w, far.fine) == (0, 0, 0, 0)


def test_the_eight_are_all_ways_to_turn_and_mirror() -> None:
    picture = noise(1)
    made = {
        likeness.of_raster((picture if way is None else picture.transpose(way)).tobytes())
        for way in WAYS
    }
    assert set(likeness.variants(likeness.of_raster(picture.tobytes()))) == made
    assert len(made) == likeness.VARIANTS


@given(
    st.integers(0, 2**32), st.sets(st.integers(0, 63), max_size=likeness.NEAR), st.integers(0, 7)
)
def test_the_bands_find_everything_near(seed: int, bits: set[int], way: int) -> None:
    one = likeness.of_raster(noise(seed).tobytes())
    there = likeness.variants(one)[way].p & (2**64 - 1)
    for bit in bits:
        there ^= 1 << bit
    assert any(
        likeness.band(there, number) in values
        for number, (values, _) in enumerate(likeness.probes(one))
    )


def test_the_radii_leave_no_gap() -> None:
    assert sum(radius + 1 for radius in likeness.RADII) == likeness.NEAR + 1
    assert len(likeness.RADII) * likeness.BAND_BITS == likeness.BITS


@given(st.integers(0, 2**32))
def test_hashes_fit_where_they_are_kept(seed: int) -> None:
    one = likeness.of_raster(noise(seed).tobytes())
    assert all(-(2**63) <= value < 2**63 for value in (one.p, one.w, one.dh, one.dv))
    assert len(one.fine) == 32
    assert not one.p & (1 << 63), "the mean of a picture is no wave"


def test_equal_cells_mirror_too() -> None:
    """A flat picture has only equal cells: their alternating bits still mirror into each other."""
    flat = likeness.of_raster(bytes([90]) * SIDE * SIDE)
    assert flat.detail == 0
    assert flat.p == 0
    for turned in likeness.variants(flat)[:1] + likeness.variants(flat)[4:5]:
        assert turned.dh == flat.dh


def test_detail_is_the_mean_distance_from_grey() -> None:
    half = bytes([100]) * (SIDE * SIDE // 2) + bytes([120]) * (SIDE * SIDE // 2)
    assert likeness.of_raster(half).detail == 1000


def test_the_child_hashes_what_it_decodes() -> None:
    picture = scenes.scene(2).resize((1600, 1200))
    raw = samples.encoded(picture, "JPEG")
    with Darkroom() as room:
        made = room.develop("image/jpeg", raw)
        small = room.develop("image/jpeg", samples.encoded(picture.resize((640, 480)), "JPEG"))
        turned = room.develop("image/jpeg", samples.encoded(ImageOps.mirror(picture), "JPEG"))
    assert made.likeness == develop("image/jpeg", raw)[0].likeness
    for other in (small, turned):
        far = likeness.distances(other.likeness, made.likeness)
        assert far.p <= 2
        assert far.fine <= 16


def test_a_raster_is_square_and_grey() -> None:
    assert len(raster(samples.a_picture(30, 900))) == SIDE * SIDE


def degrees(value: float) -> tuple[TiffImagePlugin.IFDRational, ...]:
    exact = Fraction(value).limit_denominator(10**7)
    whole, rest = divmod(exact, 1)
    minutes, rest = divmod(rest * 60, 1)
    return (
        TiffImagePlugin.IFDRational(int(whole)),
        TiffImagePlugin.IFDRational(int(minutes)),
        TiffImagePlugin.IFDRational(round(rest * 60 * 10**6), 10**6),
    )


def placed(lat: object, lon: object, ns: str = "N", ew: str = "E") -> bytes:
    tags = Image.Exif()
    gps = tags.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = lat, lon
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = ns, ew
    out = io.BytesIO()
    samples.a_picture(40, 30).save(out, "JPEG", exif=tags)
    return out.getvalue()


@pytest.mark.parametrize(
    ("ns", "ew", "signs"), [("N", "E", (1, 1)), ("S", "E", (-1, 1)), ("N", "W", (1, -1))]
)
def test_the_place_in_exif_is_read_exactly(ns: str, ew: str, signs: tuple[int, int]) -> None:
    found = develop("image/jpeg", placed(degrees(37.5091234), degrees(122.1204321), ns, ew))[0]
    assert found.place is not None
    assert abs(found.place.lat_e7 - signs[0] * 375_091_234) <= 2
    assert abs(found.place.lon_e7 - signs[1] * 1_221_204_321) <= 2


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (degrees(91.0), degrees(10.0)),
        (degrees(10.0)[:2], degrees(10.0)),
        ((TiffImagePlugin.IFDRational(1, 0),) * 3, degrees(10.0)),
    ],
)
def test_a_place_that_is_none_is_absent(lat: object, lon: object) -> None:
    assert develop("image/jpeg", placed(lat, lon))[0].place is None


def test_distances_take_the_best_of_all_variants() -> None:
    one = likeness.of_raster(noise(5).tobytes())
    other = Likeness(one.p ^ 3, one.w, one.dh, one.dv ^ 1, one.fine, one.detail)
    assert likeness.distances(one, other) == likeness.Distances(variant=0, p=2, d=1, w=0, fine=0)
