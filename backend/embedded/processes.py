"""Children of the supervisor: started to die with it, stopped by escalation."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.embedded.errors import PartMissing, StartFailed

PR_SET_PDEATHSIG = 1
LOG_TAIL = 2000
LOG_KEPT_BYTES = 8 << 20
TICK_S = 0.02


@dataclass(frozen=True)
class RunAs:
    """The OS user of the servers; ``name`` is None when that is simply ourselves."""

    name: str | None = None
    uid: int = field(default_factory=os.getuid)
    gid: int = field(default_factory=os.getgid)

    def own(self, path: Path) -> None:
        """Give one file or directory to that user; needs root, else does nothing."""
        if self.name is not None:
            os.chown(path, self.uid, self.gid)

    def popen_options(self) -> dict[str, Any]:
        """Keywords for subprocess that become this user; empty when that is ourselves."""
        if self.name is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Command:
    """What to run; ``orphan_signal`` is what the kernel sends when the supervisor dies."""

    name: str
    argv: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    log: Path | None = None
    user: RunAs = field(default_factory=RunAs)
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 10.0),)


@dataclass(frozen=True)
class Child:
    """A running command; its process group has its pid, its log begins at ``log_from``."""

    command: Command
    process: subprocess.Popen[bytes]
    log_from: int = 0

    @property
    def pid(self) -> int:
        """Process id, and the id of the process group."""
        return self.process.pid

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def said(self) -> bytes:
        """What this process has written to its log."""
        if self.command.log is None:
            return b""
        with self.command.log.open("rb") as log:
            log.seek(self.log_from)
            return log.read()

    def tail(self) -> str:
        """The end of that, for a sentence about a failed start."""
        return self.said()[-LOG_TAIL:].decode("utf-8", "replace").strip()


def _die_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """A hook for the forked child: no supervisor, no server (kill -9 of the parent included)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def hook() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(sign))
        if os.getppid() != parent:  # it died between fork and prctl: nobody would tell us
            os._exit(1)

    return hook


def spawn(command: Command) -> Child:
    """Start one command; raises PartMissing, or StartFailed outside the main thread.

    The parent-death signal fires when the forking *thread* ends, hence the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise StartFailed("main_thread")
    out = _open_log(command.log)
    log_from = 0 if out is None else os.fstat(out).st_size
    try:
        process = subprocess.Popen(  # noqa: S603
            list(command.argv),
            cwd=command.cwd,
            env=None if command.env is None else dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=None if out is None else subprocess.STDOUT,
            start_new_session=True,
            # PLW1509: the hook calls prctl and getppid, takes no lock, and we are the main thread
            preexec_fn=_die_with_parent(command.orphan_signal),  # noqa: PLW1509
            **command.user.popen_options(),
        )
    except OSError as fault:
        why = f"{fault.strerror}: {fault.filename}"
        raise PartMissing("not_runnable", part=command.name, why=why) from fault
    finally:
        if out is not None:
            os.close(out)
    return Child(command, process, log_from)


def _open_log(log: Path | None) -> int | None:
    if log is None:
        return None
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def stop(child: Child) -> float:
    """End one child: each signal with its patience, at last SIGKILL to the whole group.

    Returns the seconds it took. Always ends.
    """
    began = time.monotonic()
    for sign, patience_s in child.command.stop_steps:
        if child.ended():
            break
        child.process.send_signal(sign)
        try:
            child.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    _kill_group(child)
    child.process.wait()
    return time.monotonic() - began


def _kill_group(child: Child) -> None:
    """What the leader left behind in its group goes too; a gone group is what we want."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(ready: Callable[[], bool], child: Child, *, limit_s: float) -> None:
    """Poll until ``ready``; raises StartFailed when the child ends or the time is up."""
    limit = time.monotonic() + limit_s
    while not ready():
        part = child.command.name
        if child.ended():
            code = child.process.returncode
            raise StartFailed("ended", part=part, returned=code, log=child.tail())
        if time.monotonic() > limit:
            raise StartFailed("silent", part=part, seconds=round(limit_s), log=child.tail())
        time.sleep(TICK_S)
