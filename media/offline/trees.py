"""Reads the log's heads: C2SP notes signed with Ed25519. Source: evidence-and-sync 8."""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256
from typing import NamedTuple

from media.offline.curves import ed25519

NOTE_MOST = 4096
SIGNERS_MOST = 16
_HEAD = re.compile(r"([!-*,-~]{1,200})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")
_EPOCH = re.compile("(/epoch-[0-9]{8}T[0-9]{6}Z)?")
_SIGNED = re.compile(r"— ([!-*,-~]{1,200}) ([A-Za-z0-9+/]{8,400}={0,2})")


class Head(NamedTuple):
    """How many entries a log had, and the root of their tree, 32 bytes."""

    size: int
    root: bytes


class Unsigned(ValueError):  # noqa: N818 - a finding, not an error
    """Not a note of this log, or not signed by its key; `form` when it is no note at all."""


def head(raw: bytes, origin: str, public: bytes) -> Head:
    """Read a note that the log itself signed; witnesses may stand beside it. Raises: Unsigned."""
    try:
        text = raw.decode("utf-8") if len(raw) <= NOTE_MOST else ""
    except UnicodeDecodeError:
        raise Unsigned("form") from None
    body, _, tail = text.partition("\n\n")
    said = _HEAD.fullmatch(body + "\n")
    signers = [_SIGNED.fullmatch(line) for line in tail.split("\n")[:-1]]
    whole = tail.endswith("\n") and 0 < len(signers) <= SIGNERS_MOST
    if said is None or not whole or not said.group(1).startswith(origin):
        raise Unsigned("form")
    # After a recovery the log signs under a later epoch of its origin.
    if not _EPOCH.fullmatch(said.group(1)[len(origin) :]):
        raise Unsigned("form")
    name, root = said.group(1), _plain(said.group(3))
    named = sha256(name.encode() + b"\n\1" + public).digest()[:4]
    for signer in signers:
        if signer is None:
            raise Unsigned("form")
        stamp = _plain(signer.group(2))
        if signer.group(1) == name and stamp[:4] == named:
            if not ed25519(public, (body + "\n").encode(), stamp[4:]):
                raise Unsigned("signature")
            return Head(int(said.group(2)), root)
    raise Unsigned("signature")


def _plain(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unsigned("form") from None
    if base64.b64encode(raw).decode() != text:
        raise Unsigned("form")
    return raw
