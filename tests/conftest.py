"""Real servers once a run, one app, a clock that stands still, a clean database for each test."""

import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from litestar import Litestar

from backend import jobs
from backend.app import create_app
from backend.clock import uuid7
from backend.embedded.supervisor import Running, start
from backend.jobs.context import Context
from backend.services import tokens
from backend.services.schema import migrate
from backend.settings import Database, Settings
from backend.settings import Store as StoreSettings
from media.bucket import Bucket
from tests.ports import free_port
from tests.superuser import dsn_of, hurry

# The house's runs are the same every time; new examples are looked for by `make fuzz`.
for name, found in (("house", {"derandomize": True}), ("fuzz", {"max_examples": 1000})):
    hypothesis_settings.register_profile(
        name,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        **found,
    )
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

# What the migrations fill in; a test must not lose it.
KEPT = frozenset({"region", "occupation", "migration"})

# Where browsers meet the app; the store lets pages of this origin alone send it bytes.
BROWSED = f"http://127.0.0.1:{free_port()}"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday morning in Shanghai


class StillClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        """Stand at another instant."""
        self.at = at

    def tick(self, **span: float) -> datetime:
        """Move on by a timedelta's keywords."""
        self.at += timedelta(**span)
        return self.at


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """PostgreSQL and SeaweedFS, hardened, self-checked, on loopback."""
    folder = Path(tempfile.mkdtemp(prefix="mingcha-test-"))
    with start(folder, origin=BROWSED) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def superuser(running: Running, database: str = "mingcha") -> str:
    """The DSN that only tests use: it may skip triggers and policies to clean up."""
    return dsn_of(msgspec.structs.replace(running.pg, name=database), running.superuser_password)


@pytest.fixture(scope="session")
async def database(stack: Running) -> Database:
    """The migrated database; no test ends this server, so a commit need not wait for the disk."""
    await migrate(stack.pg)
    owner = await asyncpg.connect(superuser(stack))
    await hurry(owner, stack.pg)
    await owner.close()
    return stack.pg


@pytest.fixture(scope="session")
def store(stack: Running) -> StoreSettings:
    """S3 with a bucket prefix of this run."""
    return msgspec.structs.replace(stack.s3, prefix=f"t{os.getpid()}-")


@pytest.fixture(scope="session")
def s3(store: StoreSettings) -> Bucket:
    """The object store with its buckets made."""
    bucket = Bucket.of(store)
    bucket.ensure_buckets()
    return bucket


@pytest.fixture(scope="session")
def clock() -> StillClock:
    """The clock the app reads; every test begins at START."""
    return StillClock()


@pytest.fixture(scope="session")
def settings(database: Database, store: StoreSettings) -> Settings:
    """Settings without duties: tests run the worker by hand."""
    return Settings(
        database=database,
        store=store,
        keys=Path(tempfile.mkdtemp(prefix="mingcha-keys-")) / "keys",
        origin="http://testserver",
        duties=(),
        log_origin="test.mingcha.invalid/log",
        secure_cookies=False,
    )


@contextlib.asynccontextmanager
async def lived(app: Litestar) -> AsyncIterator[None]:
    """Hold the app's lifespan in a task of its own: its cancel scope must end where it began."""
    up, down = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with app.lifespan():
            up.set()
            await down.wait()

    task, ready = asyncio.create_task(hold()), asyncio.create_task(up.wait())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        ready.cancel()
        await task
    try:
        yield
    finally:
        down.set()
        await task


@pytest.fixture(scope="session")
async def app(settings: Settings, s3: Bucket, clock: StillClock) -> AsyncIterator[Litestar]:
    """The whole app over the real servers."""
    count = itertools.count(1)

    def ids() -> UUID:
        """Ordered by the still clock, then by making; different in every run."""
        return uuid7(int(clock().timestamp() * 1000), next(count) << 40 | secrets.randbits(40))

    made = create_app(settings, bucket=s3, clock=clock, ids=ids)
    async with lived(made):
        yield made


@pytest.fixture(scope="session")
async def owner(stack: Running, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A superuser connection for cleaning and for looking behind the policies."""
    connection = await asyncpg.connect(superuser(stack, database.name))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def wipe(owner: asyncpg.Connection) -> str:
    """One statement that empties every table that a test may fill, audit log included."""
    rows = await owner.fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n"
        " on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname in ('public', 'aud')"
    )
    names = [r["name"] for r in rows if r["name"].split(".")[1] not in KEPT]
    deletes = "".join(f"delete from {name};" for name in sorted(names))  # noqa: S608 - catalogue
    return f"begin; set local session_replication_role = replica; {deletes} commit"


@pytest.fixture(autouse=True)
def _at_start(clock: StillClock) -> None:
    clock.set(START)


@pytest.fixture
async def clean(owner: asyncpg.Connection, wipe: str) -> None:
    """An empty database and no remembered token."""
    await owner.execute(wipe)
    tokens.forget()


@pytest.fixture(autouse=True)
def _no_head_remembered(request: pytest.FixtureRequest) -> None:
    """The app's sequencer begins a new log with every empty database."""
    if "app" in request.fixturenames:
        request.getfixturevalue("app").state.jobs.memory.forget()


# What takes longest begins first: at the end no worker is left alone with a long file.
LONG_FILES = (
    "test_schedules",
    "test_schema.py",
    "/full/",
    "/browser/",
    "test_circle",
    "test_isolation",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses the app begins with ``clean``; the others do not pay for it."""
    items.sort(key=lambda item: not any(part in str(item.path) for part in LONG_FILES))
    for item in items:
        names = getattr(item, "fixturenames", [])
        if "app" in names and "clean" not in names:
            names.insert(0, "clean")


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP without a socket: the same requests, the same answers."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        yield http


class Work:
    """The worker and the sequencer, run by hand until nothing is left."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def drain(self) -> None:
        """Run every ready task, seal every entry, and again until nothing moved."""
        while await jobs.worker.once(self.context) + await jobs.sequencer.once(self.context):
            pass


@pytest.fixture
def work(app: Litestar) -> Work:
    """Background work on demand."""
    return Work(app.state.jobs)
