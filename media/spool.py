"""The spool of the weak-link lane: bytes on disk until they are parts in the store.

A committed offset is a promise: bytes are on the disk before it is given.  An upload is a folder
with a file a segment, 5 MiB each but the last, which is what the store takes as a part.
Source: evidence-and-sync 4.2.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from media.errors import Family, MediaRefusal

SEGMENT_BYTES = 5 << 20
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class SpoolFull(MediaRefusal):
    """The spool holds as much as it may; what is there is kept, try again later."""

    code: ClassVar[str] = "upload.spool_full"
    family: ClassVar[Family] = Family.UNAVAILABLE


class SpoolBusy(MediaRefusal):
    """Another request is writing to this upload."""

    code: ClassVar[str] = "upload.busy"
    family: ClassVar[Family] = Family.CONFLICT


class SpoolTorn(MediaRefusal):
    """The spool lacks bytes below the committed offset; the upload starts anew."""

    code: ClassVar[str] = "upload.torn"
    family: ClassVar[Family] = Family.CONFLICT


class Spool:
    """All uploads under way on this host, in a folder of their own that nobody else reads."""

    def __init__(self, root: Path, *, quota: int) -> None:
        self.root = root
        self.quota = quota
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _folder(self, ident: str) -> Path:
        return self.root / ident

    def _segment(self, ident: str, number: int) -> Path:
        return self._folder(ident) / f"{number:06}"

    @contextmanager
    def hold(self, ident: str) -> Iterator[None]:
        """Keep every other writer of this upload out, in this process and in others.

        Raises: SpoolBusy ("upload.busy").
        """
        with self._locked(ident, "lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def turn(self, ident: str) -> Iterator[None]:
        """Wait until nobody else hands segments of this upload on; for a thread, not the loop."""
        with self._locked(ident, "turn", fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, ident: str, name: str, how: int) -> Iterator[None]:
        linked = False
        while not linked:
            with self._lock(ident, name).open("wb") as lock:
                try:
                    fcntl.flock(lock, how)
                except BlockingIOError:
                    raise SpoolBusy(upload=ident) from None
                # Cleared while we waited: the next comer would lock a new file beside us.
                linked = os.fstat(lock.fileno()).st_nlink > 0
                if linked:
                    yield

    def _lock(self, ident: str, name: str) -> Path:
        return self.root / f"{ident}.{name}"

    def append(self, ident: str, offset: int, data: bytes) -> None:
        """Put bytes at the committed ``offset`` and on the disk; what stood behind it is cut off.

        The caller holds the upload. Raises: SpoolFull ("upload.spool_full"), SpoolTorn.
        """
        if self.used() + len(data) > self.quota:
            raise SpoolFull(quota=self.quota)
        written = 0
        try:
            self._folder(ident).mkdir(mode=0o700, exist_ok=True)
            while written < len(data):
                number, inside = divmod(offset + written, SEGMENT_BYTES)
                chunk = data[written : written + SEGMENT_BYTES - inside]
                self._write(self._segment(ident, number), inside, chunk)
                written += len(chunk)
        except OSError as fault:
            if fault.errno in NO_ROOM:
                raise SpoolFull(quota=self.quota) from fault
            raise

    def _write(self, segment: Path, inside: int, chunk: bytes) -> None:
        handle = os.open(segment, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size < inside:
                raise SpoolTorn(upload=segment.parent.name)
            os.ftruncate(handle, inside)
            _put(handle, inside, chunk)
            os.fsync(handle)
        finally:
            os.close(handle)
        if not inside:
            self._settle(segment.parent)

    def _settle(self, folder: Path) -> None:
        """A new file's name is on the disk only once its folder is."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def segment(self, ident: str, number: int, size: int) -> bytes:
        """Read the first ``size`` bytes of one segment. Raises: SpoolTorn ("upload.torn")."""
        try:
            with self._segment(ident, number).open("rb") as file:
                data = file.read(size)
        except FileNotFoundError:
            data = b""
        if len(data) != size:
            raise SpoolTorn(upload=ident)
        return data

    def drop(self, ident: str, number: int) -> None:
        """Forget a segment that the store has."""
        self._segment(ident, number).unlink(missing_ok=True)

    def clear(self, ident: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self._folder(ident), ignore_errors=True)
        for name in ("turn", "lock"):
            self._lock(ident, name).unlink(missing_ok=True)

    def used(self) -> int:
        """Bytes of all segments on this host."""
        return sum(_size(file) for file in self.root.glob("*/[0-9]*"))

    def uploads(self) -> tuple[str, ...]:
        """The uploads that have a folder here."""
        return tuple(sorted(folder.name for folder in self.root.iterdir() if folder.is_dir()))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the store has it meanwhile
        return 0


def _put(handle: int, at: int, data: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part and says so only the next time."""
    left = memoryview(data)
    try:
        while left:
            written = os.pwrite(handle, left, at)
            left, at = left[written:], at + written
    except OSError:
        os.ftruncate(handle, at - (len(data) - len(left)))  # what nobody was promised
        raise
