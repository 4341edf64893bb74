"""The spool: what it promised is there, what it did not promise is cut off."""

import fcntl
import os
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.spool import SEGMENT_BYTES, Spool, SpoolBusy, SpoolFull, SpoolTorn

ROOMY = 1 << 30


def whole(spool: Spool, size: int) -> bytes:
    numbers = range(-(-size // SEGMENT_BYTES))
    return b"".join(
        spool.segment("one", number, min(SEGMENT_BYTES, size - number * SEGMENT_BYTES))
        for number in numbers
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 3_000_000), st.booleans()), min_size=1, max_size=8))
def test_bytes_are_those_of_the_committed_chunks(
    tmp_path: Path, chunks: list[tuple[int, bool]]
) -> None:
    spool = Spool(tmp_path / "spool", quota=ROOMY)
    spool.clear("one")
    committed = bytearray()
    with spool.hold("one"):
        for number, (size, kept) in enumerate(chunks):
            data = bytes([number + 1]) * size
            spool.append("one", len(committed), data)
            if kept:  # else: the process died before it could commit the offset
                committed += data
    assert whole(spool, len(committed)) == committed


def test_only_one_writes_at_a_time(tmp_path: Path) -> None:
    spool, other = Spool(tmp_path, quota=ROOMY), Spool(tmp_path, quota=ROOMY)
    with spool.hold("one"):
        with other.hold("two"):
            pass
        with pytest.raises(SpoolBusy), other.hold("one"):
            pass
    with other.hold("one"):
        pass


def test_a_full_spool_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, quota=1000)
    with spool.hold("one"):
        spool.append("one", 0, b"a" * 600)
        with pytest.raises(SpoolFull):
            spool.append("one", 600, b"b" * 401)
    assert whole(spool, 600) == b"a" * 600
    assert spool.used() == 600
    with spool.hold("one"):
        spool.append("one", 600, b"b" * 400)


def test_bytes_that_vanished_are_missed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, quota=ROOMY)
    with spool.hold("one"):
        spool.append("one", 0, b"a" * 600)
        os.truncate(tmp_path / "one" / "000000", 500)
        with pytest.raises(SpoolTorn):
            spool.append("one", 600, b"b")
    with pytest.raises(SpoolTorn):
        spool.segment("one", 0, 600)
    with pytest.raises(SpoolTorn):
        spool.segment("two", 0, 1)


def test_segments_go_one_by_one_and_all_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, quota=ROOMY)
    with spool.hold("one"):
        for number in range(12):
            spool.append("one", number << 20, b"x" * (1 << 20))
    assert spool.used() == 12 << 20
    spool.drop("one", 0)
    assert spool.used() == 7 << 20
    with spool.hold("one"):
        spool.append("one", 12 << 20, b"y")
    assert spool.uploads() == ("one",)
    spool.clear("one")
    assert (spool.used(), spool.uploads()) == (0, ())


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", quota=ROOMY)
    with spool.hold("one"):
        spool.append("one", 0, b"a")
    modes = [path.stat().st_mode & 0o077 for path in (tmp_path / "spool").rglob("0*")]
    assert modes == [0]
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0


def test_a_full_disk_is_a_full_spool(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk: this user may not mount one")
    try:
        spool = Spool(small / "spool", quota=ROOMY)
        spool.append("one", 0, b"a" * 30_000)
        with pytest.raises(SpoolFull):
            spool.append("one", 30_000, b"b" * 60_000)
        assert spool.used() == 30_000
        spool.append("one", 30_000, b"c" * 1000)
        assert whole(spool, 31_000) == b"a" * 30_000 + b"c" * 1000
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_who_waited_for_a_cleared_upload_locks_the_new_one(tmp_path: Path) -> None:
    spool, other = (Spool(tmp_path / "spool", quota=ROOMY) for _ in range(2))
    inside, leave = threading.Event(), threading.Event()

    def wait() -> None:
        with other.turn("one"):
            inside.set()
            leave.wait(10)

    waiting = threading.Thread(target=wait)
    with spool.turn("one"):
        waiting.start()
        while "-> FLOCK" not in Path("/proc/locks").read_text():
            pass
        spool.clear("one")
    assert inside.wait(10)
    with pytest.raises(BlockingIOError), (tmp_path / "spool" / "one.turn").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    leave.set()
    waiting.join(10)
