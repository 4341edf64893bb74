"""An emergency package as a phone exports it: operations and captures, sealed for the server."""

from hashlib import sha256
from uuid import UUID

from backend.clock import new_id
from media import package, sealing
from media.package import Batch, Blob, End, Opening
from tests.phone import Capture, Phone, batch

KEY = bytes(range(32))


def sealed(capture: Capture, spki: bytes, *, once: bytes = b"\x05" * 32) -> bytes:
    """Seal a capture as the outbox does; its declaration names the wire's bytes."""
    blob = UUID(capture.id)
    wire = sealing.seal(capture.raw, blob, KEY)
    capture.body["transport"] = {
        "enc": "a256gcm",
        "sha256": sha256(wire).hexdigest(),
        "size": len(wire),
        "wrapped_key": sealing.wrap(KEY, blob, spki, once=once),
    }
    return wire


def ops_frame(*envelopes: bytes, spki: bytes | None) -> bytes:
    """A batch of operations; sealed unless ``spki`` is None."""
    plain, frame = batch(*envelopes), new_id()
    body = plain if spki is None else sealing.seal(plain, frame, KEY)
    head = Batch(
        str(frame),
        "none" if spki is None else "a256gcm",
        len(plain),
        sha256(body).hexdigest(),
        len(body),
        None if spki is None else sealing.wrap(KEY, frame, spki, once=b"\x06" * 32),
    )
    return package.frame(head, body)


def blob_frame(capture: Capture, wire: bytes) -> bytes:
    return package.frame(Blob(capture.id, sha256(wire).hexdigest(), len(wire)), wire)


def exported(phone: Phone, *frames: bytes) -> bytes:
    """The whole file, with its opening and its end."""
    ident = str(new_id())
    opening = Opening(
        ident, str(phone.dev), phone.inst_epoch, phone.now_ms, len(frames), len(frames)
    )
    inside = (package.frame(opening), *frames, package.frame(End(ident, len(frames) + 2)))
    return package.MAGIC + b"".join(inside)
