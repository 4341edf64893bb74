"""Reads RFC 3161 time stamps as far as bare integers go: what was stamped, and when.

Source: evidence-and-sync 9 (V9); RFC 3161 2.4.2.
"""

from __future__ import annotations

import re

LONG, LENGTH_MOST = 0x80, 4
SEQUENCE, OCTETS, TIME, CONTENT = 0x30, 0x04, 0x18, 0xA0
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
STAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
SHA_256 = bytes.fromhex("608648016503040201")


def _split(raw: bytes) -> list[tuple[int, bytes]]:
    """Split into values of DER: tag and content of each. Raises: ValueError."""
    found, at = [], 0
    while at < len(raw):
        tag, length, start = raw[at], raw[at + 1] if at + 1 < len(raw) else LONG, at + 2
        if length >= LONG:
            count = length - LONG
            if not 0 < count <= LENGTH_MOST or start + count > len(raw):
                raise ValueError("length")
            length, start = int.from_bytes(raw[start : start + count], "big"), start + count
        at = start + length
        if at > len(raw):
            raise ValueError("cut")
        found.append((tag, raw[start:at]))
    return found


def _inner(raw: bytes, tag: int, place: int) -> bytes:
    """Give the content of one value, which has this tag. Raises: ValueError."""
    values = _split(raw)
    if place >= len(values) or values[place][0] != tag:
        raise ValueError("form")
    return values[place][1]


def stamped_at(reply: bytes, digest: bytes) -> str:
    """Give when a granted reply says that these 32 bytes existed. Raises: ValueError."""
    answer = _inner(reply, SEQUENCE, 0)
    if _inner(_inner(answer, SEQUENCE, 0), 2, 0) != b"\0":
        raise ValueError("refused")
    content = _inner(answer, SEQUENCE, 1)
    if _inner(content, 6, 0) != SIGNED_DATA:
        raise ValueError("form")
    signed = _inner(_inner(content, CONTENT, 1), SEQUENCE, 0)
    wrapped = _inner(signed, SEQUENCE, 2)
    if _inner(wrapped, 6, 0) != STAMP_INFO:
        raise ValueError("form")
    info = _inner(_inner(_inner(wrapped, CONTENT, 1), OCTETS, 0), SEQUENCE, 0)
    imprint = _inner(info, SEQUENCE, 2)
    if _inner(_inner(imprint, SEQUENCE, 0), 6, 0) != SHA_256:
        raise ValueError("algorithm")
    if _inner(imprint, OCTETS, 1) != digest:
        raise ValueError("imprint")
    text = _inner(info, TIME, 4).decode("ascii")
    if not re.fullmatch("[0-9]{14}([.][0-9]+)?Z", text):
        raise ValueError("time")
    return text
