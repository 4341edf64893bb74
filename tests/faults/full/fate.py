"""What a process is to meet, in a few shared numbers: its clock's offset, and where it dies.

The harness writes, the process reads; a file that both map needs no socket and survives a kill.
"""

import mmap
import os
import signal
import struct
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

NUMBER = struct.Struct("<q")
PLACES = ("offset_ms", "statement", "during", "store", "answered")
Place = Literal["offset_ms", "statement", "during", "store", "answered"]
SIZE = NUMBER.size * len(PLACES)


class Fate:
    """The numbers of one process; 0 means nothing.

    ``statement`` and ``during``: it dies before its n-th statement from now, or while the server
    carries that out. ``store`` and ``answered``: before or after its n-th call to the store.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        if not file.exists():
            file.write_bytes(bytes(SIZE))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), SIZE)

    def get(self, place: Place) -> int:
        """One number."""
        found: int = NUMBER.unpack_from(self._map, PLACES.index(place) * NUMBER.size)[0]
        return found

    def set(self, place: Place, value: int) -> None:
        """Set one number; the process sees it at once."""
        NUMBER.pack_into(self._map, PLACES.index(place) * NUMBER.size, value)

    def spare(self) -> None:
        """Let it live."""
        for place in PLACES[1:]:
            self.set(place, 0)

    def meet(self, place: Place) -> bool:
        """Count one meeting of a place; whether it is the last."""
        left = self.get(place)
        if left:
            self.set(place, left - 1)
        return left == 1

    def now(self, real: datetime) -> datetime:
        """What the clock of the process says."""
        return real + timedelta(milliseconds=self.get("offset_ms"))


def die() -> None:
    """End this process as a lost machine would."""
    os.kill(os.getpid(), signal.SIGKILL)
