"""Ed25519 in plain integers against the library, honest and malformed (RFC 8032)."""

import hashlib
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from inspection_plans.draw.ed25519 import ORDER, PRIME, signed

# RFC 8032 section 7.1, tests 1 to 3.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
            "1cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
            "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
            "984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
# The eight points of small order in their canonical encodings, and encodings that are not.
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NOT_CANONICAL = [(PRIME + y).to_bytes(32, "little") for y in range(19)]


def pair(number: int) -> tuple[Ed25519PrivateKey, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"key %d" % number).digest())
    return key, key.public_key().public_bytes_raw()


def library(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(key: str, message: str, signature: str) -> None:
    public, text, proof = map(bytes.fromhex, (key, message, signature))
    assert signed(public, text, proof)
    assert not signed(public, text + b"\0", proof)


def damaged(rng: random.Random, key: bytes, text: bytes, proof: bytes) -> tuple[bytes, ...]:
    """One of key, message and signature with a flipped bit, a new half, or another length."""
    parts = [bytearray(key), bytearray(text), bytearray(proof)]
    which = rng.randrange(3)
    part = parts[which]
    kind = rng.randrange(4)
    if kind == 0 and part:
        part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        parts[2][32:] = rng.randrange(ORDER).to_bytes(32, "little")
    elif kind == 2:
        parts[2][:32] = pair(rng.randrange(50))[1]
    else:
        del part[-1:]
        part += bytes([rng.randrange(256)] * rng.randrange(3))
    return tuple(bytes(one) for one in parts)


def compare(rounds: int, start: int) -> int:
    """Hold both against each other; gives how many were accepted."""
    rng, accepted = random.Random(start), 0
    for i in range(start, start + rounds):
        key, public = pair(i % 50)
        text = rng.randbytes(rng.randrange(200))
        proof = key.sign(text)
        assert signed(public, text, proof)
        broken = damaged(rng, public, text, proof)
        answer = signed(*broken)
        assert answer == library(*broken)
        accepted += answer
    return accepted


def test_it_agrees_with_the_library() -> None:
    assert compare(1000, 0) < 200


@pytest.mark.slow
def test_it_agrees_with_the_library_at_length() -> None:
    compare(20_000, 10_000)


def test_a_scalar_of_another_size_is_refused() -> None:
    """Adding the order gives another text of the same signature: nobody may have two."""
    key, public = pair(1)
    proof = key.sign(b"text")
    scalar = int.from_bytes(proof[32:], "little") + ORDER
    assert not signed(public, b"text", proof[:32] + scalar.to_bytes(32, "little"))


def test_points_of_small_order_sign_nothing() -> None:
    """With such a key a signature of zero would fit many messages."""
    keys = [bytes.fromhex(one) for one in SMALL] + NOT_CANONICAL
    for key in keys:
        for commit in keys:
            assert not signed(key, b"text", commit + bytes(32))


def test_a_commitment_of_small_order_is_refused() -> None:
    """The equation holds for R = 0 and S = k a, but whoever signs so has told the key."""
    secret = hashlib.sha512(hashlib.sha256(b"key 1").digest()).digest()[:32]
    number = (int.from_bytes(secret, "little") & ((1 << 254) - 8)) | (1 << 254)
    _, public = pair(1)
    commit = bytes.fromhex(SMALL[0])
    known = hashlib.sha512(commit + public + b"text").digest()
    scalar = int.from_bytes(known, "little") * number % ORDER
    assert not signed(public, b"text", commit + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize(("key", "proof"), [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_other_lengths_are_refused(key: int, proof: int) -> None:
    assert not signed(bytes(key), b"", bytes(proof))
