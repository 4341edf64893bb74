"""SHA-256 and SM3 behind one constructor; SM3 in plain Python where the platform lacks it."""

from __future__ import annotations

import hashlib
import struct
from typing import Protocol

from .errors import DrawRefusal

_BLOCK = 64
_MASK = 0xFFFFFFFF
_START = "7380166f4914b2b9172442d7da8a0600a96f30bc163138aae38dee4db0fb0e4e"
_FIRST_ROUNDS = 16
_ROUNDS = 64


class Digest(Protocol):
    """What the draw uses of a hash object."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...

    def copy(self) -> Digest: ...


class Hasher(Protocol):
    """The constructor of a hash object over its first bytes."""

    def __call__(self, data: bytes, /) -> Digest: ...


def _turn(word: int, by: int) -> int:
    by %= 32
    return ((word << by) | (word >> (32 - by))) & _MASK


def _mix(word: int) -> int:
    return word ^ _turn(word, 15) ^ _turn(word, 23)


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """One round of GB/T 32905: 8 words of 32 bits and 64 bytes give 8 words."""
    words = list(struct.unpack(">16I", block))
    for i in range(16, _ROUNDS + 4):
        mixed = _mix(words[i - 16] ^ words[i - 9] ^ _turn(words[i - 3], 15))
        words.append(mixed ^ _turn(words[i - 13], 7) ^ words[i - 6])
    a, b, c, d, e, f, g, h = state
    for i in range(_ROUNDS):
        constant = 0x79CC4519 if i < _FIRST_ROUNDS else 0x7A879D8A
        first = _turn((_turn(a, 12) + e + _turn(constant, i)) & _MASK, 7)
        second = first ^ _turn(a, 12)
        if i < _FIRST_ROUNDS:
            left, right = a ^ b ^ c, e ^ f ^ g
        else:
            left, right = (a & b) | (a & c) | (b & c), (e & f) | (~e & g)
        new_a = (left + d + second + (words[i] ^ words[i + 4])) & _MASK
        new_e = (right + h + first + words[i]) & _MASK
        a, b, c, d = new_a, a, _turn(b, 9), c
        e, f, g, h = new_e ^ _turn(new_e, 9) ^ _turn(new_e, 17), e, _turn(f, 19), g
    after = (a, b, c, d, e, f, g, h)
    return tuple(state[i] ^ after[i] for i in range(8))


class PlainSm3:
    """SM3 without OpenSSL, about a thousand times slower; the digest is 32 bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self._state: tuple[int, ...] = struct.unpack(">8I", bytes.fromhex(_START))
        self._rest = b""
        self._length = 0
        self.update(data)

    def update(self, data: bytes, /) -> None:
        self._length += len(data)
        pending = self._rest + data
        whole = len(pending) - len(pending) % _BLOCK
        for at in range(0, whole, _BLOCK):
            self._state = _compress(self._state, pending[at : at + _BLOCK])
        self._rest = pending[whole:]

    def digest(self) -> bytes:
        filled = b"\x80" + bytes((55 - self._length) % _BLOCK)
        last = self._rest + filled + struct.pack(">Q", self._length * 8)
        state = self._state
        for at in range(0, len(last), _BLOCK):
            state = _compress(state, last[at : at + _BLOCK])
        return struct.pack(">8I", *state)

    def hexdigest(self) -> str:
        return self.digest().hex()

    def copy(self) -> PlainSm3:
        twin = PlainSm3()
        twin._state, twin._rest, twin._length = self._state, self._rest, self._length
        return twin


def _openssl_sm3(data: bytes) -> Digest:
    return hashlib.new("sm3", data)


def _sha256(data: bytes) -> Digest:
    return hashlib.sha256(data)


def hasher(alg: str) -> Hasher:
    """Give the constructor of the digest `alg`. Raises: E_ALG. Source: draw.md section 0."""
    if alg == "sha256":
        return _sha256
    if alg != "sm3":
        raise DrawRefusal("E_ALG", "alg", alg=alg)
    try:
        _openssl_sm3(b"")
    except ValueError:
        return PlainSm3
    return _openssl_sm3


def hexdigest(alg: str, data: bytes) -> str:
    """Give 64 lower-case hexadecimal digits."""
    return hasher(alg)(data).hexdigest()
