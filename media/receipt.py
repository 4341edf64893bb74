"""Receipts: what the server signs about a piece of evidence, and a phone checks before purging.

Source: evidence-and-sync 0.2, 5.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from media import canon, keys, merkle
from media.checkpoint import NOTE_MAX_CHARS
from media.checkpoint import verify as verify_note
from media.errors import MediaRefusal
from media.fields import Bytes, EpochMs, Hex16, Sha256, Uuid7

RECEIPT_MAX_BYTES = 16_384

State = Literal[
    "declared",
    "uploading",
    "received",
    "verified",
    "sealed",
    "quarantined",
    "missing",
    "withdrawn",
]
Flag = Annotated[str, Meta(min_length=1, max_length=60)]
Index = Annotated[int, Meta(ge=0, le=canon.MAX_INT)]


class ReceiptInvalid(MediaRefusal):
    """A receipt whose form, signature or proof does not hold."""

    code: ClassVar[str] = "receipt.invalid"


class LogProof(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the evidence's entry lies in the audit log, and the way from it to a signed head."""

    leaf_index: Index
    leaf: Sha256
    proof: Annotated[tuple[Sha256, ...], Meta(max_length=64)]
    checkpoint: Annotated[str, Meta(max_length=NOTE_MAX_CHARS)]


class Receipt(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """State of one piece of evidence at ``t``; the four log fields stand when it is sealed."""

    typ: Literal["mingcha.receipt/1"]
    kid: Hex16
    id: Uuid7
    sha256: Sha256
    size: Bytes
    state: State
    flags: Annotated[tuple[Flag, ...], Meta(max_length=32)]
    t: EpochMs
    leaf_index: Index | None = None
    leaf: Sha256 | None = None
    proof: Annotated[tuple[Sha256, ...], Meta(max_length=64)] | None = None
    checkpoint: Annotated[str, Meta(max_length=NOTE_MAX_CHARS)] | None = None

    def log_proof(self) -> LogProof | None:
        """Return the four log fields together; all or none of them stand."""
        if (
            self.leaf_index is None
            or self.leaf is None
            or self.proof is None
            or self.checkpoint is None
        ):
            return None
        return LogProof(self.leaf_index, self.leaf, self.proof, self.checkpoint)


class Piece(Struct, frozen=True):
    """What a receipt is about: an evidence id, its original's hash and size, where it stands."""

    id: str
    sha256: str
    size: int
    state: State
    flags: tuple[str, ...] = ()


class SignedReceipt(Struct, frozen=True):
    """The exact bytes and their Ed25519 signature (64 bytes) over the receipt tag and them."""

    raw: bytes
    signature: bytes


class Log(Struct, frozen=True):
    """Whose heads count: the name in the note and the raw 32-byte key."""

    name: str
    public: bytes


def build(
    key: keys.ServerKey, piece: Piece, *, t: int, log_proof: LogProof | None = None
) -> SignedReceipt:
    """Sign a receipt at ``t`` (ms); ``log_proof`` is there exactly when the state is sealed.

    Raises: ReceiptInvalid ("receipt.invalid").
    Source: evidence-and-sync 5.
    """
    body = Receipt(
        typ="mingcha.receipt/1",
        kid=key.kid,
        id=piece.id,
        sha256=piece.sha256,
        size=piece.size,
        state=piece.state,
        flags=piece.flags,
        t=t,
        leaf_index=None if log_proof is None else log_proof.leaf_index,
        leaf=None if log_proof is None else log_proof.leaf,
        proof=None if log_proof is None else log_proof.proof,
        checkpoint=None if log_proof is None else log_proof.checkpoint,
    )
    raw = canon.encode(msgspec.to_builtins(body))
    _parse(raw)
    return SignedReceipt(raw, key.sign_tagged(keys.Tag.RECEIPT, raw))


def verify(signed: SignedReceipt, *, public: bytes, log: Log) -> Receipt:
    """Check signature, form and, for a sealed one, the way to a head signed by ``log``.

    Raises: ReceiptInvalid ("receipt.invalid"), BadSignature, NoteInvalid, NotCanonical.
    Source: evidence-and-sync 5 (what the phone checks).
    """
    keys.verify_server_tagged(public, keys.Tag.RECEIPT, signed.raw, signed.signature)
    receipt = _parse(signed.raw)
    if receipt.kid != keys.server_kid(public):
        raise ReceiptInvalid(field="kid", reason="key")
    if (proof := receipt.log_proof()) is not None:
        head = verify_note(proof.checkpoint, name=log.name, public=log.public)
        path = [bytes.fromhex(node) for node in proof.proof]
        leaf = bytes.fromhex(proof.leaf)
        if not merkle.includes(leaf, proof.leaf_index, head.size, path, head.root):
            raise ReceiptInvalid(field="proof", reason="proof")
    return receipt


def _parse(raw: bytes) -> Receipt:
    try:
        receipt = msgspec.convert(canon.canonical(raw, limit=RECEIPT_MAX_BYTES), Receipt)
    except msgspec.ValidationError as error:
        raise ReceiptInvalid(reason="form", detail=str(error)) from None
    log_fields = (receipt.leaf_index, receipt.leaf, receipt.proof, receipt.checkpoint)
    sealed = receipt.state == "sealed"
    if any((field is not None) is not sealed for field in log_fields):
        raise ReceiptInvalid(field="state", reason="sealed_means_proof")
    return receipt
