"""What the tests of the embedded servers share: processes, polling, one table, one object."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from backend import clock
from backend.embedded import postgres
from backend.embedded.s3 import signed
from backend.embedded.supervisor import Running

ORIGIN = "http://127.0.0.1:9999"
LIMIT_S = 40.0
SUPERVISED = Path(__file__).with_name("supervised.py")


def until(true: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    """Poll; a test that waits in vain fails here."""
    limit = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end(running: Running) -> None:
    """Stop without weed's long good-bye: what it acknowledged is on disk."""
    running.children[0].process.kill()
    running.stop()


def sql(running: Running, text: str, *, database: str = "mingcha") -> str:
    """One statement as the superuser."""
    place = running.stack.pg
    return postgres.query(place, running.superuser_password, text, database=database).strip()


def sql_as(running: Running, role: str, text: str) -> subprocess.CompletedProcess[str]:
    """One statement as a role of the product."""
    return subprocess.run(
        [running.stack.pg.binaries / "psql", "-XqAt", "-c", text, running.pg.dsn(role)],
        capture_output=True,
        text=True,
        check=False,
    )


def put(running: Running, path: str, body: bytes = b"") -> int:
    """Status of a signed PUT; a path without key makes the bucket."""
    return signed(running.s3, "PUT", path, now=clock.now(), body=body).status


def get(running: Running, path: str) -> bytes:
    """The bytes of an object."""
    return signed(running.s3, "GET", path, now=clock.now()).body


class Supervised:
    """The supervisor as a process of its own; ``pids`` are weed, PostgreSQL, the app."""

    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SUPERVISED), str(data), ORIGIN],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SUPERVISED.parents[2])},
        )
        assert self.process.stdout is not None
        said = self.process.stdout
        self.pids = [int(word) for _ in range(2) for word in said.readline().split()]

    def close(self) -> None:
        """End it if it still runs."""
        self.process.terminate()
        self.process.communicate(timeout=LIMIT_S)

    def end(self, sign: signal.Signals) -> int:
        """Send one signal; the exit status."""
        self.process.send_signal(sign)
        return self.process.wait(LIMIT_S)
