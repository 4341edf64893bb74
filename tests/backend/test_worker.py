"""The queue: each task once, a failed one later, a hopeless one parked."""

import asyncio
import itertools
from collections.abc import Iterator

import asyncpg
import pytest
from litestar import Litestar

from backend.jobs import worker
from backend.jobs.context import Context
from backend.pages.words import words
from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.tasks import MAX_ATTEMPTS, Task
from media.bucket import StoreUnavailable
from tests import world
from tests.conftest import StillClock

KIND = "test.work"


class Hands:
    """A handler that notes what it did and fails as often as it is told to."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.failures = 0
        self.fault: Exception | None = None

    async def __call__(self, task: Task, context: Context) -> None:
        if self.failures:
            self.failures -= 1
            raise self.fault or LookupError(f"{context.settings.origin} says no")
        self.done.append(task.payload["n"])


@pytest.fixture
def hands() -> Iterator[Hands]:
    made = Hands()
    worker.HANDLERS[KIND] = made
    yield made
    del worker.HANDLERS[KIND]


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state.jobs
    return found


async def enqueued(clock: StillClock, *numbers: int, dedupe: str | None = None) -> None:
    act = await world.the_product(clock())
    async with DB.transaction(act.by.scope):
        for number in numbers:
            await tasks.enqueue(
                KIND, {"n": number}, region=world.SHANDONG, at=clock(), dedupe=dedupe
            )


async def drain(context: Context) -> int:
    total = 0
    while done := await worker.once(context):
        total += done
    return total


async def test_every_task_is_done_once(context: Context, clock: StillClock, hands: Hands) -> None:
    await enqueued(clock, *range(10))
    assert await drain(context) == 10
    assert sorted(hands.done) == list(range(10))
    assert await worker.once(context) == 0


async def test_one_open_task_for_one_cause(
    context: Context, clock: StillClock, hands: Hands
) -> None:
    await enqueued(clock, 1, 2, dedupe="same")
    await drain(context)
    await enqueued(clock, 3, dedupe="same")
    await drain(context)
    assert hands.done == [1, 3]


async def test_a_failed_task_comes_back_later(
    context: Context, clock: StillClock, hands: Hands, owner: asyncpg.Connection
) -> None:
    hands.failures = 2
    await enqueued(clock, 1)
    waits = []
    for _ in range(3):
        assert await drain(context) == 1
        waits.append(await owner.fetchval("select run_at from task") - clock())
        clock.tick(seconds=5)
    assert hands.done == [1]
    assert [wait.total_seconds() for wait in waits[:2]] == [1, 2]
    assert await owner.fetchval("select last_error from task where done_at is null") is None


async def test_a_hopeless_task_is_parked_with_its_error(
    context: Context, clock: StillClock, hands: Hands, owner: asyncpg.Connection
) -> None:
    hands.failures = 100
    await enqueued(clock, 1)
    for _ in range(MAX_ATTEMPTS + 3):
        await drain(context)
        clock.tick(minutes=10)
    row = await owner.fetchrow("select attempts, done_at, last_error from task")
    assert (row["attempts"], row["done_at"]) == (MAX_ATTEMPTS, None)
    assert row["last_error"] == "LookupError: http://testserver says no"


async def test_a_task_waits_as_long_as_a_server_is_away(
    context: Context, clock: StillClock, hands: Hands, owner: asyncpg.Connection
) -> None:
    hands.failures, hands.fault = 20, StoreUnavailable(reason="test")
    await enqueued(clock, 1)
    for _ in range(21):
        assert await drain(context) == 1
        clock.tick(minutes=10)
    assert hands.done == [1]
    assert await owner.fetchval("select last_error from task") is None


async def test_a_killed_workers_task_is_taken_over(
    context: Context, clock: StillClock, hands: Hands
) -> None:
    await enqueued(clock, 1)
    assert len(await tasks.claim("main", at=clock())) == 1
    assert await worker.once(context) == 0
    clock.tick(seconds=61)
    assert await worker.once(context) == 1
    assert hands.done == [1]


async def test_long_work_keeps_its_lease(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work beyond a lease's minute is not begun a second time by another worker."""
    begun: list[int] = []
    started, late = asyncio.Event(), asyncio.Event()

    async def long(task: Task, _context: Context) -> None:
        begun.append(task.id)
        started.set()
        await late.wait()

    monkeypatch.setattr(worker, "HOLD_S", 0.01)
    monkeypatch.setitem(worker.HANDLERS, KIND, long)
    await enqueued(clock, 1)
    first = asyncio.create_task(worker.once(context))
    lease = "select locked_until > $1::timestamptz + interval '30 seconds' from task"
    await started.wait()
    clock.tick(seconds=tasks.LEASE_S + 5)
    looks = itertools.count()
    while not await owner.fetchval(lease, clock()):
        assert next(looks) < 10_000
    assert await worker.once(context) == 0
    late.set()
    assert await first == 1
    assert len(begun) == 1


def test_every_kind_of_task_has_its_word() -> None:
    named = {key.removeprefix("task.") for key in words() if key.startswith("task.")}
    assert named == set(worker.HANDLERS)
