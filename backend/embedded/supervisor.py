"""One start, one stop: PostgreSQL and weed together, then the self-check, then the children."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Literal, Self

from backend import clock
from backend.embedded import ports, postgres, runas, selfcheck, state, weed
from backend.embedded.errors import AlreadyRunning, Sentence, StartFailed, sentence
from backend.embedded.processes import Child, Command, spawn, stop
from backend.settings import Database, Store

LOCK = "lock"
WATCH_S = 0.2
FOLDER_POSTGRES, FOLDER_WEED = "postgres", "weed"


@dataclass(frozen=True)
class Stack:
    """Where both servers live and what they remember; nothing runs yet."""

    data: Path
    pg: postgres.Place
    store: weed.Place
    state: state.State
    notices: Sequence[Sentence] = ()

    def database(self) -> Database:
        """Address and role passwords of PostgreSQL, as the settings want them."""
        where = str(self.pg.socket)
        return Database(where, postgres.PORT, postgres.DATABASE, self.state.passwords)

    def s3(self) -> Store:
        """Address and root keys of the store, as the settings want them."""
        endpoint = f"http://127.0.0.1:{self.state.ports[ports.PARTS.index('s3')]}"
        return Store(endpoint, endpoint, self.state.access_key, self.state.secret_key, weed.REGION)


class Running:
    """Servers that belong to this process; a context manager that stops them."""

    def __init__(self, stack: Stack, lock: int) -> None:
        self.stack = stack
        self.pg = stack.database()
        self.s3 = stack.s3()
        self.superuser_password = stack.state.superuser_password
        self.notices = stack.notices
        self.selfcheck: list[selfcheck.Line] = []
        self.children: list[Child] = []
        self._lock = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def run(self, command: Command) -> Child:
        """Start one more child (the app); it is stopped before the servers. Main thread only."""
        child = spawn(command)
        self.children.append(child)
        return child

    def check(self) -> list[selfcheck.Line]:
        """Try the eighteen doors now."""
        stack = self.stack
        folders = (stack.pg.data.parent, stack.pg.data, stack.store.data)
        pids = [child.pid for child in self.children]
        subject = selfcheck.Subject(stack.store, stack.state, self.s3, pids, folders)
        return selfcheck.run(subject, clock.now())

    def stop(self) -> None:
        """End everything in reverse order; safe to call twice. Always ends."""
        while self.children:
            stop(self.children.pop())
        if self._lock >= 0:
            weed.remove_sockets(self.stack.state)
            os.close(self._lock)
            self._lock = -1


def start(
    data: Path,
    *,
    origin: str,
    evidence_mode: Literal["on", "off"] = "on",
    doors: weed.Doors | None = None,
    major: int = 18,
) -> Running:
    """Start both servers on ``data``; they are ready and checked when this returns.

    ``origin`` is the only web origin that S3 answers.  ``doors`` is for tests that open one.
    Main thread only.  Raises PartMissing, AlreadyRunning, StartFailed, EvidenceModeRefused;
    nothing is left running then.
    """
    shut = doors or weed.Doors()
    data = data.absolute()
    lock = _take(data)
    try:
        running = Running(_stack(data, origin, major), lock)
    except BaseException:
        os.close(lock)
        raise
    try:
        _start_servers(running, shut)
        running.selfcheck = running.check()
        if evidence_mode == "on":
            selfcheck.require(running.selfcheck)
    except BaseException:
        running.stop()
        raise
    return running


def _take(data: Path) -> int:
    """The descriptor that holds these data; the kernel lets go when this process ends.

    Raises AlreadyRunning, or StartFailed when the folder is somebody else's.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise StartFailed("foreign_folder", folder=data) from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(handle)
        raise AlreadyRunning("data_in_use", data=data) from fault
    return handle


def _stack(data: Path, origin: str, major: int) -> Stack:
    """Find or decide everything a start needs, and remember it before anything is made."""
    found = runas.Programs(postgres.find_install(major), weed.find_binary())
    known = state.load(data)
    user = runas.who(data)
    home, notice = runas.home(data, user, None if known is None else known.home)
    if known is None:
        if (home / FOLDER_POSTGRES).exists():
            raise StartFailed("state_lost", folder=home, file=data / state.FILE)
        data.chmod(0o700)
        known = state.State(home="" if home == data else str(home))
    use = runas.programs(found, user)
    if not ports.free(known.ports):
        known.ports = ports.reserve()
    state.save(data, known)
    pg_data, store_data = home / FOLDER_POSTGRES, home / FOLDER_WEED
    short = runas.short_folder(pg_data)
    socket = postgres.socket_directory(pg_data, short)
    if socket == short:
        runas.private_folder(short, user)
    if not store_data.exists():
        runas.private_folder(store_data, user)
    log = data / "postgres.log"
    pg = postgres.Place(use.postgres / "bin", pg_data, socket, log, user, major)
    store = weed.Place(use.weed, store_data, data / "weed.log", user, origin)
    return Stack(data, pg, store, known, () if notice is None else (notice,))


def _start_servers(running: Running, doors: weed.Doors) -> None:
    """Both at once: weed warms up while initdb runs."""
    stack = running.stack
    weed.prepare(stack.store, clock.now(), doors)
    store = running.run(weed.command(stack.store, stack.state, doors))
    postgres.initialise(stack.pg, stack.state)
    database = running.run(postgres.command(stack.pg))
    postgres.wait_ready(stack.pg, database)
    postgres.prepare(stack.pg, stack.state)
    weed.wait_ready(store, stack.state)
    if doors.fsync and not stack.state.fsync_set:
        weed.set_fsync(stack.store, stack.state)
        stack.state.fsync_set = True
        state.save(stack.data, stack.state)


class _Asked(BaseException):
    """SIGTERM or SIGINT arrived; not an Exception, so that nothing on the way swallows it."""


def supervise(
    data: Path,
    commands: Callable[[Running], Sequence[Command]],
    say: Callable[[Sentence], None],
    *,
    origin: str,
    evidence_mode: Literal["on", "off"] = "on",
) -> int:
    """Be the one supervisor process: servers, then ``commands``, until a signal or an end.

    Returns the exit status: 0 when asked to stop, 1 when a part ended by itself; ``say`` gets
    the sentence about it.  Raises what ``start`` raises.  A second signal changes nothing: the
    stop that is under way always ends.
    """
    before = {sign: signal.signal(sign, _ask) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        with start(data, origin=origin, evidence_mode=evidence_mode) as running:
            for notice in running.notices:
                say(notice)
            for command in commands(running):
                running.run(command)
            ended = _first_ended(running.children)
            say(
                sentence(
                    "notices",
                    "ended",
                    part=ended.command.name,
                    returned=ended.process.returncode,
                    log=ended.tail(),
                )
            )
            return 1
    except _Asked:
        return 0
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _ask(_sign: int, _frame: FrameType | None) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.SIG_IGN)
    raise _Asked


def _first_ended(children: Sequence[Child]) -> Child:
    """Wait until a child is gone: none of them ends by itself while all is well."""
    while True:
        for child in children:
            if child.ended():
                return child
        time.sleep(WATCH_S)
