"""Eighteen doors tried at every boot; an open one refuses evidence mode.

Source: evidence-and-sync 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backend.embedded import canary, doors, weed
from backend.embedded.doors import Verdict
from backend.embedded.errors import EvidenceModeRefused, StartFailed, sentence
from backend.embedded.ports import PARTS
from backend.embedded.state import State
from backend.settings import Store

LINES = (*(f"D{n}" for n in range(1, 14)), *(f"P{n}" for n in range(1, 6)))


@dataclass(frozen=True)
class Line:
    """One door: shut or not, what it is in both tongues, and what was answered."""

    id: str
    ok: bool
    en: str
    zh: str
    seen: str


@dataclass(frozen=True)
class Subject:
    """A running store as the check sees it; ``pids`` are both servers, ``folders`` their data."""

    place: weed.Place
    state: State
    store: Store
    pids: Sequence[int]
    folders: Sequence[Path]


def run(subject: Subject, now: datetime) -> list[Line]:
    """All eighteen lines in order; never raises for an open door."""
    ports = dict(zip(PARTS, subject.state.ports, strict=True))
    found: dict[str, Verdict] = {}
    found |= doors.program(
        weed.actual_sha256(subject.place.binary),
        weed.recorded_sha256(),
        weed.recorded_version(),
        weed.OLDEST,
    )
    found |= canary.origins(subject.store, subject.place.origin)
    found |= doors.grpc(ports)
    found |= doors.directories(subject.folders)
    found |= doors.listeners(subject.pids)
    bird = canary.place(subject.store, now)
    printed = _shell(subject, bird)
    found |= doors.fsync_rules(printed)
    found |= _canary_lines(subject.store, bird, ports, doors.needle(printed), now)
    canary.sweep(subject.store, now)
    return _lines(found)


def _canary_lines(
    store: Store, bird: canary.Canary, ports: Mapping[str, int], fid: str | None, now: datetime
) -> dict[str, Verdict]:
    """Reading first, destroying last: an open door must not hide the next one."""
    file = f"v_{bird.version}"
    found = {"D10": doors.volume(ports["volume"], "GET", fid)}
    found |= doors.filer_read(ports["filer"], bird.folder, file)
    found |= canary.lock_terms(store, bird, now)
    found["D11"] = doors.volume(ports["volume"], "DELETE", fid)
    found["D1"] = canary.delete_version(store, bird, now)
    found |= doors.filer_write(ports["filer"], bird.folder, file)
    found["D5"] = canary.drop_bucket(store, bird, now)
    found |= doors.master(ports["master"], bird.bucket)
    return found


def require(lines: Sequence[Line]) -> None:
    """Raises EvidenceModeRefused naming every open door."""
    if open_doors := [f"{line.id} ({line.seen})" for line in lines if not line.ok]:
        raise EvidenceModeRefused("doors_open", lines=", ".join(open_doors))


def _shell(subject: Subject, bird: canary.Canary) -> str:
    """The fsync rules and the canary's needle, in one call; empty when the shell fails."""
    asked = f"fs.configure\nfs.meta.cat {bird.folder}/v_{bird.version}\n"
    try:
        return weed.shell(subject.place, subject.state, asked)
    except StartFailed:
        return ""


def _lines(found: Mapping[str, Verdict]) -> list[Line]:
    return [
        Line(line, found[line].ok, **sentence("lines", line), seen=found[line].seen)
        for line in LINES
    ]
