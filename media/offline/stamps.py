"""Verifies RFC 3161 time stamps: what was stamped, when, by which certificate, under which root.

Signatures are ECDSA on P-256 with SHA-256 or RSA (PKCS #1 v1.5) with SHA-2; another algorithm is
no fault, it is said that the signer was not checked. Revocation lists may stand beside the roots.
Source: evidence-and-sync 9 (V9); RFC 3161 2.4.2, RFC 5652 5.4, RFC 5280 4.1, 5.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

from media.offline.curves import es256, p256_point

LONG, LENGTH_MOST, HOPS_MOST = 0x80, 4, 4
SEQUENCE, OCTETS, SET, TIME, CONTENT = 0x30, 0x04, 0x31, 0x18, 0xA0
OID, BITS, INTEGER, SHORT_TIME, EXTENSIONS = 0x06, 0x03, 0x02, 0x17, 0xA3
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
STAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
FOR_STAMPS = bytes.fromhex("06082b06010505070308")
RSA = bytes.fromhex("2a864886f70d010101")
ECDSA = bytes.fromhex("2a8648ce3d040302")
HASHES = {
    "608648016503040201": "sha256",
    "608648016503040202": "sha384",
    "608648016503040203": "sha512",
}
RSA_WITH = {
    "2a864886f70d01010b": "sha256",
    "2a864886f70d01010c": "sha384",
    "2a864886f70d01010d": "sha512",
}
SHA_256 = bytes.fromhex("608648016503040201")


class Unread(Exception):  # noqa: N818 - nothing is wrong
    """An algorithm that is not verified here."""


class Value(NamedTuple):
    """One value of DER: its tag, its content, all of its bytes."""

    tag: int
    content: bytes
    whole: bytes


class Certificate(NamedTuple):
    """What counts of a certificate; names, key and body are DER."""

    serial: bytes
    issuer: bytes
    subject: bytes
    start: str
    end: str
    spki: bytes
    extensions: bytes
    body: bytes
    algorithm: bytes
    signature: bytes


def _split(raw: bytes) -> list[Value]:
    """Split into values of DER. Raises: ValueError."""
    found, at = [], 0
    while at < len(raw):
        first, length, start = at, raw[at + 1] if at + 1 < len(raw) else LONG, at + 2
        if length >= LONG:
            count = length - LONG
            if not 0 < count <= LENGTH_MOST or start + count > len(raw):
                raise ValueError("length")
            length, start = int.from_bytes(raw[start : start + count], "big"), start + count
        at = start + length
        if at > len(raw):
            raise ValueError("cut")
        found.append(Value(raw[first], raw[start:at], raw[first:at]))
    return found


def _at(values: list[Value], place: int, tag: int) -> Value:
    """Give one value, which has this tag. Raises: ValueError."""
    if place >= len(values) or values[place].tag != tag:
        raise ValueError("form")
    return values[place]


def _inner(raw: bytes, tag: int, place: int) -> bytes:
    return _at(_split(raw), place, tag).content


def _instant(value: Value) -> str:
    text = value.content.decode("ascii")
    if value.tag == SHORT_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    if not re.fullmatch("[0-9]{14}([.][0-9]+)?Z", text):
        raise ValueError("time")
    return text


def _certificate(raw: bytes) -> Certificate:
    outer = _split(_inner(raw, SEQUENCE, 0))
    body = _at(outer, 0, SEQUENCE)
    parts = _split(body.content)
    parts = parts[1:] if parts and parts[0].tag == CONTENT else parts
    start, end = (_instant(one) for one in _split(_at(parts, 3, SEQUENCE).content)[:2])
    return Certificate(
        _at(parts, 0, INTEGER).content,
        _at(parts, 2, SEQUENCE).whole,
        _at(parts, 4, SEQUENCE).whole,
        start,
        end,
        _at(parts, 5, SEQUENCE).whole,
        b"".join(one.content for one in parts[6:] if one.tag == EXTENSIONS),
        body.whole,
        _inner(_at(outer, 1, SEQUENCE).content, OID, 0),
        _at(outer, 2, BITS).content[1:],
    )


def _signed(spki: bytes, algorithm: bytes, digest: str, message: bytes, signature: bytes) -> bool:
    """Verify; `digest` names the hash where the algorithm does not. Raises: Unread, ValueError."""
    point = p256_point(spki)
    if point is not None and algorithm == ECDSA:
        numbers = _split(_inner(signature, SEQUENCE, 0))
        halves = [int.from_bytes(_at(numbers, n, INTEGER).content, "big") for n in (0, 1)]
        if max(halves) >> 256:
            return False
        return es256(point, message, b"".join(half.to_bytes(32, "big") for half in halves))
    parts = _split(_inner(spki, SEQUENCE, 0))
    name = RSA_WITH.get(algorithm.hex(), digest if algorithm == RSA else "")
    if _inner(_at(parts, 0, SEQUENCE).content, OID, 0) != RSA or not name:
        raise Unread
    numbers = _split(_inner(_at(parts, 1, BITS).content[1:], SEQUENCE, 0))
    n, e = (int.from_bytes(_at(numbers, place, INTEGER).content, "big") for place in (0, 1))
    size = (n.bit_length() + 7) // 8
    oid = next(bytes.fromhex(text) for text, known in HASHES.items() if known == name)
    hashed = hashlib.new(name, message).digest()
    info = bytes([6, len(oid)]) + oid + b"\5\0"
    info = bytes([48, len(info)]) + info + bytes([4, len(hashed)]) + hashed
    info = bytes([48, len(info)]) + info
    wanted = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    opened = pow(int.from_bytes(signature, "big"), e, n).to_bytes(size, "big")
    return len(signature) == size and opened == wanted


def _trusted(one: Certificate, others: list[Certificate], roots: list[Certificate]) -> bool:
    """Whether signatures lead from a certificate to a root. Raises: Unread, ValueError."""
    for _ in range(HOPS_MOST):
        for issuers in (roots, others):
            found = [issuer for issuer in issuers if issuer.subject == one.issuer]
            if found:
                break
        if not found or not _signed(found[0].spki, one.algorithm, "", one.body, one.signature):
            return False
        if found[0] in roots:
            return True
        one = found[0]
    return False


def _texts(pem: bytes, kind: bytes) -> list[bytes]:
    """Give what stands in a PEM file under one heading. Raises: ValueError."""
    texts = re.findall(b"-----BEGIN " + kind + b"-----([A-Za-z0-9+/=\\s]*)-----END", pem)
    try:
        return [base64.b64decode(b"".join(text.split())) for text in texts]
    except binascii.Error:
        raise ValueError("roots") from None


def _not_revoked(one: Certificate, issuers: list[Certificate], pem: bytes, at: str) -> None:
    """Hold a signer against its issuer's revocation lists. Raises: Unread, ValueError.

    A stamp from before the revocation stands. Source: RFC 5280 5.1, RFC 3161 4 (1).
    """
    for raw in _texts(pem, b"X509 CRL"):
        outer = _split(_inner(raw, SEQUENCE, 0))
        body = _at(outer, 0, SEQUENCE)
        parts = _split(body.content)
        parts = parts[1:] if parts and parts[0].tag == INTEGER else parts
        if _at(parts, 1, SEQUENCE).whole != one.issuer:
            continue
        issuer = [known for known in issuers if known.subject == one.issuer]
        algorithm = _inner(_at(outer, 1, SEQUENCE).content, OID, 0)
        signature = _at(outer, 2, BITS).content[1:]
        if not issuer or not _signed(issuer[0].spki, algorithm, "", body.whole, signature):
            raise ValueError("revocations")
        listed = [part for part in parts[3:] if part.tag == SEQUENCE]
        for entry in [entry for part in listed for entry in _split(part.content)]:
            serial, since = _split(entry.content)[:2]
            if serial.content == one.serial and _instant(since)[:14] <= at[:14]:
                raise ValueError("revoked")


def stamped_at(reply: bytes, digest: bytes, pem: bytes | None) -> tuple[str, bool]:
    """Give when a granted reply says that these 32 bytes existed, and whether its signer holds.

    The second is False where an algorithm is not verified here; what does not hold is raised.
    Raises: ValueError.
    """
    answer = _inner(reply, SEQUENCE, 0)
    if _inner(_inner(answer, SEQUENCE, 0), INTEGER, 0) != b"\0":
        raise ValueError("refused")
    content = _inner(answer, SEQUENCE, 1)
    if _inner(content, OID, 0) != SIGNED_DATA:
        raise ValueError("form")
    signed = _split(_inner(_inner(content, CONTENT, 1), SEQUENCE, 0))
    wrapped = _at(signed, 2, SEQUENCE).content
    if _inner(wrapped, OID, 0) != STAMP_INFO:
        raise ValueError("form")
    stamp = _inner(_inner(wrapped, CONTENT, 1), OCTETS, 0)
    info = _split(_inner(stamp, SEQUENCE, 0))
    imprint = _at(info, 2, SEQUENCE).content
    if _inner(_inner(imprint, SEQUENCE, 0), OID, 0) != SHA_256:
        raise ValueError("algorithm")
    if _inner(imprint, OCTETS, 1) != digest:
        raise ValueError("imprint")
    at = _instant(_at(info, 4, TIME))
    if pem is None:
        return at, False
    try:
        return at, _signer(signed, stamp, at, pem)
    except Unread:
        return at, False


def _signer(signed: list[Value], stamp: bytes, at: str, pem: bytes) -> bool:
    """Verify the one signature of a token. Raises: Unread, ValueError."""
    roots = [_certificate(raw) for raw in _texts(pem, b"CERTIFICATE")]
    given = [one for one in _split(_at(signed, 3, CONTENT).content) if one.tag == SEQUENCE]
    certificates = [_certificate(one.whole) for one in given]
    signer = _split(_inner(_at(signed, len(signed) - 1, SET).content, SEQUENCE, 0))
    name = _split(_at(signer, 1, SEQUENCE).content)
    key = (_at(name, 0, SEQUENCE).whole, _at(name, 1, INTEGER).content)
    found = [one for one in [*certificates, *roots] if (one.issuer, one.serial) == key]
    known = HASHES.get(_inner(_at(signer, 2, SEQUENCE).content, OID, 0).hex())
    if known is None:
        raise Unread
    attributes = _at(signer, 3, CONTENT)
    said = {}
    for one in _split(attributes.content):
        said[_inner(one.content, OID, 0)] = _inner(one.content, SET, 1)
    digest = hashlib.new(known, stamp).digest()
    if _inner(said.get(MESSAGE_DIGEST, b""), OCTETS, 0) != digest or not found:
        raise ValueError("digest")
    if _inner(said.get(CONTENT_TYPE, b""), OID, 0) != STAMP_INFO:
        raise ValueError("form")
    chosen = found[0]
    message = bytes([SET]) + attributes.whole[1:]
    algorithm = _inner(_at(signer, 4, SEQUENCE).content, OID, 0)
    if not _signed(chosen.spki, algorithm, known, message, _at(signer, 5, OCTETS).content):
        raise ValueError("signature")
    if not chosen.start[:14] <= at[:14] <= chosen.end[:14]:
        raise ValueError("validity")
    if FOR_STAMPS not in chosen.extensions:
        raise ValueError("purpose")
    if chosen not in roots and not _trusted(chosen, certificates, roots):
        raise ValueError("untrusted")
    _not_revoked(chosen, [*roots, *certificates], pem, at)
    return True
