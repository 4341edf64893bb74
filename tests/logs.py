"""A log of one test: an origin of its own, entries, heads, and servers that play authorities."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import asyncpg
import uvicorn
from litestar import Litestar
from msgspec.structs import replace

from backend.clock import new_id
from backend.jobs import sequencer as loop
from backend.jobs.context import Context
from backend.piccolo_conf import DB
from backend.services import audit, sequencer
from backend.services.anchors import LogKey
from backend.settings import Settings
from tests import world
from tests.conftest import StillClock
from tests.world import SHANDONG

Answer = tuple[int, dict[str, str], bytes]


class Log:
    """The audit log under an origin that no other test uses."""

    def __init__(self, context: Context, clock: StillClock, owner: asyncpg.Connection) -> None:
        origin = f"{context.settings.log_origin}/{new_id().hex}"
        self.clock, self.owner, self.origin = clock, owner, origin
        self.context = self.with_settings(context, log_origin=origin)
        self.key = LogKey(origin, context.keys.log.public)

    @staticmethod
    def with_settings(context: Context, **changed: object) -> Context:
        return replace(context, settings=replace(context.settings, **changed))

    async def wrote(self, count: int = 1, verb: str = "test.done") -> list[int]:
        """So many entries of the product; their ids."""
        act = await world.the_product(self.clock())
        async with DB.transaction(act.by.scope):
            return [
                await audit.record(act, verb, "test", act.new_id(), region=SHANDONG)
                for _ in range(count)
            ]

    async def ordered(self) -> int:
        return await sequencer.sequence(
            at=self.clock(), keys=self.context.keys, origin=self.origin
        )

    async def headed(self, count: int, verb: str = "test.done") -> list[int]:
        """Entries under a head of their own."""
        ids = await self.wrote(count, verb)
        assert await self.ordered() == count
        return ids

    async def anchored(self) -> None:
        """Let the newest head go to the locked bucket."""
        await loop._anchor(self.context)  # noqa: SLF001 - one step of the loop

    async def as_superuser(self, statement: str) -> None:
        """Do what only a superuser of the database can."""
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(statement)
        await self.owner.execute("set session_replication_role = origin")


@contextlib.contextmanager
def answering(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """A server on loopback that answers every POST as it is told; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, headers, body = answer(
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # a client may have read enough
                self.wfile.write(body)

        def log_message(self, *_facts: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[str]:
    """The app on a socket of this loop; its address. Its lifespan is somebody else's."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, loop="asyncio")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    for _ in itertools.count():
        if server.started:
            break
        assert not task.done()
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


def like(settings: Settings, **changed: object) -> Settings:
    return replace(settings, **changed)
