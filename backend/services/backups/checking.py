"""Reading a backup back: which sets are whole, whether every byte is what its manifest says."""

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from backend.services.backups.copying import in_order
from backend.services.backups.errors import NoSet, SetBroken
from backend.services.backups.pool import Pool, sum_of
from backend.services.backups.records import Line, Manifest, read

SETS, OBJECTS = "sets", "objects"
CLOCK_STEP_S = 2  # some file systems keep whole seconds
STAMP_ROOTS = "tsa-roots.pem"
MANIFEST, DUMP, LIST = "manifest.json", "database.dump", "objects.jsonl.gz"


class Set(Struct, frozen=True):
    """One whole backup of a folder; ``folder`` is the set's own."""

    root: Path
    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def pool(self) -> Pool:
        """Where its bytes are."""
        return Pool(self.root / OBJECTS)

    def lines(self) -> Iterator[Line]:
        """Its objects, in the order of the list."""
        with gzip.open(self.folder / LIST, "rb") as packed:
            yield from read(packed)


def names(root: Path) -> list[str]:
    """Names of the sets that are whole, oldest first; an unfinished one begins with a dot."""
    return sorted(
        file.parent.name
        for file in (root / SETS).glob(f"*/{MANIFEST}")
        if not file.parent.name.startswith(".")
    )


def open_set(root: Path, name: str | None = None) -> Set:
    """The set of this name, or the newest.

    Raises: NoSet ("backup.no_set"), SetBroken ("backup.set_broken") for a manifest that cannot
    be read.
    """
    known = names(root)
    if not known or (name is not None and name not in known):
        raise NoSet(folder=str(root), known=known)
    folder = root / SETS / (name or known[-1])
    try:
        raw = (folder / MANIFEST).read_bytes()
        return Set(root, folder, msgspec.json.decode(raw, type=Manifest))
    except (OSError, msgspec.DecodeError) as fault:
        raise SetBroken(file=MANIFEST, why=str(fault)) from fault


def readable(found: Set) -> Set:
    """The set, whose list is what its manifest says; raises SetBroken ("backup.set_broken")."""
    expected = found.manifest.files[LIST]
    _same(found.folder / LIST, expected.sha256, expected.size)
    return found


def check(found: Set, *, since: datetime | None = None) -> int:
    """Hash every file of a set and of its pool again; how many objects were read. Blocks.

    ``since``: of the pool only what was written from then on; of the rest the size. Bytes that
    are not what their name says are put aside, so that the next backup copies them again.
    Raises: SetBroken ("backup.set_broken") with the first file that is not as it must be.
    """
    for name, expected in found.manifest.files.items():
        _same(found.folder / name, expected.sha256, expected.size)
    pool = found.pool

    def again(line: Line) -> bool:
        if since is not None and pool.has(line.sha256, line.size):
            written = pool.place(line.sha256).stat().st_mtime
            if written < since.timestamp() - CLOCK_STEP_S:
                return False
        try:
            _same(pool.place(line.sha256), line.sha256, line.size)
        except SetBroken:
            pool.put_aside(line.sha256)
            raise
        return True

    try:
        return sum(in_order(again, found.lines()))
    except (OSError, EOFError, msgspec.DecodeError) as fault:
        raise SetBroken(file=LIST, why=str(fault)) from fault


def _same(file: Path, sha256: str, size: int) -> None:
    try:
        held = sum_of(file)
    except OSError as fault:
        raise SetBroken(file=file.name, why=str(fault.strerror)) from fault
    if (held.sha256, held.size) != (sha256, size):
        raise SetBroken(file=file.name, why="other bytes")
