"""The timer: due plans fire once, whoever ticks; the leader is one and is replaced."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from backend.jobs import leader, schedule
from backend.jobs.context import Context
from backend.services import occurrences, plans, sessions
from tests import drawing
from tests.conftest import START, StillClock, Work
from tests.drawing import Office

Owner = asyncpg.Connection


async def until(holds: Callable[[], Awaitable[object]], seconds: float = 15) -> None:
    """Poll until something holds, or fail."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


async def a_due_plan(app: Litestar, clock: StillClock) -> tuple[Office, drawing.PlanRecord]:
    """A world with an approved plan that becomes due in an hour."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 5))
    spec = drawing.a_spec(entropy=(), level_d_accepted=True, level_d_reason="培训演示数据")
    return office, await drawing.an_approved_plan(office, spec=spec)


@pytest.fixture
def context(app: Litestar) -> Context:
    """What jobs are handed."""
    made: Context = app.state.jobs
    return made


async def slots(owner: Owner) -> list[tuple[str, int]]:
    """The draws' slots that were claimed, and how late."""
    rows = await owner.fetch("select * from occurrence where schedule like 'plan:%' order by 1")
    return [(row["schedule"], row["late_by_s"]) for row in rows]


async def test_a_tick_forgets_sessions_that_have_ended(owner: Owner, context: Context) -> None:
    await sessions.put("over", b"x", timedelta(seconds=-1))
    await sessions.put("lives", b"x", timedelta(hours=1))
    await schedule.tick(context)
    assert [row["key"] for row in await owner.fetch("select key from session_kv")] == ["lives"]


async def test_a_plan_fires_when_its_instant_comes_and_once(
    app: Litestar, clock: StillClock, owner: Owner, context: Context
) -> None:
    _, plan = await a_due_plan(app, clock)
    await schedule.tick(context)
    assert await slots(owner) == []
    clock.set(plan.fire_at)
    assert await schedule.tick(context) == 1
    assert await schedule.tick(context) == 0
    assert await slots(owner) == [(f"plan:{plan.id}", 0)]
    (task,) = await owner.fetch("select payload from task where kind = 'draw.fire'")
    assert msgspec.json.decode(task["payload"]) == {"plan": str(plan.id)}


async def test_two_leaders_at_once_are_harmless(
    app: Litestar, clock: StillClock, owner: Owner, context: Context
) -> None:
    _, plan = await a_due_plan(app, clock)
    clock.set(plan.fire_at)
    ordered = await asyncio.gather(*(schedule.tick(context) for _ in range(5)))
    assert sum(ordered) == 2  # the plan, and the daily look
    assert len(await slots(owner)) == 1
    assert await owner.fetchval("select count(*) from task where kind = 'draw.fire'") == 1


async def test_a_missed_slot_runs_late_and_says_how_late(
    app: Litestar, clock: StillClock, owner: Owner, context: Context, work: Work
) -> None:
    office, plan = await a_due_plan(app, clock)
    clock.set(plan.fire_at + timedelta(hours=5, seconds=3))
    await schedule.tick(context)
    assert await slots(owner) == [(f"plan:{plan.id}", 18_003)]
    await work.drain()
    draw = await owner.fetchrow("select state, late_by_s from draw")
    assert tuple(draw) == ("drawn", 18_003)
    logged = msgspec.json.decode(
        await owner.fetchval("select body from draw_log where type = 'freeze'")
    )
    assert logged["late_by_s"] == 18_003
    assert (await plans.plan(plan.id, act=office.act)).state == "running"


async def test_from_tick_to_sealed_visits_without_a_hand(
    app: Litestar, clock: StillClock, owner: Owner, context: Context, work: Work
) -> None:
    _, plan = await a_due_plan(app, clock)
    clock.set(plan.fire_at)
    await schedule.tick(context)
    await work.drain()
    assert await owner.fetchval("select count(*) from visit where state = 'assigned'") == 4
    await schedule.tick(context)
    await work.drain()
    assert await owner.fetchval("select count(*) from draw") == 1


async def test_a_plan_with_a_ceremony_is_frozen_and_waits(
    app: Litestar, clock: StillClock, owner: Owner, context: Context, work: Work
) -> None:
    office, _ = await a_due_plan(app, clock)
    plan = await drawing.an_approved_plan(office, code="dice")
    clock.set(plan.fire_at)
    await schedule.tick(context)
    await work.drain()
    draw = await owner.fetchrow("select * from draw where plan = $1", plan.id)
    assert draw["state"] == "frozen"
    clock.set(draw["reveal_by"] + timedelta(seconds=2))
    await work.drain()
    state, reason = await owner.fetchrow(
        "select state, void_reason from draw where plan = $1", plan.id
    )
    assert (state, reason) == ("void", f"deadline: entropy:dice:{drawing.DICE.ref}")


async def test_the_daily_look_reminds_and_discloses(
    app: Litestar, clock: StillClock, owner: Owner, context: Context, work: Work
) -> None:
    _, plan = await a_due_plan(app, clock)
    clock.set(plan.fire_at)
    await schedule.tick(context)
    await work.drain()
    on = await owner.fetchval("select disclose_on from draw")
    clock.set(datetime.combine(on, START.timetz()))
    await schedule.tick(context)
    await work.drain()
    assert await owner.fetchval("select state from draw") == "published"


async def test_a_plan_that_is_not_approved_never_fires(
    app: Litestar, clock: StillClock, owner: Owner, context: Context
) -> None:
    office, plan = await a_due_plan(app, clock)
    await plans.cancel(plan.id, "任务调整", act=office.second)
    other = await plans.create(drawing.a_draft(clock(), code="draft"), act=office.act)
    clock.set(other.fire_at + timedelta(days=1))
    await schedule.tick(context)
    assert await slots(owner) == []


@asynccontextmanager
async def candidates(context: Context, number: int) -> AsyncIterator[None]:
    """Some processes' worth of candidates for the leader's lock."""
    tasks = [asyncio.create_task(leader.run(context)) for _ in range(number)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


HOLDERS = """
select pid from pg_locks where locktype = 'advisory' and objid = 7301 and granted
"""


async def test_one_candidate_leads_and_a_lost_leader_is_replaced(
    app: Litestar, clock: StillClock, owner: Owner, context: Context
) -> None:
    office, plan = await a_due_plan(app, clock)
    clock.set(plan.fire_at)
    async with candidates(context, 2):

        async def fired() -> bool:
            return len(await slots(owner)) == 1

        await until(fired)
        (holder,) = await owner.fetch(HOLDERS)
        office.at = clock()
        again = await drawing.an_approved_plan(office, code="again")
        clock.set(again.fire_at)
        await owner.execute("select pg_terminate_backend($1)", holder["pid"])

        async def replaced() -> bool:
            return len(await slots(owner)) == 2

        await until(replaced)
        (successor,) = await owner.fetch(HOLDERS)
        assert successor["pid"] != holder["pid"]

    async def free() -> bool:
        return await owner.fetch(HOLDERS) == []

    await until(free)


@given(st.integers(0, 23), st.integers(0, 5 * 86_400))
def test_the_daily_slot_is_the_last_full_one(hour: int, seconds: int) -> None:
    at = START + timedelta(seconds=seconds)
    slot = occurrences.daily_slot(at, hour)
    assert timedelta() <= at - slot < timedelta(days=1)
    assert (slot.hour, slot.minute, slot.second) == (hour, 0, 0)
