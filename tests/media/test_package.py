"""Emergency packages: what a file holds, and what a damaged one still gives."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from media import package
from media.package import Batch, Blob, Damage, End, Frame, Opening

IDS = [f"019a0000-0000-7000-8000-{number:012x}" for number in range(8)]
OPENING = Opening(IDS[0], IDS[1], "00112233445566aa", 1_800_000_000_000, 1, 2)
BODIES = [b"operations", b"one blob" * 99, b"another" * 5000]


def heads() -> list[package.Head]:
    digests = [sha256(body).hexdigest() for body in BODIES]
    return [
        OPENING,
        Batch(IDS[2], "none", len(BODIES[0]), digests[0], len(BODIES[0])),
        Blob(IDS[3], digests[1], len(BODIES[1])),
        Blob(IDS[4], digests[2], len(BODIES[2])),
        End(IDS[0], 5),
    ]


def a_file() -> bytes:
    bodies = [b"", *BODIES, b""]
    frames = (package.frame(head, body) for head, body in zip(heads(), bodies, strict=True))
    return package.MAGIC + b"".join(frames)


FILE = a_file()


def scanned(raw: bytes) -> list[Frame | Damage]:
    return list(package.scan(lambda at, length: raw[at : at + length], len(raw)))


def whole(raw: bytes) -> list[package.Head]:
    return [one.head for one in scanned(raw) if isinstance(one, Frame)]


def test_a_whole_file_gives_everything_in_order() -> None:
    found = scanned(FILE)
    assert [one.head for one in found if isinstance(one, Frame)] == heads()
    assert all(isinstance(one, Frame) for one in found)
    bodies = [FILE[one.offset : one.offset + one.size] for one in found if isinstance(one, Frame)]
    assert bodies[1:4] == BODIES


def test_a_cut_file_gives_what_came_before_and_names_what_was_cut() -> None:
    cut = FILE[: FILE.index(BODIES[2]) + 100]
    assert whole(cut) == heads()[:3]
    damage = scanned(cut)[-1]
    assert isinstance(damage, Damage)
    assert (damage.reason, damage.head) == ("cut", heads()[3])


def test_a_broken_head_costs_its_frame_alone() -> None:
    at = FILE.index(heads()[2].sha256.encode())  # type: ignore[union-attr]
    broken = FILE[:at] + b"x" + FILE[at + 1 :]
    assert whole(broken) == [heads()[0], heads()[1], heads()[3], heads()[4]]
    assert [one.reason for one in scanned(broken) if isinstance(one, Damage)] == ["head"]


def test_a_lying_length_hides_nothing_behind_it() -> None:
    lie = package.frame(Blob(IDS[5], "00" * 32, 10**12))
    at = FILE.index(package.MARK, FILE.index(BODIES[0]))
    assert whole(FILE[:at] + lie + FILE[at:]) == heads()


def test_what_is_no_package_gives_nothing_and_says_so() -> None:
    for raw in (b"", b"PK\x03\x04" + bytes(5000), b"{}", package.MAGIC[:-1]):
        found = scanned(raw)
        assert not [one for one in found if isinstance(one, Frame)]
        assert [one.reason for one in found][:1] == ["no_magic"]


def test_a_million_marks_end() -> None:
    raw = package.MAGIC + package.MARK * 60_000
    reads: list[int] = []

    def read(at: int, length: int) -> bytes:
        reads.append(length)
        return raw[at : at + length]

    found = list(package.scan(read, len(raw)))
    assert isinstance(found[-1], Damage)
    assert found[-1].reason == "too_many"
    assert sum(reads) < 150_000_000


@given(st.data())
def test_any_damage_ends_and_every_frame_told_is_one_that_was_written(data: st.DataObject) -> None:
    raw = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
        at = data.draw(st.integers(0, len(raw) - 1)) if raw else 0
        if kind == "flip" and raw:
            raw[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del raw[at:]
        elif kind == "insert":
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=60))
        else:
            del raw[at : at + data.draw(st.integers(1, 60))]
    found = scanned(bytes(raw))
    assert all(head in heads() for head in whole(bytes(raw)))
    reach = 0
    for one in found:
        if isinstance(one, Frame):
            assert reach <= one.offset
            assert one.offset + one.size <= len(raw)
            reach = one.offset + one.size
        else:
            assert reach <= one.offset
            reach = one.offset + one.length


@given(st.integers(0, len(FILE)))
def test_every_cut_gives_the_frames_that_are_whole(at: int) -> None:
    ends, reach = [], len(package.MAGIC)
    for head, body in zip(heads(), [b"", *BODIES, b""], strict=True):
        reach += len(package.frame(head, body))
        ends.append(reach)
    assert whole(FILE[:at]) == heads()[: sum(end <= at for end in ends)]
