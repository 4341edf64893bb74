"""The stage of the fictional year: a clock that is moved, ids and secrets out of one integer."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from backend import clock as real
from backend.jobs import issuer, schedule, sequencer, worker
from backend.jobs.context import Context
from backend.jobs.memory import Memory
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, Person, system
from backend.settings import Role, Settings
from inspection_plans.loader import load
from media.bucket import Bucket
from media.darkroom import Darkroom
from media.presign import Presigned
from media.spool import Spool

SHANGHAI = ZoneInfo("Asia/Shanghai")
NATION = 100000
POOLS: tuple[Role, ...] = ("app", "worker", "public", "seq")
KEYS = ("server.seed", "log.seed", "kek.seed")
COUNTED_BITS = 40  # of an id's 74: what is left over says in which order ids were made


class Stuck(Exception):  # noqa: N818 - a sentence for whoever plays the year
    """Something the scenario needs did not happen; the text says what."""


class Clock:
    """The fictional now; it never goes back."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, on: date, hour: int = 9, minute: int = 0) -> None:
        """Go to a moment of a day in Shanghai, unless it is past."""
        self.at = max(self.at, datetime.combine(on, time(hour, minute), SHANGHAI).astimezone(UTC))

    def tick(self, seconds: float = 20) -> datetime:
        """Let a little time pass."""
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class Ids:
    """Version 7 ids of the fictional now: ordered by making, the same for the same integer."""

    clock: Clock
    rng: random.Random
    count: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __call__(self) -> UUID:
        ms = int(self.clock().timestamp() * 1000)
        bits = next(self.count) << COUNTED_BITS | self.rng.getrandbits(COUNTED_BITS)
        return real.uuid7(ms, bits)


class PresentBucket(Bucket):
    """The store judges an address by the real clock, whatever the fictional one says."""

    def presign_put(
        self, key: str, *, size: int, mime: str, sha256_hex: str, now: datetime
    ) -> Presigned:
        """An address that is good now."""
        del now
        return super().presign_put(
            key, size=size, mime=mime, sha256_hex=sha256_hex, now=real.now()
        )


@dataclass
class Stage:
    """What every act is handed; ``ids`` are the players', jobs draw theirs elsewhere."""

    integer: int
    clock: Clock
    ids: Ids
    jobs: Context

    def secret(self, *names: object) -> bytes:
        """32 bytes for a purpose, the same for the same integer."""
        return secret(self.integer, *names)

    def rng(self, *names: object) -> random.Random:
        """Chance for a purpose, the same for the same integer."""
        return random.Random(self.secret(*names))

    def act(self, person: Person) -> Act:
        """The next deed of a person, some seconds after the one before."""
        return Act(by=person, at=self.clock.tick(), new_id=self.ids)

    def product(self, region: int = NATION) -> Act:
        """A deed of the product itself."""
        return Act(by=system(self.jobs.regions, region), at=self.clock.tick(), new_id=self.ids)

    async def drain(self) -> None:
        """Do all background work that is ready, and again until nothing moved.

        Documents are issued with the step that calls for them; they are set when it is served.
        """
        while (
            await worker.once(self.jobs)
            + await sequencer.once(self.jobs)
            + await issuer.once(self.jobs)
        ):
            pass

    async def tick(self) -> None:
        """The scheduler looks what has come due, and the worker does it."""
        await schedule.tick(self.jobs)
        await self.drain()


def secret(integer: int, *names: object) -> bytes:
    """32 bytes out of one integer for a purpose."""
    return sha256("/".join(map(str, ("fictional", integer, *names))).encode()).digest()


def lay_keys(folder: Path, integer: int) -> None:
    """Put the year's own keys where the product reads its keys: same integer, same receipts."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in KEYS:
        file = folder / name
        file.touch(mode=0o600)
        file.write_bytes(secret(integer, name))


def _tokens(integer: int) -> Callable[[int], bytes]:
    rng = random.Random(secret(integer, "tokens"))
    return rng.randbytes


@asynccontextmanager
async def opened(
    settings: Settings, integer: int, *, start: date, bucket: Bucket | None = None
) -> AsyncIterator[Stage]:
    """Pools, keys and a darkroom on servers that run; the clock stands at ``start``."""
    store = settings.store
    async with AsyncExitStack() as stack:
        await DB.open({role: settings.database.dsn(role) for role in POOLS}, size=4)
        stack.push_async_callback(DB.close)
        yield await staged(
            settings,
            integer,
            start=start,
            bucket=bucket or PresentBucket.of(store),
            darkroom=stack.enter_context(Darkroom()),
        )


async def staged(
    settings: Settings, integer: int, *, start: date, bucket: Bucket, darkroom: Darkroom
) -> Stage:
    """A stage on pools that are open."""
    clock = Clock(datetime.combine(start, time(9), SHANGHAI).astimezone(UTC))
    ids = Ids(clock, random.Random(secret(integer, "ids")))
    keys = await asyncio.to_thread(open_keyring, settings.keys)
    jobs = Context(
        settings=settings,
        bucket=bucket,
        darkroom=darkroom,
        spool=Spool(settings.spool_folder, quota=settings.spool_bytes),
        keys=keys,
        memory=Memory(settings.keys, base=settings.log_origin, public=keys.log.public),
        rules=load(),
        clock=clock,
        ids=Ids(clock, random.Random(secret(integer, "job ids"))),
        regions=await offices.every_region(),
        token=_tokens(integer),
    )
    return Stage(integer, clock, ids, jobs)
