"""Fixtures of the pages' tests: one browser and one served app a session."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from litestar import Litestar
from playwright.async_api import Browser, async_playwright

from tests.backend.conftest import desk, rules
from tests.backend.desk import Desk
from tests.browser import phones
from tests.browser.stage import Kit
from tests.conftest import StillClock, Work

__all__ = ["desk", "rules"]


@pytest.fixture(scope="session")
async def shelf(app: Litestar) -> AsyncIterator[phones.Shelf]:
    """The app as the browsers meet it, for the whole session."""
    phones.wanted()
    shelf = phones.Shelf(app)
    async with phones.served(shelf):
        yield shelf


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser; each test has a context of its own in it."""
    async with async_playwright() as driver:
        found = await driver.chromium.launch(executable_path=phones.CHROMIUM, args=phones.ARGS)
        yield found
        await found.close()


@pytest.fixture
async def kit(
    shelf: phones.Shelf,
    chromium: Browser,
    clock: StillClock,
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    work: Work,
) -> AsyncIterator[Kit]:
    """The app at today's time, since the browser has it; replaced files go back at the end."""
    clock.set(datetime.now(UTC))  # noqa: TID251 - the browser has the real time
    yield Kit(shelf, chromium, clock, desk, client, owner, work)
    shelf.instead.clear()
