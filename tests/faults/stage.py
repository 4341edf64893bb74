"""Where schedules play: one app on real servers, one office, a clock that is told the time."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import structlog
from litestar import Litestar

from backend.clock import new_id
from backend.jobs.context import Context
from backend.keyring import Keyring
from backend.services import devices, directories, tokens
from backend.services.act import Act
from backend.settings import Settings
from inspection_plans.loader import load
from media import receipt
from media.bucket import Bucket
from media.keys import DeviceKey
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import START, StillClock
from tests.faults.edges import Edges, Wire
from tests.faults.logwatch import LogWatch
from tests.faults.model import Trust
from tests.field import a_class

NOISE = 50  # critical: planted faults are no news
INSPECTORS = 4
STEP = timedelta(minutes=20)


@dataclass(frozen=True)
class Seat:
    """An inspector with an account."""

    inspector: UUID
    login: world.Login


@dataclass(frozen=True)
class Cast:
    """Who plays: one office of two persons, its inspectors, an institution, and a stranger."""

    desk: Desk
    second: world.Login
    institution: UUID
    training_class: UUID
    trainees: list[UUID]
    seats: list[Seat]
    stranger: Seat
    strange_desk: world.Login


@dataclass
class Stage:
    """Everything that a schedule is handed."""

    app: Litestar
    owner: asyncpg.Connection
    settings: Settings
    bucket: Bucket
    clock: StillClock
    edges: Edges
    cast: Cast
    watch: LogWatch
    http: httpx.AsyncClient
    store: httpx.AsyncClient
    notice: tuple[world.Login, UUID] | None = None
    spares: list[tuple[DeviceKey, UUID]] = field(default_factory=list)

    @property
    def jobs(self) -> Context:
        found: Context = self.app.state.jobs
        return found

    @property
    def keys(self) -> Keyring:
        return self.jobs.keys

    @property
    def trust(self) -> Trust:
        keys = self.keys
        log = receipt.Log(self.settings.log_origin, keys.log.public)
        return Trust(keys.server.public, log)

    def act(self, who: world.Login | None = None) -> Act:
        """A deed of the supervisor, or of somebody else, now."""
        return (who or self.cast.desk.who).act(self.clock())

    async def login(self, seat: Seat, dev: UUID) -> tuple[str, str] | None:
        """Fresh tokens bound to a device, or None when it was revoked."""
        pair = (secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        try:
            await tokens.issue(
                seat.login.person,
                access=pair[0],
                refresh=pair[1],
                at=self.clock(),
                device=dev,
            )
        except tokens.DeviceForeign:
            return None
        return pair

    async def headers(self, who: world.Login) -> dict[str, str]:
        """The headers of somebody at a desk or a portal, signed in now."""
        pair = (secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        await tokens.issue(who.person, access=pair[0], refresh=pair[1], at=self.clock())
        return {"Authorization": f"Bearer {pair[0]}"}

    async def enrolled(
        self, seat: Seat, desk: world.Login | None = None
    ) -> tuple[DeviceKey, UUID]:
        """A new phone of this inspector, approved by its desk."""
        key, code = DeviceKey.generate(), new_id().hex
        await devices.approve(seat.login.person.id, code, act=self.act(desk))
        new = devices.NewDevice(spki=key.spki, user_agent="t", platform="t", persisted=True)
        made = await devices.enrol(code, new, act=self.act(seat.login))
        return key, made.id


async def _a_seat(desk: Desk, inspector: UUID, region: int) -> Seat:
    who = await world.a_person(desk.clock(), "inspector", region=region)
    await directories.link_account(inspector, who.person.id, act=desk.act)
    return Seat(inspector, who)


async def a_cast(owner: asyncpg.Connection, clock: StillClock) -> Cast:
    """The office and the stranger, made through the services."""
    rules = load()
    office = await world.an_office(clock())
    who = await world.a_person(clock(), "supervisor", region=world.SHANDONG, office=office)
    second = await world.a_person(clock(), "approver", region=world.SHANDONG, office=office)
    desk = Desk(who, clock, rules, owner)
    await desk.take("institutions", sheets.an_institution())
    crew = [sheets.an_inspector(n, licence_until="2099-12-31") for n in range(1, INSPECTORS + 1)]
    await desk.take("inspectors", *crew)
    training_class = await a_class(desk)
    rows = await owner.fetch("select id from inspector order by staff_code")
    seats = [await _a_seat(desk, row["id"], world.SHANDONG) for row in rows]
    trainees = await owner.fetch("select id from trainee order by roster_no")
    far = await world.an_office(clock(), world.SHANXI, "晋人社")
    strange = await world.a_person(clock(), "supervisor", region=world.SHANXI, office=far)
    foreign = Desk(strange, clock, rules, owner)
    await foreign.take("inspectors", sheets.an_inspector(99, areas="140100"))
    other = await owner.fetchval("select id from inspector where region = $1", world.SHANXI)
    return Cast(
        desk=desk,
        second=second,
        institution=await desk.id_of("institution"),
        training_class=training_class,
        trainees=[row["id"] for row in trainees],
        seats=seats,
        stranger=await _a_seat(foreign, other, world.SHANXI),
        strange_desk=strange,
    )


@contextlib.asynccontextmanager
async def a_stage(
    app: Litestar, owner: asyncpg.Connection, settings: Settings, clock: StillClock, dsn: str
) -> AsyncIterator[Stage]:
    """Set the stage on an app that lives and an empty database; ``dsn`` is the superuser's."""
    clock.set(START)
    told = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(NOISE))
    killer = await asyncpg.connect(dsn)
    # The driver tells of each transaction that a killed process left open.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _told: None)
    context: Context = app.state.jobs
    edges = Edges(killer)
    # Litestar says more narrowly than ASGI what it takes.
    transport = httpx.ASGITransport(app=cast("Any", app), raise_app_exceptions=False)
    try:
        async with (
            httpx.AsyncClient(
                transport=Wire(transport, edges), base_url="http://testserver"
            ) as http,
            httpx.AsyncClient(transport=Wire(httpx.AsyncHTTPTransport(), edges)) as store,
            edges.installed(context.bucket, lambda: datetime.now(UTC)),  # noqa: TID251 - the store's
        ):
            yield Stage(
                app=app,
                owner=owner,
                settings=settings,
                bucket=context.bucket,
                clock=clock,
                edges=edges,
                cast=await a_cast(owner, clock),
                watch=LogWatch(settings.log_origin, context.keys.log.public),
                http=http,
                store=store,
            )
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
        structlog.configure(**told)
        await killer.close()
