"""Published heads as known outside the database: a note beside the keys, the locked bucket.

Source: evidence spec 8 (rollback). Looked at once when a process starts; later heads are its own.
"""

import asyncio
import os
from pathlib import Path

import structlog

from backend.services.recovery import Known, Source
from media import checkpoint
from media.bucket import Bucket, Room
from media.checkpoint import NOTE_MAX_CHARS, NoteInvalid

FILE = "log-head.note"
log = structlog.get_logger()


class Memory:
    """The newest published head that this process knows of; ``base`` is the log's first origin."""

    def __init__(self, folder: Path, *, base: str, public: bytes) -> None:
        self.file = folder / FILE
        self.base, self.public = base, public
        self.known: Known | None = None
        self.looked = False

    async def look(self, bucket: Bucket, size: int) -> Known | None:
        """The newest known head; at first asks the file and the bucket beyond ``size``."""
        if not self.looked:
            found = [self._of_file(), await asyncio.to_thread(self._of_bucket, bucket, size)]
            self.known = max(
                (one for one in (*found, self.known) if one is not None),
                key=lambda one: (one.origin, one.size),
                default=None,
            )
            self.looked = True
        return self.known

    def keep(self, note: str) -> None:
        """Remember a head that was just published, here and in the file."""
        self.known = self._read(note, "memory")
        fresh = self.file.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(note)
        fresh.replace(self.file)

    def forget(self) -> None:
        """Know nothing of what was published before: another database begins its own log."""
        self.known, self.looked = None, True
        self.file.unlink(missing_ok=True)

    def _of_file(self) -> Known | None:
        try:
            note = self.file.read_text("utf-8")
        except FileNotFoundError:
            return None
        return self._read(note, "memory")

    def _of_bucket(self, bucket: Bucket, size: int) -> Known | None:
        """The greatest head in the bucket beyond ``size``, of the last epoch that has one."""
        folders = [f"{self.base}/"]
        folders += [
            item.key
            for item in bucket.listed(Room.CHECKPOINTS, prefix=folders[0], recursive=False)
            if item.key.endswith("/")
        ]
        for folder in reversed(folders):
            after = f"{folder}{size:020d}.note"
            keys = [
                item.key
                for item in bucket.listed(
                    Room.CHECKPOINTS, prefix=folder, after=after, recursive=False
                )
                if item.key.endswith(".note")
            ]
            for key in reversed(keys):
                raw = bucket.fetch(Room.CHECKPOINTS, key, limit=NOTE_MAX_CHARS)
                if found := self._read(raw.decode("utf-8", "replace"), "bucket"):
                    return found
        return None

    def _read(self, note: str, source: Source) -> Known | None:
        """A note of this log; what our key did not sign is nobody's memory, and is said."""
        try:
            head = checkpoint.verify(note, name=self.base, public=self.public)
        except NoteInvalid:
            log.exception("remembered head is not ours", source=source)
            return None
        return Known(head.origin, head.size, head.root, source)
