"""What may befall the running product, each drawn and carried out by the schedule's dice.

A fault is armed, or runs beside what the phones do. Source: evidence spec 13 (fault matrix).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.cutter import Moment, Weather
from tests.faults.full import disk
from tests.faults.full.stand import Part, Stand

JUMPS_S = (-600, -10, 30, 600)
KILL_WITHIN_S = 0.4
COMMITS = 60
FILLER = "filler"
MID_COMMIT = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where usename like 'mingcha\\_%' and state = 'active' and query ilike 'commit%'
"""
ANY_BACKEND = """
select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
where usename like 'mingcha\\_%' and application_name like 'mingcha-%'
order by md5(pid::text || $1) limit 2) as few
"""
Beside = Callable[[], Awaitable[None]]


class Fault(NamedTuple):
    """One fault in words; ``beside`` runs while phones act, when there is something to do then."""

    told: str
    beside: Beside | None = None


def bad_line(stand: Stand, dice: random.Random) -> Fault:
    """Requests of phones meet cuts and stalls."""
    moment = dice.choice(list(Moment))
    chance = dice.choice((0.2, 0.5, 1.0))
    stall = dice.choice((0.3, 9.0)) if moment is Moment.STALL else 0.0
    stand.line.weather = Weather(chances={moment: chance}, stall_s=stall)
    return Fault(f"line {moment} {chance}")


def far_line(stand: Stand, dice: random.Random) -> Fault:
    """A far and slow line that is cut by the clock."""
    rate = dice.choice((20_000, 90_000))
    stand.line.weather = Weather(latency_s=0.2, rate=rate, cut_every_s=dice.choice((0.0, 2.0)))
    return Fault(f"line of {rate} B/s")


def bad_back(stand: Stand, dice: random.Random) -> Fault:
    """Calls of app and worker to the store meet cuts."""
    moment = dice.choice([one for one in Moment if one is not Moment.STALL])
    stand.back.weather = Weather(chances={moment: 0.4})
    return Fault(f"store line {moment}")


def mortal(stand: Stand, dice: random.Random) -> Fault:
    """App or worker dies at its n-th statement or call to the store from now."""
    part = dice.choice(("app", "worker"))
    place = dice.choice(("statement", "during", "store", "answered"))
    most = 8 if place in ("store", "answered") else 40
    count = dice.randint(1, most)
    stand.fates[part].set(place, count)  # type: ignore[index,arg-type]  # as listed
    return Fault(f"{part} dies at {place} {count}")


def killed(stand: Stand, dice: random.Random) -> Fault:
    """Some process dies at some instant."""
    part: Part = dice.choice(("app", "worker", "database", "store"))
    after_s = dice.uniform(0, KILL_WITHIN_S)

    async def beside() -> None:
        await asyncio.sleep(after_s)
        stand.kill(part)

    return Fault(f"{part} killed after {after_s:.3f} s", beside)


def cut_backend(stand: Stand, dice: random.Random) -> Fault:
    """The database ends connections, if it can in mid-commit."""
    salt = str(dice.random())

    async def beside() -> None:
        for _ in range(COMMITS):
            if await stand.owner.fetchval(MID_COMMIT):
                return
        await stand.owner.fetchval(ANY_BACKEND, salt)

    return Fault("backends terminated", beside)


def jump(stand: Stand, dice: random.Random) -> Fault:
    """The clocks of app and worker are set anew."""
    span = dice.choice(JUMPS_S)
    stand.shift(span * 1000)
    return Fault(f"clock {span:+} s")


def fill(stand: Stand, dice: random.Random) -> Fault:
    """The spool is full, until it is not."""
    folder = stand.settings.spool_folder / FILLER
    if folder.exists():
        empty(stand)
        return Fault("spool empty")
    folder.mkdir()
    size = stand.settings.spool_bytes - dice.choice((0, 700))
    with (folder / "000000").open("wb") as file:
        file.truncate(size)
    return Fault(f"spool full but {stand.settings.spool_bytes - size}")


def fill_disk(stand: Stand, dice: random.Random) -> Fault:
    """The disk under database, store and spool is full while phones speak."""
    if stand.disk is None:
        raise ValueError("no disk of its own")
    spare = dice.choice((0, 30_000, 1_000_000, 20_000_000))
    disk.fill(stand.disk, spare)
    return Fault(f"disk full but {spare}")


def empty(stand: Stand) -> None:
    """There is room again."""
    if stand.disk is not None:
        disk.empty(stand.disk)
    folder = stand.settings.spool_folder / FILLER
    if folder.exists():
        (folder / "000000").unlink()
        folder.rmdir()


TABLE: tuple[tuple[int, Callable[[Stand, random.Random], Fault]], ...] = (
    (20, bad_line),
    (4, far_line),
    (10, bad_back),
    (16, mortal),
    (10, killed),
    (6, cut_backend),
    (4, jump),
    (4, fill),
)


def draw(stand: Stand, dice: random.Random) -> Fault:
    """The next fault; on a disk of its own that disk is often the one that fails."""
    table = TABLE if stand.disk is None else (*TABLE, (30, fill_disk))
    weights = [weight for weight, _ in table]
    return dice.choices(table, weights)[0][1](stand, dice)
