"""One start, one stop: PostgreSQL and weed together, then the self-check, then the children."""

import fcntl
import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from backend import clock
from backend.embedded import ports, postgres, state, weed
from backend.embedded.errors import AlreadyRunning
from backend.embedded.processes import Child, Command, RunAs, spawn, stop
from backend.settings import Database, Store

LOCK = "lock"


class Running:
    """Servers that run and belong to this process; also a context manager that stops them."""

    def __init__(self, pg: Database, s3: Store, superuser_password: str, lock: int) -> None:
        self.pg = pg
        self.s3 = s3
        self.superuser_password = superuser_password
        self.selfcheck: list[object] = []
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
        """Start one more child (the app); it is stopped before the servers."""
        child = spawn(command)
        self.children.append(child)
        return child

    def stop(self) -> None:
        """End everything in reverse order; safe to call twice. Always ends."""
        while self.children:
            stop(self.children.pop())
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def start(
    data: Path,
    *,
    origin: str,
    evidence_mode: Literal["on", "off"] = "on",
    doors: weed.Doors | None = None,
) -> Running:
    """Start both servers on ``data`` and return when they are ready and checked."""
    doors = doors or weed.Doors()
    data = data.absolute()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    lock = take_lock(data)
    user = RunAs("nobody", 65534, 65534) if os.getuid() == 0 else RunAs()
    user.own(data)
    known = state.load(data) or state.State()
    if not known.ports or not ports.free(known.ports):
        known.ports = ports.reserve()
    state.save(data, known)
    short = Path(tempfile.gettempdir()) / (
        "mingcha-" + hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    )
    pg_data = data / "postgres"
    sock = postgres.socket_directory(pg_data, short)
    if sock == short:
        short.mkdir(mode=0o700, exist_ok=True)
        user.own(short)
    pg = postgres.Place(
        postgres.find_install() / "bin", pg_data, sock, data / "postgres.log", user
    )
    store_data = data / "weed"
    store_data.mkdir(mode=0o700, exist_ok=True)
    user.own(store_data)
    wd = weed.Place(weed.find_binary(), store_data, data / "weed.log", user, origin)
    running = Running(
        Database(str(sock), postgres.PORT, postgres.DATABASE, known.passwords),
        _store(known),
        known.superuser_password,
        lock,
    )
    try:
        _start_servers(running, pg, wd, known, doors, clock.now())
        if not known.fsync_set and doors.fsync:
            weed.set_fsync(wd, known)
            known.fsync_set = True
            state.save(data, known)
    except BaseException:
        running.stop()
        raise
    return running


def _store(known: state.State) -> Store:
    endpoint = f"http://127.0.0.1:{known.ports[ports.PARTS.index('s3')]}"
    return Store(endpoint, endpoint, known.access_key, known.secret_key, weed.REGION)


def _start_servers(
    running: Running,
    pg: postgres.Place,
    store: weed.Place,
    known: state.State,
    doors: weed.Doors,
    now: datetime,
) -> None:
    """Both at once: weed warms up while initdb runs."""
    weed.prepare(store, now, doors)
    store_child = weed.start(store, known, doors)
    running.children.append(store_child)
    pg_child = postgres.start(pg, known)
    running.children.append(pg_child)
    postgres.wait_ready(pg, pg_child)
    postgres.prepare(pg, known)
    weed.wait_ready(store_child, known)


def take_lock(data: Path) -> int:
    """The descriptor that holds these data; raises AlreadyRunning. The kernel frees it."""
    handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(handle)
        raise AlreadyRunning(
            f"Another start uses {data}; stop it first.", f"{data} 正被另一次启动使用；请先停止它。"
        ) from fault
    return handle
