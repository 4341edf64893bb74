"""A scanner that speaks clamd's INSTREAM and knows one signature, which is ours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNATURE = b"MINGCHA-TEST-SIGNATURE-NOT-A-VIRUS"
NAME = "Mingcha-Test-Signature"
LIMIT_BYTES = 3_000_000


class Clamd:
    """Answers on loopback until it is closed; ``mute`` takes everything and says nothing."""

    def __init__(self, *, mute: bool = False) -> None:
        self.mute = mute
        self.seen: list[int] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        with line.makefile("rb") as source:
            if source.read(10) != b"zINSTREAM\0":
                line.sendall(b"UNKNOWN COMMAND\0")
                return
            raw = b""
            while size := int.from_bytes(source.read(4)):
                raw += source.read(size)
                if len(raw) > LIMIT_BYTES:
                    line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                    return
        self.seen.append(len(raw))
        if self.mute:
            return
        line.sendall(
            b"stream: %b\0" % (b"%b FOUND" % NAME.encode() if SIGNATURE in raw else b"OK")
        )

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)


@contextmanager
def running(*, mute: bool = False) -> Iterator[Clamd]:
    served = Clamd(mute=mute)
    try:
        yield served
    finally:
        served.close()
