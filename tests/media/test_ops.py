"""Envelopes and proofs: one spelling, one digest, one signer; nothing else is an operation."""

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media import canon, keys, ops
from media.canon import NotCanonical
from media.errors import MediaRefusal
from tests.media.phone import DEVICE, uuid7

OTHER = keys.DeviceKey.from_seed(b"another phone")
BASE = ops.Base(1, "ab" * 32)
texts = st.text(st.characters(), max_size=12)  # lone surrogates too


def an_op(body: dict[str, Any] | None = None, **changes: Any) -> bytes:
    said = {
        "op_id": uuid7(1),
        "dev": uuid7(2),
        "inst_epoch": "00" * 8,
        "seq": 1,
        "base": BASE,
    } | changes
    return ops.build_op(DEVICE, "visit.start", {"visit": uuid7(3)} | (body or {}), **said)


def read(raw: bytes, spki: bytes = DEVICE.spki) -> ops.Envelope:
    envelope = ops.parse(raw)
    ops.verify(envelope, spki)
    return envelope


@given(st.dictionaries(texts, texts | st.integers(-(2**53) + 1, 2**53 - 1), max_size=5))
def test_what_is_built_is_read_and_its_body_is_exact(body: dict[str, Any]) -> None:
    try:
        raw = an_op(body)
    except NotCanonical:
        return
    envelope = read(raw)
    spelled = canon.encode({"visit": uuid7(3)} | body)
    assert bytes(envelope.body) == spelled
    assert envelope.digest == sha256(spelled).hexdigest()
    assert canon.canonical(raw)["op_id"] == uuid7(1)


@given(st.data())
def test_no_single_bit_may_differ(data: st.DataObject) -> None:
    raw = an_op({"text": "点名"})
    place = data.draw(st.integers(0, len(raw) * 8 - 1))
    flipped = bytearray(raw)
    flipped[place // 8] ^= 1 << place % 8
    with pytest.raises(MediaRefusal):
        read(bytes(flipped))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seq": 0}, "op.malformed"),
        ({"kind": "start"}, "op.malformed"),
        ({"op_id": "x"}, "op.malformed"),
        ({"more": 1}, "op.malformed"),
        ({"seq": 1.5}, "op.malformed"),
        ({"body": {"visit": uuid7(4)}}, "op.digest_mismatch"),
        ({"seq": 2}, "signature.invalid"),
        ({"sig": "A" * 86}, "signature.invalid"),
    ],
)
def test_what_is_changed_is_refused(change: dict[str, Any], code: str) -> None:
    fields = json.loads(an_op()) | change
    raw = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(MediaRefusal) as refused:
        read(raw)
    assert refused.value.code == code


def test_another_device_did_not_sign_it() -> None:
    with pytest.raises(keys.BadSignature):
        read(an_op(), OTHER.spki)


def test_an_envelope_is_at_most_64_kilobytes() -> None:
    with pytest.raises(ops.OpMalformed) as refused:
        ops.parse(an_op() + b" " * ops.ENVELOPE_MAX_BYTES)
    assert refused.value.facts["reason"] == "too_long"


class Record(msgspec.Struct, omit_defaults=True):
    """Any record of ours: ASCII names, texts, integers, lists."""

    b: str
    a: int
    aa: list[str] = []
    c: str | None = None


@given(
    st.builds(
        Record,
        b=texts,
        a=st.integers(-(2**53) + 1, 2**53 - 1),
        aa=st.lists(texts, max_size=3),
        c=texts,
    )
)
def test_a_record_is_spelled_as_its_fields_are(record: Record) -> None:
    fields = msgspec.to_builtins(record)
    try:
        plain = canon.encode(fields)
    except NotCanonical:
        plain = None
    try:
        quick = canon.spell(record)
    except NotCanonical:
        quick = None
    assert quick == plain


@given(texts, st.sampled_from([b" ", b"\t", b""]))
@example("\ud800", b" ")
def test_only_the_one_spelling_of_a_record_passes(text: str, space: bytes) -> None:
    raw = (
        json.dumps({"a": 1, "b": text}, ensure_ascii=True, separators=(",", ":")).encode() + space
    )
    try:
        canon.canonical(raw)
    except NotCanonical:
        with pytest.raises(NotCanonical):
            canon.spelled(raw, Record(b=text, a=1))
        return
    canon.spelled(raw, Record(b=text, a=1))


CALL: dict[str, Any] = {"method": "POST", "path": "/api/v1/ops", "body": b"{}"}


@pytest.mark.parametrize("change", [{"method": "PUT"}, {"path": "/api/v1/time"}, {"body": b"{ }"}])
def test_a_proof_is_of_one_call(change: dict[str, Any]) -> None:
    header = ops.build_proof(DEVICE, **CALL, nonce="a.b", jti=uuid7(9))
    proof = ops.read_proof(header, **CALL, spki=DEVICE.spki)
    assert (proof.nonce, proof.jti) == ("a.b", uuid7(9))
    with pytest.raises(ops.ProofInvalid):
        ops.read_proof(header, **(CALL | change), spki=DEVICE.spki)
    with pytest.raises(ops.ProofInvalid):
        ops.read_proof(header, **CALL, spki=OTHER.spki)


@given(st.text(max_size=60) | st.just("." * 3000))
def test_anything_else_is_no_proof(header: str) -> None:
    with pytest.raises(ops.ProofInvalid):
        ops.read_proof(header, **CALL, spki=DEVICE.spki)
