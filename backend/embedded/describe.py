"""What `mingcha doctor` says about the embedded servers, without starting or changing anything."""

import fcntl
import http.client
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.embedded import postgres, state, weed
from backend.embedded.errors import EmbeddedRefusal, sentence
from backend.embedded.ports import PARTS
from backend.embedded.s3 import plain
from backend.embedded.supervisor import FOLDER_POSTGRES, FOLDER_WEED, LOCK

POSTGRES, STORE, SUPERVISOR = "PostgreSQL", "SeaweedFS", "supervisor"


@dataclass(frozen=True)
class Part:
    """One part: ``ok`` is False when the operator must do what the sentence says."""

    name: str
    ok: bool
    en: str
    zh: str


def describe(data: Path) -> list[Part]:
    """Programs, data and processes of the embedded stack on ``data``."""
    data = data.absolute()
    return [_postgres_program(), _store_program(), *_data(data), *_processes(data)]


def _part(name: str, key: str, *, ok: bool = True, detail: object = "") -> Part:
    return Part(name, ok, **sentence("parts", key, part=name, detail=detail))


def _postgres_program() -> Part:
    try:
        return _part(POSTGRES, "installed", detail=postgres.find_install().name)
    except EmbeddedRefusal as refusal:
        return Part(POSTGRES, ok=False, en=refusal.en, zh=refusal.zh)


def _store_program() -> Part:
    try:
        binary = weed.find_binary()
    except EmbeddedRefusal as refusal:
        return Part(STORE, ok=False, en=refusal.en, zh=refusal.zh)
    version = ".".join(map(str, weed.recorded_version()))
    same = weed.actual_sha256(binary) == weed.recorded_sha256()
    return _part(STORE, "installed" if same else "altered", ok=same, detail=version)


def _data(data: Path) -> Iterator[Part]:
    try:
        known = state.load(data)
    except EmbeddedRefusal as refusal:
        yield Part("data", ok=False, en=refusal.en, zh=refusal.zh)
        return
    if known is None:
        yield _part("data", "not_made", detail=data)
        return
    home = Path(known.home or data)
    yield _part("data", "made", detail=home)
    for folder in (home, home / FOLDER_POSTGRES, home / FOLDER_WEED):
        if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            yield _part("data", "open_folder", ok=False, detail=folder)


def _processes(data: Path) -> Iterator[Part]:
    try:
        known = state.load(data)
    except EmbeddedRefusal:
        return
    if known is None:
        return
    held = _held(data)
    yield _part(SUPERVISOR, "running" if held else "stopped", detail=data)
    pid = postgres.running_pid(Path(known.home or data) / FOLDER_POSTGRES)
    yield _process(POSTGRES, held=held, detail=f"pid {pid}" if pid else "")
    port = known.ports[PARTS.index("s3")]
    healthy = plain(f"127.0.0.1:{port}", "GET", "/healthz").status == http.client.OK
    yield _process(STORE, held=held, detail=f"127.0.0.1:{port}" if healthy else "")


def _process(name: str, *, held: bool, detail: str) -> Part:
    """A server that answers although nobody holds the data has outlived its supervisor."""
    if not detail:
        return _part(name, "stopped")
    return _part(name, "running" if held else "leftover", ok=held, detail=detail)


def _held(data: Path) -> bool:
    try:
        with (data / LOCK).open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
