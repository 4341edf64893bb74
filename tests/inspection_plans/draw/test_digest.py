"""SM3 in plain Python against its published vectors and the platform's."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import digest
from inspection_plans.draw.digest import PlainSm3, hasher
from inspection_plans.draw.errors import DrawRefusal

HAS_SM3 = "sm3" in hashlib.algorithms_available


def test_the_two_vectors_of_the_standard() -> None:
    assert PlainSm3(b"abc").hexdigest() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert PlainSm3(b"abcd" * 16).hexdigest() == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


@pytest.mark.skipif(not HAS_SM3, reason="OpenSSL here has no SM3 to compare with")
@pytest.mark.parametrize("size", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 300])
def test_padding_at_every_edge(size: int) -> None:
    data = bytes(range(256)) * 2
    assert PlainSm3(data[:size]).digest() == hashlib.new("sm3", data[:size]).digest()


@pytest.mark.skipif(not HAS_SM3, reason="OpenSSL here has no SM3 to compare with")
@given(st.lists(st.binary(max_size=100), max_size=5))
def test_pieces_and_copies(pieces: list[bytes]) -> None:
    state, right = PlainSm3(), hashlib.new("sm3")
    for piece in pieces:
        twin = state.copy()
        twin.update(b"elsewhere")
        state.update(piece)
        right.update(piece)
    assert state.digest() == right.digest()
    assert state.hexdigest() == right.hexdigest()


def test_the_constructors() -> None:
    assert hasher("sha256")(b"abc").digest() == hashlib.sha256(b"abc").digest()
    assert hasher("sm3")(b"abc").digest() == PlainSm3(b"abc").digest()
    assert digest.hexdigest("sm3", b"abc") == PlainSm3(b"abc").hexdigest()


@pytest.mark.parametrize("alg", ["SHA256", "md5", "", None])
def test_unknown_algorithms(alg: str) -> None:
    with pytest.raises(DrawRefusal, match="E_ALG"):
        hasher(alg)


def test_a_platform_without_sm3_gets_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str, _data: bytes = b"") -> None:
        raise ValueError("unsupported hash type sm3")

    monkeypatch.setattr(hashlib, "new", missing)
    assert hasher("sm3") is PlainSm3
