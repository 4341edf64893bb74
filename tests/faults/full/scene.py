"""Where full-stack schedules play: an office on the stand, and phones behind its bad line."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from backend import logs
from backend.keyring import Keyring
from inspection_plans.library import Library
from inspection_plans.loader import load
from media.bucket import Bucket
from tests.faults.full.stand import LOST, LOST_STATES, Stand
from tests.faults.logwatch import LogWatch
from tests.faults.stage import Seat, Stage, a_cast

TIMEOUT_S = 8.0  # shorter than the longest stall: a phone gives up
ATTEMPTS = 600


@dataclass
class Told:
    """The clock of app and worker, as far as a schedule may set it."""

    stand: Stand

    def __call__(self) -> datetime:
        return self.stand.now()

    def set(self, at: datetime) -> None:
        """Take no order: the store judges addresses by the real time."""

    def tick(self, **span: float) -> datetime:
        """Move on by a timedelta's keywords."""
        self.stand.shift(int(timedelta(**span).total_seconds() * 1000))
        return self()


@dataclass(frozen=True)
class Office:
    """What the desk's own deeds need besides the database."""

    rules: Library


@dataclass
class Scene(Stage):
    """A stage whose app is a process of its own."""

    stand: Stand = field(kw_only=True)
    office: Office = field(kw_only=True)
    faults: list[str] = field(default_factory=list)  # answers 500: there must be none

    @property
    def jobs(self) -> Any:
        return self.office

    @property
    def keys(self) -> Keyring:
        return self.stand.keys

    async def login(self, seat: Seat, dev: Any) -> tuple[str, str] | None:
        """Fresh tokens bound to a device, once the database is back; None when it is revoked."""
        for _ in range(ATTEMPTS):
            try:
                return await super().login(seat, dev)
            except (*LOST, *LOST_STATES):
                await asyncio.sleep(0.1)
        raise TimeoutError("nobody can sign in")


def _said(stand: Stand) -> str:
    """The app's own last line about a fault."""
    lines = stand.children["app"].said().decode(errors="replace").splitlines()
    return next((line for line in reversed(lines) if '"event": "fault"' in line), "nothing")


@contextlib.asynccontextmanager
async def a_scene(stand: Stand) -> AsyncIterator[Scene]:
    """An office on a stand whose database is empty."""
    told = structlog.get_config()
    logs.configure(io.StringIO())
    clock: Any = Told(stand)
    owner: Any = stand.owner
    nothing: Any = None
    faults: list[str] = []

    async def notice(answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            path = answer.request.url.path
            faults.append(f"{answer.request.method} {path} answered 500: {_said(stand)}")

    async with contextlib.AsyncExitStack() as held:
        held.callback(structlog.configure, **told)
        http = await held.enter_async_context(
            httpx.AsyncClient(
                base_url=stand.settings.origin,
                timeout=TIMEOUT_S,
                event_hooks={"response": [notice]},
            )
        )
        store = await held.enter_async_context(httpx.AsyncClient(timeout=TIMEOUT_S))
        yield Scene(
            app=nothing,
            owner=owner,
            settings=stand.settings,
            bucket=Bucket.of(stand.settings.store),
            clock=clock,
            edges=nothing,
            cast=await a_cast(owner, clock),
            watch=LogWatch(stand.settings.log_origin, stand.keys.log.public),
            http=http,
            store=store,
            stand=stand,
            office=Office(load()),
            faults=faults,
        )
