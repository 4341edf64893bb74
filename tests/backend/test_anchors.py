"""Anchors of the log outside the database: locked heads, time stamps, cosignatures."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest
from litestar import Litestar
from minio.deleteobjects import DeleteObject
from msgspec.structs import replace

from backend.app import create_app
from backend.embedded import tsa
from backend.jobs import timestamps as stamps
from backend.services import anchors, cosignatures, log_checks, log_marks
from backend.services.log_checks import Outside
from backend.services.log_verify import LogReport
from backend.settings import Settings
from media import cosignature, keys, stamping, timestamps
from media.bucket import Bucket, Room
from media.cosignature import COSIGNATURE, Vkey
from media.devtsa import Authority
from media.errors import MediaRefusal
from media.stamping import StampSilent
from tests.conftest import StillClock
from tests.logs import Answer, Log, answering
from tests.media.test_bucket import admin

WITNESS = keys.ServerKey.from_seed(b"w" * 32)
BY = Vkey("witness.example/bureau", COSIGNATURE, WITNESS.public)


@pytest.fixture
async def log(app: Litestar, clock: StillClock, owner: asyncpg.Connection) -> Log:
    clock.set(datetime.now(UTC))  # noqa: TID251 - store and authority live in real time
    return Log(app.state.jobs, clock, owner)


async def codes(log: Log, outside: Outside) -> tuple[set[str], set[str]]:
    """Codes of faults and of gaps."""
    report = await log_checks.check(log.key, outside)
    return {one.code for one in report.faults}, {one.code for one in report.gaps}


def outcomes(report: LogReport) -> list[tuple[str, int, str]]:
    return [(one.claim.kind, one.claim.size, one.outcome) for one in report.held]


async def test_heads_in_the_bucket_stay_whoever_holds_its_keys(log: Log, s3: Bucket) -> None:
    await log.headed(3)
    await log.anchored()
    key = f"{log.origin}/{3:020d}.note"
    (item,) = s3.listed(Room.CHECKPOINTS, prefix=log.origin, versions=True)
    lock = s3.lock_of(key, item.version, room=Room.CHECKPOINTS)
    assert (item.key, lock.mode) == (key, "COMPLIANCE")
    assert lock.until is not None
    assert (lock.until - log.clock()).days > 365 * 5
    name, client = s3.name(Room.CHECKPOINTS), admin(s3)
    refused = list(
        client.remove_objects(name, [DeleteObject(key, item.version)], bypass_governance_mode=True)
    )
    assert refused
    assert await codes(log, Outside(s3)) == (set(), set())
    # A newer version and a deletion mark hide the head; they do not remove it.
    until = log.clock() + timedelta(days=1)
    s3.put_locked(key, b"another", "text/plain", retain_until=until)
    client.remove_object(name, key)
    report = await log_checks.check(log.key, Outside(s3))
    assert {one.code for one in report.faults} >= {"anchor.covered", "anchor.unsigned"}
    assert ("bucket", 3, "held") in outcomes(report)


async def test_every_entry_lies_under_a_locked_head_within_a_minute(log: Log) -> None:
    """Two minutes of passes, a second apart; entries come when they come."""
    dice = Random(5)
    for _ in range(120):
        if dice.random() < 0.3:
            await log.headed(dice.randrange(1, 4))
        await log.anchored()
        log.clock.tick(seconds=1)
    waits = await log.owner.fetch(
        "select (select min(h.anchored_at) from aud.checkpoint h where h.size >= c.size)"
        " - c.created_at as wait from aud.checkpoint c where c.created_at < $1",
        log.clock() - timedelta(seconds=60),
    )
    assert len(waits) > 10
    assert max(row["wait"] for row in waits) <= timedelta(seconds=60)


async def test_the_development_authority_keeps_one_private_key(tmp_path: Path) -> None:
    folder, asked = tmp_path / "tsa", timestamps.request(b"x", nonce=1)
    for _ in range(2):
        served = await asyncio.to_thread(tsa.serve, folder)
        reply = await asyncio.to_thread(stamping.ask, served.url, asked)
        roots = timestamps.roots_of(served.roots.read_bytes())
        assert timestamps.verify(reply, b"x", roots=roots, nonce=1).authority == "dev-tsa"
        served.stop()
    assert (folder / tsa.KEY).stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


async def test_an_object_without_a_lock_is_a_fault(log: Log, s3: Bucket) -> None:
    await log.headed(2)
    await log.anchored()
    note = await log.owner.fetchval("select note from aud.checkpoint")
    s3.put(Room.CHECKPOINTS, f"{log.origin}/x.note", note.encode(), "text/plain")
    assert await codes(log, Outside(s3)) == ({"anchor.unlocked"}, set())


GONE = "delete from aud.checkpoint; delete from aud.entry; delete from aud.node"
BACK = (
    "delete from aud.checkpoint where size > 4; delete from aud.entry where tree_index > 3;"
    " delete from aud.node where (idx + 1) << level > 4"
)


@pytest.mark.parametrize("statement", [GONE, BACK], ids=["wiped", "rolled back"])
async def test_a_database_that_forgot_is_found_by_the_bucket_alone(
    log: Log, s3: Bucket, statement: str
) -> None:
    await log.headed(4)
    await log.headed(5)
    await log.anchored()
    await log.as_superuser(statement)
    assert await codes(log, Outside()) == (set(), set())
    assert await codes(log, Outside(s3)) == ({"anchor.beyond"}, set())


async def test_a_store_that_is_silent_is_said(log: Log, settings: Settings) -> None:
    await log.headed(1)
    nowhere = Bucket.of(replace(settings.store, endpoint="http://127.0.0.1:9"))
    assert await codes(log, Outside(nowhere)) == (set(), {"store.silent"})


@pytest.fixture
async def authority(tmp_path: Path) -> AsyncIterator[tsa.Served]:
    served = await asyncio.to_thread(tsa.serve, tmp_path / "tsa")
    yield served
    served.stop()


@pytest.fixture
async def stamped(log: Log, authority: tsa.Served) -> Log:
    """The log with the development authority."""
    log.context = log.with_settings(log.context, tsa_url=authority.url, tsa_roots=authority.roots)
    return log


async def sizes(log: Log) -> list[int]:
    rows = await log.owner.fetch("select size from aud.checkpoint where tsr is not null")
    return sorted(row["size"] for row in rows)


async def test_heads_are_stamped_hourly_and_at_once_where_it_matters(stamped: Log) -> None:
    log = stamped
    assert await stamps.once(log.context) == 0
    await log.headed(2)
    assert [await stamps.once(log.context) for _ in range(2)] == [1, 0]
    log.clock.tick(minutes=59)
    await log.headed(2)
    assert await stamps.once(log.context) == 0
    await log.headed(1, verb="case.closed")
    await log.headed(1)
    assert [await stamps.once(log.context) for _ in range(2)] == [1, 0]
    await log.headed(1)
    log.clock.tick(minutes=60)
    assert await stamps.once(log.context) == 1
    assert await sizes(log) == [2, 6, 7]


async def test_a_stamp_is_kept_raw_here_and_in_the_bucket_and_verified_again(
    stamped: Log, s3: Bucket, authority: tsa.Served
) -> None:
    log = stamped
    await log.headed(3)
    await stamps.once(log.context)
    row = await log.owner.fetchrow("select note, tsr, stamped_at, authority from aud.checkpoint")
    raw = s3.fetch(Room.CHECKPOINTS, f"{log.origin}/{3:020d}.tsr", limit=1 << 16)
    assert raw == row["tsr"]
    roots = timestamps.roots_of(authority.roots.read_bytes())
    stamp = timestamps.verify(raw, row["note"].encode(), roots=roots)
    assert (stamp.at, stamp.authority) == (row["stamped_at"], "dev-tsa")
    assert row["authority"] == "dev-tsa"
    outside = Outside(s3, authority.roots)
    report = await log_checks.check(log.key, outside)
    assert (report.faults, outcomes(report)) == ((), [("stamp", 3, "held")])
    for roots in (None, Path("/nowhere/roots.pem")):
        assert await codes(log, Outside(s3, roots)) == (set(), {"stamp.no_roots"})


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update aud.checkpoint set tsr = 'x'::bytea", "stamp.broken"),
        (
            (
                "update aud.checkpoint set tsr = (select tsr from aud.checkpoint where size = 3)"
                " where size = 5"
            ),
            "stamp.broken",
        ),
        (
            (
                "update aud.checkpoint set tsr = null, stamped_at = null, authority = null"
                " where size = 3"
            ),
            "stamp.missing",
        ),
    ],
)
async def test_a_stamp_that_was_touched_is_a_fault(
    stamped: Log, s3: Bucket, authority: tsa.Served, statement: str, code: str
) -> None:
    log = stamped
    for count, verb in ((3, "test.done"), (2, "case.closed")):
        await log.headed(count, verb)
        await stamps.once(log.context)
    await log.as_superuser(statement)
    assert await codes(log, Outside(s3, authority.roots)) == ({code}, set())


def told(found: log_marks.HeadMark | None) -> str:
    assert found is not None
    return found.lines_en[-1]


async def test_while_the_authority_is_silent_everything_goes_on_and_papers_say_so(
    log: Log, tmp_path: Path
) -> None:
    served = await asyncio.to_thread(tsa.serve, tmp_path / "tsa")
    log.context = log.with_settings(log.context, tsa_url=served.url, tsa_roots=served.roots)
    served.stop()
    await log.headed(2)
    with pytest.raises(StampSilent):
        await stamps.once(log.context)
    await log.headed(2)
    assert told(await log_marks.mark()) == "Time stamp: not timestamped yet"
    again = await asyncio.to_thread(tsa.serve, tmp_path / "tsa")
    log.context = log.with_settings(log.context, tsa_url=again.url)
    assert await stamps.once(log.context) == 1
    assert "by the development authority dev-tsa" in told(await log_marks.mark())
    await log.headed(1)
    assert "not timestamped yet; the last stamp covers 4 entries" in told(await log_marks.mark())
    again.stop()
    assert await sizes(log) == [4]


REAL = Authority.make(datetime.now(UTC))  # noqa: TID251 - the world's time
OK = {"Content-Type": stamping.REPLY}


def granted(asked: bytes) -> bytes:
    return REAL.reply(asked, at=datetime.now(UTC), serial=1)  # noqa: TID251 - as above


BAD: dict[str, Answer] = {
    "elsewhere": (307, {"Location": "http://127.0.0.1:9/"}, b""),
    "down": (503, OK, b""),
    "a page": (200, {"Content-Type": "text/html"}, b"<p>"),
    "endless": (200, OK, b"0" * 70_000),
    "garbage": (200, OK, b"0" * 70),
    "rejected": (200, OK, granted(b"")),
    "another nonce": (200, OK, granted(timestamps.request(b"x", nonce=1))),
}


@pytest.mark.parametrize("name", BAD)
async def test_an_authority_that_says_something_else_is_not_believed(
    log: Log, tmp_path: Path, name: str
) -> None:
    (tmp_path / "roots").write_bytes(REAL.root_pem())
    await log.headed(1)
    with answering(lambda _asked: BAD[name]) as url:
        log.context = log.with_settings(log.context, tsa_url=url, tsa_roots=tmp_path / "roots")
        with pytest.raises(MediaRefusal):
            await stamps.once(log.context)
    assert await sizes(log) == []


async def test_the_same_authority_that_answers_well_is_believed(log: Log, tmp_path: Path) -> None:
    (tmp_path / "roots").write_bytes(REAL.root_pem())
    await log.headed(1)
    with answering(lambda asked: (200, OK, granted(asked))) as url:
        log.context = log.with_settings(log.context, tsa_url=url, tsa_roots=tmp_path / "roots")
        assert await stamps.once(log.context) == 1


@pytest.fixture
async def bureau(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    log: Log,
    settings: Settings,
    s3: Bucket,
    clock: StillClock,
) -> AsyncIterator[httpx.AsyncClient]:
    """The office as a witness sees it, which knows that witness's key."""
    known = replace(settings, log_origin=log.origin, witnesses=(str(BY),))
    transport = httpx.ASGITransport(app=create_app(known, bucket=s3, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        yield http


def line(note: str, *, key: keys.ServerKey = WITNESS, name: str = BY.name) -> str:
    return cosignature.cosign(note, name=name, key=key, at_s=1_700_000_000)


async def test_a_cosignature_is_kept_once_and_given_out_with_its_head(
    log: Log, bureau: httpx.AsyncClient
) -> None:
    await log.headed(4)
    note = (await bureau.get("/api/v1/log/checkpoint")).json()["note"]
    sent = {"size": 4, "line": line(note)}
    first = await bureau.post("/api/v1/log/cosignatures", json=sent)
    again = await bureau.post("/api/v1/log/cosignatures", json=sent)
    assert (first.status_code, first.json()) == (200, again.json())
    shown = (await bureau.get("/api/v1/log/anchors?size=4")).json()
    assert (shown["note"], shown["witnesses"]) == (f"{note}{sent['line']}\n", 1)
    assert (shown["stamped_at"], shown["tsr"]) == (None, None)
    outside = Outside(witnesses=(str(BY),))
    report = await log_checks.check(log.key, outside)
    assert outcomes(report) == [("cosignature", 4, "held")]
    assert await codes(log, Outside()) == (set(), {"witness.unknown"})
    await log.as_superuser("update aud.cosignature set line = replace(line, 'A', 'B')")
    assert await codes(log, outside) == ({"cosignature.broken"}, set())


async def test_strangers_and_wrong_lines_are_refused(log: Log, bureau: httpx.AsyncClient) -> None:
    await log.headed(4)
    note = (await bureau.get("/api/v1/log/checkpoint")).json()["note"]
    stranger = keys.ServerKey.from_seed(b"s" * 32)
    for sent, status, code in (
        ({"size": 4, "line": line(note, key=stranger)}, 422, "checkpoint.invalid"),
        ({"size": 4, "line": line(note, name="else")}, 403, "log.unknown_witness"),
        ({"size": 3, "line": line(note)}, 422, "log.no_such_size"),
        ({"size": 4, "line": "hello"}, 422, "checkpoint.invalid"),
        ({"size": 0, "line": line(note)}, 422, "request.invalid"),
    ):
        refused = await bureau.post("/api/v1/log/cosignatures", json=sent)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    absent = await bureau.get("/api/v1/log/anchors?size=3")
    assert absent.json()["code"] == "log.no_such_size"
    assert await log.owner.fetchval("select count(*) from aud.cosignature") == 0


async def test_a_stamp_is_given_out_raw(stamped: Log, bureau: httpx.AsyncClient) -> None:
    await stamped.headed(2)
    await stamps.once(stamped.context)
    shown = (await bureau.get("/api/v1/log/anchors?size=2")).json()
    raw = await stamped.owner.fetchval("select tsr from aud.checkpoint")
    assert (base64.b64decode(shown["tsr"]), shown["authority"]) == (raw, "dev-tsa")
    assert (await cosignatures.anchors_of(2)).stamped_at is not None
    assert await anchors.due(before=stamped.clock()) is None
