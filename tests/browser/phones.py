"""A phone in a real browser: the built application, on the origin that the store lets in."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import BrowserContext, Page, async_playwright

from backend.phone.build import build
from backend.services import devices, directories
from tests import world
from tests.backend.desk import Desk
from tests.conftest import BROWSED

CHROMIUM = shutil.which("chromium")
WHY = "no chromium here (Debian: apt install chromium fonts-noto-cjk); the phone was not tried"
needs_chromium = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason=WHY)
SCREEN = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1, "locale": "zh-CN"}
HERE = {"latitude": 37.5128, "longitude": 122.1201, "accuracy": 12}
ARGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
# The shell lies on the phone: it starts without a line.
KEPT = "navigator.serviceWorker.controller !== null"
ALLOWED = ["geolocation", "camera", "microphone"]
# The same in the driver's own words, with the promise: what is not named here is taken away.
GRANTED = ["durableStorage", "geolocation", "videoCapture", "audioCapture"]

# A machine that runs other things beside takes its time; a page that is stuck stays stuck.
PATIENCE_MS = 60_000

# Servers of this run by their app: a session's own, or one that a test started.
_serving: set[int] = set()


def wanted() -> None:
    """Skip where there is no browser, except where there must be one."""
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip(WHY)


class Shelf:
    """The app, with a few of its files replaced: another build, without building one."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        self.instead: dict[str, bytes] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a replaced file; everything else is the app's."""
        content = self.instead.get(scope.get("path", ""))
        if content is None:
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/javascript"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def served(app: Litestar | Shelf) -> AsyncIterator[str]:
    """The app on the browsed origin; its lifespan is held by the fixture."""
    inner = app.app if isinstance(app, Shelf) else app
    if id(inner) in _serving:
        yield BROWSED
        return
    await asyncio.to_thread(build)
    place = urlsplit(BROWSED)
    listening = socket.create_server((str(place.hostname), int(place.port or 0)))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    _serving.add(id(inner))
    try:
        yield BROWSED
    finally:
        _serving.discard(id(inner))
        server.should_exit = True
        await task


@asynccontextmanager
async def browser(folder: str, **more: Any) -> AsyncIterator[BrowserContext]:
    """A browser that keeps what it stores in ``folder``, as an installed application does."""
    assert CHROMIUM, WHY
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            folder,
            executable_path=CHROMIUM,
            args=ARGS,
            permissions=ALLOWED,
            geolocation=HERE,
            **(SCREEN | more),
        )
        context.set_default_timeout(PATIENCE_MS)
        await promise(context.pages[0])
        yield context
        await context.close()


async def promise(page: Page) -> None:
    """Have the browser promise to keep what is stored, as it does for an installed page.

    The sessions stay: a permission ends with the one that gave it.
    """
    session = await page.context.new_cdp_session(page)
    whose = (await session.send("Target.getTargetInfo"))["targetInfo"]["browserContextId"]
    allowed = {"permissions": GRANTED, "origin": BROWSED, "browserContextId": whose}
    if page.context.browser is None:
        del allowed["browserContextId"]
        await session.send("Browser.grantPermissions", allowed)
    else:
        whole = await page.context.browser.new_browser_cdp_session()
        await whole.send("Browser.grantPermissions", allowed)


async def holds(page: Page, condition: str) -> None:
    """Wait until a condition holds; the driver's own way is shut by the policy of the page."""
    for _ in range(600):
        if await page.evaluate(condition):
            return
        await page.wait_for_timeout(100)
    assert await page.evaluate(condition), condition


async def an_inspector(desk: Desk, inspector: UUID) -> tuple[world.Login, str]:
    """An account linked to an inspector, and an approval code for one phone."""
    who = await world.a_person(desk.clock(), "inspector", region=world.SHANDONG)
    await directories.link_account(inspector, who.person.id, act=desk.act)
    code = f"phone-approval-{who.person.id.hex}"
    await devices.approve(who.person.id, code, act=desk.act)
    return who, code


async def enrolled(page: Page, origin: str, who: world.Login, code: str) -> None:
    """Sign in and enrol this browser as a person does."""
    await page.goto(f"{origin}/phone/")
    await page.fill("#login", who.login)
    await page.fill("#password", who.password)
    await page.click("form button[type=submit]")
    await page.fill("#code", code)
    await page.click("form button[type=submit]")
    await page.wait_for_selector("text=已登记在")
