"""Sealed transport: opens for this server and this blob alone, and every change shows."""

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from media import base64url, sealing
from media.errors import MediaRefusal
from media.keys import TransportKey

VECTORS = Path(__file__).parent / "sealing.json"
SERVER = TransportKey.from_seed(b"\x07" * 32)
BLOB = UUID("019a0000-0000-7000-8000-000000000001")
KEY = bytes(range(32))
CHUNK = sealing.CHUNK_BYTES
# At the edges of a chunk and inside; big ones share their bytes.
SIZES = (1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77)
PLAIN = Random(5).randbytes(2 * CHUNK + 77)


def open_all(wire: Iterable[bytes], size: int, *, blob: UUID = BLOB, key: bytes = KEY) -> bytes:
    return b"".join(sealing.opened(wire, blob, key, size=size))


def cut(raw: bytes, step: int) -> Iterator[bytes]:
    return (raw[at : at + step] for at in range(0, len(raw), step))


def received(case: dict[str, Any], server: TransportKey) -> bytes:
    blob, wire = UUID(case["id"]), bytes.fromhex(case["wire"])
    key = sealing.unwrap(case["wrapped_key"], blob, {server.kid: server})
    return open_all([wire], case["size"], blob=blob, key=key)


def texts(wire: bytes) -> list[bytes]:
    return list(cut(wire, sealing.TEXT_BYTES))


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_however_the_wire_is_cut(size: int) -> None:
    wire = sealing.seal(PLAIN[:size], BLOB, KEY)
    assert len(wire) == sealing.sealed_size(size)
    assert open_all([wire], size) == PLAIN[:size]
    assert open_all(cut(wire, 65_537), size) == PLAIN[:size]


def test_the_wire_is_what_the_text_of_the_format_says() -> None:
    wire = sealing.seal(PLAIN[: CHUNK + 9], BLOB, KEY)
    second = AESGCM(KEY).encrypt(
        (1).to_bytes(12), PLAIN[CHUNK : CHUNK + 9], BLOB.bytes + b"\0\0\0\1" + b"\1"
    )
    assert wire[sealing.TEXT_BYTES :] == second


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (lambda t: [t[1], t[0], t[2]], "seal.altered"),
        (lambda t: [t[0], t[0], t[2]], "seal.altered"),
        (lambda t: [t[0], t[2]], "seal.truncated"),
        (lambda t: t[:2], "seal.truncated"),
        (lambda t: t[:0], "seal.truncated"),
        (lambda t: [*t, b"more"], "seal.truncated"),
        (lambda t: [*t[:2], t[2][:-1]], "seal.truncated"),
        (lambda t: [t[0], t[1], t[2], t[2]], "seal.truncated"),
        (lambda t: [t[0][:-1] + bytes([t[0][-1] ^ 1]), t[1], t[2]], "seal.altered"),
    ],
)
def test_a_changed_wire_is_refused(
    changed: Callable[[list[bytes]], list[bytes]], code: str
) -> None:
    size = len(PLAIN)
    wire = changed(texts(sealing.seal(PLAIN, BLOB, KEY)))
    with pytest.raises(MediaRefusal) as refused:
        open_all(wire, size)
    assert refused.value.code == code


def test_another_blob_key_or_length_does_not_open() -> None:
    wire = sealing.seal(PLAIN[: CHUNK + 5], BLOB, KEY)
    other = UUID("019a0000-0000-7000-8000-000000000002")
    for call in (
        lambda: open_all([wire], CHUNK + 5, blob=other),
        lambda: open_all([wire], CHUNK + 5, key=bytes(32)),
        # The first chunk taken for the last of a shorter blob.
        lambda: open_all([wire[: sealing.TEXT_BYTES]], CHUNK),
    ):
        with pytest.raises(sealing.SealAltered):
            call()
    with pytest.raises(sealing.SealTruncated):
        open_all([wire], CHUNK + 4)


@given(st.integers(1, 400), st.data())
def test_no_single_bit_may_change(size: int, data: st.DataObject) -> None:
    wire = bytearray(sealing.seal(PLAIN[:size], BLOB, KEY))
    bit = data.draw(st.integers(0, len(wire) * 8 - 1))
    wire[bit // 8] ^= 1 << bit % 8
    with pytest.raises(sealing.SealAltered):
        open_all([bytes(wire)], size)


def test_a_wrapped_key_opens_for_this_server_and_this_blob() -> None:
    held = {SERVER.kid: SERVER}
    wrapped = sealing.wrap(KEY, BLOB, SERVER.spki, once=b"\x09" * 32)
    assert len(wrapped) == 163
    assert sealing.read_wrapped(wrapped).kid == SERVER.kid
    assert sealing.unwrap(wrapped, BLOB, held) == KEY
    with pytest.raises(sealing.SealAltered):
        sealing.unwrap(wrapped, UUID(int=BLOB.int + 1), held)
    other = TransportKey.from_seed(b"\x08" * 32)
    with pytest.raises(sealing.SealKeyUnknown) as unknown:
        sealing.unwrap(wrapped, BLOB, {other.kid: other})
    assert unknown.value.facts == {"kid": SERVER.kid}
    with pytest.raises(sealing.SealAltered):
        sealing.unwrap(wrapped, BLOB, {SERVER.kid: other})


@given(st.integers(0, 121), st.integers(1, 255))
def test_no_byte_of_a_wrapped_key_may_change(place: int, change: int) -> None:
    raw = bytearray(base64url.decode(sealing.wrap(KEY, BLOB, SERVER.spki, once=b"\x09" * 32)))
    raw[place] ^= change
    with pytest.raises(MediaRefusal) as refused:
        sealing.unwrap(base64url.encode(bytes(raw)), BLOB, {SERVER.kid: SERVER})
    assert refused.value.code in {"seal.malformed", "seal.key_unknown", "seal.altered"}


@pytest.mark.parametrize("wrapped", ["", "A" * 162, "A" * 163, "!" * 163, "A" * 164])
def test_what_is_no_wrapped_key_is_refused(wrapped: str) -> None:
    with pytest.raises(sealing.SealMalformed):
        sealing.unwrap(wrapped, BLOB, {SERVER.kid: SERVER})


def test_opening_holds_a_chunk_and_not_the_blob() -> None:
    one = sealing.seal(PLAIN[:CHUNK] * 40, BLOB, KEY)
    tracemalloc.start()
    digest = sha256()
    for plain in sealing.opened(cut(one, 1 << 16), BLOB, KEY, size=40 * CHUNK):
        digest.update(plain)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.digest() == sha256(PLAIN[:CHUNK] * 40).digest()
    assert peak < 8 * CHUNK


def test_the_vectors_for_the_phone_hold() -> None:
    """``sealing.json`` says in full what a phone must make of given randomness."""
    found = json.loads(VECTORS.read_text("utf-8"))
    server = TransportKey.from_seed(bytes.fromhex(found["server"]["seed"]))
    assert (server.kid, server.spki.hex()) == (found["server"]["kid"], found["server"]["spki"])
    for case in found["cases"]:
        blob, key = UUID(case["id"]), bytes.fromhex(case["key"])
        unit, size = bytes.fromhex(case["plain"]["unit"]), case["size"]
        plain = (unit * (size // len(unit) + 1))[:size]
        wire = sealing.seal(plain, blob, key)
        assert case["wire"] == {
            "size": len(wire),
            "sha256": sha256(wire).hexdigest(),
            "head": wire[:48].hex(),
            "tail": wire[-48:].hex(),
        }
        once = bytes.fromhex(case["once"])
        assert sealing.wrap(key, blob, server.spki, once=once) == case["wrapped_key"]
        assert sealing.unwrap(case["wrapped_key"], blob, {server.kid: server}) == key
    for case in found["refused"]:
        with pytest.raises(MediaRefusal) as refused:
            received(case, server)
        assert refused.value.code == case["code"], case["why"]
