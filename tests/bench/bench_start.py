"""Starting the whole product and what it holds in memory when nobody asks anything."""

import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure, median
from tests.ports import free_port

STARTS = 5
LIMIT_S = 60.0
SETTLE_S = 3.0
LOOK_EVERY_S = 0.02
ROOT = Path(__file__).parents[2]


def run() -> list[Figure]:
    """The first start on an empty folder, then starts on what it left, then the idle memory."""
    with tempfile.TemporaryDirectory(
        prefix="mingcha-start-", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "office"
        with _started(data) as (first, _):
            pass
        again: list[float] = []
        memory: list[float] = []
        for _ in range(STARTS):
            with _started(data) as (took, process):
                again.append(took)
                memory.append(_idle_mb(process.pid))
    return [
        median("cold start, existing data", again, "s", target=5.0),
        Figure(
            "cold start, very first", first, "s", target=5.0, note="initdb, migration, accounts"
        ),
        median("idle memory of all processes (PSS)", memory, "MB", target=500.0),
    ]


@contextmanager
def _started(data: Path) -> Iterator[tuple[float, subprocess.Popen[bytes]]]:
    """`mingcha run` until its health answers: seconds from the first process on."""
    port = free_port()
    argv = [sys.executable, "-m", "backend", "run", "--data", str(data), "--port", str(port)]
    began = time.perf_counter()
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            _until_healthy(f"http://127.0.0.1:{port}/api/v1/health", process, began)
            yield time.perf_counter() - began, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT_S)


def _until_healthy(address: str, process: subprocess.Popen[bytes], began: float) -> None:
    while time.perf_counter() - began < LIMIT_S:
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"mingcha run ended with {process.returncode}") from None
            time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"no healthy answer within {LIMIT_S} s")


def _idle_mb(root: int) -> float:
    """Proportional set size of a process and everything under it: the median of three looks."""
    looks: list[float] = []
    for _ in range(3):
        time.sleep(SETTLE_S)
        looks.append(sum(_pss_kb(pid) for pid in _family(root)) / 1000)
    return statistics.median(looks)


def _family(root: int) -> list[int]:
    """The process and all its descendants."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(after_name[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _pss_kb(pid: int) -> int:
    """Shared pages are counted once, divided among those that share them; kB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
