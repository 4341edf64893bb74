r"""Emergency packages 应急包: what a phone could not send, as one file for days without a server.

A file is ``MAGIC`` and frames one behind the other.  A frame is ``MARK``, the length of its head
(4 bytes, big-endian), the first 8 bytes of SHA-256 over the head, the head (canonical JSON), and
as many bytes of body as the head's ``size`` says.  Heads, in the order a phone writes them:

* ``{"typ":"package","id":…,"dev":…,"inst_epoch":…,"t":…,"ops":n,"blobs":n}``, no body
* ``{"typ":"ops","id":…,"enc":"a256gcm","plain":…,"sha256":…,"size":…,"wrapped_key":…}``: a batch
  of operations as sent to the server (``{"ops":[…]}``, at most 1 MiB), sealed like a blob under
  the frame's id; ``enc`` may be ``none``, then ``wrapped_key`` is left out
* ``{"typ":"blob","id":…,"sha256":…,"size":…}``: a capture's bytes as its declaration's transport
  describes them; ``id`` is the evidence's
* ``{"typ":"end","id":…,"frames":n}``, no body; ``frames`` counts itself

Nothing here is believed: operations are signed, blobs are named by signed manifests.  Where a
frame is broken the reader goes on at the next mark, so that a damaged file gives what it has.
Source: evidence-and-sync 3 (packages), 11 (emergency package).
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from media import canon
from media.fields import Bytes, EpochMs, Hex16, Sha256, Uuid7
from media.sealing import WrappedKey

MAGIC = b"MINGCHA-PACKAGE-V1\n"
MARK = b"MINGCHA-FRAME-V1\n"
HEAD_MAX_BYTES = 4096
OPS_MAX_BYTES = 1 << 20
FRAMES_MAX = 20_000
LOOK_BYTES = 1 << 20

_CHECK = 8
_FIXED = len(MARK) + 4 + _CHECK

Read = Callable[[int, int], bytes]  # (offset, length) -> at most that many bytes
Count = Annotated[int, Meta(ge=0, le=FRAMES_MAX)]
Reason = Literal["no_magic", "no_frame", "head", "cut", "too_many"]


class Opening(Struct, frozen=True, forbid_unknown_fields=True, tag="package", tag_field="typ"):
    """Whose package it is, when it was made, and what it should hold."""

    id: Uuid7
    dev: Uuid7
    inst_epoch: Hex16
    t: EpochMs
    ops: Count
    blobs: Count


class Batch(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag="ops",
    tag_field="typ",
):
    """Operations, sealed or plain; ``plain`` is their size once opened."""

    id: Uuid7
    enc: Literal["none", "a256gcm"]
    plain: Annotated[int, Meta(ge=1, le=OPS_MAX_BYTES)]
    sha256: Sha256
    size: Bytes
    wrapped_key: WrappedKey | None = None


class Blob(Struct, frozen=True, forbid_unknown_fields=True, tag="blob", tag_field="typ"):
    """A capture's bytes on the wire."""

    id: Uuid7
    sha256: Sha256
    size: Bytes


class End(Struct, frozen=True, forbid_unknown_fields=True, tag="end", tag_field="typ"):
    """The last frame; how many there were."""

    id: Uuid7
    frames: Annotated[int, Meta(ge=1, le=FRAMES_MAX)]


Head = Opening | Batch | Blob | End


class Frame(Struct, frozen=True):
    """A frame whose head holds; its body lies at ``offset``."""

    head: Head
    offset: int
    size: int


class Damage(Struct, frozen=True):
    """A stretch of the file that gives nothing; ``head`` is what was cut, where it is known."""

    offset: int
    length: int
    reason: Reason
    head: Head | None = None


_decoder = msgspec.json.Decoder(Head)


def frame(head: Head, body: bytes = b"") -> bytes:
    """One frame as a phone writes it.

    Raises: NotCanonical ("not_canonical").
    """
    raw = canon.encode(msgspec.to_builtins(head))
    return MARK + len(raw).to_bytes(4) + sha256(raw).digest()[:_CHECK] + raw + body


def scan(read: Read, size: int) -> Iterator[Frame | Damage]:
    """Go through a file of ``size`` bytes, heads alone; bodies are passed over.

    Whatever the bytes are, this ends, and holds at most 1 MiB of them.
    Source: evidence-and-sync 3 (packages).
    """
    at = len(MAGIC)
    if read(0, len(MAGIC)) != MAGIC:
        yield Damage(0, 0, "no_magic")
        at = 0
    for _ in range(FRAMES_MAX):
        if at >= size:
            return
        found = _frame_at(read, at, size)
        if isinstance(found, Frame):
            yield found
            at = found.offset + found.size
            continue
        # Even a frame that is cut off may hide whole ones: its length may be the lie.
        behind = _next_mark(read, at + 1, size)
        yield msgspec.structs.replace(found, length=behind - at)
        at = behind
    yield Damage(at, size - at, "too_many")


def _frame_at(read: Read, at: int, size: int) -> Frame | Damage:
    fixed = read(at, min(_FIXED, size - at))
    if not fixed.startswith(MARK) or len(fixed) < _FIXED:
        return Damage(at, 0, "no_frame")
    length = int.from_bytes(fixed[len(MARK) : len(MARK) + 4])
    start = at + _FIXED
    if length > min(HEAD_MAX_BYTES, size - start):
        return Damage(at, 0, "head")
    raw = read(start, length)
    if sha256(raw).digest()[:_CHECK] != fixed[-_CHECK:]:
        return Damage(at, 0, "head")
    try:
        head = _decoder.decode(raw)
        canon.spelled(raw, head)
    except (msgspec.DecodeError, UnicodeDecodeError, canon.NotCanonical):
        return Damage(at, 0, "head")
    body = head.size if isinstance(head, Batch | Blob) else 0
    if start + length + body > size:
        return Damage(at, 0, "cut", head)
    return Frame(head, start + length, body)


def _next_mark(read: Read, at: int, size: int) -> int:
    """Where the next mark begins at or behind ``at``; the file's end when there is none."""
    look = LOOK_BYTES >> 8  # near marks are cheap to find, however many there are
    while at < size:
        held = read(at, min(look, size - at))
        place = held.find(MARK)
        if place >= 0:
            return at + place
        if len(held) < len(MARK):
            break
        # A mark may lie across the edge of two looks.
        at += len(held) - len(MARK) + 1
        look = min(2 * look, LOOK_BYTES)
    return size
