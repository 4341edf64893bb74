"""Commitments, the seed, tickets and uniform numbers (draw.md sections 2.5, 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .canon import canonical, digest
from .digest import hasher, hexdigest
from .errors import DrawRefusal

SPACE = 2**256
_TAG_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")
_ENTROPY_KEYS = {"source", "ref", "value"}


def tagged(tag: str) -> bytes:
    """Pad the tag with zero bytes to 32 bytes."""
    return tag.encode().ljust(_TAG_BYTES, b"\0")


def unhex(value: object, field: str) -> bytes:
    """32 bytes from 64 lower-case hexadecimal digits. Raises: E_TYPE."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise DrawRefusal("E_TYPE", field)
    return bytes.fromhex(value)


def commitment(alg: str, draw: str, attempt: int, party: str, secret: str) -> str:
    """Bind what a party publishes before its secret of 32 bytes (hex): 64 hexadecimal digits.

    Source: draw.md section 3.1; party, draw and attempt are bound, so it cannot be copied.
    """
    bound = canonical({"attempt": attempt, "draw": draw, "party": party})
    return hexdigest(alg, tagged("ssj1.commit") + unhex(secret, "secret") + bound.encode())


def person(alg: str, salt: str, licence: str) -> str:
    """Commit to the licence behind an inspector's pseudonym (section 2.5); salt in hex."""
    named = canonical({"licence": licence}).encode()
    return hexdigest(alg, tagged("ssj1.person") + unhex(salt, "salt") + named)


def _entropy_list(entropy: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    for entry in entropy:
        if not isinstance(entry, Mapping) or set(entry) != _ENTROPY_KEYS:
            raise DrawRefusal("E_KEY", "entropy")
        if not all(isinstance(value, str) for value in entry.values()):
            raise DrawRefusal("E_TYPE", "entropy")
    # Code points sort like UTF-8 bytes.
    return sorted(map(dict, entropy), key=lambda entry: (entry["source"], entry["ref"]))


def seed(
    alg: str,
    draw: str,
    attempt: int,
    *,
    plan: Mapping[str, Any],
    frames: Mapping[str, str],
    reveals: Mapping[str, str],
    entropy: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Derive the seed, 64 hexadecimal digits; `reveals` is party -> secret (hex).

    `frames` holds the two roots: {objects: hex, inspectors: hex}.

    Raises: E_KEY when an entropy entry is not exactly source, ref and value; E_ALG; E_TYPE.
    Source: draw.md section 3.2.
    """
    for party, secret in reveals.items():
        unhex(secret, f"reveals.{party}")
    bound = {
        "alg": alg,
        "attempt": attempt,
        "draw": draw,
        "entropy": _entropy_list(entropy or []),
        "frame_inspectors": frames["inspectors"],
        "frame_objects": frames["objects"],
        "plan": digest(alg, plan),
        "reveals": [{"party": party, "value": reveals[party]} for party in sorted(reveals)],
    }
    return hexdigest(alg, tagged("ssj1.seed") + canonical(bound).encode())


def marker(alg: str, seed_hex: str, tag: str) -> Callable[[bytes], bytes]:
    """Map a label to 32 bytes; the 64-byte prefix is hashed once and copied."""
    start = hasher(alg)(tagged(tag) + unhex(seed_hex, "seed"))
    copy = start.copy

    def mark(label: bytes) -> bytes:
        state = copy()
        state.update(label)
        return state.digest()

    return mark


def ticket(alg: str, seed_hex: str, tag: str, label: bytes) -> int:
    """Draw 0 <= ticket < 2^256. Source: draw.md section 4."""
    return int.from_bytes(marker(alg, seed_hex, tag)(label), "big")


def chooser(alg: str, seed_hex: str, tag: str) -> Callable[[bytes, int], int]:
    """Map (label, n) to 0 <= x < n, exactly uniform by rejection, 1 <= n <= 2^256."""
    copy = hasher(alg)(tagged(tag) + unhex(seed_hex, "seed")).copy
    read = int.from_bytes

    def choose(label: bytes, n: int) -> int:
        if n == 1:
            return 0
        # The first count is four zero bytes; with a small n it is nearly always the last.
        state = copy()
        state.update(label + b"\0\0\0\0\0")
        x, limit, counter = read(state.digest(), "big"), SPACE - SPACE % n, 0
        while x >= limit:
            counter += 1
            state = copy()
            state.update(label + b"\0" + counter.to_bytes(4, "big"))
            x = read(state.digest(), "big")
        return x % n

    return choose


def uniform(alg: str, seed_hex: str, tag: str, label: bytes, n: int) -> int:
    """Draw 0 <= x < n. Raises: E_NUMBER unless 1 <= n <= 2^256. Source: draw.md section 4."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= SPACE:
        raise DrawRefusal("E_NUMBER", "n")
    return chooser(alg, seed_hex, tag)(label, n)
