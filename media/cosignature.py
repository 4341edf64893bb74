"""Cosignatures: a witness says that a head extends every head it saw before; names of keys.

Source: evidence-and-sync 8 (anchor d), C2SP tlog-cosignature (cosignature/v1) and signed-note.
"""

import base64
import binascii
from hashlib import sha256
from typing import ClassVar, Self

from msgspec import Struct

from media import checkpoint, keys
from media.checkpoint import ED25519, KEY_ID_BYTES, NoteInvalid
from media.errors import MediaRefusal

COSIGNATURE = b"\x04"  # C2SP signature type: Ed25519 over head and time
TIME_BYTES = 8
SIGNATURE_BYTES = 64
KEY_BYTES = 32
VKEY_PARTS = 3


class VkeyInvalid(MediaRefusal):
    """Not a verifier key ``name+hash+key`` of a kind that is known here."""

    code: ClassVar[str] = "log.vkey_invalid"


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """First 4 bytes of SHA-256 over name, newline, signature type and key (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:KEY_ID_BYTES]


class Vkey(Struct, frozen=True):
    """A public key with the name it signs under; ``kind`` is its C2SP signature type, 1 byte."""

    name: str
    kind: bytes
    public: bytes

    def __str__(self) -> str:
        """The one line that is handed over by another way than the log itself."""
        shown = base64.b64encode(self.kind + self.public).decode()
        return f"{self.name}+{key_id(self.name, self.kind, self.public).hex()}+{shown}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``name+hash+key``; the key may hold a plus itself.

        Raises: VkeyInvalid ("log.vkey_invalid").
        Source: C2SP signed-note (verifier keys).
        """
        parts = text.strip().split("+", VKEY_PARTS - 1)
        if len(parts) != VKEY_PARTS:
            raise VkeyInvalid(reason="form")
        name, shown, encoded = parts
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise VkeyInvalid(reason="base64") from None
        kind, public = raw[:1], raw[1:]
        if kind not in (ED25519, COSIGNATURE) or len(public) != KEY_BYTES:
            raise VkeyInvalid(reason="kind")
        if key_id(name, kind, public).hex() != shown:
            raise VkeyInvalid(reason="hash")
        return cls(name, kind, public)


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}\n".encode()


def cosign(note: str, *, name: str, key: keys.ServerKey, at_s: int) -> str:
    """The signature line by which ``name`` vouches for the head of ``note``, without newline.

    Raises: NoteInvalid ("checkpoint.invalid").
    Source: C2SP tlog-cosignature.
    """
    if not checkpoint.is_name(name):
        raise NoteInvalid(reason="name")
    text = checkpoint.parse(note).text
    stamp = key_id(name, COSIGNATURE, key.public)
    stamp += at_s.to_bytes(TIME_BYTES) + key.sign(_message(text, at_s))
    return f"\u2014 {name} {base64.b64encode(stamp).decode()}"


def cosigned(note: str, line: str, *, by: Vkey) -> int:
    """When ``by`` cosigned the head of ``note``, in seconds since the epoch.

    Raises: NoteInvalid ("checkpoint.invalid").
    Source: C2SP tlog-cosignature.
    """
    name, stamp = checkpoint.signature(line)
    wanted = key_id(by.name, COSIGNATURE, by.public)
    if (name, stamp[:KEY_ID_BYTES]) != (by.name, wanted):
        raise NoteInvalid(reason="signer")
    stamp = stamp[KEY_ID_BYTES:]
    if len(stamp) != TIME_BYTES + SIGNATURE_BYTES:
        raise NoteInvalid(reason="length")
    at_s = int.from_bytes(stamp[:TIME_BYTES])
    try:
        text = checkpoint.parse(note).text
        keys.verify_server(by.public, _message(text, at_s), stamp[TIME_BYTES:])
    except keys.BadSignature:
        raise NoteInvalid(reason="signature") from None
    return at_s
