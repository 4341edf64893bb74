"""A rolled-back log refuses to sign until two administrators of different roles let it go on."""

from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from backend.db.engine import Scope
from backend.jobs import sequencer as loop
from backend.jobs.context import Context
from backend.jobs.memory import FILE, Memory
from backend.pages.words import words
from backend.piccolo_conf import DB
from backend.services import audit, checkup, recovery, sequencer
from backend.services.log_proofs import LogReport, log_verify
from media import checkpoint
from media.bucket import Bucket
from tests import world
from tests.conftest import StillClock
from tests.world import SHANDONG

BACK = """
begin; set local session_replication_role = replica;
delete from aud.checkpoint where size > {size}; delete from aud.entry where tree_index >= {size};
delete from aud.node where (idx + 1) << level > {size}; commit
"""


@pytest.fixture
def context(app: Litestar) -> Context:
    found: Context = app.state.jobs
    return found


@pytest.fixture
async def admins(app: Litestar, clock: StillClock) -> dict[str, world.Login]:  # noqa: ARG001
    """One person of each administrator role, and a second system administrator."""
    found = {role: await world.a_person(clock(), role) for role in ("sysadmin", "secadmin")}
    return found | {"second": await world.a_person(clock(), "sysadmin")}


async def wrote(clock: StillClock, count: int) -> None:
    act = await world.the_product(clock())
    async with DB.transaction(act.by.scope):
        for _ in range(count):
            await audit.record(act, "test.done", "test", act.new_id(), region=SHANDONG)


async def verify(context: Context) -> LogReport:
    return await log_verify(origin=context.settings.log_origin, public=context.keys.log.public)


async def placed(owner: asyncpg.Connection) -> int:
    found: int = await owner.fetchval("select count(tree_index) from aud.entry")
    return found


async def drained(context: Context) -> None:
    while await loop.once(context):
        pass


async def rolled_back(
    context: Context, clock: StillClock, owner: asyncpg.Connection, *, kept: int
) -> None:
    """A log of which a head was published that the database no longer has."""
    clock.set(await owner.fetchval("select now()"))
    await drained(context)
    first = await placed(owner)
    await wrote(clock, kept)
    await drained(context)
    await wrote(clock, 8)
    clock.tick(seconds=60)
    await drained(context)
    await owner.execute(BACK.format(size=first + kept))


async def recovered(client: httpx.AsyncClient, admins: dict[str, world.Login]) -> dict[str, Any]:
    """Proposed by one administrator, approved by another."""
    first, other = [await world.signed_in(client, admins[one]) for one in ("sysadmin", "secadmin")]
    path = "/api/v1/log/recoveries/"
    reason = {"reason": "磁盘损坏，自昨夜备份恢复"}
    proposed = await client.post(f"{path}proposal", json=reason, headers=first)
    assert proposed.status_code == 200, proposed.text
    approved = await client.post(f"{path}approval", headers=other)
    assert approved.status_code == 200, approved.text
    found: dict[str, Any] = approved.json()
    return found


async def test_writes_go_on_and_everybody_is_told(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    admins: dict[str, world.Login],
) -> None:
    assert (await client.get("/api/v1/health")).json()["log"] == "signing"
    await rolled_back(context, clock, owner, kept=5)
    kept = await placed(owner)
    await wrote(clock, 4)
    await drained(context)
    assert await placed(owner) == kept
    assert await owner.fetchval("select count(*) from aud.entry where tree_index is null") >= 4
    (halt,) = await recovery.history()
    assert (halt.cause, halt.size, halt.known_size) == ("behind", kept, kept + 8)
    assert (await client.get("/api/v1/health")).json()["log"] == "halted"
    said = {one.part: one for one in await checkup.checkup(at=clock())}["signing"]
    assert not said.ok
    assert f"{kept} entries" in said.en
    who = admins["sysadmin"]
    for language, said_so in (("zh", "审计日志已停止签名"), ("en", "stopped signing")):
        await _desk(client, who, language, said_so)


async def _desk(client: httpx.AsyncClient, who: world.Login, language: str, told: str) -> None:
    first = await client.get("/desk/sign-in")
    form = {"login": who.login, "password": who.password}
    if token := first.cookies.get("csrftoken") or client.cookies.get("csrftoken"):
        form["_csrf_token"] = token
    await client.post("/desk/sign-in", data=form)
    page = await client.get(f"/desk?lang={language}")
    assert page.status_code == 200, page.text
    assert told in page.text


def test_every_cause_is_worded() -> None:
    causes = {"behind", "forked", "restored"}
    assert {f"desk.log_halted.{cause}" for cause in causes} <= set(words())


async def test_it_takes_two_administrators_of_different_roles(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    admins: dict[str, world.Login],
) -> None:
    path, reason = "/api/v1/log/recoveries/", {"reason": "回退"}
    early = await world.signed_in(client, admins["sysadmin"])
    answer = await client.post(f"{path}proposal", json=reason, headers=early)
    assert (answer.status_code, answer.json()["code"]) == (409, "recovery.not_halted")
    await rolled_back(context, clock, owner, kept=5)
    await drained(context)
    names = ("sysadmin", "second", "secadmin")
    first, second, other = [await world.signed_in(client, admins[name]) for name in names]
    boss = await world.signed_in(client, await world.a_person(clock(), "supervisor"))
    for sent, headers, status, code in (
        ("approval", other, 409, "recovery.not_proposed"),
        ("proposal", boss, 403, "person.denied"),
        ("proposal", first, 200, None),
        ("approval", first, 403, "recovery.same_administrator"),
        ("approval", second, 403, "recovery.same_administrator"),
        ("approval", boss, 403, "person.denied"),
        ("approval", other, 200, None),
        ("approval", other, 409, "recovery.not_halted"),
    ):
        body = {"json": reason} if sent == "proposal" else {}
        answer = await client.post(f"{path}{sent}", headers=headers, **body)
        assert (answer.status_code, answer.json().get("code")) == (status, code), sent
    with pytest.raises(asyncpg.PostgresError, match="a recovery stands"):
        await owner.execute("update aud.recovery set reason = 'other'")


async def test_a_new_epoch_begins_with_the_entry_that_announces_it(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    admins: dict[str, world.Login],
) -> None:
    await rolled_back(context, clock, owner, kept=5)
    kept = await placed(owner)
    await wrote(clock, 4)
    await drained(context)
    clock.tick(minutes=5)
    done = await recovered(client, admins)
    base, public = context.settings.log_origin, context.keys.log.public
    assert done["origin"] == checkpoint.epoch(base, clock())
    await drained(context)
    row = await owner.fetchrow(
        "select body, tree_index from aud.entry where body ->> 'verb' = $1", recovery.VERB
    )
    assert row["tree_index"] == kept
    assert done["origin"] in row["body"]
    assert await owner.fetchval("select count(*) from aud.entry where tree_index is null") == 0
    head = (await client.get("/api/v1/log/checkpoint")).json()
    signed = checkpoint.verify(head["note"], name=base, public=public)
    assert (signed.origin, signed.size) == (done["origin"], await placed(owner))
    report = await verify(context)
    assert (report.faults, report.entries) == ((), signed.size)
    after = Memory(context.settings.keys, base=base, public=public)
    known = await after.look(context.bucket, signed.size)
    assert known is not None
    assert (known.origin, known.size) == (signed.origin, signed.size)


async def test_a_fresh_process_asks_the_file_and_the_bucket(
    context: Context, clock: StillClock, owner: asyncpg.Connection, s3: Bucket, tmp_path: Path
) -> None:
    base, public = f"own-{tmp_path.name}.invalid/log", context.keys.log.public
    context = replace(
        context,
        settings=replace(context.settings, log_origin=base),
        memory=Memory(context.settings.keys, base=base, public=public),
    )
    await rolled_back(context, clock, owner, kept=5)
    kept = await placed(owner)
    lost = Memory(tmp_path, base=base, public=public)
    from_bucket = await lost.look(s3, kept)
    assert from_bucket is not None
    assert (from_bucket.source, from_bucket.size) == ("bucket", kept + 8)
    note = (context.settings.keys / FILE).read_text("utf-8")
    (tmp_path / FILE).write_text(note, "utf-8")
    beside = Memory(tmp_path, base=base, public=public)
    from_file = await beside.look(s3, kept + 8)
    assert from_file is not None
    assert (from_file.source, from_file.size) == ("memory", kept + 8)
    (tmp_path / FILE).write_text(note.replace("\n\n", "\n", 1), "utf-8")
    spoilt = Memory(tmp_path, base=base, public=public)
    assert await spoilt.look(s3, 10**9) is None


async def test_another_tree_of_the_same_size_is_a_fork(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    await rolled_back(context, clock, owner, kept=5)
    known = context.memory.known
    context.memory.known = None
    await wrote(clock, 12)
    await drained(context)
    context.memory.known = known
    await wrote(clock, 1)
    before = await placed(owner)
    await drained(context)
    assert await placed(owner) == before
    halt = await recovery.halted()
    assert halt is not None
    assert halt.cause == "forked"


async def test_back_to_before_a_recovery_is_behind_again(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    admins: dict[str, world.Login],
) -> None:
    await rolled_back(context, clock, owner, kept=5)
    kept = await placed(owner)
    await drained(context)
    first = await recovered(client, admins)
    await drained(context)
    await owner.execute("set session_replication_role = replica; delete from aud.recovery")
    await owner.execute("set session_replication_role = origin")
    await owner.execute(BACK.format(size=kept))
    await wrote(clock, 30)
    await drained(context)
    assert await placed(owner) == kept
    clock.tick(seconds=5)
    second = await recovered(client, admins)
    assert second["origin"] > first["origin"]
    await drained(context)
    assert (await verify(context)).faults == ()


async def test_entries_of_another_cluster_get_their_places(
    context: Context, clock: StillClock, owner: asyncpg.Connection
) -> None:
    await wrote(clock, 3)
    await owner.execute("set session_replication_role = replica")
    await owner.execute("update aud.entry set xid = '9000000000000' where tree_index is null")
    await owner.execute("set session_replication_role = origin")
    await drained(context)
    assert await owner.fetchval("select count(*) from aud.entry where tree_index is null") == 0
    assert (await verify(context)).faults == ()


@pytest.mark.parametrize("named", ["other.invalid/log", ""])
async def test_an_announcement_of_another_log_is_found(
    context: Context, clock: StillClock, named: str
) -> None:
    act = await world.the_product(clock())
    async with DB.transaction(act.by.scope):
        await audit.record(act, recovery.VERB, "log", named, region=SHANDONG)
    await drained(context)
    assert [one.code for one in (await verify(context)).faults] == ["entry.epoch"]


async def test_a_head_under_the_old_origin_after_a_recovery_is_found(
    context: Context,
    clock: StillClock,
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    admins: dict[str, world.Login],
) -> None:
    await rolled_back(context, clock, owner, kept=5)
    await drained(context)
    await recovered(client, admins)
    await drained(context)
    await wrote(clock, 2)
    await drained(context)
    row = await owner.fetchrow("select size, root from aud.checkpoint order by size desc limit 1")
    base = context.settings.log_origin
    old = checkpoint.Checkpoint(base, row["size"], bytes(row["root"]))
    note = checkpoint.sign(old, name=base, key=context.keys.log)
    await owner.execute("set session_replication_role = replica")
    await owner.execute("update aud.checkpoint set note = $2 where size = $1", row["size"], note)
    await owner.execute("set session_replication_role = origin")
    (fault,) = (await verify(context)).faults
    assert (fault.code, fault.facts["size"]) == ("head.unsigned", row["size"])


async def test_only_the_sequencer_halts_and_only_offices_end_it(context: Context) -> None:
    insert = "insert into aud.recovery (cause, size, known_from, halted_at) values ($1, 0, $2, $3)"
    for role in ("app", "worker", "public"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction(Scope(role=role)):
                await DB.connection.execute(insert, "behind", "memory", context.clock())
    for role in ("seq", "worker", "public"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction(Scope(role=role)):
                await DB.connection.execute("update aud.recovery set reason = 'x'")
    with pytest.raises(asyncpg.PostgresError):
        async with DB.transaction(sequencer.SEQ):
            await DB.connection.execute("delete from aud.recovery")
