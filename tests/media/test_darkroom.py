"""Previews from a limited child: right pictures, no metadata, and nothing hostile gets through."""

import io
import os
import re
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from media import darkroom as darkrooms
from media import kinds, previews
from media.darkroom import Darkroom
from media.errors import Family, MediaRefusal
from tests.media import samples


@pytest.fixture(scope="module")
def room() -> Iterator[Darkroom]:
    with Darkroom() as opened:
        yield opened


def child_of(room: Darkroom) -> int:
    assert room._child is not None  # noqa: SLF001 - the process under test
    return room._child._process.pid  # noqa: SLF001 - the process under test


def opened(raw: bytes) -> Image.Image:
    with Image.open(io.BytesIO(raw), formats=["JPEG"]) as picture:
        picture.load()
        return picture.copy()


def markers(raw: bytes) -> list[int]:
    """Marker bytes of a JPEG up to its picture data."""
    found, at = [], 2
    while raw[at + 1] != 0xDA:
        found.append(raw[at + 1])
        at += 2 + int.from_bytes(raw[at + 2 : at + 4])
    return found


@pytest.mark.parametrize(("name", "mime"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp")])
def test_every_kind_becomes_two_jpegs(room: Darkroom, name: str, mime: str) -> None:
    raw = samples.encoded(samples.a_picture(2000, 1000), name)
    made = room.develop(f"image/{mime}", raw)
    assert (made.width, made.height) == (2000, 1000)
    assert opened(made.preview).size == (1280, 640)
    assert opened(made.thumb).size == (256, 128)
    assert made.recipe.params == {"preview": 1280, "thumb": 256, "quality": 80, "filter": 5}
    assert re.match(r"Pillow \d+\..*, libjpeg-turbo \d", made.recipe.lib)


def test_small_pictures_are_not_enlarged(room: Darkroom) -> None:
    made = room.develop("image/jpeg", samples.a_jpeg(40, 30))
    assert opened(made.preview).size == opened(made.thumb).size == (40, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(room: Darkroom, orientation: int) -> None:
    tags = samples.phone_tags(orientation)
    raw = samples.a_jpeg(1600, 800, exif=tags, quality=95)
    made = room.develop("image/jpeg", raw)
    with Image.open(io.BytesIO(raw)) as picture:
        upright = ImageOps.exif_transpose(picture)
    assert (made.width, made.height) == upright.size
    seen = opened(made.preview)
    wanted = upright.resize(seen.size)
    for x, y in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        place = int(x * seen.width), int(y * seen.height)
        there, expected = seen.getpixel(place), wanted.getpixel(place)
        assert isinstance(there, tuple)
        assert isinstance(expected, tuple)
        assert all(abs(a - b) < 12 for a, b in zip(there, expected, strict=True))


def test_exif_is_told_and_not_handed_on(room: Darkroom) -> None:
    raw = samples.a_jpeg(
        800, 600, exif=samples.phone_tags(), comment=b"secret", icc_profile=b"p" * 200
    )
    made = room.develop("image/jpeg", raw)
    assert made.exif == previews.Exif(
        taken="2026:05:01 09:30:00",
        offset="+08:00",
        camera="Made Up Phone 7",
        software=("editor " * 30)[:80],
        gps=True,
    )
    for derivative in (made.preview, made.thumb):
        assert not {marker for marker in markers(derivative) if marker in range(0xE1, 0xF0)}
        assert 0xFE not in markers(derivative)
        for word in (b"secret", b"Exif", b"Made Up", b"ppp"):
            assert word not in derivative


def test_a_picture_without_exif_says_so(room: Darkroom) -> None:
    made = room.develop("image/jpeg", samples.a_jpeg())
    assert made.exif == previews.Exif(None, None, None, None, gps=False)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "WEBP"),
    ],
)
def test_every_mode_is_shown_in_its_brightness(room: Darkroom, mode: str, name: str) -> None:
    grey = Image.new("L", (300, 200), 200)
    if mode == "I;16":
        picture = Image.new("I;16", (300, 200), 200 * 256)
    elif mode == "1":
        picture = Image.new("1", (300, 200), 1)
    else:
        picture = grey.convert("RGB").convert(mode)
    made = room.develop(f"image/{name.lower()}", samples.encoded(picture, name))
    shown = opened(made.preview).convert("L").getpixel((150, 100))
    assert shown == pytest.approx(255 if mode == "1" else 200, abs=4)


def test_transparent_pictures_stand_on_white(room: Darkroom) -> None:
    clear = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    made = room.develop("image/png", samples.encoded(clear, "PNG"))
    assert opened(made.preview).getpixel((10, 10)) == (255, 255, 255)
    palette = samples.a_picture(300, 200).quantize(4)
    index = palette.getpixel((10, 10))
    made = room.develop("image/png", samples.encoded(palette, "PNG", transparency=index))
    assert opened(made.preview).getpixel((10, 10)) == pytest.approx((255, 255, 255), abs=6)


def test_a_motion_photo_is_a_picture(room: Darkroom) -> None:
    raw = samples.a_jpeg() + samples.ZIP
    assert room.develop("image/jpeg", raw).width == 640


def test_bombs_are_refused_by_their_header(room: Darkroom) -> None:
    raw = samples.png_of(13_000, 13_000)
    assert len(raw) < 400_000
    for bomb in (raw, samples.png_of(7100, 7100)):
        with pytest.raises(previews.Bomb) as refused:
            room.develop("image/png", bomb)
        assert refused.value.code == "media.bomb"


def test_fifty_megapixels_fit(room: Darkroom) -> None:
    assert room.develop("image/png", samples.png_of(10_000, 5000)).width == 10_000


def test_memory_is_limited_and_the_child_goes_on(room: Darkroom) -> None:
    huge = Image.new("RGB", (7000, 7000))
    raw = samples.encoded(huge, "WEBP", lossless=True, quality=0, method=0)
    with pytest.raises(previews.DecodeLimit) as refused:
        room.develop("image/webp", raw)
    assert refused.value.facts == {"reason": "memory"}
    assert room.develop("image/jpeg", samples.a_jpeg()).width == 640


@pytest.mark.parametrize(
    ("mime", "raw"),
    [
        ("image/jpeg", samples.a_jpeg()[:5000]),
        ("image/jpeg", samples.a_jpeg()[:300]),
        ("image/jpeg", b"\xff\xd8\xff" + bytes(2000)),
        ("image/png", samples.encoded(samples.a_picture(), "PNG")[:1500]),
        ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(2000)),
        ("image/png", samples.png_of(100, 100).replace(b"IDAT", b"IDAX")),
        ("image/webp", samples.encoded(samples.a_picture(), "WEBP")[:500]),
        ("image/webp", b"RIFF\x20\0\0\0WEBPVP8 " + bytes(20)),
    ],
)
def test_broken_pictures_are_refused(room: Darkroom, mime: str, raw: bytes) -> None:
    with pytest.raises(previews.NotDecodable) as refused:
        room.develop(mime, raw)
    assert refused.value.code == "media.not_decodable"


@pytest.mark.parametrize("name", samples.HOSTILE)
def test_hostile_files_never_reach_the_child(room: Darkroom, name: str) -> None:
    for mime in ("image/jpeg", "image/png", "image/webp"):
        with pytest.raises(kinds.TypeMismatch):
            room.develop(mime, samples.HOSTILE[name])


@pytest.mark.parametrize("mime", ["video/mp4", "application/pdf", "audio/mp4"])
def test_what_is_no_picture_is_not_developed(room: Darkroom, mime: str) -> None:
    with pytest.raises(kinds.TypeRefused):
        room.develop(mime, samples.a_movie())
    with pytest.raises(kinds.Empty):
        room.develop("image/jpeg", b"")


def test_the_declared_decoder_alone_is_asked(room: Darkroom) -> None:
    # PostScript behind a JPEG's first bytes: an open-ended Image.open would try every plugin.
    raw = b"\xff\xd8\xff" + samples.HOSTILE["eps"] * 100
    with pytest.raises(previews.NotDecodable):
        room.develop("image/jpeg", raw)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_pictures_are_made_or_refused(room: Darkroom, data: st.DataObject) -> None:
    mime, name = data.draw(
        st.sampled_from([("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/webp", "WEBP")])
    )
    raw = bytearray(samples.encoded(samples.a_picture(64, 48), name, exif=samples.phone_tags()))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = room.develop(mime, bytes(raw))
    except MediaRefusal as refusal:
        assert refusal.code.startswith("media.")  # noqa: PT017 - a refusal is one right answer
    else:
        assert opened(made.thumb).width <= 256


def test_the_child_holds_no_secret_and_can_open_nothing(room: Darkroom) -> None:
    room.develop("image/jpeg", samples.a_jpeg())
    proc = Path("/proc") / str(child_of(room))
    if not proc.exists():
        pytest.skip("no /proc on this system")
    names = {line.partition(b"=")[0] for line in (proc / "environ").read_bytes().split(b"\0")}
    assert names - {b""} == {b"PYTHONPATH", b"LC_ALL"}
    open_now = {int(path.name) for path in (proc / "fd").iterdir()}
    assert open_now == {0, 1, 2, 3}
    for limit, value in (
        (resource.RLIMIT_NOFILE, 4),
        (resource.RLIMIT_AS, 512 * 1024 * 1024),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        assert resource.prlimit(int(proc.name), limit) == (value, value)
    soft, _ = resource.prlimit(int(proc.name), resource.RLIMIT_CPU)
    assert 0 < soft <= 60


def test_one_child_serves_many_and_is_replaced() -> None:
    with Darkroom(pictures=2) as room:
        pids = []
        for _ in range(5):
            room.develop("image/jpeg", samples.a_jpeg(32, 32))
            pids.append(child_of(room))
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_a_refused_picture_does_not_cost_the_child(room: Darkroom) -> None:
    room.develop("image/jpeg", samples.a_jpeg(32, 32))
    before = child_of(room)
    with pytest.raises(previews.NotDecodable):
        room.develop("image/jpeg", samples.a_jpeg()[:300])
    with pytest.raises(previews.Bomb):
        room.develop("image/png", samples.png_of(13_000, 13_000))
    room.develop("image/jpeg", samples.a_jpeg(32, 32))
    assert child_of(room) == before


def test_threads_take_turns(room: Darkroom) -> None:
    sides = [(64 + 8 * number, 48) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda s: room.develop("image/jpeg", samples.a_jpeg(*s)), sides))
    assert [(picture.width, picture.height) for picture in made] == sides


def test_time_is_limited_and_the_next_picture_gets_a_new_child() -> None:
    with Darkroom(wall_s=0.02) as room:
        with pytest.raises(previews.DecodeLimit) as refused:
            room.develop("image/png", samples.png_of(10_000, 5000))
        assert refused.value.facts == {"reason": "time"}
        assert refused.value.family is Family.LIMIT
        room._wall_s = 20.0  # noqa: SLF001 - the same room with patience
        assert room.develop("image/jpeg", samples.a_jpeg()).width == 640


def _struck(room: Darkroom, number: signal.Signals) -> MediaRefusal:
    """Strike the child with a signal while it stands still with a picture before it."""
    room.develop("image/jpeg", samples.a_jpeg(32, 32))
    pid = child_of(room)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(room.develop, "image/jpeg", samples.a_jpeg())
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        failure = waiting.exception(timeout=20)
    assert isinstance(failure, MediaRefusal)
    return failure


def test_a_child_ended_by_its_processor_limit_is_a_limit() -> None:
    with Darkroom() as room:
        assert isinstance(_struck(room, signal.SIGXCPU), previews.DecodeLimit)


def test_a_child_that_crashes_condemns_the_picture() -> None:
    with Darkroom() as room:
        assert isinstance(_struck(room, signal.SIGSEGV), previews.NotDecodable)


def test_a_child_killed_from_outside_condemns_nothing() -> None:
    with Darkroom() as room:
        failure = _struck(room, signal.SIGKILL)
        assert isinstance(failure, previews.ImagingUnavailable)
        assert failure.family is Family.UNAVAILABLE
        assert room.develop("image/jpeg", samples.a_jpeg()).width == 640


def test_a_child_that_does_not_start_condemns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(darkrooms, "ROOT", tmp_path)
    with Darkroom() as room, pytest.raises(previews.ImagingUnavailable):
        room.develop("image/jpeg", samples.a_jpeg())


GREETING = """
import sys, time
def frame(text, *more):
    raw = text.encode()
    sys.stdout.buffer.write(len(raw).to_bytes(4, "big") + raw + b"".join(more))
    sys.stdout.buffer.flush()
"""
READY = 'frame(\'{"type":"ready"}\')\n'


@pytest.mark.parametrize(
    ("script", "refusal"),
    [
        ("", previews.ImagingUnavailable),
        ("frame('{')", previews.ImagingUnavailable),
        ('frame(\'{"type":"refused","reason":"bomb","detail":""}\')', previews.ImagingUnavailable),
        (READY + READY, previews.NotDecodable),
        (READY + "frame('{')", previews.NotDecodable),
        (READY + "frame('x' * 70000)", previews.NotDecodable),
        (READY + 'frame(\'{"type":"made","width":0}\')', previews.NotDecodable),
        (READY + READY + "time.sleep(60)", previews.NotDecodable),
        (READY + "time.sleep(60)", previews.DecodeLimit),
    ],
)
def test_a_twisted_child_is_believed_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    refusal: type[MediaRefusal],
) -> None:
    package = tmp_path / "media"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "imaging.py").write_text(GREETING + script)
    monkeypatch.setattr(darkrooms, "ROOT", tmp_path)
    monkeypatch.setattr(darkrooms, "LEAVE_SECONDS", 0.2)
    with Darkroom(wall_s=1.0) as room, pytest.raises(refusal):
        room.develop("image/jpeg", samples.a_jpeg())


def test_no_child_outlives_its_room() -> None:
    with Darkroom() as room:
        room.develop("image/jpeg", samples.a_jpeg(32, 32))
        pid = child_of(room)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    room.close()


def test_a_frame_of_a_twisted_child_is_no_answer() -> None:
    for raw in (b"", b"\xff\xff\xff\xff", b"\0\0\0\x05ab"):
        with pytest.raises(EOFError):
            previews.receive_head(io.BytesIO(raw))
