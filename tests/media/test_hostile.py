"""The corpus: every file refused or flagged as its label says, and nothing else suffers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media import admission, stills
from media.darkroom import Darkroom
from media.errors import MediaRefusal
from tests.media import hostile, samples
from tests.media.hostile import Case

MEMORY_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Verdict:
    """What became of a file: the code of its refusal, or what it is shown with."""

    refused: str = ""
    flags: tuple[str, ...] = ()
    bare: bool = True


@pytest.fixture(scope="module")
def room() -> Iterator[Darkroom]:
    with Darkroom() as opened:
        yield opened


def judge(case: Case, room: Darkroom) -> Verdict:
    """As the worker does: structure, then the decoder, then the checker over both previews."""
    raw = case.raw
    try:
        found = admission.examine(case.mime, len(raw), lambda at, size: raw[at : at + size])
        if found.kind.group != "image":
            return Verdict(flags=found.flags)
        made = room.develop(case.mime, raw)
    except MediaRefusal as refusal:
        return Verdict(refused=refusal.code)
    extra = [stills.beyond_picture(one) for one in (made.preview, made.thumb)]
    return Verdict(flags=found.flags, bare=not any(extra))


def wrong(case: Case, found: Verdict) -> str:
    """Why a verdict is not the label's, or nothing."""
    if found.refused:
        right = found.refused in case.refused
        return "" if right else f"{case.name}: refused {found.refused}"
    if case.refused and not case.either:
        return f"{case.name}: taken with {found.flags}"
    if not found.bare:
        return f"{case.name}: a preview carries metadata"
    if not set(case.flags) <= set(found.flags):
        return f"{case.name}: flags {found.flags} instead of {case.flags}"
    return ""


def peak_of(room: Darkroom) -> int:
    """The most address space that the child ever had, where the system tells."""
    child = room._child  # noqa: SLF001 - the process under test
    status = Path(f"/proc/{child._process.pid}/status") if child else Path("/none")  # noqa: SLF001 - as above
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmPeak"].split()[0]) * 1024


def test_every_file_is_judged_as_its_label_says(room: Darkroom) -> None:
    cases = list(hostile.corpus())
    assert len(cases) >= 300
    assert len({case.name for case in cases}) == len(cases)
    faults, peak, verdicts = [], 0, Counter[str]()
    for case in cases:
        found = judge(case, room)
        verdicts[found.refused or "taken"] += 1
        faults += [fault] if (fault := wrong(case, found)) else []
        peak = max(peak, peak_of(room))
    assert faults == []
    assert peak <= MEMORY_BYTES
    assert {"media.bomb", "media.truncated", "media.type_mismatch"} <= set(verdicts)
    assert room.develop("image/jpeg", samples.a_jpeg()).width == 640


def test_labels_would_be_noticed(room: Darkroom) -> None:
    """The comparison itself: a file with another label is told."""
    taken = Case("clean", hostile.JPEG, hostile.HONEST[hostile.JPEG], hostile.MISMATCH)
    assert wrong(taken, judge(taken, room)) == "clean: taken with ()"
    flagged = Case("clean", hostile.JPEG, hostile.HONEST[hostile.JPEG], flags=("trailing_data",))
    assert "flags" in wrong(flagged, judge(flagged, room))
    refused = Case("svg", hostile.JPEG, samples.HOSTILE["svg"])
    assert "refused media.type_mismatch" in wrong(refused, judge(refused, room))
