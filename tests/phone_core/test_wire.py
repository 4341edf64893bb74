"""What the phone signs and seals is what the server reads, and the other way round."""

import base64
import hashlib
import json
from random import Random
from typing import Any
from uuid import UUID

import pytest

from backend.clock import uuid7
from media import base64url, canon, checkpoint, manifest, merkle, ops, receipt, sealing
from media.canon import NotCanonical
from media.checkpoint import Checkpoint
from media.keys import BadSignature, ServerKey, TransportKey
from media.receipt import Log, LogProof, Piece, SignedReceipt
from tests.phone_core import node

ORIGIN = "mingcha.test/log"


def ask(name: str, cases: list[dict[str, Any]]) -> list[Any]:
    return node.call(name, cases, harness="wire.ts")


def an_id(number: int) -> str:
    return f"019a0000-0000-7000-8000-{number:012x}"


def values(rng: Random, depth: int = 1) -> dict[str, Any]:
    """An object of everything that can be signed."""
    leaves: tuple[Any, ...] = (
        *(0, -1, 2**53 - 1, -(2**53) + 1, True, False, "", '汉字 "引"', "\u2028\n\t\x7f", "é😀"),
        *([1, "二", [True]], rng.randrange(10**9)),
    )
    keys = rng.sample(["a", "B", "é", "汉", "😀", "\ue000", "z", "10", "9", ""], 6)
    made = {key: rng.choice(leaves) for key in keys}
    if depth < 6:
        made["in"] = values(rng, depth + 1)
    return made


def test_both_spell_alike() -> None:
    cases = [values(Random(number)) for number in range(200)]
    found = ask("spelled", [{"value": value} for value in cases])
    assert [bytes.fromhex(one["hex"]) for one in found] == [canon.encode(one) for one in cases]


@pytest.mark.parametrize(
    "value",
    [
        *({"a": 1.5}, {"a": 2**53}, {"a": None}, {"a": "\0"}, {"a": "e\u0301"}),
        {"e\u0301": 1},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}},
    ],
)
def test_both_refuse_alike(value: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical) as refused:
        canon.encode(value)
    (found,) = ask("spelled", [{"value": value}])
    assert found == {"reason": refused.value.facts["reason"]}


def test_ids_are_alike() -> None:
    rng = Random(3)
    cases = [(rng.randrange(2**48), rng.randbytes(10)) for _ in range(50)]
    found = ask("id", [{"ms": ms, "random": raw.hex()} for ms, raw in cases])
    for (ms, raw), one in zip(cases, found, strict=True):
        a, b = int.from_bytes(raw[:2]) & 0xFFF, int.from_bytes(raw[2:]) & (1 << 62) - 1
        assert UUID(one) == uuid7(ms, a << 62 | b)


def test_an_operation_of_the_phone_is_authentic() -> None:
    head = {
        "op_id": an_id(1),
        "dev": an_id(2),
        "inst_epoch": "00112233445566aa",
        "seq": 7,
        "kind": "answer.set",
        "base": {"asg_epoch": 2, "plan": "ab" * 32},
    }
    body = {"visit": an_id(3), "at": 1, "answers": [{"item": "TI-01", "reason": "现场"}]}
    (made,) = ask("op", [{"head": head, "body": body}])
    raw, spki = bytes.fromhex(made["raw"]), base64.b64decode(made["spki"])
    envelope = ops.parse(raw)
    ops.verify(envelope, spki)
    assert json.loads(bytes(envelope.body)) == body
    assert (envelope.op_id, envelope.seq, envelope.base.asg_epoch) == (head["op_id"], 7, 2)
    altered = ops.parse(raw.replace(b'"seq":7', b'"seq":8'))
    with pytest.raises(BadSignature):
        ops.verify(altered, spki)


def test_a_proof_of_the_phone_is_over_its_call() -> None:
    call = {"method": "POST", "path": "/api/v1/ops", "body": '{"ops":[]}', "nonce": "n.1"}
    (made,) = ask("proof", [{"call": call | {"jti": an_id(4)}}])
    spki = base64.b64decode(made["spki"])
    said = {"method": "POST", "path": call["path"], "spki": spki}
    assert ops.read_proof(made["header"], body=b'{"ops":[]}', **said).nonce == "n.1"
    with pytest.raises(ops.ProofInvalid):
        ops.read_proof(made["header"], body=b"{}", **said)


def test_a_manifest_of_the_phone_is_signed() -> None:
    said = {
        "typ": "mingcha.capture/1",
        "alg": "ES256",
        "id": an_id(1),
        "dev": an_id(2),
        "inst_epoch": "00112233445566aa",
        "seq": 1,
        "prev": manifest.FIRST_PREV,
        "asg": an_id(3),
        "asg_epoch": 1,
        "visit": an_id(4),
        "org": an_id(5),
        "plan": "ab" * 32,
        "item": "TI-01",
        "media": {"sha256": "cd" * 32, "size": 9, "mime": "image/jpeg", "src": "stream", "w": 3},
        "t": {
            "wall": 5,
            "mono": 6,
            "session": "00" * 8,
            "tz_min": 480,
            "anchor": {"srv": 1, "mono": 2, "rtt": 3, "tok": "a.b"},
        },
        "loc": {"st": "ok", "crs": "wgs84", "n": 4, "lat": 1, "lon": -2, "acc_cm": 300},
        "chal": "c.d",
        "people": [an_id(6)],
        "app": {"ver": "0.1.0", "build_sha256": "ef" * 32, "persisted": True},
    }
    (made,) = ask("manifest", [{"manifest": said}])
    raw, spki = bytes.fromhex(made["raw"]), base64.b64decode(made["spki"])
    found = manifest.verify(raw, base64url.decode(made["sig"]), spki)
    assert (found.media.w, found.loc.lon, found.app.persisted) == (3, -2, True)
    assert made["digest"] == manifest.digest(raw)


@pytest.mark.parametrize("size", [1, 1000, (1 << 20) + 1])
def test_what_the_phone_seals_the_server_opens(size: int) -> None:
    server = TransportKey.from_seed(hashlib.sha256(b"a test server").digest())
    plain, blob = Random(size).randbytes(size), UUID(an_id(size))
    case = {"blob": str(blob), "plain": plain.hex(), "server": server.spki.hex()}
    (made,) = ask("seal", [case])
    wire = bytes.fromhex(made["wire"])
    assert len(wire) == made["size"] == sealing.sealed_size(size)
    key = sealing.unwrap(made["wrapped"], blob, {server.kid: server})
    assert b"".join(sealing.opened([wire], blob, key, size=size)) == plain


def a_receipt(server: ServerKey, log: ServerKey, origin: str = ORIGIN) -> SignedReceipt:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(11)]
    nodes = merkle.append(0, {}, leaves)
    head = Checkpoint(origin, len(leaves), merkle.root(len(leaves), nodes))
    proof = LogProof(
        leaf_index=6,
        leaf=leaves[6].hex(),
        proof=tuple(one.hex() for one in merkle.inclusion_proof(6, len(leaves), nodes)),
        checkpoint=checkpoint.sign(head, name=origin, key=log),
    )
    piece = Piece(an_id(1), "ab" * 32, 9, "sealed", ("late",))
    return receipt.build(server, piece, t=5, log_proof=proof)


@pytest.mark.parametrize("origin", [ORIGIN, f"{ORIGIN}/epoch-20260302T010000Z"])
def test_the_phone_believes_a_true_receipt_alone(origin: str) -> None:
    server, log = (ServerKey.from_seed(bytes([n]) * 32) for n in (1, 2))
    true = a_receipt(server, log, origin)
    pinned = {"server": server.public.hex(), "log": log.public.hex(), "origin": ORIGIN}
    good = {
        "raw": true.raw.decode(),
        "signature": base64url.encode(true.signature),
        "pinned": pinned,
    }
    other = a_receipt(server, ServerKey.from_seed(bytes([3]) * 32), origin)
    forged = [
        good | {"raw": good["raw"].replace('"size":9', '"size":8')},
        good | {"pinned": pinned | {"server": log.public.hex()}},
        good | {"pinned": pinned | {"log": server.public.hex()}},
        good | {"pinned": pinned | {"origin": "mingcha.other/log"}},
        good | {"raw": other.raw.decode(), "signature": base64url.encode(other.signature)},
    ]
    found = ask("receipt", [good, *forged])
    believed = receipt.verify(true, public=server.public, log=Log(ORIGIN, log.public))
    assert found[0]["leaf_index"] == believed.leaf_index
    assert found[1:] == [None] * len(forged)


def test_the_way_to_the_root_is_the_same() -> None:
    cases, truths = [], []
    for size in (1, 2, 3, 7, 8, 21):
        leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
        nodes = merkle.append(0, {}, leaves)
        for index in range(size):
            way, root = merkle.inclusion_proof(index, size, nodes), merkle.root(size, nodes)
            for told in (index, (index + 1) % size):
                cases.append(
                    {
                        "leaf": leaves[index].hex(),
                        "index": told,
                        "size": size,
                        "proof": [one.hex() for one in way],
                        "root": root.hex(),
                    }
                )
                truths.append(merkle.includes(leaves[index], told, size, way, root))
    assert ask("includes", cases) == truths
    assert True in truths
    assert False in truths
