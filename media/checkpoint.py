"""Signed heads of the audit log as C2SP notes, which other programs can read.

Source: evidence-and-sync 8 (checkpoint).
"""

import base64
import binascii
import re
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct

from media import keys
from media.errors import MediaRefusal

NOTE_MAX_CHARS = 4096
SIGNATURES_MAX = 16
KEY_ID_BYTES = 4
ED25519 = b"\x01"  # C2SP signature type
HASH_BYTES = 32
_NAME = re.compile(r"[^\s+\u2014]{1,200}\Z")
_EPOCH = re.compile(r"/epoch-[0-9]{8}T[0-9]{6}Z\Z")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}\Z")


class NoteInvalid(MediaRefusal):
    """Not a checkpoint note, or none of its signatures is by the expected key."""

    code: ClassVar[str] = "checkpoint.invalid"


class Checkpoint(Struct, frozen=True):
    """A head of the log: ``size`` entries under ``root`` (32 bytes), named by ``origin``."""

    origin: str
    size: int
    root: bytes


class Note(Struct, frozen=True):
    """A note taken apart: ``text`` is what signatures cover, without its last newline."""

    head: Checkpoint
    text: str
    signatures: tuple[tuple[str, bytes], ...]


def is_name(text: str) -> bool:
    """Whether a note can hold ``text`` as an origin or a signer's name."""
    return _NAME.match(text) is not None


def note_key_id(name: str, public: bytes) -> bytes:
    """First 4 bytes of SHA-256 over name, newline, signature type and key (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


def epoch(base: str, at: datetime) -> str:
    """The origin after a recovery at ``at`` (UTC): ``<base>/epoch-<time>``; later is greater.

    Source: evidence-and-sync 8 (rollback: a new origin epoch).
    """
    return f"{base}/epoch-{at:%Y%m%dT%H%M%SZ}"


def of_log(origin: str, base: str) -> bool:
    """Whether ``origin`` is the log ``base`` itself or one of its epochs."""
    return origin == base or (
        origin.startswith(base) and _EPOCH.fullmatch(origin.removeprefix(base)) is not None
    )


def sign(head: Checkpoint, *, name: str, key: keys.ServerKey) -> str:
    """Write ``head`` as a note signed under ``name``.

    Raises: NoteInvalid ("checkpoint.invalid") for an origin or name a note cannot hold.
    Source: evidence-and-sync 8, C2SP tlog-checkpoint.
    """
    if not (is_name(head.origin) and is_name(name)):
        raise NoteInvalid(reason="name")
    text = f"{head.origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"
    stamp = note_key_id(name, key.public) + key.sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(stamp).decode()}\n"


def verify(note: str, *, name: str, public: bytes) -> Checkpoint:
    """Read a note that carries a signature by ``public`` under ``name``; others may stand beside.

    A head of an epoch of that log is signed under its own origin and is as good.
    Raises: NoteInvalid ("checkpoint.invalid").
    Source: evidence-and-sync 8, C2SP tlog-checkpoint and signed-note.
    """
    found = parse(note)
    signer_name = found.head.origin if of_log(found.head.origin, name) else name
    wanted = note_key_id(signer_name, public)
    for signer, stamp in found.signatures:
        if signer == signer_name and stamp[:KEY_ID_BYTES] == wanted:
            _check(public, found.text, stamp[KEY_ID_BYTES:])
            return found.head
    raise NoteInvalid(reason="signer")


def parse(note: str) -> Note:
    """Read a note's form and head; no signature is believed yet.

    Raises: NoteInvalid ("checkpoint.invalid").
    Source: C2SP tlog-checkpoint and signed-note.
    """
    if len(note) > NOTE_MAX_CHARS:
        raise NoteInvalid(reason="too_long")
    text, blank, tail = note.partition("\n\n")
    lines = tail.split("\n")
    if not blank or lines.pop() != "" or not 0 < len(lines) <= SIGNATURES_MAX:
        raise NoteInvalid(reason="form")
    return Note(_head(text), text, tuple(signature(line) for line in lines))


def _head(text: str) -> Checkpoint:
    match text.split("\n"):
        case [origin, size, root] if _NAME.match(origin) and _SIZE.match(size):
            digest = _base64(root)
            if len(digest) != HASH_BYTES:
                raise NoteInvalid(reason="root")
            return Checkpoint(origin, int(size), digest)
        case _:
            raise NoteInvalid(reason="form")


def signature(line: str) -> tuple[str, bytes]:
    """Name and stamp of one signature line; the stamp begins with 4 bytes of key id.

    Raises: NoteInvalid ("checkpoint.invalid").
    """
    match line.split(" "):
        case ["\u2014", name, stamp]:
            return name, _base64(stamp)
        case _:
            raise NoteInvalid(reason="form")


def _check(public: bytes, text: str, signature: bytes) -> None:
    try:
        keys.verify_server(public, f"{text}\n".encode(), signature)
    except keys.BadSignature:
        raise NoteInvalid(reason="signature") from None


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid(reason="base64") from None
    # The decoder forgives spare bits and lost padding; one value has one spelling here.
    if base64.b64encode(raw).decode() != text:
        raise NoteInvalid(reason="base64")
    return raw
