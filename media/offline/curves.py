"""Verifies ES256 (P-256) and Ed25519 signatures with integers alone: public data, nothing secret.

Both groups have one addition that is right for all points (Renes, Costello and Batina 2015,
algorithm 4; Hisil and others 2008), so that a multiplication is additions out of a table.
Source: evidence-and-sync 2, 8; FIPS 186-5, RFC 8032.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256, sha512

# P-256: y^2 = x^3 - 3x + B over the field of P, a group of N points.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
SPKI_P256_BYTES = 91
# Edwards 25519: -x^2 + y^2 = 1 + D x^2 y^2 over the field of Q, a group of L points.
Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
BASE_Y = 4 * pow(5, -1, Q) % Q
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
WINDOWS, DIGITS = 64, 16
KEYS_KEPT = 64
SIGNATURE_BYTES, SCALAR_BYTES = 64, 32


def _plus256(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    x1, y1, z1 = one
    x2, y2, z2 = other
    xx, yy, zz = x1 * x2 % P, y1 * y2 % P, z1 * z2 % P
    xy = (x1 + y1) * (x2 + y2) - xx - yy
    yz = (y1 + z1) * (y2 + z2) - yy - zz
    xz = (x1 + z1) * (x2 + z2) - xx - zz
    bz = 3 * (xz - B * zz) % P
    left, right = (yy - bz) % P, (yy + bz) % P
    bx = 3 * (B * xz - 3 * zz - xx) % P
    minus = 3 * (xx - zz) % P
    return (
        (right * xy - yz * bx) % P,
        (right * left + minus * bx) % P,
        (left * yz + xy * minus) % P,
    )


def _plus25519(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    a = (one[1] - one[0]) * (other[1] - other[0]) % Q
    b = (one[1] + one[0]) * (other[1] + other[0]) % Q
    c = 2 * one[3] * other[3] * D % Q
    d = 2 * one[2] * other[2] % Q
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % Q, g * h % Q, f * g % Q, e * h % Q)


@lru_cache(maxsize=KEYS_KEPT)
def _table(
    plus: Callable[[tuple[int, ...], tuple[int, ...]], tuple[int, ...]], base: tuple[int, ...]
) -> list[list[tuple[int, ...]]]:
    """Give digit * 16**window * base for every window and every digit from 1 to 15."""
    rows = []
    for _ in range(WINDOWS):
        row = [base]
        while len(row) < DIGITS - 1:
            row.append(plus(row[-1], base))
        rows.append(row)
        base = plus(row[-1], base)
    return rows


def _more(
    total: tuple[int, ...],
    scalar: int,
    plus: Callable[[tuple[int, ...], tuple[int, ...]], tuple[int, ...]],
    base: tuple[int, ...],
) -> tuple[int, ...]:
    for row in _table(plus, base):
        scalar, digit = divmod(scalar, DIGITS)
        if digit:
            total = plus(total, row[digit - 1])
    return total


def p256_point(spki: bytes) -> tuple[int, ...] | None:
    """Give the point of a P-256 key in its one SubjectPublicKeyInfo spelling, None for others."""
    if len(spki) != SPKI_P256_BYTES or not spki.startswith(SPKI_P256):
        return None
    x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
    on_curve = x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0
    return (x, y, 1) if on_curve else None


def es256(point: tuple[int, ...], message: bytes, signature: bytes) -> bool:
    """Verify ECDSA over SHA-256 of the message; the signature is r then s, 32 bytes each."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != SIGNATURE_BYTES or not (0 < r < N and 0 < s < N):
        return False
    inverse = pow(s, -1, N)
    digest = int.from_bytes(sha256(message).digest(), "big")
    total = _more((0, 1, 0), digest * inverse % N, _plus256, G)
    x, _, z = _more(total, r * inverse % N, _plus256, point)
    return bool(z) and x * pow(z, -1, P) % P % N == r


def der(signature: bytes) -> bytes:
    """Spell r then s, 32 bytes each, as the SEQUENCE that openssl reads."""
    body = b""
    for half in (signature[:SCALAR_BYTES], signature[SCALAR_BYTES:]):
        number = half.lstrip(b"\0")
        if number[:1] >= b"\x80":
            number = b"\0" + number
        body += bytes([2, len(number)]) + number
    return bytes([48, len(body)]) + body


def _point25519(y: int, sign: int) -> tuple[int, ...] | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if y >= Q or (x * x - square) % Q or (not x and sign):
        return None
    x = Q - x if x % 2 != sign else x
    return (x, y, 1, x * y % Q)


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify Ed25519; the key has 32 bytes, the signature 64."""
    number, s = int.from_bytes(public, "little"), int.from_bytes(signature[32:], "little")
    key, base = _point25519(number % 2**255, number >> 255), _point25519(BASE_Y, 0)
    if key is None or base is None or len(signature) != SIGNATURE_BYTES or s >= L:
        return False
    hashed = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    minus = (Q - key[0], key[1], 1, Q - key[3])
    total = _more((0, 1, 1, 0), s, _plus25519, base)
    x, y, z, _ = _more(total, hashed, _plus25519, minus)
    inverse = pow(z, -1, Q)
    spelled = (y * inverse % Q) + ((x * inverse % Q % 2) << 255)
    return spelled.to_bytes(32, "little") == signature[:32]
