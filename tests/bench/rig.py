"""What the figures are measured on: embedded servers, the app without a socket, two databases."""

import asyncio
import contextlib
import gc
import io
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import asyncpg
import msgspec
from litestar import Litestar

from backend import clock, logs
from backend.app import LOCAL_ROLES, create_app
from backend.embedded.supervisor import Running, start
from backend.piccolo_conf import DB
from backend.services.schema import migrate
from backend.settings import Settings
from media.bucket import Bucket

CONNECTIONS = 8
SMALL, LARGE = "mingcha", "mingcha_large"
T = TypeVar("T")


class Clock:
    """Real time that can be held still: while rows are made by the million no token runs out."""

    def __init__(self) -> None:
        self.behind = timedelta()
        self.held_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.held_at or clock.now() - self.behind

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Hold the time meanwhile."""
        self.held_at = self()
        yield
        self.behind, self.held_at = clock.now() - self.held_at, None


@contextlib.contextmanager
def servers() -> Iterator[Running]:
    """PostgreSQL and SeaweedFS of this run alone, gone afterwards. Main thread only."""
    with (
        tempfile.TemporaryDirectory(prefix="mingcha-bench-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), origin="http://testserver") as running,
    ):
        yield running


def superuser(running: Running, database: str = SMALL) -> str:
    """The DSN that is bound by no policy: for bulk rows and for the bare transaction."""
    host = quote(running.pg.host, safe="")
    return (
        f"postgresql://postgres:{running.superuser_password}@/{database}"
        f"?host={host}&port={running.pg.port}"
    )


@dataclass(frozen=True)
class Request:
    """One HTTP call, made before the clock runs."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""
    query: bytes = b""


@dataclass(frozen=True)
class Spent:
    """What a number of calls took: wall seconds, and processor seconds of this process."""

    calls: int
    wall_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds a call."""
        return 1000 * self.cpu_s / self.calls


class Caller:
    """Calls the app as its server would: no socket, no HTTP text, everything else as served."""

    def __init__(self, app: Litestar) -> None:
        self.app = app

    async def __call__(self, request: Request) -> bytes:
        """The answer's body; anything but a 200 is a fault of the bench."""
        status, pieces = 0, []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]  # type: ignore[assignment]  # an int by ASGI
            else:
                pieces.append(message.get("body", b""))

        await self.app(_scope(request), receive, send)  # type: ignore[arg-type]  # ASGI's own dicts
        body = b"".join(pieces)  # type: ignore[arg-type]  # bytes by ASGI
        if status != 200:
            raise RuntimeError(f"{request.method} {request.path}: {status} {body[:600]!r}")
        return body


def _scope(request: Request) -> dict[str, object]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 40_000),
        "server": ("testserver", 80),
        "state": {},
    }


async def spend(work: Callable[[T], Awaitable[object]], pieces: Sequence[T]) -> Spent:
    """Do the pieces, ``CONNECTIONS`` at a time, each as soon as one before it is done."""
    waiting = iter(pieces)

    async def one() -> None:
        for piece in waiting:
            await work(piece)

    gc.collect()
    # Requests made beforehand are the bench's, not the app's: no full collection walks them.
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    spent = Spent(len(pieces), time.perf_counter() - wall, time.process_time() - cpu)
    gc.unfreeze()
    return spent


class Stand:
    """The app over one database or another of the same servers."""

    def __init__(
        self, running: Running, app: Litestar, settings: Settings, time_of_day: Clock
    ) -> None:
        self.running, self.app, self.settings = running, app, settings
        self.clock = time_of_day
        self.call = Caller(app)
        self.pools = {SMALL: dict(DB.pools)}

    def use(self, name: str) -> None:
        """Let the app work on this database from the next request on."""
        DB.pools = self.pools[name]

    async def clone(self) -> None:
        """Copy the small database as it stands and open the copy as ``LARGE``."""
        await DB.close()
        admin = await asyncpg.connect(superuser(self.running, "postgres"))
        await admin.execute(f"create database {LARGE} template {SMALL}")
        await admin.close()
        for name in (SMALL, LARGE):
            DB.pools = {}
            where = msgspec.structs.replace(self.settings.database, name=name)
            await DB.open({role: where.dsn(role) for role in LOCAL_ROLES}, size=CONNECTIONS)
            self.pools[name] = DB.pools
        self.use(SMALL)

    async def owner(self, name: str = SMALL) -> asyncpg.Connection:
        """A superuser connection that the caller closes."""
        return await asyncpg.connect(superuser(self.running, name))


@contextlib.asynccontextmanager
async def stand(running: Running) -> AsyncIterator[Stand]:
    """The whole app in this process, without background work."""
    await migrate(running.pg)
    with contextlib.ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="mingcha-keys-"))
        settings = Settings(
            database=running.pg,
            store=running.s3,
            keys=Path(folder) / "keys",
            origin="http://testserver",
            duties=("web",),
            pool_size=CONNECTIONS,
            secure_cookies=False,
        )
        bucket = Bucket.of(running.s3)
        bucket.ensure_buckets()
        time_of_day = Clock()
        logs.configure(io.StringIO())  # lines are made as in service, and go nowhere
        app = create_app(settings, bucket=bucket, clock=time_of_day)
        async with app.lifespan():
            made = Stand(running, app, settings, time_of_day)
            yield made
            for pools in made.pools.values():
                DB.pools = pools
                await DB.close()
