"""A whole draw of a large directory through the services: read, frozen, drawn, stored."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from backend.piccolo_conf import DB
from backend.services import disclosure, draws
from backend.services.records.plans import Stratum
from inspection_plans.draw.select import select
from tests import drawing
from tests.bench.bench_draw import hash_all, medians
from tests.bench.figures import Figure
from tests.bench.rig import Stand

COUNT = 1_000_000
CREW_CAP = 200
CHUNK = 100_000
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
T = TypeVar("T")
INSTITUTIONS = """
insert into institution (id, region, credit_code, name, kinds, home_region, is_base, risk_class,
  status, fictional, rev, created_at, updated_at)
select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000000000000000')::uuid, 370000,
  'B' || lpad(n::text, 17, '0'), '虚构机构' || n, '{training}', 370000, false, 'B', 'active', true,
  1, now(), now()
from generate_series($1::bigint, $2::bigint) n
"""
LISTED = """
insert into catalogue_entry (id, region, institution, kind, occupation, levels, listed_on,
  valid_until, source_notice, created_at)
select id, region, id, 'training', 'ai', '{junior}', '2025-01-01', '2027-12-31', '虚构公告', now()
from institution where credit_code like 'B%' and not exists
  (select from catalogue_entry e where e.institution = institution.id)
"""


async def _spent(work: Callable[[], Awaitable[T]]) -> tuple[T, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = await work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


async def _directory(stand: Stand, count: int) -> None:
    owner = await stand.owner()
    await owner.execute("set session_replication_role = replica; set synchronous_commit = off")
    for start in range(1, count + 1, CHUNK):
        await owner.execute(INSTITUTIONS, start, min(start + CHUNK - 1, count))
    await owner.execute(LISTED)
    await owner.execute("vacuum (analyze)")
    await owner.close()


async def _drawn(stand: Stand, count: int) -> tuple[list[Figure], dict[str, Any]]:
    """Freeze, dice, run and disclose one plan of one per cent; its frozen frame too."""
    office = await drawing.an_office(stand.app, MORNING)
    crew = 2 + 3 * count // 100 // CREW_CAP
    await drawing.inspectors(office.act, range(1, crew + 1), cap=str(CREW_CAP))
    await _directory(stand, count)
    stratum = (Stratum(name="全部", ratio="1/100"),)
    plan = await drawing.an_approved_plan(office, spec=drawing.a_spec(strata=stratum))
    frozen, wall, cpu = await _spent(lambda: drawing.a_frozen_draw(office, plan))
    figures = [Figure("draw: read and frozen", wall, "s", note=f"{cpu:.1f} s of processor")]
    revealed = await drawing.throw_dice(office, frozen)
    run, wall, cpu = await _spent(lambda: draws.run(revealed.id, act=office.act, keys=office.keys))
    figures.append(Figure("draw: drawn and stored", wall, "s", note=f"{cpu:.1f} s of processor"))
    office.at += timedelta(days=200)
    _, wall, cpu = await _spent(
        lambda: disclosure.disclose(run.id, act=office.act, keys=office.keys)
    )
    figures.append(Figure("draw: record published", wall, "s", note=f"{cpu:.1f} s of processor"))
    async with DB.transaction(office.act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from draw_frame where draw = $1", run.id)
        seed = await DB.connection.fetchval("select seed from draw where id = $1", run.id)
    return figures, {"plan": row["plan_doc"], "rows": row["objects"], "seed": seed}


def _selection(frame: dict[str, Any]) -> list[Figure]:
    """The selection alone, on the rows as the database gives them back."""
    rows, plan, seed = frame["rows"], frame["plan"], frame["seed"]
    tenth = rows[: len(rows) // 10]
    times = medians(
        {
            "hash": lambda: hash_all(rows),
            "select": lambda: select("sha256", seed, plan, rows),
            "tenth": lambda: select("sha256", seed, plan, tenth),
        },
        5,
    )
    note = f"{len(rows):,} rows out of the database, {times['select']:.2f} s"
    return [
        Figure(
            "draw: selection in hash passes", times["select"] / times["hash"], "×", 2.5, note=note
        ),
        Figure("draw: growth from a tenth", times["select"] / times["tenth"], "×", 11),
    ]


async def run(stand: Stand, count: int = COUNT) -> list[Figure]:
    """One draw of ``count`` institutions, and the selection among its stored rows."""
    figures, frame = await _drawn(stand, count)
    return [*figures, *await asyncio.to_thread(_selection, frame)]
