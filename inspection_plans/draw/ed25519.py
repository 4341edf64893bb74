"""Ed25519 signatures checked with integers alone (RFC 8032), so that a verifier needs no library.

Stricter than some: points are canonical and not of small order, the scalar is below the order
of the group. What honest keys sign always passes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_CURVE = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
_ROOT = pow(2, (PRIME - 1) // 4, PRIME)
_NEUTRAL = (0, 1, 1, 0)
_KEY_BYTES = 32


def _add(p: tuple[int, ...], q: tuple[int, ...]) -> tuple[int, ...]:
    """Add two points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z; also doubles."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % PRIME
    b = (p[1] + p[0]) * (q[1] + q[0]) % PRIME
    c = 2 * p[3] * q[3] * _CURVE % PRIME
    d = 2 * p[2] * q[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _point(data: bytes) -> tuple[int, ...] | None:
    """Decode 32 bytes; None when they are no canonical point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number % 2**255
    if y >= PRIME:
        return None
    square = (y * y - 1) * pow(_CURVE * y * y + 1, PRIME - 2, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * _ROOT % PRIME
    if (x * x - square) % PRIME or (not x and sign):
        return None
    if x % 2 != sign:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def _bytes(p: tuple[int, ...]) -> bytes:
    inverse = pow(p[2], PRIME - 2, PRIME)
    x, y = p[0] * inverse % PRIME, p[1] * inverse % PRIME
    return (y | (x % 2) << 255).to_bytes(_KEY_BYTES, "little")


def _small(p: tuple[int, ...]) -> bool:
    """Tell whether eight times the point is the neutral one."""
    for _ in range(3):
        p = _add(p, p)
    return p[0] % PRIME == 0 and (p[1] - p[2]) % PRIME == 0


_GENERATOR = (
    _point((4 * pow(5, PRIME - 2, PRIME) % PRIME).to_bytes(_KEY_BYTES, "little")) or _NEUTRAL
)


# The same log is verified many times: all records of a year carry it.
@lru_cache(maxsize=4096)
def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the 64-byte signature over the message is that of the 32-byte public key."""
    if len(key) != _KEY_BYTES or len(signature) != 2 * _KEY_BYTES:
        return False
    public, commit = _point(key), signature[:_KEY_BYTES]
    scalar = int.from_bytes(signature[_KEY_BYTES:], "little")
    if public is None or _small(public) or scalar >= ORDER:
        return False
    known = hashlib.sha512(commit + key + message).digest()
    challenge = int.from_bytes(known, "little") % ORDER
    negative = (PRIME - public[0], public[1], 1, PRIME - public[3])
    # Both products at once, bit by bit: scalar * base - challenge * key is the commitment.
    steps = (_NEUTRAL, _GENERATOR, negative, _add(_GENERATOR, negative))
    point: tuple[int, ...] = _NEUTRAL
    for bit in range(252, -1, -1):
        point = _add(point, point)
        which = (scalar >> bit & 1) + 2 * (challenge >> bit & 1)
        if which:
            point = _add(point, steps[which])
    return not _small(point) and _bytes(point) == commit
