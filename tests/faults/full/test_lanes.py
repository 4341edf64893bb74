"""Both lanes over sockets, bad lines and killed servers, by a tus client that is not ours."""

import asyncio
import itertools
import random
import sys
from collections.abc import AsyncIterator

import pytest

from tests.faults import lanes
from tests.faults.cutter import Moment, Weather
from tests.faults.full import resumer
from tests.faults.full.scene import Scene, a_scene
from tests.faults.full.stand import Part, a_stand
from tests.faults.model import Phone
from tests.faults.play import a_play
from tests.faults.shelf import Kept
from tests.field import a_jpeg
from tests.media.samples import a_movie, box

CHUNK = resumer.CHUNK
HALF = CHUNK // 2  # on a line that is cut every seventh chunk, half a chunk is lost less each time
HEADS = 2048  # of one call: its lines, its token and its proof
SEALED_S = 150.0
PATIENCE_S = 10.0  # evidence spec 4: a unit that takes longer goes by the weak-link lane
seeds = itertools.count(90_001)


@pytest.fixture(scope="module")
async def scene() -> AsyncIterator[Scene]:
    """An office on servers of its own."""
    async with a_stand() as stand, a_scene(stand) as made:
        yield made


@pytest.fixture(autouse=True)
async def fair(scene: Scene) -> AsyncIterator[None]:
    """No fault of one test is another's."""
    yield
    scene.stand.spare()
    await scene.stand.ready()


async def declared(scene: Scene, raw: bytes, mime: str = "image/jpeg") -> tuple[Phone, Kept]:
    """A piece that the server awaits, and the phone that has it."""
    play = await a_play(scene, next(seeds), "lanes")
    venue = play.venues[0]
    phone = venue.phones[0]
    kept = phone.snap(venue.visit, raw, "TI-01", mime)
    assert await phone.push(phone.shelf.pending())
    scene.stand.line.seed = next(seeds)
    return phone, kept


def a_picture(size: int) -> bytes:
    """A picture with noise behind its end: flagged, not refused."""
    return a_jpeg(7, 64) + random.Random(size).randbytes(size)


async def sealed(scene: Scene, phone: Phone, kept: Kept) -> None:
    """Wait for the receipt, which the phone holds against its own bytes."""
    async with asyncio.timeout(SEALED_S):
        while kept.sealed_ms is None:
            await asyncio.sleep(0.05)
            await phone.pull_receipts()
    assert [event.facts["fault"] for event in phone.history.of("receipt", "note")] == [""]
    assert scene.faults == []


async def test_a_client_from_the_shelf_at_8_mbit(scene: Scene) -> None:
    raw = a_picture(5_000_000)
    phone, kept = await declared(scene, raw)
    line = scene.stand.line
    before, cuts, calls = line.up.passed, line.cuts, line.requests
    line.weather = Weather(latency_s=0.01, rate=1_000_000, cut_every_s=2.2)
    await resumer.send(phone, kept, scene.settings.origin)
    sent, cuts, calls = line.up.passed - before, line.cuts - cuts, line.requests - calls
    assert cuts >= 2
    assert len(raw) <= sent <= len(raw) + cuts * CHUNK + calls * HEADS
    await sealed(scene, phone, kept)


@pytest.mark.parametrize("moment", list(Moment))
async def test_a_cut_at_any_moment_costs_a_chunk(scene: Scene, moment: Moment) -> None:
    raw = a_picture(1_500_000)
    phone, kept = await declared(scene, raw)
    line = scene.stand.line
    before, cuts, calls = line.up.passed, line.cuts, line.requests
    line.weather = Weather(stall_s=0.2, chances={moment: 0.3})
    await resumer.send(phone, kept, scene.settings.origin)
    sent, cuts, calls = line.up.passed - before, line.cuts - cuts, line.requests - calls
    assert sent <= len(raw) + cuts * CHUNK + calls * HEADS
    await sealed(scene, phone, kept)


async def offset(scene: Scene, kept: Kept, at: int) -> None:
    """Wait until so much of the piece is promised."""
    async with asyncio.timeout(SEALED_S):
        while (await scene.owner.fetchval(TAKEN, kept.id) or 0) < at:  # noqa: ASYNC110 - polled
            await asyncio.sleep(0.01)


TAKEN = "select taken from upload where evidence = $1::text::uuid"


@pytest.mark.parametrize(
    "parts",
    [
        ("app",),
        ("store", "worker"),
        pytest.param(("database", "app", "store"), marks=pytest.mark.slow),
    ],
)
async def test_whatever_dies_in_mid_upload(scene: Scene, parts: tuple[Part, ...]) -> None:
    raw = a_picture(7_000_000)
    phone, kept = await declared(scene, raw)
    line = scene.stand.line
    before, calls = line.up.passed, line.requests
    line.weather = Weather(rate=4_000_000)
    sending = asyncio.create_task(resumer.send(phone, kept, scene.settings.origin))
    for number, part in enumerate(parts, 1):
        await offset(scene, kept, number * len(raw) // (len(parts) + 1))
        scene.stand.kill(part)
    await sending
    sent, calls = line.up.passed - before, line.requests - calls
    await sealed(scene, phone, kept)
    assert sent <= len(raw) + (1 + 2 * len(parts)) * CHUNK + calls * HEADS


async def test_the_direct_lane_sends_a_cut_part_again(scene: Scene) -> None:
    raw = a_picture(7_000_000)
    phone, kept = await declared(scene, raw)
    line = scene.stand.line
    before, cuts, calls = line.up.passed, line.cuts, line.requests
    line.weather = Weather(chances={Moment.MID_BODY: 0.4, Moment.BEFORE_ANSWER: 0.2})
    async with asyncio.timeout(SEALED_S):
        while not await lanes.direct(phone, kept) or not await lanes.complete(phone, kept):
            pass
    sent, cuts, calls = line.up.passed - before, line.cuts - cuts, line.requests - calls
    assert cuts
    assert sent <= len(raw) + cuts * lanes.PART + calls * HEADS
    await sealed(scene, phone, kept)


async def test_lanes_are_switched_on_a_line_that_gets_bad(scene: Scene) -> None:
    raw = a_picture(7_000_000)
    phone, kept = await declared(scene, raw)
    line = scene.stand.line
    before, calls = line.up.passed, line.requests
    assert not await lanes.direct(phone, kept, most=1)
    cuts = line.cuts
    line.weather = Weather(rate=4_000_000, cut_every_s=1.0)
    await resumer.send(phone, kept, scene.settings.origin)
    sent, cuts, calls = line.up.passed - before, line.cuts - cuts, line.requests - calls
    assert sent <= len(raw) + cuts * CHUNK + calls * HEADS
    await sealed(scene, phone, kept)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_50_mb_at_750_kbit_cut_every_20_s(scene: Scene) -> None:
    size, rate = 50_000_000, 93_750
    assert lanes.PART / rate > PATIENCE_S > CHUNK / rate  # so it is the weak-link lane
    raw = a_movie() + box(b"free", random.Random(50).randbytes(size))
    phone, kept = await declared(scene, raw, "video/mp4")
    line = scene.stand.line
    before, cuts, calls = line.up.passed, line.cuts, line.requests
    line.weather = Weather(latency_s=0.075, rate=rate, cut_every_s=20.0)
    await resumer.send(phone, kept, scene.settings.origin, chunk=HALF)
    sent, cuts, calls = line.up.passed - before, line.cuts - cuts, line.requests - calls
    assert cuts >= 20
    assert sent <= len(raw) + cuts * HALF + calls * HEADS
    assert sent <= 1.10 * len(raw), f"{sent} sent of {len(raw)}, {cuts} cuts, {calls} calls"
    line.weather = Weather()
    await sealed(scene, phone, kept)
    sys.stdout.write(f"{sent} bytes sent of {len(raw)}, {cuts} cuts, {calls} calls\n")
