"""The demo world that is shown: servers with a played year, its logins, and one way to a page."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, NamedTuple

import httpx
import msgspec
from playwright.async_api import Browser, BrowserContext, Page

from seed.report import ROLES, Report

ROOT = Path(__file__).parents[2]
DATA = ROOT / ".data" / "screens"
PORT = 8790
BASE = f"http://127.0.0.1:{PORT}"
PLAY_S = 600
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
Scheme = Literal["light", "dark"]


class Look(NamedTuple):
    """How a page is looked at; ``mark`` goes into the name of the picture."""

    mark: str
    width: int
    height: int
    scheme: Scheme


DESK = (Look("light", 1440, 900, "light"), Look("dark", 1440, 900, "dark"))
PHONE = Look("phone", 390, 844, "light")


@contextmanager
def served() -> Iterator[str]:
    """Play the year once, serve it, and stop it again; yields the address."""
    command = [sys.executable, "-m", "seed", "--data", str(DATA), "--port", str(PORT)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr)
    try:
        _await(child)
        yield BASE
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=60)


def _await(child: subprocess.Popen[bytes]) -> None:
    """Until the site answers; raises RuntimeError when the play ended or takes too long."""
    until = monotonic() + PLAY_S
    while monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the demo world ended with {child.returncode}")
        try:
            if httpx.get(f"{BASE}/", trust_env=False, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            sleep(1)
    raise RuntimeError("the demo world did not begin to answer")


def report() -> Report:
    """What the play printed: logins and their one password."""
    found = Path(os.environ.get("MINGCHA_SCREENS_DATA", DATA)) / "played.json"
    return msgspec.json.decode(found.read_bytes(), type=Report)


def login(role: str, office: str = "") -> str:
    """A login that holds a role, of an office whose name begins so."""
    wanted = ROLES[role]
    return next(
        one.login
        for one in report().logins
        if one.role == wanted and one.office.startswith(office)
    )


@asynccontextmanager
async def browsing(browser: Browser, look: Look) -> AsyncIterator[BrowserContext]:
    """A context that looks this way."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        locale="zh-CN",
        reduced_motion="reduce",
    )
    try:
        yield context
    finally:
        await context.close()


async def sign_in(page: Page, base: str, role: str) -> None:
    """Sign in by the form as somebody of a role."""
    await page.goto(f"{base}/desk/sign-in")
    await page.fill("#login", login(role))
    await page.fill("#password", report().password)
    await page.click("main form button")
    await page.wait_for_url(re.compile(r"/(desk|portal)$"))


async def shot(page: Page, folder: Path, name: str, look: Look) -> None:
    """A picture of the whole page."""
    await page.screenshot(path=folder / f"{name}-{look.mark}.png", full_page=True)


async def first_row(page: Page) -> str | None:
    """Where the first row of the page's list leads."""
    rows = page.locator("main a.row")
    return await rows.first.get_attribute("href") if await rows.count() else None


async def menu(page: Page) -> list[str]:
    """The addresses of the side menu, each once."""
    found: list[str] = await page.locator("nav.side a").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    return list(dict.fromkeys(found))
