"""A witness: what extends is seen, what forks or goes back is refused, a kill costs nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import checkpoint, cosignature, keys, merkle, witnessing
from media.checkpoint import ED25519, Checkpoint, NoteInvalid
from media.cosignature import COSIGNATURE, Vkey
from media.witnessing import (
    HeadRefused,
    Offer,
    Seen,
    WitnessBusy,
    WitnessFile,
    WitnessFileBroken,
    judge,
)

KEY, OTHER, WITNESS = (keys.ServerKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
ORIGIN = "test.mingcha.invalid/log"
LOG = Vkey(ORIGIN, ED25519, KEY.public)
LIMIT = 40


def leaves(fork: int | None = None) -> list[bytes]:
    """A history; ``fork`` is the place of its first other entry."""
    return [
        merkle.leaf_hash(b"%d%s" % (n, b"x" if fork is not None and n >= fork else b""))
        for n in range(LIMIT)
    ]


def head(size: int, *, fork: int | None = None, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, merkle.root(size, merkle.append(0, {}, leaves(fork))))


def offer(
    size: int,
    since: int = 0,
    *,
    fork: int | None = None,
    origin: str = ORIGIN,
    key: keys.ServerKey = KEY,
) -> Offer:
    grown = merkle.append(0, {}, leaves(fork))
    proof = merkle.consistency_proof(since, size, grown) if 0 < since < size else []
    note = checkpoint.sign(head(size, fork=fork, origin=origin), name=origin, key=key)
    return Offer(note, tuple(one.hex() for one in proof))


@given(
    st.integers(1, LIMIT),
    st.integers(1, LIMIT),
    st.one_of(st.none(), st.integers(0, LIMIT - 1)),
)
def test_exactly_what_extends_is_accepted(old: int, new: int, fork: int | None) -> None:
    """A later history is seen only when everything that was seen before lies in it unchanged."""
    offered = offer(new, old, fork=fork)
    if new >= old and (fork is None or fork >= old):
        assert judge(head(old), offered, log=LOG) == head(new, fork=fork)
    else:
        with pytest.raises(HeadRefused):
            judge(head(old), offered, log=LOG)


def test_the_first_head_needs_the_logs_signature_alone() -> None:
    assert judge(None, offer(5), log=LOG) == head(5)
    for stranger in (
        offer(5, key=OTHER),
        offer(5, origin="test.mingcha.invalid/other"),
        Offer("", ()),
    ):
        with pytest.raises((NoteInvalid, HeadRefused)):
            judge(None, stranger, log=LOG)


def test_a_later_epoch_goes_on_and_an_earlier_one_does_not() -> None:
    later = f"{ORIGIN}/epoch-20260302T010000Z"
    assert judge(head(5), offer(8, 5, origin=later), log=LOG).origin == later
    with pytest.raises(HeadRefused):
        judge(head(5, origin=later), offer(8, 5), log=LOG)
    with pytest.raises(HeadRefused):
        judge(head(8), offer(5, origin=later), log=LOG)


@pytest.mark.parametrize("proof", [(), ("zz" * 32,), ("00",), ("00" * 32,) * 65, ("00" * 32,) * 3])
def test_a_proof_that_is_none_is_refused(proof: tuple[str, ...]) -> None:
    with pytest.raises(HeadRefused):
        judge(head(5), Offer(offer(9).note, proof), log=LOG)


def seen(size: int, since: int = 0) -> Seen:
    offered = offer(size, since)
    line = cosignature.cosign(offered.note, name="w", key=WITNESS, at_s=size)
    return Seen(offered.note, line, size, offered.proof)


def test_the_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "heads"
    with WitnessFile(path) as file:
        assert file.last is None
        file.append(seen(3))
        file.append(seen(9, 3))
    with WitnessFile(path) as file:
        assert file.last == head(9)
        with pytest.raises(WitnessBusy), WitnessFile(path):
            pass
    found = list(witnessing.read(path))
    assert [one.at_s for one in found] == [3, 9]
    by = Vkey("w", COSIGNATURE, WITNESS.public)
    assert [cosignature.cosigned(one.note, one.line, by=by) for one in found] == [3, 9]


def test_a_line_cut_anywhere_is_no_line_and_the_next_follows_the_whole_ones(
    tmp_path: Path,
) -> None:
    path = tmp_path / "heads"
    with WitnessFile(path) as file:
        file.append(seen(3))
        before = path.stat().st_size
        file.append(seen(9, 3))
    whole = path.read_bytes()
    for length in range(before, len(whole)):
        path.write_bytes(whole[:length])
        assert len(list(witnessing.read(path))) == 1
        with WitnessFile(path) as file:
            assert file.last == head(3)
            file.append(seen(9, 3))
        assert path.read_bytes() == whole


def test_an_altered_line_stops_the_witness(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    with WitnessFile(path) as file:
        file.append(seen(3))
        file.append(seen(9, 3))
    path.write_bytes(path.read_bytes().replace(b'"at_s"', b'"at_x"', 1))
    with pytest.raises(WitnessFileBroken), WitnessFile(path):
        pass
    with pytest.raises(WitnessFileBroken):
        list(witnessing.read(path))


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.media.test_witnessing import seen
from media.witnessing import WitnessFile
with WitnessFile(Path(sys.argv[1])) as file:
    size = file.last.size if file.last else 0
    for _ in range(100000):
        grown = size % 39 + 1
        file.append(seen(grown))
        print(file.path.stat().st_size, flush=True)
        size = grown
"""


def test_a_killed_witness_keeps_every_line_it_told(tmp_path: Path) -> None:
    """Kill -9 at any moment: what was said to be on disk is there, and the file opens again."""
    path = tmp_path / "heads"
    root = str(Path(__file__).parents[2])
    for round_ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), root],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        ) as child:
            assert child.stdout is not None
            told = [int(child.stdout.readline()) for _ in range(3 + round_)]
            child.send_signal(signal.SIGKILL)
            told += [int(line) for line in child.stdout if line.endswith("\n")]
        assert path.stat().st_size >= told[-1]
        with WitnessFile(path) as file:
            assert file.last is not None
        assert sum(1 for _ in witnessing.read(path)) >= len(told)
