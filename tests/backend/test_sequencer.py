"""The audit log's tree: ordered behind open transactions, signed, anchored, and recomputable."""

from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.db.engine import Scope
from backend.jobs import leader
from backend.jobs.context import Context
from backend.piccolo_conf import DB
from backend.services import audit, sequencer
from backend.services.log_proofs import LogReport, log_verify
from backend.services.log_replay import Fault, Replay
from backend.services.log_verify import recompute
from media import checkpoint, merkle
from media.bucket import Bucket, Room
from tests import world
from tests.conftest import StillClock, Work
from tests.world import SHANDONG


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state.jobs
    return found


async def wrote(clock: StillClock, count: int = 1, verb: str = "test.done") -> None:
    """So many entries of the product."""
    act = await world.the_product(clock())
    async with DB.transaction(act.by.scope):
        for _ in range(count):
            await audit.record(act, verb, "test", act.new_id(), region=SHANDONG)


async def order(context: Context) -> int:
    return await sequencer.sequence(
        at=context.clock(), keys=context.keys, origin=context.settings.log_origin
    )


async def verify(context: Context) -> LogReport:
    return await log_verify(origin=context.settings.log_origin, public=context.keys.log.public)


async def test_entries_get_their_places_and_the_head_extends(
    context: Context, clock: StillClock, client: httpx.AsyncClient
) -> None:
    empty = await client.get("/api/v1/log/checkpoint")
    assert (empty.status_code, empty.json()["code"]) == (404, "thing.absent")
    await wrote(clock, 5)
    assert await order(context) == 5
    first = (await client.get("/api/v1/log/checkpoint")).json()
    await wrote(clock, 8)
    assert (await order(context), await order(context)) == (8, 0)
    second = (await client.get("/api/v1/log/checkpoint")).json()
    name, public = context.settings.log_origin, context.keys.log.public
    old, new = (
        checkpoint.verify(one["note"], name=name, public=public) for one in (first, second)
    )
    assert (old.size, new.size) == (5, 13)
    path = "/api/v1/log/proof/consistency?old=5&new=13"
    proof = [bytes.fromhex(node) for node in (await client.get(path)).json()["proof"]]
    assert merkle.extends(5, 13, proof, old.root, new.root)
    assert (await verify(context)).faults == ()


async def test_an_inclusion_is_proved_to_everybody(
    context: Context, clock: StillClock, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await wrote(clock, 7)
    await order(context)
    row = await owner.fetchrow("select leaf, tree_index from aud.entry where tree_index = 4")
    leaf = bytes(row["leaf"])
    answer = await client.get(f"/api/v1/log/proof/inclusion?leaf={leaf.hex()}&size=7")
    proved = answer.json()
    public = context.keys.log.public
    head = checkpoint.verify(proved["checkpoint"], name=context.settings.log_origin, public=public)
    proof = [bytes.fromhex(node) for node in proved["proof"]]
    assert merkle.includes(leaf, proved["leaf_index"], 7, proof, head.root)
    for query, status, code in (
        (f"leaf={'00' * 32}&size=7", 404, "thing.absent"),
        (f"leaf={leaf.hex()}&size=6", 422, "log.no_such_size"),
        ("leaf=zz&size=7", 422, "request.invalid"),
    ):
        bad = await client.get(f"/api/v1/log/proof/inclusion?{query}")
        assert (bad.status_code, bad.json()["code"]) == (status, code)


async def test_nothing_is_ordered_past_an_open_transaction(
    context: Context, clock: StillClock
) -> None:
    act = await world.the_product(clock())
    async with DB.pools["worker"].acquire() as other, other.transaction():
        await other.execute("select set_config('app.regions', '370000', true)")
        entry = audit.compose(act, "test.slow", "test", act.new_id(), region=SHANDONG)
        await other.execute(audit.INSERT, SHANDONG, entry.leaf, entry.body)
        await wrote(clock, 3)
        assert await order(context) == 0
    assert await order(context) == 4
    assert (await verify(context)).faults == ()


@pytest.mark.parametrize(("role", "limit"), [("app", "30s"), ("public", "30s"), ("worker", "0")])
async def test_a_call_that_hangs_does_not_hold_back_the_seals_for_ever(
    context: Context,  # noqa: ARG001 - its lifespan holds the pools
    role: str,
    limit: str,
) -> None:
    async with DB.transaction(Scope(role=role)):
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert await DB.connection.fetchval(f"show {name}") == limit


async def test_one_sequencer_at_a_time(context: Context, clock: StillClock) -> None:
    await wrote(clock)
    async with DB.pools["seq"].acquire() as other, other.transaction():
        assert await other.fetchval(sequencer.LEADER, sequencer.LOCK_KEY)
        assert await order(context) == 0
    assert await order(context) == 1


async def test_the_log_goes_on_while_somebody_leads(context: Context, clock: StillClock) -> None:
    await wrote(clock)
    async with DB.pools["worker"].acquire() as timer:
        assert await timer.fetchval("select pg_try_advisory_lock($1)", leader.KEY)
        try:
            assert await order(context) == 1
        finally:
            await timer.execute("select pg_advisory_unlock($1)", leader.KEY)


async def test_the_head_is_anchored_in_the_locked_bucket(
    work: Work, context: Context, clock: StillClock, owner: asyncpg.Connection, s3: Bucket
) -> None:
    clock.set(await owner.fetchval("select now()"))
    await wrote(clock)
    await work.drain()
    row = await owner.fetchrow(
        "select size, note from aud.checkpoint where anchored_at is not null"
    )
    key = f"{context.settings.log_origin}/{row['size']:020d}.note"
    assert s3.fetch(Room.CHECKPOINTS, key, limit=4096).decode() == row["note"]
    await wrote(clock)
    await work.drain()
    anchored = "select count(*) from aud.checkpoint where anchored_at is not null"
    assert await owner.fetchval(anchored) == 1
    clock.tick(seconds=31)
    await work.drain()
    assert await owner.fetchval(anchored) == 2


TAMPERINGS = {
    "edit": "update aud.entry set body = jsonb_set(body, '{verb}', '\"x\"') where tree_index = 3",
    "edit with leaf": "update aud.entry set leaf = sha256('x'), body = '{}' where tree_index = 3",
    "delete": "delete from aud.entry where tree_index = 3",
    "cut tail": "delete from aud.entry where tree_index > 5",
    "swap": "update aud.entry set tree_index = -1 where tree_index = 2;"
    " update aud.entry set tree_index = 2 where tree_index = 3;",
    "node": "update aud.node set h = sha256('x') where level = 1 and idx = 1",
    "node gone": "delete from aud.node where level = 0 and idx = 2",
    "node more": "insert into aud.node values (9, 9, sha256('x'))",
    "root": "update aud.checkpoint set root = sha256('x')",
    "note": "update aud.checkpoint set note = replace(note, 'test', 'tost')",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
async def test_what_a_superuser_changes_is_found(
    context: Context, clock: StillClock, owner: asyncpg.Connection, statement: str
) -> None:
    await wrote(clock, 9)
    await order(context)
    assert (await verify(context)).faults == ()
    await owner.execute(f"set session_replication_role = replica; {statement}")
    await owner.execute("set session_replication_role = origin")
    assert (await verify(context)).faults


async def test_a_broken_entry_stops_the_signing(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    await wrote(clock, 2)
    await owner.execute("set session_replication_role = replica")
    await owner.execute("update aud.entry set body = body || '{\"v\": 2}'")
    await owner.execute("set session_replication_role = origin")
    with pytest.raises(sequencer.LogBroken):
        await order(context)
    assert await owner.fetchval("select count(*) from aud.checkpoint") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update aud.entry set body = '{}'",
        "delete from aud.entry",
        "truncate aud.entry",
        "update aud.node set h = h",
        "update aud.checkpoint set note = ''",
    ],
)
@pytest.mark.parametrize("role", ["app", "worker", "seq", "public"])
async def test_no_role_of_the_product_can_change_the_log(
    context: Context, clock: StillClock, role: str, statement: str
) -> None:
    await wrote(clock)
    await order(context)
    with pytest.raises(asyncpg.PostgresError) as refused:
        async with DB.transaction(Scope(regions=(SHANDONG,), role=role)):
            await DB.connection.execute(statement)
    assert refused.value.sqlstate == "42501"


SPARED = {
    "app": [
        "update aud.entry set tree_index = 7",
        (
            "insert into aud.entry (region, leaf, body, tree_index)"
            " values (370000, sha256('x'), '{}', 7)"
        ),
        "insert into aud.entry (region, leaf, body, xid) values (370000, sha256('x'), '{}', '3')",
        "insert into aud.node values (0, 0, sha256('x'))",
        (
            "insert into aud.checkpoint (size, root, note, created_at)"
            " values (99, sha256('x'), '', now())"
        ),
        "insert into aud.cosignature values (1, 'w', '', now(), now())",
        "truncate aud.checkpoint",
    ],
    "seq": [
        "update aud.entry set tree_index = 7 where tree_index is not null",
        "update aud.entry set tree_index = null where tree_index is not null",
        "update aud.entry set leaf = sha256('x')",
        "insert into aud.entry (region, leaf, body) values (370000, sha256('x'), '{}')",
        "update aud.checkpoint set size = 2",
        "update aud.checkpoint set anchored_at = '2020-01-01' where anchored_at is not null",
        "delete from aud.checkpoint",
        "delete from aud.cosignature",
        "truncate aud.node",
    ],
}
SPARED["worker"] = SPARED["app"]


@pytest.mark.parametrize(
    ("role", "statement"), [(role, one) for role, many in SPARED.items() for one in many]
)
async def test_a_writer_writes_entries_and_the_sequencer_places_them_and_no_more(
    context: Context, clock: StillClock, role: str, statement: str
) -> None:
    await wrote(clock)
    await order(context)
    await sequencer.anchored(1, at=clock())
    with pytest.raises(asyncpg.PostgresError) as refused:
        async with DB.transaction(Scope(regions=(SHANDONG,), role=role)):
            await DB.connection.execute(statement)
    assert refused.value.sqlstate == "42501"


async def test_even_the_owner_of_the_tables_goes_through_the_triggers(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    await wrote(clock)
    await order(context)
    for statement in (
        *("delete from aud.entry", "delete from aud.node", "delete from aud.checkpoint"),
        *("truncate aud.entry cascade", "truncate aud.node", "truncate aud.checkpoint cascade"),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)


async def test_old_entries_stay_byte_for_byte_when_everything_is_renamed(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    """Names are snapshots: an entry says who acted under the name of then."""
    office = await world.an_office(clock())
    login = await world.a_person(clock(), "supervisor", office=office)
    act = login.act(clock())
    async with DB.transaction(act.by.scope):
        await audit.record(
            act, "plan.approved", "plan", act.new_id(), region=SHANDONG, title="2026 年计划"
        )
    await order(context)
    rows = "select body::text, leaf from aud.entry order by id"
    before = [tuple(row) for row in await owner.fetch(rows)]
    assert act.by.name in before[-1][0]
    undo = owner.transaction()
    await undo.start()
    try:
        for statement in RENAMED:
            assert await owner.execute(statement) != "UPDATE 0"
        after = [tuple(row) for row in await owner.fetch(rows)]
        faults = await verify_with(owner, context)
    finally:
        await undo.rollback()
    assert (after, faults) == (before, [])


RENAMED = (
    "update account set display_name = display_name || '（改名）'",
    "update office set name = name || '（改名）', short_name = '改'",
    "update region set name_zh = name_zh || '（改名）', name_en = 'renamed'",
)


async def verify_with(owner: asyncpg.Connection, context: Context) -> list[Fault]:
    """Recompute the log as that connection sees it."""
    replay = Replay(context.settings.log_origin, context.keys.log.public)
    await recompute(owner, replay)
    return replay.faults


async def test_without_evidence_mode_nothing_is_sealed(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    act: Any = await world.the_product(clock())
    assert await sequencer.seal(act=act, keys=context.keys, provisional=True) == 0
    assert await owner.fetchval("select count(*) from receipt") == 0
