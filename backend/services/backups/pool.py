"""The content of all backups of a folder: bytes under their own hash, written once."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from media.bucket import Hashed

CHUNK = 1 << 20


class Pool:
    """Files named by the SHA-256 of what is in them; a half-written one has no such name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, sha256: str) -> Path:
        """Where these bytes are, if they are here."""
        return self.folder / sha256[:2] / sha256

    def has(self, sha256: str, size: int) -> bool:
        """Whether a file of this name and size is here; its bytes are not read."""
        try:
            return self.place(sha256).stat().st_size == size
        except OSError:
            return False

    def take(self, chunks: Iterable[bytes]) -> Hashed:
        """Write what comes, in constant memory, under the name of its hash."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with NamedTemporaryFile(dir=self.folder, prefix=".new-", delete=False) as out:
            try:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                name = self.place(digest.hexdigest())
                name.parent.mkdir(mode=0o700, exist_ok=True)
                out.flush()
                Path(out.name).replace(name)
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
        return Hashed(digest.hexdigest(), size)

    def sweep(self) -> None:
        """Remove what killed backups left half-written."""
        for left in self.folder.glob(".new-*"):
            left.unlink(missing_ok=True)

    def put_aside(self, sha256: str) -> None:
        """Take the name from bytes that do not deserve it."""
        file = self.place(sha256)
        with suppress(FileNotFoundError):
            file.rename(file.with_name(f"{sha256}.bad"))

    def holds(self, sha256: str) -> bool:
        """Whether the bytes under this name have it as their hash; reads all of them."""
        try:
            return sum_of(self.place(sha256)).sha256 == sha256
        except OSError:
            return False


def sum_of(file: Path) -> Hashed:
    """Hash and size of a file, in constant memory; raises OSError."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
        return Hashed(digest.hexdigest(), os.fstat(opened.fileno()).st_size)
