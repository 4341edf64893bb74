"""The little of ASN.1 DER that time stamps need: write values, split what was read.

Source: X.690 (definite lengths, minimal integers).
"""

from typing import ClassVar

from media.errors import Family, MediaRefusal

SHORT = 0x80
INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
BOOLEAN, UTF8, GENERALIZED_TIME = 0x01, 0x0C, 0x18
SEQUENCE, SET = 0x30, 0x31
HEAD_BYTES = 2
LENGTH_BYTES_MAX = 4


class DerInvalid(MediaRefusal):
    """Not DER, or cut off."""

    code: ClassVar[str] = "stamp.not_der"
    family: ClassVar[Family] = Family.MALFORMED


def tlv(tag: int, *parts: bytes) -> bytes:
    """One value: tag, length, and its parts after one another."""
    content = b"".join(parts)
    if len(content) < SHORT:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, SHORT | len(length)]) + length + content


def integer(value: int) -> bytes:
    """A non-negative INTEGER."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(SHORT | arc & 0x7F)
    return bytes(reversed(digits))


def dotted(content: bytes) -> str:
    """The content of an OBJECT IDENTIFIER as text.

    Raises: DerInvalid ("stamp.not_der").
    """
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if byte < SHORT:
            arcs.append(arc)
            arc = 0
    if not arcs or content[-1] >= SHORT:
        raise DerInvalid(reason="oid")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def split(raw: bytes) -> list[tuple[int, bytes]]:
    """The values that ``raw`` is made of: tag and content of each.

    Raises: DerInvalid ("stamp.not_der").
    """
    found: list[tuple[int, bytes]] = []
    while raw:
        if len(raw) < HEAD_BYTES:
            raise DerInvalid(reason="cut")
        tag, length, start = raw[0], raw[1], HEAD_BYTES
        if length >= SHORT:
            count = length - SHORT
            start += count
            if not 0 < count <= LENGTH_BYTES_MAX or len(raw) < start:
                raise DerInvalid(reason="length")
            length = int.from_bytes(raw[HEAD_BYTES:start])
        if len(raw) < start + length:
            raise DerInvalid(reason="cut")
        found.append((tag, raw[start : start + length]))
        raw = raw[start + length :]
    return found
