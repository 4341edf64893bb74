"""Declared type, cap, magic and structure: what may come in, and what is flagged."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import admission, kinds, movies, papers, stills
from media.errors import Family, MediaRefusal
from tests.media import samples

HONEST = {
    "image/jpeg": samples.a_jpeg(),
    "image/png": samples.encoded(samples.a_picture(), "PNG"),
    "image/webp": samples.encoded(samples.a_picture(), "WEBP"),
    "video/mp4": samples.a_movie(),
    "video/quicktime": samples.a_movie(b"qt  "),
    "audio/mp4": samples.a_movie(b"M4A ", tracks=(samples.a_track(b"soun"),)),
    "application/pdf": samples.a_pdf(),
}


def examine(mime: str, raw: bytes) -> admission.Examined:
    return admission.examine(mime, len(raw), lambda offset, length: raw[offset : offset + length])


@pytest.mark.parametrize("mime", HONEST)
def test_honest_files_pass_without_a_flag(mime: str) -> None:
    examined = examine(mime, HONEST[mime])
    assert (examined.kind.mime, examined.flags) == (mime, ())
    assert (examined.movie is not None) is (examined.kind.group in {"video", "audio"})


@pytest.mark.parametrize("mime", HONEST)
@pytest.mark.parametrize("name", samples.HOSTILE)
def test_hostile_files_pass_under_no_declared_type(name: str, mime: str) -> None:
    with pytest.raises(kinds.TypeMismatch) as refused:
        examine(mime, samples.HOSTILE[name])
    assert refused.value.facts["declared"] == mime


@pytest.mark.parametrize("declared", HONEST)
@pytest.mark.parametrize("actual", HONEST)
def test_every_type_is_taken_for_itself_only(declared: str, actual: str) -> None:
    if declared != actual:
        with pytest.raises(kinds.TypeMismatch):
            examine(declared, HONEST[actual])


@pytest.mark.parametrize(
    "mime",
    ["image/svg+xml", "text/html", "image/gif", "image/tiff", "application/zip", "image/avif", ""],
)
def test_other_types_are_not_declared(mime: str) -> None:
    with pytest.raises(kinds.TypeRefused):
        kinds.declare(mime, 10)


def test_heic_is_refused_by_the_lack_of_its_decoder() -> None:
    with pytest.raises(kinds.DecoderMissing):
        kinds.declare("image/heic", 10)
    assert kinds.sniff(samples.box(b"ftyp", b"heic", bytes(8))) == "image/heic"


@pytest.mark.parametrize("mime", HONEST)
def test_sizes_are_capped_before_a_byte_comes(mime: str) -> None:
    cap = kinds.KINDS[mime].cap_bytes
    assert kinds.declare(mime, cap).mime == mime
    with pytest.raises(kinds.TooLarge) as refused:
        kinds.declare(mime, cap + 1)
    assert refused.value.family is Family.LIMIT
    with pytest.raises(kinds.TooLarge):
        kinds.declare(mime, 10 * 1024**3)
    for nothing in (0, -1):
        with pytest.raises(kinds.Empty):
            kinds.declare(mime, nothing)


def test_an_empty_file_is_refused_by_its_bytes_too() -> None:
    with pytest.raises(kinds.Empty):
        kinds.check_magic("image/jpeg", b"")


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/webp"])
@pytest.mark.parametrize("tail", [samples.ZIP, samples.HOSTILE["html"], b"\0"])
def test_polyglots_are_flagged(mime: str, tail: bytes) -> None:
    assert examine(mime, HONEST[mime] + tail).flags == (stills.TRAILING,)


@pytest.mark.parametrize("mime", HONEST)
def test_no_cut_file_passes(mime: str) -> None:
    raw = HONEST[mime]
    for size in {len(raw) - 1, len(raw) - 9, len(raw) // 2, 40, 13}:
        if mime == "application/pdf" and size == len(raw) - 1:
            continue  # only the closing newline is gone
        with pytest.raises(MediaRefusal):
            examine(mime, raw[:size])


def test_progressive_pictures_and_fill_bytes_end_where_they_end() -> None:
    progressive = samples.a_jpeg(progressive=True)
    assert stills.flags("image/jpeg", progressive) == ()
    restarts = samples.a_jpeg(restart_marker_blocks=2)
    assert stills.flags("image/jpeg", restarts) == ()
    filled = progressive[:2] + b"\xff\xff" + progressive[2:]
    assert stills.flags("image/jpeg", filled) == ()
    standalone = progressive[:2] + b"\xff\x01" + progressive[2:]
    assert stills.flags("image/jpeg", standalone) == ()
    for broken in (b"\xff\xd8\xff\xe0\x00\x01", b"\xff\xd8\xff\xe0\x00\x02ab"):
        with pytest.raises(kinds.Truncated):
            stills.flags("image/jpeg", broken)


def test_endless_segments_end() -> None:
    endless = b"\xff\xd8" + b"\xff\xfe\x00\x02" * (stills.MARKERS_MAX + 1) + b"\xff\xd9"
    with pytest.raises(kinds.Truncated):
        stills.flags("image/jpeg", endless)


@given(st.binary(max_size=400), st.sampled_from(["image/jpeg", "image/png", "image/webp"]))
def test_noise_behind_a_magic_ends_or_is_refused(noise: bytes, mime: str) -> None:
    raw = HONEST[mime][:12] + noise
    try:
        flags = stills.flags(mime, raw)
    except kinds.Truncated:
        return
    assert flags in {(), (stills.TRAILING,)}


def test_a_movie_tells_its_length_and_sides() -> None:
    expected = movies.Movie(12_000, 1280, 720, has_picture=True, has_sound=True)
    assert examine("video/mp4", samples.a_movie()).movie == expected
    assert examine("video/mp4", samples.a_movie(version=1)).movie == expected


def test_large_box_sizes_and_boxes_to_the_end_are_read() -> None:
    raw = samples.a_movie()
    at = raw.index(b"mdat") - 4
    wide = raw[:at] + struct.pack(">I4sQ", 1, b"mdat", 1016) + raw[at + 8 :]
    assert movies.probe("video/mp4", _reader(wide), len(wide)).width == 1280
    at = raw.index(b"moov") - 4
    last = raw[:at] + bytes(4) + raw[at + 4 :]
    assert movies.probe("video/mp4", _reader(last), len(last)).width == 1280


@pytest.mark.parametrize(("scale", "units"), [(0, 5), (1, 0xFFFFFFFF)])
def test_an_unknown_length_is_zero(scale: int, units: int) -> None:
    raw = samples.a_movie(scale=scale, units=units)
    assert movies.probe("video/mp4", _reader(raw), len(raw)).duration_ms == 0


def test_unknown_boxes_and_too_many_tracks_are_passed_over() -> None:
    track = samples.a_track(b"vide", 640, 480)
    odd = samples.box(b"trak", samples.box(b"edts"), samples.box(b"mdia", samples.box(b"minf")))
    many = (odd, track, *[samples.box(b"udta")] * 2, *[samples.a_track(b"soun")] * 70)
    raw = samples.a_movie(tracks=many)
    movie = movies.probe("video/mp4", _reader(raw), len(raw))
    assert (movie.width, movie.height, movie.has_sound) == (640, 480, True)


def test_sound_in_an_mp4_is_audio_and_pictures_are_not() -> None:
    sound = samples.a_movie(tracks=(samples.a_track(b"soun"),))
    assert examine("audio/mp4", sound).movie is not None
    with pytest.raises(kinds.TypeMismatch):
        examine("video/mp4", sound)
    with pytest.raises(kinds.TypeMismatch):
        examine("audio/mp4", samples.a_movie())
    with pytest.raises(kinds.TypeMismatch):
        examine("video/mp4", samples.a_movie(tracks=()))


def test_hostile_boxes_are_refused_in_bounded_reads() -> None:
    head = samples.box(b"ftyp", b"isom", bytes(4))
    many = head + samples.box(b"free") * (movies.BOXES_MAX + 1)
    backwards = head + struct.pack(">I4s", 4, b"moov")
    endless = head + struct.pack(">I4sQ", 1, b"moov", 2**63)
    fat = head + struct.pack(">I4s", movies.MOOV_MAX_BYTES + 100, b"moov")
    reads: list[int] = []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return fat[offset : offset + length]

    with pytest.raises(movies.MovieMalformed):
        movies.probe("video/mp4", read, movies.MOOV_MAX_BYTES + 200)
    assert sum(reads) < 100
    for raw, refusal in (
        (many, movies.MovieMalformed),
        (backwards, movies.MovieMalformed),
        (endless, kinds.Truncated),
        (head, kinds.Truncated),
    ):
        with pytest.raises(refusal):
            movies.probe("video/mp4", _reader(raw), len(raw))


def test_short_movie_headers_are_refused() -> None:
    for moov in (
        samples.box(b"moov", samples.box(b"mvhd", b"\0")),
        samples.box(b"moov", samples.box(b"trak", samples.box(b"tkhd", b"\0"))),
    ):
        raw = samples.box(b"ftyp", b"isom", bytes(4)) + moov
        with pytest.raises(kinds.Truncated):
            movies.probe("video/mp4", _reader(raw), len(raw))


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_movie_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(samples.a_movie())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        movie = movies.probe("video/mp4", _reader(bytes(raw)), len(raw))
    except MediaRefusal:
        return
    assert 0 <= movie.duration_ms <= movies.DURATION_MAX_MS


@pytest.mark.parametrize(
    ("content", "flag"),
    [
        (b"<< /S /JavaScript /JS (app.alert(1)) >>", "pdf_javascript"),
        (b"<< /S /J#61vaScript >>", "pdf_javascript"),
        (b"<< /S /Launch /F (a.exe) >>", "pdf_launch"),
        (b"<< /Type /EmbeddedFile >>", "pdf_embedded_file"),
        (b"<< /Names << /EmbeddedFiles 4 0 R >> >>", "pdf_embedded_file"),
        (b"<< /Encrypt 9 0 R >>", "pdf_encrypted"),
        (samples.object_stream(b"<< /S /JavaScript >>"), "pdf_javascript"),
        (samples.object_stream(b"<< /S /L#61unch >>"), "pdf_launch"),
        (b"<< /Type /ObjStm >> endobj", "pdf_opaque"),
        (b"<< /Type /ObjStm >> stream\nnot deflated", "pdf_opaque"),
        (samples.object_stream(bytes(papers.INFLATED_MAX_BYTES + 1)), "pdf_opaque"),
    ],
)
def test_active_papers_are_flagged(content: bytes, flag: str) -> None:
    assert examine("application/pdf", samples.a_pdf(content)).flags == (flag,)


def test_longer_names_and_readable_streams_are_no_flags() -> None:
    harmless = samples.a_pdf(
        b"<< /LaunchPad 1 /JavaScripts 2 >>", samples.object_stream(b"<< /Type /Font >>")
    )
    assert papers.flags(harmless) == ()


def test_bytes_behind_a_paper_are_flagged() -> None:
    assert papers.flags(samples.a_pdf() + b"PK") == (stills.TRAILING,)
    with pytest.raises(kinds.Truncated):
        papers.flags(samples.a_pdf() + bytes(papers.TAIL_BYTES))


def test_inflating_stops_at_the_budget_of_the_whole_paper() -> None:
    many = [samples.object_stream(b" " * papers.INFLATED_MAX_BYTES)] * 10
    assert papers.flags(samples.a_pdf(*many)) == ("pdf_opaque",)


def _reader(raw: bytes) -> movies.Read:
    return lambda offset, length: raw[offset : offset + length]
