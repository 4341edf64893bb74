"""The product as it really runs: database, store, app and worker, each killed and started again.

One stand serves many schedules. Phones reach app and store over one bad line, app and worker
reach the store over another. A nurse starts whatever has ended. Main thread only.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import asyncpg
import httpx
import msgspec

from backend import clock
from backend.app import LOCAL_ROLES
from backend.embedded import postgres, supervisor, weed
from backend.embedded.processes import Child, Command, spawn
from backend.embedded.supervisor import Running
from backend.keyring import Keyring, open_keyring
from backend.piccolo_conf import DB
from backend.services.schema import migrate
from backend.settings import Settings, Store, to_environment
from media.bucket import Bucket
from tests.faults.cutter import FAIR, Cutter
from tests.faults.full.fate import Fate
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
LOOK_S = 0.02
AGAIN_S = 0.3  # between two attempts to start what does not stay up
READY_S = 120.0
SPOOL_BYTES = 64 << 20
LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
LOST_STATES = (
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
Part = Literal["store", "database", "app", "worker"]
PARTS: tuple[Part, ...] = ("store", "database", "app", "worker")
KEYS = "keys"
ALLOWED = "http://127.0.0.1"  # the only web origin that the store answers
AT = "http://127.0.0.1:{}"


class Owner:
    """A superuser's connection that comes back after the server did."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: asyncpg.Connection | None = None

    async def _ask(self, how: str, *args: Any) -> Any:
        for _ in range(600):
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self.dsn)
                return await getattr(self._connection, how)(*args)
            except (*LOST, *LOST_STATES):
                await self.close()
                await asyncio.sleep(0.1)
        raise TimeoutError("the database does not come back")

    async def fetch(self, *args: Any) -> Any:
        return await self._ask("fetch", *args)

    async def fetchrow(self, *args: Any) -> Any:
        return await self._ask("fetchrow", *args)

    async def fetchval(self, *args: Any) -> Any:
        return await self._ask("fetchval", *args)

    async def execute(self, *args: Any) -> Any:
        return await self._ask("execute", *args)

    async def close(self) -> None:
        """End the connection; the next question opens another."""
        found, self._connection = self._connection, None
        if found is not None:
            with contextlib.suppress(*LOST):
                found.terminate()


def _superuser(running: Running) -> str:
    host = quote(running.pg.host, safe="")
    return (
        f"postgresql://postgres:{running.superuser_password}@/{running.pg.name}"
        f"?host={host}&port={running.pg.port}"
    )


@dataclass
class Stand:
    """Everything that runs, and the lines between; ``port`` is the app's own, behind the line."""

    folder: Path
    running: Running
    settings: Settings
    port: int
    line: Cutter
    back: Cutter
    owner: Owner
    fates: dict[Part, Fate]
    children: dict[Part, Child]
    deaths: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    resting: bool = False
    disk: Path | None = None
    lives: int = 1

    @property
    def keys(self) -> Keyring:
        return open_keyring(self.settings.keys)

    def now(self) -> datetime:
        """What the clocks of app and worker say."""
        return self.fates["app"].now(clock.now())

    def shift(self, ms: int) -> None:
        """Set the clocks of app and worker by so much."""
        for fate in self.fates.values():
            fate.set("offset_ms", fate.get("offset_ms") + ms)

    def spare(self) -> None:
        """No fault is planned any more."""
        for fate in self.fates.values():
            fate.spare()
        self.line.weather = self.back.weather = FAIR

    def kill(self, part: Part) -> None:
        """End one process as a lost machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.children[part].pid, signal.SIGKILL)

    def end(self, *parts: Part) -> None:
        """Kill these and wait for their end; the nurse must rest."""
        for part in parts:
            child = self.children[part]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.process.wait()

    async def nurse(self) -> None:
        """Start again whatever has ended, as an operator's supervisor does."""
        last = dict.fromkeys(PARTS, -AGAIN_S)
        loop = asyncio.get_running_loop()
        while True:
            for part in PARTS:
                due = not self.resting and loop.time() - last[part] >= AGAIN_S
                if due and self.children[part].ended():
                    self.deaths[part] += 1
                    last[part] = loop.time()
                    self.start(part)
            await asyncio.sleep(LOOK_S)

    def start(self, part: Part) -> None:
        """Start one process; it is not waited for."""
        stack = self.running.stack
        if part == "database":
            command = postgres.command(stack.pg)
        elif part == "store":
            weed.remove_sockets(stack.state)
            command = weed.command(stack.store, stack.state, weed.Doors())
        else:
            command = self._product(part)
        self.children[part] = spawn(command)

    def _product(self, part: Part) -> Command:
        duties = ("web",) if part == "app" else ("worker", "scheduler")
        settings = msgspec.structs.replace(self.settings, duties=duties)
        verb = ["serve", "--port", str(self.port)] if part == "app" else ["work"]
        launch = [sys.executable, "-m", "tests.faults.full.launch", str(self.fates[part].file)]
        return Command(
            name=part,
            argv=[*launch, *verb],
            env={**os.environ, **to_environment(settings)},
            log=self.folder / f"{part}.log",
            cwd=ROOT,
        )

    async def move(self, running: Running, place: Path) -> None:
        """Let app, worker and this process speak to other servers; their files are in ``place``.

        Whoever asks the app or the store by its front goes on asking there.
        """
        self.running = running
        self.children["store"], self.children["database"] = running.children[:2]
        self.settings = msgspec.structs.replace(
            self.settings,
            database=running.pg,
            store=await _fronted(running, self.line, self.back),
            keys=place / KEYS,
            spool=place / "spool",
        )
        await self.owner.close()
        self.owner.dsn = _superuser(running)
        for pool in DB.pools.values():
            pool.terminate()
        DB.pools = {}
        await _open(running)

    async def ready(self) -> None:
        """Wait until app, database and store answer, asked without the bad line."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + READY_S
        url = f"http://127.0.0.1:{self.port}/api/v1/health"
        async with httpx.AsyncClient(timeout=5) as http:
            while loop.time() < limit:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(url)).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(LOOK_S)
        raise TimeoutError(f"the app does not come back: {self.children['app'].tail()}")


@contextlib.asynccontextmanager
async def a_stand(disk: Path | None = None) -> AsyncIterator[Stand]:
    """Servers, lines, app and worker in a folder of their own; nothing is left of them.

    ``disk`` is a small one that may be filled.
    """
    folder = _folder(disk)
    running = supervisor.start(folder / "servers", origin=ALLOWED)
    others, DB.pools = DB.pools, {}  # whoever shares this process keeps its own database
    try:
        async with Cutter(0) as line, Cutter(0) as back:
            made = await _stand(folder, running, line, back)
            made.disk = disk
            nurse = asyncio.create_task(made.nurse())
            try:
                await made.ready()
                yield made
            finally:
                nurse.cancel()
                await asyncio.gather(nurse, return_exceptions=True)
                await made.owner.close()
                running = made.running  # a restore has moved to others
                made.end(*PARTS)
                running.children = []
    finally:
        for pool in DB.pools.values():
            pool.terminate()  # the server may be away
        DB.pools = others
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder(disk: Path | None) -> Path:
    """A new folder that the servers' own user may pass: else their data lie elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="mingcha-full-", dir=disk))
    folder.chmod(0o711)
    return folder


async def _stand(folder: Path, running: Running, line: Cutter, back: Cutter) -> Stand:
    port = free_port()
    settings = Settings(
        database=running.pg,
        store=await _fronted(running, line, back),
        keys=folder / KEYS,
        origin=AT.format(await line.front(port)),
        log_origin="mingcha.invalid/embedded",  # as `mingcha restore` has it
        secure_cookies=False,
        spool=folder / "spool",
        spool_bytes=SPOOL_BYTES,
    )
    await migrate(running.pg)
    bucket = Bucket.of(settings.store)
    await asyncio.to_thread(bucket.ensure_buckets)
    open_keyring(settings.keys)
    await _open(running)
    store, database = running.children[:2]
    made = Stand(
        folder=folder,
        running=running,
        settings=settings,
        port=port,
        line=line,
        back=back,
        owner=Owner(_superuser(running)),
        fates={part: Fate(folder / f"{part}.fate") for part in ("app", "worker")},
        children={"store": store, "database": database},
    )
    made.start("app")
    made.start("worker")
    return made


async def _fronted(running: Running, line: Cutter, back: Cutter) -> Store:
    """The store behind two lines: phones reach it over one, app and worker over the other."""
    port = int(running.s3.endpoint.rpartition(":")[2])
    return msgspec.structs.replace(
        running.s3,
        endpoint=AT.format(await back.front(port)),
        public_endpoint=AT.format(await line.front(port)),
    )


async def _open(running: Running) -> None:
    await DB.open({role: running.pg.dsn(role) for role in LOCAL_ROLES}, size=4)
