"""The development time-stamp authority: made at the first start, answers on loopback.

Its replies are real RFC 3161 and say `dev-tsa`; they convince nobody outside. It answers from the
process that supervises the servers, so its key is not in the process that asks.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from backend import clock
from backend.embedded.state import write_private

if TYPE_CHECKING:
    from media.devtsa import Authority

KEY, ROOTS = "dev-tsa.pem", "dev-tsa-roots.pem"
ASKED_MAX_BYTES = 4096
Answer = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Served:
    """Where the authority answers, and the PEM file that its replies are held to."""

    url: str
    roots: Path
    server: ThreadingHTTPServer

    def stop(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self.server.server_close()


def serve(folder: Path) -> Served:
    """Answer from a thread until stopped or until this process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / ROOTS).exists():
        _make(folder)

    class Handler(BaseHTTPRequestHandler):
        answer = staticmethod(_answering(folder))

        def do_POST(self) -> None:
            _answer(self, self.answer)

        def log_message(self, *_facts: object) -> None:
            """Say nothing: standard error belongs to the supervisor."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="dev-tsa", daemon=True).start()
    return Served(f"http://127.0.0.1:{server.server_port}/", folder / ROOTS, server)


def _make(folder: Path) -> None:
    from media.devtsa import Authority  # noqa: PLC0415 - cryptography costs a lasting 20 MB

    made = Authority.make(clock.now())
    write_private(folder / KEY, made.pem())
    write_private(folder / ROOTS, made.root_pem())


def _answering(folder: Path) -> Answer:
    """The authority's answers; its key is read when somebody asks for the first time."""
    known: list[Authority] = []

    def answer(request: bytes) -> bytes:
        from media.devtsa import Authority  # noqa: PLC0415 - as above

        if not known:
            known.append(Authority.read((folder / KEY).read_bytes()))
        return known[0].reply(request, at=clock.now(), serial=time.time_ns())

    return answer


def _answer(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    length = handler.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > ASKED_MAX_BYTES:
        handler.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return
    reply = answer(handler.rfile.read(int(length)))
    handler.send_response(HTTPStatus.OK)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", str(len(reply)))
    handler.end_headers()
    handler.wfile.write(reply)
