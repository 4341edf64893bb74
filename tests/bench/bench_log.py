"""The audit log: what it costs its writers, how soon an entry is sealed, a million entries.

The sequencer is the product's own `mingcha work`, in a process of its own as in service.
"""

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import asyncpg
import msgspec
import uvloop

from backend.clock import new_id
from backend.services import audit, log_proofs
from backend.services.act import Act, system
from backend.services.audit import Entry
from backend.settings import to_environment
from media import checkpoint, merkle
from media.checkpoint import Checkpoint
from tests.bench import rig
from tests.bench.figures import Figure, median
from tests.bench.rig import Stand
from tests.world import SHANDONG

ROOT = Path(__file__).parents[2]
WRITERS, SPAN_S, ROUNDS = 32, 3.0, 7
A_SECOND, LAG_S, LOOK_S, MOST_WAIT_S = 1000, 20, 0.01, 60.0
LEAVES, PROOFS = 1_000_000, 200
# What a plain journal of the same bodies would be: found by object, kept apart by region, and
# without leaf, place, tree and signatures.
PLAIN = """
create table plain (id bigint generated always as identity primary key, region int not null,
  body jsonb not null);
create index ix_plain_object on plain ((body -> 'object' ->> 'id'));
alter table plain enable row level security;
alter table plain force row level security;
create policy p_write on plain to mingcha_worker using (true) with check (true);
grant insert, select on plain to mingcha_worker
"""
INSERT_PLAIN = "insert into plain (region, body) values ($1, $2) returning id"
PENDING = "select exists (select from aud.entry where tree_index is null)"
SEALED = "select coalesce(max(size), 0) from aud.checkpoint"


def run(leaves: int = LEAVES) -> list[Figure]:
    """All figures, on servers of their own."""

    async def measure() -> list[Figure]:
        async with rig.stand(running) as stand:
            owner = await stand.owner()
            figures = [*await _live(stand, owner), *await _large(stand, owner, leaves)]
            await owner.close()
            return figures

    with rig.servers() as running:
        return uvloop.run(measure())


def entries() -> Iterator[Entry]:
    """Entries as a service composes them, without end."""
    regions = (100_000, SHANDONG)
    at = datetime.now(UTC)  # noqa: TID251 - any instant will do
    for number in itertools.count():
        act = Act(by=system(regions, SHANDONG), at=at, new_id=new_id, request_id=str(number))
        yield audit.compose(
            act,
            "answer.set",
            "visit",
            str(new_id()),
            region=SHANDONG,
            title="2026 年第二季度数字技术工程师培育项目现场检查",
            after_sha256="ab" * 32,
        )


@contextlib.contextmanager
def working(stand: Stand) -> Iterator[None]:
    """`mingcha work` beside us."""
    settings = msgspec.structs.replace(stand.settings, duties=("worker",))
    child = subprocess.Popen(
        [sys.executable, "-m", "backend", "work"],
        cwd=ROOT,
        env={**os.environ, **to_environment(settings)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        child.terminate()
        child.wait()


@contextlib.asynccontextmanager
async def writers(stand: Stand) -> AsyncIterator[list[asyncpg.Connection]]:
    """Open connections of the product's role."""
    dsn = stand.settings.database.dsn("worker")
    made = await asyncio.gather(*(asyncpg.connect(dsn) for _ in range(WRITERS)))
    yield list(made)
    await asyncio.gather(*(one.close() for one in made))


async def _drained(owner: asyncpg.Connection) -> None:
    """Wait until every entry has its place."""
    until = time.monotonic() + MOST_WAIT_S
    while await owner.fetchval(PENDING):
        if time.monotonic() > until:
            raise RuntimeError("the sequencer places nothing")
        await asyncio.sleep(LOOK_S)


async def _live(stand: Stand, owner: asyncpg.Connection) -> list[Figure]:
    await owner.execute(PLAIN)
    with working(stand):
        async with writers(stand) as connections:
            prepared = entries()
            plain, logged = [], []
            for number in range(ROUNDS + 1):
                sides = [(INSERT_PLAIN, plain), (audit.INSERT, logged)]
                for sql, rates in sides if number % 2 else reversed(sides):
                    await _drained(owner)
                    rates.append(await _rate(connections, sql, prepared))
            await _drained(owner)
            lags = await _lags(connections, owner, prepared)
    ratios = [log / bare for log, bare in zip(logged[1:], plain[1:], strict=True)]
    return [
        median(
            f"log: {WRITERS} writers with live sequencer beside plain inserts",
            ratios,
            "×",
            target=0.9,
            side="at least",
        ),
        median("log: plain inserts a second", plain[1:], "/s"),
        median("log: entries a second", logged[1:], "/s"),
        Figure(
            f"log: sealing lag at {A_SECOND} entries a second, p99",
            statistics.quantiles(lags, n=100)[98],
            "s",
            2.0,
            note=f"median {statistics.median(lags):.2f} s, most {max(lags):.2f} s",
        ),
    ]


async def _rate(
    connections: list[asyncpg.Connection], sql: str, prepared: Iterator[Entry]
) -> float:
    """Committed inserts a second, each writer one after another, each its own transaction."""
    began = time.perf_counter()
    until = began + SPAN_S

    async def one(connection: asyncpg.Connection) -> int:
        done = 0
        while time.perf_counter() < until:
            entry = next(prepared)
            if sql is INSERT_PLAIN:
                await connection.fetchval(sql, SHANDONG, entry.body)
            else:
                await connection.fetchval(sql, SHANDONG, entry.leaf, entry.body)
            done += 1
        return done

    counts = await asyncio.gather(*(one(connection) for connection in connections))
    return sum(counts) / (time.perf_counter() - began)


async def _lags(
    connections: list[asyncpg.Connection], owner: asyncpg.Connection, prepared: Iterator[Entry]
) -> list[float]:
    """Seconds from the commit of each entry until a signed head over it can be read."""
    committed: dict[int, float] = {}
    heads: list[tuple[float, int]] = []
    free: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    done = asyncio.Event()

    async def look() -> None:
        while not done.is_set() or await owner.fetchval(PENDING):
            heads.append((time.perf_counter(), await owner.fetchval(SEALED)))
            await asyncio.sleep(LOOK_S)
        heads.append((time.perf_counter(), await owner.fetchval(SEALED)))

    async def write(entry: Entry) -> None:
        connection = await free.get()
        number = await connection.fetchval(audit.INSERT, SHANDONG, entry.leaf, entry.body)
        committed[number] = time.perf_counter()
        free.put_nowait(connection)

    looking = asyncio.create_task(look())
    await _paced(write, prepared)
    done.set()
    await looking
    rows = await owner.fetch(
        "select id, tree_index from aud.entry where id = any ($1)", list(committed)
    )
    sealed = sorted((row["tree_index"], committed[row["id"]]) for row in rows)
    found, at = [], 0
    for place, when in sealed:
        while heads[at][1] <= place:
            at += 1
        found.append(max(heads[at][0] - when, 0.0))
    return found


async def _paced(
    write: Callable[[Entry], Coroutine[None, None, None]], prepared: Iterator[Entry]
) -> None:
    """Start ``A_SECOND`` writes a second for ``LAG_S`` seconds."""
    began = time.perf_counter()
    started: set[asyncio.Task[None]] = set()
    for number in range(A_SECOND * LAG_S):
        wait = began + number / A_SECOND - time.perf_counter()
        await asyncio.sleep(max(wait, 0))
        task = asyncio.create_task(write(next(prepared)))
        started.add(task)
        task.add_done_callback(started.discard)
    await asyncio.gather(*started)


async def _filled(stand: Stand, owner: asyncpg.Connection, leaves: int) -> None:
    """A log of so many entries under one head, in bulk."""
    await owner.execute(
        "set session_replication_role = replica; delete from aud.cosignature;"
        " delete from aud.checkpoint; delete from aud.node; delete from aud.entry"
    )
    size, edge = 0, {}
    made = entries()
    while size < leaves:
        batch = list(itertools.islice(made, min(20_000, leaves - size)))
        new = merkle.append(size, edge, [one.leaf for one in batch])
        await owner.copy_records_to_table(
            "entry",
            schema_name="aud",
            columns=["region", "leaf", "body", "tree_index"],
            records=[
                (SHANDONG, one.leaf, one.body, place) for place, one in enumerate(batch, size)
            ],
        )
        await owner.copy_records_to_table(
            "node", schema_name="aud", records=[(*address, new[address]) for address in new]
        )
        known = {**edge, **new}
        size += len(batch)
        edge = {address: known[address] for address in merkle.edge(size)}
    origin = stand.settings.log_origin
    keys = stand.app.state.keyring
    root = merkle.root(size, edge)
    note = checkpoint.sign(Checkpoint(origin, size, root), name=origin, key=keys.log)
    await owner.execute(
        "insert into aud.checkpoint (size, root, note, created_at) values ($1, $2, $3, now())",
        size,
        root,
        note,
    )
    await owner.execute("vacuum analyze aud.entry")
    await owner.execute("vacuum analyze aud.node")
    await owner.execute("set session_replication_role = origin")


async def _large(stand: Stand, owner: asyncpg.Connection, leaves: int) -> list[Figure]:
    await _filled(stand, owner, leaves)
    keys = stand.app.state.keyring
    began, cpu = time.perf_counter(), time.process_time()
    report = await log_proofs.log_verify(origin=stand.settings.log_origin, public=keys.log.public)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    if report.faults or report.entries != leaves:
        raise RuntimeError(f"the log does not hold: {report.faults}")
    dice = Random(7)
    places = [dice.randrange(leaves) for _ in range(PROOFS)]
    rows = await owner.fetch("select leaf from aud.entry where tree_index = any ($1)", places)
    times, sizes = [], []
    for row in rows:
        at = time.perf_counter()
        proof = await log_proofs.inclusion(bytes(row["leaf"]).hex(), leaves)
        times.append((time.perf_counter() - at) * 1000)
        sizes.append(32 * len(proof.proof))
    return [
        Figure(f"log: verify {leaves:,} entries, entries a second", leaves / took, "/s"),
        Figure("log: … processor time of the command an entry", cpu / leaves * 1e6, "µs"),
        median(f"log: inclusion proof at {leaves:,}, with the database", times, "ms"),
        Figure("log: … its size", max(sizes), "B", 1024),
    ]
