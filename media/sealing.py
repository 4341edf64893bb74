r"""Sealed transport: how a phone encrypts one blob so that this server alone can open it.

A blob's plain bytes are cut into chunks of 1 MiB.  Chunk i is AES-256-GCM under the blob's own
random key, nonce = i (12 bytes, big-endian), AAD = id (16 bytes) ‖ i (4 bytes, big-endian) ‖ last
(1 byte, 1 on the last chunk).  The wire is the chunks' texts, each with its 16-byte tag behind it,
one after the other; there is no header.  So no chunk can be altered, moved, left out, or taken
from another blob, and a cut end shows.

The key travels as ``wrapped_key``, base64url of: version (1 byte, 1) ‖ kid of the server's key (8
bytes) ‖ the phone's one-time P-256 point (65 bytes, uncompressed) ‖ AES-256-GCM(zero nonce, no
AAD) of the key (48 bytes) under HKDF-SHA-256(ECDH, salt = one-time point ‖ server's point, info =
``MINGCHA-SEAL-V1\n`` ‖ id).
Source: evidence-and-sync 4 (transport), 11 (sealed outbox).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta, Struct

from media import base64url, keys
from media.errors import Family, MediaRefusal

CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
TEXT_BYTES = CHUNK_BYTES + TAG_BYTES
VERSION = b"\x01"
DOMAIN = b"MINGCHA-SEAL-V1\n"
ALGORITHM = "ECDH-P256+HKDF-SHA256+A256GCM"

_KID, _POINT, _KEY_TEXT = 8, 65, 48
_WRAPPED_BYTES = 1 + _KID + _POINT + _KEY_TEXT

WrappedKey = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{163}\Z")]


class SealMalformed(MediaRefusal):
    """The wrapped key does not have the form of one."""

    code: ClassVar[str] = "seal.malformed"


class SealKeyUnknown(MediaRefusal):
    """The blob was sealed for a key that this server does not hold."""

    code: ClassVar[str] = "seal.key_unknown"


class SealAltered(MediaRefusal):
    """A chunk is not what was sealed: altered, moved, or of another blob; or the key is."""

    code: ClassVar[str] = "seal.altered"
    family: ClassVar[Family] = Family.CONFLICT


class SealTruncated(MediaRefusal):
    """The sealed bytes end before the last chunk, or go on behind it."""

    code: ClassVar[str] = "seal.truncated"
    family: ClassVar[Family] = Family.CONFLICT


class Wrapped(Struct, frozen=True):
    """A wrapped key taken apart; ``kid`` names the server's key in 16 hex digits."""

    kid: str
    sender: bytes
    text: bytes


def sealed_size(plain_bytes: int) -> int:
    """The bytes on the wire of a blob of ``plain_bytes`` (at least 1)."""
    return plain_bytes + TAG_BYTES * -(-plain_bytes // CHUNK_BYTES)


def read_wrapped(wrapped_key: str) -> Wrapped:
    """Take a wrapped key apart without opening it.

    Raises: SealMalformed ("seal.malformed").
    """
    try:
        raw = base64url.decode(wrapped_key, field="wrapped_key")
    except base64url.NotBase64url:
        raise SealMalformed(field="wrapped_key") from None
    if len(raw) != _WRAPPED_BYTES or raw[:1] != VERSION:
        raise SealMalformed(field="wrapped_key")
    kid, sender = raw[1 : 1 + _KID], raw[1 + _KID :][:_POINT]
    return Wrapped(kid.hex(), sender, raw[-_KEY_TEXT:])


def unwrap(wrapped_key: str, blob: UUID, server: Mapping[str, keys.TransportKey]) -> bytes:
    """The 32-byte key of a blob.

    Shapes: ``server`` holds the keys by kid, retired ones included.
    Raises: SealMalformed, SealKeyUnknown, SealAltered ("seal.…").
    Source: evidence-and-sync 11.
    """
    wrapped = read_wrapped(wrapped_key)
    key = server.get(wrapped.kid)
    if key is None:
        raise SealKeyUnknown(field="wrapped_key", kid=wrapped.kid)
    try:
        return key.unwrap(wrapped.sender, wrapped.text, DOMAIN + blob.bytes)
    except keys.SealBroken:
        raise SealAltered(field="wrapped_key") from None


def wrap(key: bytes, blob: UUID, spki: bytes, *, once: bytes) -> str:
    """Wrap a blob's key as a phone does; ``once`` is 32 fresh random bytes.

    Raises: KeyRefused ("key.not_p256").
    """
    sender, text = keys.wrap_for(spki, key, DOMAIN + blob.bytes, once=once)
    kid = bytes.fromhex(keys.key_id(spki))
    return base64url.encode(VERSION + kid + sender + text)


def seal(plain: bytes, blob: UUID, key: bytes) -> bytes:
    """Seal a whole blob as a phone does; ``key`` is 32 random bytes, used for this blob alone."""
    starts = range(0, len(plain), CHUNK_BYTES)
    return b"".join(
        keys.seal_chunk(
            key,
            _nonce(index),
            plain[start : start + CHUNK_BYTES],
            _aad(blob, index, last=index == len(starts) - 1),
        )
        for index, start in enumerate(starts)
    )


def opened(wire: Iterable[bytes], blob: UUID, key: bytes, *, size: int) -> Iterator[bytes]:
    """Yield the plain bytes of a sealed blob, whose original has ``size`` bytes, in chunks.

    Holds one chunk at a time, however the wire is cut.  What was yielded before a refusal was
    sealed by the phone, but is not the whole.
    Raises: SealAltered, SealTruncated ("seal.…").
    Source: evidence-and-sync 4 (opened by the verify worker).
    """
    chunks, index = -(-size // CHUNK_BYTES), 0
    for text in _texts(wire):
        if index == chunks:
            raise SealTruncated(reason="longer")
        last = index == chunks - 1
        whole = (size - index * CHUNK_BYTES if last else CHUNK_BYTES) + TAG_BYTES
        if len(text) != whole:
            raise SealTruncated(reason="longer" if len(text) > whole else "cut", chunk=index)
        try:
            yield keys.open_chunk(key, _nonce(index), text, _aad(blob, index, last=last))
        except keys.SealBroken:
            raise SealAltered(reason="chunk", chunk=index) from None
        index += 1
    if index < chunks:
        raise SealTruncated(reason="cut", chunk=index)


def _texts(wire: Iterable[bytes]) -> Iterator[bytes]:
    """The wire in pieces of one sealed chunk each; the last may be shorter."""
    held = bytearray()
    for part in wire:
        held += part
        while len(held) >= TEXT_BYTES:
            yield bytes(held[:TEXT_BYTES])
            del held[:TEXT_BYTES]
    if held:
        yield bytes(held)


def _nonce(index: int) -> bytes:
    return index.to_bytes(keys.NONCE_BYTES)


def _aad(blob: UUID, index: int, *, last: bool) -> bytes:
    return blob.bytes + index.to_bytes(4) + bytes([last])
