"""A small disk of its own for everything that a stand writes: journal, tables, objects, spool.

Source: evidence spec 13 (full disk).
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

DISK_BYTES = 1_000_000_000
BALLAST = "ballast"
BLOCK = bytes(1 << 20)


class DiskRefusedError(Exception):
    """This machine does not let us mount one."""


@contextlib.contextmanager
def a_disk(folder: Path, size: int = DISK_BYTES) -> Iterator[Path]:
    """Mount a disk in memory for as long as the block lasts. Raises: DiskRefusedError."""
    mount = shutil.which("mount")
    if os.name != "posix" or mount is None or os.geteuid() != 0:
        raise DiskRefusedError("only root mounts a disk")
    folder.mkdir(parents=True, exist_ok=True)
    argv = [mount, "-t", "tmpfs", "-o", f"size={size},mode=0755", "mingcha-faults", str(folder)]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        raise DiskRefusedError(done.stderr.decode(errors="replace").strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, spare: int) -> int:
    """Leave ``spare`` bytes of room; the bytes of the ballast."""
    ballast = folder / BALLAST
    with ballast.open("ab") as file, contextlib.suppress(OSError):
        while (room := shutil.disk_usage(folder).free - spare) > 0:
            file.write(BLOCK[: min(room, len(BLOCK))])
            file.flush()
    return ballast.stat().st_size


def empty(folder: Path) -> None:
    """There is room again."""
    (folder / BALLAST).unlink(missing_ok=True)
