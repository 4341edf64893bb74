"""Operations of a phone: the signed envelope, its body's digest, and the proof beside a call.

Source: evidence-and-sync 3 (op), 12.5 (Device-Proof).  Bodies are typed above this room; here they
are bytes with a digest.  The exact bytes are kept; this module only reads and builds them.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct

from media import base64url, canon, keys
from media.errors import Family, MediaRefusal
from media.fields import Counter, Hex16, Sha256, Uuid7

ENVELOPE_MAX_BYTES = 65_536
PROOF_MAX_CHARS = 2_000

Signature = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{86}\Z")]
Method = Annotated[str, Meta(pattern=r"\A[A-Z]{3,7}\Z")]
Path = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\A/[!-~]*\Z")]
Kind = Annotated[str, Meta(pattern=r"\A[a-z]{2,20}\.[a-z]{2,20}\Z")]
Nonce = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\A[A-Za-z0-9_.-]+\Z")]


class OpMalformed(MediaRefusal):
    """Not an operation's envelope; ``field`` is its path."""

    code: ClassVar[str] = "op.malformed"
    family: ClassVar[Family] = Family.MALFORMED


class OpAltered(MediaRefusal):
    """The digest in the envelope is not that of the body beside it."""

    code: ClassVar[str] = "op.digest_mismatch"
    family: ClassVar[Family] = Family.DENIED


class ProofInvalid(MediaRefusal):
    """The Device-Proof is not over this call, or not by this device."""

    code: ClassVar[str] = "device.proof_invalid"
    family: ClassVar[Family] = Family.DENIED


class Base(Struct, frozen=True, forbid_unknown_fields=True):
    """What the phone worked from: the assignment's epoch and the checklist version."""

    asg_epoch: Counter
    plan: Sha256


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The signed part: everything but ``body`` and ``sig``; fields in canonical order."""

    base: Base
    dev: Uuid7
    digest: Sha256
    inst_epoch: Hex16
    kind: Kind
    op_id: Uuid7
    seq: Counter


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """One operation as sent; fields in canonical order, ``body`` as its exact bytes."""

    base: Base
    body: Raw
    dev: Uuid7
    digest: Sha256
    inst_epoch: Hex16
    kind: Kind
    op_id: Uuid7
    seq: Counter
    sig: Signature


class Proof(Struct, frozen=True, forbid_unknown_fields=True):
    """What a Device-Proof states of one call; fields in canonical order."""

    body_sha256: Sha256
    jti: Uuid7
    method: Method
    nonce: Nonce
    path: Path


_envelope = msgspec.json.Decoder(Envelope)
_proof = msgspec.json.Decoder(Proof)
_sorted = msgspec.json.Encoder(order="sorted")


def path_of(error: msgspec.ValidationError) -> str | None:
    """The field a decoder complains about, as ``a.b``; None when it is the whole."""
    found = re.search(r"at `\$\.?([^`]*)`", str(error))
    return found.group(1) or None if found else None


def parse(raw: bytes) -> Envelope:
    """Read an envelope from its exact bytes; the body is not looked into.

    Raises: NotCanonical ("not_canonical"), OpMalformed ("op.malformed").
    Source: evidence-and-sync 3.
    """
    if len(raw) > ENVELOPE_MAX_BYTES:
        raise OpMalformed(reason="too_long", limit_bytes=ENVELOPE_MAX_BYTES)
    try:
        envelope = _envelope.decode(raw)
    except msgspec.ValidationError as error:
        raise OpMalformed(field=path_of(error), reason="form", detail=str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise OpMalformed(reason="not_json") from None
    canon.spelled(raw, envelope)
    return envelope


def verify(envelope: Envelope, spki: bytes) -> None:
    """Hold the body against its digest, and the head against the device's signature.

    Raises: OpAltered ("op.digest_mismatch"), BadSignature ("signature.invalid"), KeyRefused.
    Source: evidence-and-sync 3.
    """
    if sha256(envelope.body).hexdigest() != envelope.digest:
        raise OpAltered(field="digest")
    signature = base64url.decode(envelope.sig, field="sig")
    keys.verify_device(spki, keys.Tag.OP, _head(envelope), signature)


def _head(envelope: Envelope) -> bytes:
    return _sorted.encode(
        Head(
            base=envelope.base,
            dev=envelope.dev,
            digest=envelope.digest,
            inst_epoch=envelope.inst_epoch,
            kind=envelope.kind,
            op_id=envelope.op_id,
            seq=envelope.seq,
        )
    )


def build_op(  # noqa: PLR0913 - one argument a field of the envelope
    key: keys.DeviceKey,
    kind: str,
    body: Mapping[str, Any],
    *,
    op_id: str,
    dev: str,
    inst_epoch: str,
    seq: int,
    base: Base,
) -> bytes:
    """Spell and sign an operation as a phone does.

    Raises: NotCanonical ("not_canonical").
    Source: evidence-and-sync 3.
    """
    spelled_body = canon.encode(body)
    digest = sha256(spelled_body).hexdigest()
    head = Head(base, dev, digest, inst_epoch, kind, op_id, seq)
    signature = base64url.encode(key.sign(keys.Tag.OP, _sorted.encode(head)))
    return _sorted.encode(
        Envelope(base, Raw(spelled_body), dev, digest, inst_epoch, kind, op_id, seq, sig=signature)
    )


def build_proof(
    key: keys.DeviceKey, *, method: str, path: str, body: bytes, nonce: str, jti: str
) -> str:
    """The Device-Proof header of one call; ``nonce`` is a time token, ``path`` has no query.

    Source: evidence-and-sync 12.5.
    """
    raw = _sorted.encode(Proof(sha256(body).hexdigest(), jti, method, nonce, path))
    return f"{base64url.encode(raw)}.{base64url.encode(key.sign(keys.Tag.REQUEST, raw))}"


def read_proof(header: str, *, method: str, path: str, body: bytes, spki: bytes) -> Proof:
    """Verify a Device-Proof over this very call; its nonce's age is the caller's to judge.

    Raises: ProofInvalid ("device.proof_invalid").
    Source: evidence-and-sync 12.5.
    """
    text, _, signature = header.partition(".")
    if len(header) > PROOF_MAX_CHARS:
        raise ProofInvalid(reason="too_long")
    try:
        raw = base64url.decode(text)
        proof = _proof.decode(raw)
        canon.spelled(raw, proof)
        keys.verify_device(spki, keys.Tag.REQUEST, raw, base64url.decode(signature))
    except (MediaRefusal, msgspec.DecodeError, UnicodeDecodeError):
        raise ProofInvalid(reason="mismatch") from None
    if (proof.method, proof.path) != (method, path):
        raise ProofInvalid(reason="other_call")
    if proof.body_sha256 != sha256(body).hexdigest():
        raise ProofInvalid(reason="other_body")
    return proof
