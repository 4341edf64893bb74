"""The virus scanner beside us, where an office runs one: clamd, spoken to over a socket.

Its absence or silence is said with the evidence ("not_scanned") and never holds a piece up.
Source: evidence-and-sync 0.6, 12.4.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, Literal

from msgspec import Struct

from media.errors import MediaRefusal

WAIT_SECONDS = 60.0
ANSWER_BYTES = 4096
_FOUND, _CLEAN = " FOUND", ": OK"


class Malware(MediaRefusal):
    """The scanner names something in the file."""

    code: ClassVar[str] = "media.malware"


class Scanned(Struct, frozen=True):
    """What the scanner said: its finding's name, or why nothing was scanned."""

    state: Literal["clean", "found", "not_scanned"]
    detail: str = ""


class Scanner:
    """One clamd, at ``unix:/path`` or ``host:port``; no address means that there is none."""

    def __init__(self, address: str = "", *, wait_s: float = WAIT_SECONDS) -> None:
        self.address = address
        self._wait_s = wait_s

    def scan(self, chunks: Iterable[bytes]) -> Scanned:
        """Send a file's bytes, in chunks, and return what the scanner says; blocks.

        Source: evidence-and-sync 12.4 (clamd adapter); clamd's INSTREAM command.
        """
        if not self.address:
            return Scanned("not_scanned", "no_scanner")
        try:
            with self._connected() as line:
                # A scanner that has seen enough answers and closes; its answer is still there.
                with suppress(BrokenPipeError, ConnectionResetError):
                    line.sendall(b"zINSTREAM\0")
                    for chunk in chunks:
                        line.sendall(len(chunk).to_bytes(4) + chunk)
                    line.sendall(bytes(4))
                return _said(_answer(line))
        except OSError as fault:
            return Scanned("not_scanned", f"unavailable: {type(fault).__name__}")

    def _connected(self) -> socket.socket:
        if self.address.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self._wait_s)
            try:
                line.connect(self.address.removeprefix("unix:"))
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._wait_s)


def _answer(line: socket.socket) -> str:
    raw = b""
    while len(raw) < ANSWER_BYTES and (part := line.recv(ANSWER_BYTES)):
        raw += part
        if raw.endswith(b"\0"):
            break
    return raw.rstrip(b"\0").decode(errors="replace").strip()


def _said(answer: str) -> Scanned:
    if answer.endswith(_FOUND):
        return Scanned("found", answer.removesuffix(_FOUND).partition(": ")[2][:200])
    if answer.endswith(_CLEAN):
        return Scanned("clean")
    return Scanned("not_scanned", f"scanner: {answer}"[:200])
