"""A page of visits and a submission at a million stored inspections beside ten thousand."""

import gc
import itertools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.crew import Crew
from tests.bench.figures import Figure, spread
from tests.bench.rig import LARGE, SMALL, Request, Stand

STORED, FEW = 1_000_000, 10_000
PAGES = SUBMITS = 60
WARM = 10
NEW = SUBMITS + WARM
CHUNK = 100_000
SQL = Path(__file__).with_name("stored.sql")


async def store(stand: Stand, name: str, first: int, last: int) -> None:
    """Write inspections ``first`` to ``last``, a row of each in seven tables, in bulk.

    As a superuser and past the triggers: the foreign keys hold by the way the rows are made.
    """
    owner = await stand.owner(name)
    await owner.execute("set session_replication_role = replica; set synchronous_commit = off")
    function, old, *statements = SQL.read_text().split("\n;\n")
    await owner.execute(function)
    for start in range(first, last + 1, CHUNK):
        await owner.execute(old, start, min(start + CHUNK - 1, last))
        for statement in statements:
            await owner.execute(statement)
    await owner.execute("vacuum (analyze)")
    await owner.close()


async def run(stand: Stand, crew: Crew, stored: int = STORED) -> list[Figure]:
    """Both databases in the same servers, asked by turns, one call at a time."""
    began = time.monotonic()
    with stand.clock.still():
        await store(stand, SMALL, 1, FEW)
        await stand.clone()
        await store(stand, LARGE, FEW + 1, stored)
    made = Figure(
        "scale: rows made", time.monotonic() - began, "s", note=f"{stored:,} inspections"
    )
    page = Request("GET", "/api/v1/visits", crew.supervisor, query=b"limit=100")
    submits = [one.request for one in crew.submissions(NEW)]
    pages = await _by_turns(stand, [page] * (PAGES + WARM))
    sent = await _by_turns(stand, submits)
    return [
        made,
        *_figures("list page of 100 visits", pages, stored),
        *_figures("submit", sent, stored),
    ]


async def _by_turns(stand: Stand, requests: Sequence[Request]) -> dict[str, list[float]]:
    """Milliseconds of every request in each database; the first ones only warm up."""
    times: dict[str, list[float]] = {SMALL: [], LARGE: []}
    gc.collect()
    gc.freeze()
    orders = itertools.cycle(((SMALL, LARGE), (LARGE, SMALL)))
    for request, order in zip(requests, orders, strict=False):
        for name in order:
            stand.use(name)
            start = time.perf_counter()
            await stand.call(request)
            times[name].append(1000 * (time.perf_counter() - start))
    gc.unfreeze()
    stand.use(SMALL)
    return {name: values[WARM:] for name, values in times.items()}


def _figures(what: str, times: dict[str, list[float]], stored: int) -> list[Figure]:
    few, many = (statistics.median(times[name]) for name in (SMALL, LARGE))
    return [
        Figure(f"{what}: at {stored:,} beside {FEW:,}", many / few, "×", target=1.5),
        Figure(f"{what}: median at {FEW:,}", few, "ms", note=spread(times[SMALL])),
        Figure(f"{what}: median at {stored:,}", many, "ms", note=spread(times[LARGE])),
    ]
