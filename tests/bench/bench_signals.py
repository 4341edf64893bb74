"""Finding the neighbours of a picture among a million, beside measuring every one of them."""

import random
import time
from collections.abc import Sequence

import asyncpg
import uvloop

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.signals import pictures
from media import likeness
from media.likeness import Likeness
from tests.bench import rig
from tests.bench.figures import Figure, median
from tests.bench.rig import Stand

COUNT = 1_000_000
ASKED, MEASURED = 30, 5
HASHED = 50  # pictures hashed
# Random hashes are the worst case of nothing: real ones lie closer together, in fewer bands.
FILL = """
insert into likeness (evidence, region, occasion, p, w, dh, dv, fine, detail, hashed_at)
select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000000000000000')::uuid, 370000,
  (lpad(to_hex(1700000000000 + n / 20), 12, '0') || '70008000000000000001')::uuid,
  ('x0' || substr(md5(n::text), 1, 15))::bit(64)::bigint, 1, 2, 3, decode(repeat('ab', 32), 'hex'),
  3000, now()
from generate_series(1, $1::int) n
"""
EVERY = """
select p from likeness l where exists (
  select from unnest($1::bigint[]) as q (p) where bit_count((l.p # q.p)::bit(64)) <= 10)
"""


def run(count: int = COUNT) -> list[Figure]:
    """On servers of its own."""

    async def measure() -> list[Figure]:
        async with rig.stand(running) as stand:
            return await _measure(stand, count)

    with rig.servers() as running:
        return uvloop.run(measure())


async def _measure(stand: Stand, count: int) -> list[Figure]:
    """Both ways by turns; both must find the same."""
    owner = await stand.owner()
    await owner.execute("set session_replication_role = replica; set synchronous_commit = off")
    await owner.execute(FILL, count)
    await owner.execute("vacuum (analyze) likeness")
    asked = await _asked(owner)
    times: dict[str, list[float]] = {"index": [], "all": []}
    async with DB.transaction(Scope(role="worker"), readonly=True):
        for number, one in enumerate(asked):
            found = await _timed(times["index"], pictures.BANDS, _probes(one))
            if number < MEASURED:
                variants = sorted({turned.p for turned in likeness.variants(one)})
                every = await _timed(times["all"], EVERY, [variants])
                if found != every:
                    raise RuntimeError("the index finds something else than a full look")
    await owner.close()
    ratio = median("", times["index"], "ms").value / median("", times["all"], "ms").value
    return [
        Figure(f"signals: neighbours of {count:,} beside measuring all", ratio, "x", target=0.5),
        median(f"signals: neighbours among {count:,}, 8 variants", times["index"], "ms"),
        median("signals: measuring all", times["all"], "ms"),
        median("signals: hashes of one picture", _hashed(), "ms"),
    ]


async def _asked(owner: asyncpg.Connection) -> list[Likeness]:
    """Hashes like kept ones, up to ten bits off and turned."""
    rng = random.Random(1)
    rows = await owner.fetch("select p from likeness order by evidence limit $1", ASKED)
    found = []
    for row in rows:
        near = row["p"]
        for bit in rng.sample(range(63), rng.randint(0, likeness.NEAR)):
            near ^= 1 << bit
        like = Likeness(near, 1, 2, 3, bytes(32), 3000)
        found.append(likeness.variants(like)[rng.randrange(likeness.VARIANTS)])
    return found


def _probes(one: Likeness) -> list[list[int]]:
    return [part for pair in likeness.probes(one) for part in pair]


async def _timed(times: list[float], sql: str, asked: Sequence[object]) -> list[int]:
    start = time.perf_counter()
    rows = await DB.connection.fetch(sql, *asked)
    times.append(1000 * (time.perf_counter() - start))
    return sorted(row["p"] for row in rows)


def _hashed() -> list[float]:
    rng, times = random.Random(2), []
    for _ in range(HASHED):
        raw = rng.randbytes(likeness.SIDE**2)
        start = time.process_time()
        likeness.of_raster(raw)
        times.append(1000 * (time.process_time() - start))
    return times
