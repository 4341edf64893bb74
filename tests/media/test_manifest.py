"""Capture manifests: what is signed is what is read, and nothing else is accepted."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import canon, keys, manifest
from media.errors import MediaRefusal
from tests.media.phone import DEVICE, a_manifest, uuid7

RAW = manifest.build(a_manifest())
SIGNATURE = DEVICE.sign(keys.Tag.CAPTURE, RAW)


def test_a_signed_manifest_is_read_as_it_was_built() -> None:
    assert manifest.verify(RAW, SIGNATURE, DEVICE.spki) == a_manifest()
    assert manifest.digest(RAW) == manifest.digest(manifest.build(a_manifest()))


def test_optional_fields_are_left_out_not_null() -> None:
    bare = a_manifest(
        code=None,
        roll=None,
        loc=manifest.Location(st="denied", crs="?", n=0),
        media=manifest.Media(sha256="0" * 64, size=1, mime="application/pdf", src="file"),
    )
    raw = manifest.build(bare)
    assert b"null" not in raw
    assert b"roll" not in raw
    assert manifest.parse(raw) == bare


@given(st.integers(0, len(RAW) * 8 - 1))
@settings(max_examples=300)
def test_no_bit_of_a_manifest_may_flip(bit: int) -> None:
    broken = bytearray(RAW)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MediaRefusal):
        manifest.verify(bytes(broken), SIGNATURE, DEVICE.spki)


@given(st.binary(max_size=300))
def test_noise_is_never_a_manifest(raw: bytes) -> None:
    with pytest.raises(MediaRefusal):
        manifest.parse(raw)


def test_a_manifest_of_another_key_or_purpose_is_refused() -> None:
    other = keys.DeviceKey.from_seed(b"another phone")
    with pytest.raises(manifest.KeyMismatch):
        manifest.verify(RAW, SIGNATURE, other.spki)
    with pytest.raises(keys.BadSignature):
        manifest.verify(RAW, other.sign(keys.Tag.CAPTURE, RAW), DEVICE.spki)
    with pytest.raises(keys.BadSignature):
        manifest.verify(RAW, DEVICE.sign(keys.Tag.OP, RAW), DEVICE.spki)


def changed(path: str, value: Any) -> bytes:
    tree = msgspec.to_builtins(a_manifest())
    *parents, last = path.split(".")
    place = tree
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return canon.encode(tree)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("typ", "mingcha.capture/2"),
        ("alg", "none"),
        ("kid", "A" * 16),
        ("id", "not-a-uuid"),
        ("id", "01890000-0000-4000-8000-000000000001"),
        ("id", uuid7(1).upper().replace("0", "A", 1)),
        ("id", uuid7(1) + "\n"),
        ("seq", 0),
        ("seq", "1"),
        ("seq", ...),
        ("prev", "0" * 63),
        ("asg_epoch", -1),
        ("plan", "zz" * 32),
        ("item", ""),
        ("item", "x" * 41),
        ("media.size", 0),
        ("media.size", True),
        ("media.src", "screen"),
        ("media.mime", "image"),
        ("media.w", 0),
        ("media.extra", 1),
        ("t.tz_min", 900),
        ("t.anchor", ...),
        ("t.anchor.tok", "a b"),
        ("loc.lat", 900_000_001),
        ("loc.lat", ...),
        ("loc.acc_cm", ...),
        ("loc.st", "off"),
        ("loc.crs", "utm"),
        ("people", []),
        ("people", [uuid7(6), uuid7(6)]),
        ("people", [uuid7(n) for n in range(9)]),
        ("roll.present", -1),
        ("app.persisted", "yes"),
        ("note", "unknown field"),
    ],
)
def test_every_field_is_bounded(path: str, value: Any) -> None:
    with pytest.raises(manifest.ManifestInvalid) as refused:
        manifest.parse(changed(path, value))
    assert refused.value.code == "manifest.invalid"
    assert refused.value.facts["reason"]


def test_the_refusal_names_the_field() -> None:
    with pytest.raises(manifest.ManifestInvalid) as refused:
        manifest.parse(changed("t.anchor.rtt", -1))
    assert refused.value.field == "t.anchor.rtt"


def test_a_long_manifest_is_refused_unread() -> None:
    with pytest.raises(canon.NotCanonical):
        manifest.parse(changed("code", "x" * manifest.MANIFEST_MAX_BYTES))


def test_the_builder_refuses_what_the_reader_would() -> None:
    with pytest.raises(manifest.ManifestInvalid):
        manifest.build(a_manifest(seq=0))
