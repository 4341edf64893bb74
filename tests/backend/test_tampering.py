"""Whatever a superuser of the database does to the audit log is found against an older anchor."""

from random import Random

import asyncpg
import pytest
from litestar import Litestar

from backend.jobs.context import Context
from backend.piccolo_conf import DB
from backend.services import audit, sequencer
from backend.services.log_replay import Claim, Fault, Replay
from backend.services.log_verify import recompute
from tests import world
from tests.conftest import StillClock
from tests.tampering import PLAIN, REPAIRABLE, Deed, Superuser, fork
from tests.world import SHANDONG

DEEDS = (*REPAIRABLE, *PLAIN)
HEADS = (3, 8, 9, 21, 32, 33)


class Case:
    """One deed: whether leaves, nodes and roots are repaired, and with the stolen key."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.repaired, self.stolen = self.dice.random() < 0.5, self.dice.random() < 0.5
        self.deed: Deed = self.dice.choice(REPAIRABLE if self.repaired else DEEDS)

    def __str__(self) -> str:
        return f"{self.deed.__name__}, repaired: {self.repaired}, key stolen: {self.stolen}"


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state.jobs
    return found


@pytest.fixture
async def heads(context: Context, clock: StillClock, owner: asyncpg.Connection) -> list[Claim]:
    """A log with some heads, and what somebody outside kept of each."""
    act = await world.the_product(clock())
    for before, size in zip((0, *HEADS), HEADS, strict=False):
        async with DB.transaction(act.by.scope):
            for _ in range(before, size):
                await audit.record(
                    act, "test.done", "test", act.new_id(), region=SHANDONG, reason="正常"
                )
        await sequencer.sequence(at=clock(), keys=context.keys, origin=context.settings.log_origin)
    rows = await owner.fetch("select size, root from aud.checkpoint order by size")
    origin = context.settings.log_origin
    return [Claim("paper", "kept", origin, row["size"], bytes(row["root"])) for row in rows]


async def faults(context: Context, owner: asyncpg.Connection, claims: list[Claim]) -> list[Fault]:
    replay = Replay(context.settings.log_origin, context.keys.log.public, claims)
    async with owner.transaction():
        await recompute(owner, replay)
    return replay.faults


async def tampered(
    context: Context, owner: asyncpg.Connection, heads: list[Claim], seed: int
) -> tuple[str, list[Fault], list[Fault]]:
    """What was done, what is found against one anchor, and what the database alone shows."""
    case = Case(seed)
    anchor = case.dice.choice(heads)
    key = context.keys.log if case.stolen else None
    undo = owner.transaction()
    await undo.start()
    try:
        await owner.execute("set local session_replication_role = replica")
        by = Superuser(owner, case.dice, anchor.size, key, context.settings.log_origin)
        await case.deed(by)
        if case.repaired:
            await by.rebuild()
        found = await faults(context, owner, [anchor])
        alone = await faults(context, owner, [])
    finally:
        await undo.rollback()
    return f"seed {seed}: {case}, anchor at {anchor.size}", found, alone


async def run(
    context: Context, owner: asyncpg.Connection, heads: list[Claim], seeds: range
) -> None:
    assert await faults(context, owner, heads) == []
    missed, unseen = [], 0
    for seed in seeds:
        told, found, alone = await tampered(context, owner, heads, seed)
        unseen += not alone
        if not found:
            missed.append(told)
    assert missed == []
    # The deeds are good ones: many leave a database that contradicts itself nowhere.
    assert unseen > len(seeds) // 10
    assert await faults(context, owner, heads) == []


async def test_three_hundred_tamperings_are_found(
    context: Context, owner: asyncpg.Connection, heads: list[Claim]
) -> None:
    await run(context, owner, heads, range(300))


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_ten_thousand_tamperings_are_found(
    context: Context, owner: asyncpg.Connection, heads: list[Claim]
) -> None:
    await run(context, owner, heads, range(1000, 11_000))


async def test_a_whole_new_history_is_found_by_the_anchor_alone(
    context: Context, owner: asyncpg.Connection, heads: list[Claim]
) -> None:
    """With the stolen key nothing in the database is wrong; the older head still shows it."""
    undo = owner.transaction()
    await undo.start()
    await owner.execute("set local session_replication_role = replica")
    by = Superuser(owner, Random(1), 3, context.keys.log, context.settings.log_origin)
    await fork(by)
    alone = await faults(context, owner, [])
    found = await faults(context, owner, heads)
    await undo.rollback()
    assert alone == []
    assert [one.code for one in found] == ["anchor.differs"] * len(heads)
