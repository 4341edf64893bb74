"""Photos by the direct lane: rate beside bare PUTs, processor time and memory of the app."""

import asyncio
import gc
import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from backend.settings import to_environment
from media.bucket import Bucket
from tests.bench import puts
from tests.bench.crew import CAPTURES, Crew, Submission, proven
from tests.bench.figures import Figure, median
from tests.bench.rig import CONNECTIONS, Request, Stand

SMALL, LARGE = 300_000, 3_000_000
ROUNDS, BATCH = 7, 16
HEAVY = 11 * BATCH  # visits: two photos of 3 MB each make a little more than 1 GB
PACED = 40
SETTLE_S, START_S = 0.3, 5.0
ROOT = Path(__file__).parents[2]
NEW = (ROUNDS + 1) * BATCH * 3 + HEAVY + 1 + ROUNDS * PACED * 2


@dataclass(frozen=True)
class Photographed:
    """One visit as a phone sends it: the batch, the addresses of its photos, and their end."""

    batch: Request
    urls: Request
    end: Request
    size: int
    numbers: list[int]


# An address as the app gives it: url and headers.
Where = dict[str, Any]
Visits = list[Photographed]
Puts = dict[int, list[Where]]


class Line:
    """The calls of a visit with photos, and what they cost the app."""

    def __init__(self, stand: Stand, crew: Crew, put: puts.Put) -> None:
        self.stand, self.crew, self.put = stand, crew, put
        self.bucket: Bucket = stand.app.state.jobs.bucket
        self.numbers = itertools.count(1)

    def take(self, count: int, size: int) -> list[Photographed]:
        """The next visits, each with photos of ``size`` bytes; everything is signed beforehand."""
        made = []
        for _ in range(count):
            numbers = [next(self.numbers) for _ in range(CAPTURES)]
            raws = iter([puts.photo(size, number) for number in numbers])
            (one,) = self.crew.submissions(1, picture=lambda _visit, _n, raws=raws: next(raws))
            made.append(self._photographed(one, size, numbers))
        return made

    def _photographed(self, one: Submission, size: int, numbers: list[int]) -> Photographed:
        ids = msgspec.json.encode({"ids": [capture.id for capture in one.captures]})
        urls, end = (
            proven(one.phone, f"/api/v1/evidence/{verb}", ids) for verb in ("urls", "complete")
        )
        return Photographed(one.request, urls, end, size, numbers)

    async def whole(self, one: Photographed) -> None:
        """Everything, end to end."""
        await self.sent(one, await self.asked(one))
        await self.stand.call(one.end)

    async def asked(self, one: Photographed) -> list[Where]:
        """Submit the visit; the addresses of its photos."""
        await self.stand.call(one.batch)
        answer = msgspec.json.decode(await self.stand.call(one.urls))
        return [upload["urls"][0] for upload in answer["uploads"]]

    async def sent(self, one: Photographed, puts: list[Where]) -> None:
        """Put the photos away, both at once."""
        await asyncio.gather(
            *(
                self.stored(where["url"], where["headers"], one.size, number)
                for where, number in zip(puts, one.numbers, strict=True)
            )
        )

    async def waiting(self) -> int:
        """How many photos the worker has not looked at yet."""
        owner = await self.stand.owner()
        found: int = await owner.fetchval("select count(*) from task where done_at is null")
        await owner.close()
        return found

    async def stored(self, url: str, headers: dict[str, str], size: int, number: int) -> None:
        """One PUT that the store took."""
        status = await self.put(url, headers, size, number)
        if status != 200:
            raise RuntimeError(f"PUT: {status}")


async def at_once(work: Callable[[Any], Awaitable[None]], pieces: Sequence[Any]) -> float:
    """Seconds for all pieces, ``CONNECTIONS`` at a time."""
    waiting = iter(pieces)

    async def one() -> None:
        for piece in waiting:
            await work(piece)

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return time.perf_counter() - start


async def run(stand: Stand, crew: Crew) -> list[Figure]:
    """All figures; the photos that were sent wait for the worker until the last part."""
    with puts.putter() as put:
        line = Line(stand, crew, put)
        figures = await _rates(line)
        figures += await _processor(line)
        figures += await _memory(line)
    return figures + await _beside_the_worker(line)


async def _rates(line: Line) -> list[Figure]:
    """Visits a second end to end, beside bare PUTs of as many photos of the same size."""
    whole, bare = [], []
    for turn in range(ROUNDS + 1):
        visits, addresses = line.take(BATCH, SMALL), _addresses(line, BATCH * CAPTURES)
        if turn % 2:
            bare.append(await at_once(lambda one: line.stored(*one), addresses))
        whole.append(await at_once(line.whole, visits))
        if not turn % 2:
            bare.append(await at_once(lambda one: line.stored(*one), addresses))
    ratios = [b / w for b, w in zip(bare[1:], whole[1:], strict=True)]
    rates = [BATCH / one for one in whole[1:]]
    return [
        median("photos: submit beside bare PUTs", ratios, "×", target=0.75, side="at least"),
        median("photos: visits of 2 x 300 KB a second", rates, "/s"),
    ]


def _addresses(line: Line, count: int) -> list[tuple[str, dict[str, str], int, int]]:
    """Pinned addresses of the store for photos of nobody's visit."""
    made = []
    for number in itertools.islice(line.numbers, count):
        digest = sha256(puts.photo(SMALL, number)).hexdigest()
        where = line.bucket.presign_put(
            f"bench/{number}/{digest}",
            size=SMALL,
            mime="image/jpeg",
            sha256_hex=digest,
            now=line.stand.clock(),
        )
        made.append((where.url, dict(where.headers), SMALL, number))
    return made


async def _processor(line: Line) -> list[Figure]:
    """The app's processor time a visit, for small and for large photos.

    Photos are put away between two halves: what the store does then is not the app's.
    """
    spent: dict[int, list[float]] = {SMALL: [], LARGE: []}
    for turn in range(ROUNDS + 1):
        for size in (SMALL, LARGE) if turn % 2 else (LARGE, SMALL):
            visits = line.take(BATCH, size)
            where: dict[int, list[Where]] = {}

            async def ask(n: int, visits: Visits = visits, where: Puts = where) -> None:
                where[n] = await line.asked(visits[n])

            async def put(n: int, visits: Visits = visits, where: Puts = where) -> None:
                await line.sent(visits[n], where[n])

            async def end(n: int, visits: Visits = visits) -> None:
                await line.stand.call(visits[n].end)

            first = await _cpu(ask)
            await at_once(put, range(BATCH))
            spent[size].append((first + await _cpu(end)) / BATCH * 1000)
    small, large = (spent[size][1:] for size in (SMALL, LARGE))
    ratio = abs(statistics.median(large) / statistics.median(small) - 1) * 100
    return [
        Figure("photos: app CPU, 3 MB against 300 KB, apart", ratio, "%", target=5.0),
        median("photos: app CPU a visit, 2 x 300 KB", small, "ms"),
        median("photos: app CPU a visit, 2 x 3 MB", large, "ms"),
    ]


async def _cpu(work: Callable[[int], Awaitable[None]]) -> float:
    gc.collect()
    before = time.process_time()
    await at_once(work, range(BATCH))
    return time.process_time() - before


async def _memory(line: Line) -> list[Figure]:
    """Resident memory before and after a gigabyte, whose bytes pass the other processes."""
    before = _resident()
    for _ in range(HEAVY // BATCH):
        await at_once(line.whole, line.take(BATCH, LARGE))
    return [Figure("photos: app memory after 1 GB", _resident() - before, "MB", target=20.0)]


def _resident() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _beside_the_worker(line: Line) -> list[Figure]:
    """Calls one by one, while the worker has more photos than it can do and while it rests.

    It is the process that `mingcha run` starts beside the app; to rest, it is stopped.
    """
    idle, busy = [], []
    with _worker(line.stand) as turn_to:
        for turn in range(ROUNDS):
            for kind in (idle, busy) if turn % 2 else (busy, idle):
                turn_to(signal.SIGCONT if kind is busy else signal.SIGSTOP)
                await asyncio.sleep(SETTLE_S)
                requests = [one.request for one in line.crew.submissions(PACED)]
                kind.append(await _p95(line.stand, requests))
        if not await line.waiting():
            raise RuntimeError("the worker had nothing left to do: no saturation")
    ratios = [b / i for b, i in zip(busy, idle, strict=True)]
    return [
        median("submit: p95 beside a saturated worker / idle", ratios, "×", target=1.5),
        median("submit: p95, worker idle", [one * 1000 for one in idle], "ms"),
    ]


@contextmanager
def _worker(stand: Stand) -> Iterator[Callable[[signal.Signals], None]]:
    env = os.environ | to_environment(stand.settings) | {"MINGCHA_DUTIES": "worker"}
    argv = [sys.executable, "-m", "backend", "work"]
    with subprocess.Popen(argv, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
        time.sleep(START_S)
        try:
            yield process.send_signal
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()


async def _p95(stand: Stand, requests: Sequence[Request]) -> float:
    taken = []
    for request in requests:
        start = time.perf_counter()
        await stand.call(request)
        taken.append(time.perf_counter() - start)
    return sorted(taken)[len(taken) * 95 // 100]
