"""Time tokens, check-in nonces, checkpoint notes and receipts."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import base64url, canon, checkpoint, keys, merkle, receipt, tokens
from media.errors import MediaRefusal
from tests.media.phone import NONCE, NOW_MS, SERVER, uuid7

LOG_KEY = keys.ServerKey.from_seed(b"\x09" * 32)
LOG = receipt.Log("mingcha.test/log", LOG_KEY.public)
RING = {SERVER.kid: SERVER.public}
LEAVES = [merkle.leaf_hash(b"%d" % index) for index in range(11)]
NODES = merkle.append(0, {}, LEAVES)


def a_note(size: int = 11) -> str:
    head = checkpoint.Checkpoint("mingcha.test/log", size, merkle.root(size, NODES))
    return checkpoint.sign(head, name=LOG.name, key=LOG_KEY)


EPOCH = checkpoint.epoch(LOG.name, datetime(2026, 3, 2, 1, 0, tzinfo=UTC))


def test_a_head_of_a_later_epoch_is_of_the_same_log() -> None:
    assert EPOCH == "mingcha.test/log/epoch-20260302T010000Z"
    head = checkpoint.Checkpoint(EPOCH, 11, merkle.root(11, NODES))
    note = checkpoint.sign(head, name=EPOCH, key=LOG_KEY)
    assert checkpoint.verify(note, name=LOG.name, public=LOG.public) == head
    assert checkpoint.verify(note, name=EPOCH, public=LOG.public) == head


@pytest.mark.parametrize(
    ("origin", "signer"),
    [
        (EPOCH, LOG.name),
        (f"{LOG.name}/epoch-2", f"{LOG.name}/epoch-2"),
        (f"{LOG.name}x/epoch-20260302T010000Z", f"{LOG.name}x/epoch-20260302T010000Z"),
        (f"{EPOCH}0", f"{EPOCH}0"),
        ("other.test/log", EPOCH),
    ],
)
def test_an_epoch_signs_under_its_own_name_and_no_other(origin: str, signer: str) -> None:
    head = checkpoint.Checkpoint(origin, 11, merkle.root(11, NODES))
    note = checkpoint.sign(head, name=signer, key=LOG_KEY)
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(note, name=LOG.name, public=LOG.public)


def test_tokens_are_read_back() -> None:
    token = tokens.issue_time(SERVER, srv=NOW_MS, nonce=NONCE)
    assert tokens.read_time(token, RING) == tokens.TimeToken(
        "mingcha.time/1", SERVER.kid, NOW_MS, NONCE.hex()
    )
    nonce = tokens.issue_challenge(SERVER, srv=NOW_MS, nonce=NONCE, asg=uuid7(3))
    assert tokens.read_challenge(nonce, RING, asg=uuid7(3)).srv == NOW_MS


def test_one_kind_of_token_does_not_serve_as_the_other() -> None:
    token = tokens.issue_time(SERVER, srv=NOW_MS, nonce=NONCE)
    nonce = tokens.issue_challenge(SERVER, srv=NOW_MS, nonce=NONCE, asg=uuid7(3))
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_challenge(token, RING, asg=uuid7(3))
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_time(nonce, RING)
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_challenge(nonce, RING, asg=uuid7(4))
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_time(token, {})
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_time(token, {SERVER.kid: LOG_KEY.public})


@given(st.text(max_size=120))
def test_noise_is_no_token(text: str) -> None:
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_time(text, RING)


def test_a_token_without_fields_is_no_token() -> None:
    for body in ({}, {"kid": [1]}, {"kid": SERVER.kid}):
        raw = canon.encode(body)
        signature = base64url.encode(SERVER.sign_tagged(keys.Tag.TIME, raw))
        with pytest.raises(tokens.TokenInvalid):
            tokens.read_time(f"{base64url.encode(raw)}.{signature}", RING)


def test_a_note_has_the_published_form() -> None:
    note = a_note()
    origin, size, root, blank, stamp, end = note.split("\n")
    assert (origin, size, blank, end) == ("mingcha.test/log", "11", "", "")
    assert base64.b64decode(root) == merkle.root(11, NODES)
    dash, name, signed = stamp.split(" ")
    assert (dash, name) == ("\u2014", LOG.name)
    assert base64.b64decode(signed)[:4] == checkpoint.note_key_id(LOG.name, LOG_KEY.public)
    assert checkpoint.verify(note, name=LOG.name, public=LOG_KEY.public) == checkpoint.Checkpoint(
        "mingcha.test/log", 11, merkle.root(11, NODES)
    )


def test_the_key_id_matches_that_of_a_public_log() -> None:
    # The Go checksum database publishes its verifier key as name+id+base64(type ‖ key).
    published = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    name, key_id, key = published.split("+", 2)
    public = base64.b64decode(key)[1:]
    assert checkpoint.note_key_id(name, public).hex() == key_id


def test_other_signatures_may_stand_beside() -> None:
    note = a_note()
    witness = keys.ServerKey.from_seed(b"\x0a" * 32)
    text = note.partition("\n\n")[0]
    head = checkpoint.Checkpoint(*text.split("\n")[:1], 11, merkle.root(11, NODES))
    cosigned = note + checkpoint.sign(head, name="witness", key=witness).partition("\n\n")[2]
    assert checkpoint.verify(cosigned, name=LOG.name, public=LOG_KEY.public) == head
    assert checkpoint.verify(cosigned, name="witness", public=witness.public) == head


@given(st.integers(0, len(a_note().encode()) * 8 - 1))
def test_no_bit_of_a_note_may_flip(bit: int) -> None:
    broken = bytearray(a_note().encode())
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(broken.decode("utf-8", "replace"), name=LOG.name, public=LOG_KEY.public)


def respelled(note: str) -> str:
    """Spell the root with other spare bits in its last letter: the same bytes to most decoders."""
    root = note.split("\n")[2]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(root[-2]) ^ 1]
    return note.replace(root, f"{root[:-2]}{last}=")


@pytest.mark.parametrize(
    "edit",
    [
        respelled,
        lambda note: note[:0],
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note.replace("\n11\n", "\n011\n"),
        lambda note: note.replace("\n11\n", "\n+11\n"),
        lambda note: note.replace("\n\n", "\nextra\n\n"),
        lambda note: note + note.partition("\n\n")[2] * checkpoint.SIGNATURES_MAX,
        lambda note: note + "x" * checkpoint.NOTE_MAX_CHARS,
        lambda note: note.replace(" mingcha.test/log ", " another "),
        lambda note: note.replace(" mingcha.test/log ", "  mingcha.test/log "),
        lambda note: note.replace("\u2014 ", "- "),
        lambda note: note.replace("=\n\n", "\n\n"),
        lambda note: note.replace(note.split("\n")[2], "AAAA"),
        lambda note: note.replace("=\n\n", "AAA=\n\n"),
    ],
)
def test_other_forms_of_a_note_are_refused(edit: Callable[[str], str]) -> None:
    edited = edit(a_note())
    assert edited != a_note()
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(edited, name=LOG.name, public=LOG_KEY.public)


def test_a_note_by_another_name_or_key_is_refused() -> None:
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(a_note(), name="other", public=LOG_KEY.public)
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.verify(a_note(), name=LOG.name, public=SERVER.public)
    head = checkpoint.Checkpoint("two words", 1, bytes(32))
    with pytest.raises(checkpoint.NoteInvalid):
        checkpoint.sign(head, name=LOG.name, key=LOG_KEY)


def a_proof(index: int = 4) -> receipt.LogProof:
    path = merkle.inclusion_proof(index, 11, NODES)
    return receipt.LogProof(
        index, LEAVES[index].hex(), tuple(node.hex() for node in path), a_note()
    )


PIECE = receipt.Piece(uuid7(1), "ab" * 32, 300_000, "sealed", ("trailing_data",))


def a_receipt(proof: receipt.LogProof | None = None) -> receipt.SignedReceipt:
    return receipt.build(SERVER, PIECE, t=NOW_MS, log_proof=proof or a_proof())


def test_a_sealed_receipt_proves_its_place_in_the_log() -> None:
    checked = receipt.verify(a_receipt(), public=SERVER.public, log=LOG)
    assert (checked.state, checked.leaf_index, checked.flags) == ("sealed", 4, ("trailing_data",))
    assert json.loads(a_receipt().raw)["proof"]
    assert checked.log_proof() == a_proof()


def test_a_verified_receipt_has_no_log_fields() -> None:
    piece = receipt.Piece(uuid7(1), "ab" * 32, 1, "verified")
    signed = receipt.build(SERVER, piece, t=NOW_MS)
    assert receipt.verify(signed, public=SERVER.public, log=LOG).log_proof() is None
    assert b"leaf" not in signed.raw


def test_sealed_without_proof_and_proof_without_sealed_are_refused() -> None:
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.build(SERVER, PIECE, t=NOW_MS)
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.build(
            SERVER,
            receipt.Piece(uuid7(1), "ab" * 32, 1, "verified"),
            t=NOW_MS,
            log_proof=a_proof(),
        )
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.build(SERVER, receipt.Piece("x", "ab" * 32, 1, "verified"), t=NOW_MS)


def test_a_proof_of_another_place_is_refused() -> None:
    proof = a_proof(4)
    moved = receipt.LogProof(5, proof.leaf, proof.proof, proof.checkpoint)
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.verify(a_receipt(moved), public=SERVER.public, log=LOG)
    older = receipt.LogProof(4, proof.leaf, proof.proof, a_note(10))
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.verify(a_receipt(older), public=SERVER.public, log=LOG)


def test_a_receipt_of_another_key_is_refused() -> None:
    with pytest.raises(keys.BadSignature):
        receipt.verify(a_receipt(), public=LOG_KEY.public, log=LOG)
    with pytest.raises(checkpoint.NoteInvalid):
        receipt.verify(a_receipt(), public=SERVER.public, log=receipt.Log("x", LOG_KEY.public))
    raw = a_receipt().raw.replace(SERVER.kid.encode(), LOG_KEY.kid.encode())
    signed = receipt.SignedReceipt(raw, SERVER.sign_tagged(keys.Tag.RECEIPT, raw))
    with pytest.raises(receipt.ReceiptInvalid):
        receipt.verify(signed, public=SERVER.public, log=LOG)


@given(st.data())
def test_no_bit_of_a_receipt_may_flip(data: st.DataObject) -> None:
    signed = a_receipt()
    bit = data.draw(st.integers(0, len(signed.raw) * 8 - 1))
    broken = bytearray(signed.raw)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MediaRefusal):
        receipt.verify(
            receipt.SignedReceipt(bytes(broken), signed.signature), public=SERVER.public, log=LOG
        )
