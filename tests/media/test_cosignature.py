"""Cosignatures as C2SP has them, and the one-line names of keys."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import checkpoint, cosignature, keys
from media.checkpoint import ED25519, Checkpoint, NoteInvalid
from media.cosignature import COSIGNATURE, Vkey, VkeyInvalid

LOG, WITNESS = (keys.ServerKey.from_seed(bytes([n]) * 32) for n in (7, 9))
ORIGIN, NAME = "test.mingcha.invalid/log", "witness.example/bureau"
NOTE = checkpoint.sign(Checkpoint(ORIGIN, 42, b"\5" * 32), name=ORIGIN, key=LOG)
BY = Vkey(NAME, COSIGNATURE, WITNESS.public)
# The public key of a log that has been running for years: its line is known to everybody.
PUBLISHED = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def test_a_line_says_when_the_head_was_seen() -> None:
    line = cosignature.cosign(NOTE, name=NAME, key=WITNESS, at_s=1_700_000_000)
    assert cosignature.cosigned(NOTE, line, by=BY) == 1_700_000_000
    # A note with the line beside its own signature is still the log's note, and the same head.
    both = f"{NOTE}{line}\n"
    assert checkpoint.verify(both, name=ORIGIN, public=LOG.public).size == 42
    assert cosignature.cosigned(both, line, by=BY) == 1_700_000_000


def test_the_signed_message_is_that_of_the_specification() -> None:
    line = cosignature.cosign(NOTE, name=NAME, key=WITNESS, at_s=1_679_315_147)
    stamp = base64.b64decode(line.split(" ")[2])
    text = NOTE.partition("\n\n")[0]
    message = f"cosignature/v1\ntime 1679315147\n{text}\n".encode()
    keys.verify_server(WITNESS.public, message, stamp[12:])
    assert stamp[4:12] == (1_679_315_147).to_bytes(8)


@given(st.integers(0, 75 * 8 - 1))
def test_no_flipped_bit_is_a_cosignature(bit: int) -> None:
    line = cosignature.cosign(NOTE, name=NAME, key=WITNESS, at_s=1_700_000_000)
    head, _, text = line.rpartition(" ")
    stamp = bytearray(base64.b64decode(text))
    stamp[bit // 8] ^= 1 << bit % 8
    flipped = f"{head} {base64.b64encode(bytes(stamp)).decode()}"
    with pytest.raises(NoteInvalid):
        cosignature.cosigned(NOTE, flipped, by=BY)


def test_other_head_other_witness_and_other_kind_are_refused() -> None:
    line = cosignature.cosign(NOTE, name=NAME, key=WITNESS, at_s=5)
    other = checkpoint.sign(Checkpoint(ORIGIN, 43, b"\5" * 32), name=ORIGIN, key=LOG)
    own = NOTE.splitlines()[-1]
    for note, said, by in (
        (other, line, BY),
        (NOTE, line, Vkey(NAME, COSIGNATURE, LOG.public)),
        (NOTE, line, Vkey("witness.example/other", COSIGNATURE, WITNESS.public)),
        (NOTE, own, Vkey(ORIGIN, COSIGNATURE, LOG.public)),
        (NOTE, line[:-8], BY),
    ):
        with pytest.raises(NoteInvalid):
            cosignature.cosigned(note, said, by=by)


@pytest.mark.parametrize("name", ["two words", "with+plus", "", "—"])
def test_a_name_that_a_line_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteInvalid):
        cosignature.cosign(NOTE, name=name, key=WITNESS, at_s=5)


def test_keys_are_named_in_one_line() -> None:
    published = Vkey.read(PUBLISHED)
    assert (published.name, published.kind, str(published)) == (
        "sum.golang.org",
        ED25519,
        PUBLISHED,
    )
    assert Vkey.read(f" {BY}\n") == BY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+!",
        PUBLISHED.replace("033de0ae", "033de0af"),
        PUBLISHED.replace("sum.", "sun."),
        PUBLISHED[:-4],
        "name+00000000+AA==",
    ],
)
def test_a_line_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(VkeyInvalid):
        Vkey.read(text)
