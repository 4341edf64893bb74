"""axe-core over every page that people sign in to or may read: 0 violations, nothing sticks out.

The phone's own pages are held to the same in ``test_phone_pages.py``.
"""

import os
from pathlib import Path

import asyncpg
import pytest
from litestar import Litestar
from playwright.async_api import Browser, Page

from tests import casework, world
from tests.backend.test_pages import published
from tests.browser.axe import overflow, violations
from tests.browser.phones import needs_chromium
from tests.browser.test_check_page import served
from tests.browser.test_journey_portal import sign_in
from tests.conftest import StillClock
from tests.screens.desk import named
from tests.screens.public import PAGES
from tests.screens.site import Look, first_row, menu

# As most see it, on a narrow dark screen, with text twice as large, and both at once.
PLAIN = Look("plain", 1280, 900, "light")
NARROW = Look("narrow", 320, 640, "dark")
LARGE = Look("large", 1280, 900, "dark")
BOTH = Look("both", 320, 640, "light")
SLOW = (PLAIN, LARGE, BOTH)
LOOKS = [NARROW, *(pytest.param(look, marks=pytest.mark.slow) for look in SLOW)]
# Narrow and with large text every day; all the others in the long run.
EVERY_DAY = {
    "desk",
    "desk-visits",
    "desk-visits-one",
    "desk-notices-one",
    "desk-imports",
    "portal",
    "portal-notices-one",
    "front",
    "tips",
    "desk-sign-in",
}
DRAWERS = ("details.menu > summary", "details.who > summary")
DESK_ROLES = ("supervisor", "approver", "legal", "publisher", "sysadmin", "secadmin", "auditadmin")
TWICE = "document.documentElement.style.fontSize = '200%'"


class Eye:
    """Looks at pages, each once, and notes what is wrong with them."""

    def __init__(self, page: Page, site: str, look: Look) -> None:
        self.page = page
        self.site = site
        self.look = look
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    async def at(self, path: str) -> None:
        """One page: no violation, and nothing beyond the right edge."""
        name = named(path) or "front"
        if name in self.seen:
            return
        self.seen.add(name)
        answer = await self.page.goto(self.site + path)
        assert answer is not None
        if not answer.ok:
            self.wrong.append(f"{path}: {answer.status}")
            return
        if self.look in (LARGE, BOTH):
            await self.page.evaluate(TWICE)
        await self.judged(path)
        await self.keep(name)
        if self.look == NARROW and name in EVERY_DAY:
            await self.page.evaluate(TWICE)
            await self.judged(f"{path} twice as large")
        if self.look == BOTH or name in EVERY_DAY:
            await self.drawers(path)

    async def judged(self, path: str) -> None:
        """The page as it stands."""
        self.wrong += [f"{path}: {one}" for one in await violations(self.page)]
        self.wrong += [f"{path}: sticks out {one}" for one in await overflow(self.page)]

    async def drawers(self, path: str) -> None:
        """The menu and the person's drawer, where there are any, open."""
        for drawer in DRAWERS:
            if await self.page.locator(drawer).is_visible():
                await self.page.click(drawer)
                found = await overflow(self.page)
                self.wrong += [f"{path} {drawer}: sticks out {one}" for one in found]

    async def keep(self, name: str) -> None:
        """A picture, where somebody wants to look."""
        if folder := os.environ.get("MINGCHA_SHOTS"):
            file = Path(folder) / f"{name}-{self.look.mark}.png"
            await self.page.screenshot(path=file, full_page=True)

    async def all_of_menu(self) -> None:
        """Every page of the side menu, and the first thing of each list."""
        await self.page.wait_for_selector("nav.side", state="attached")
        for path in await menu(self.page):
            await self.at(path)
            row = await first_row(self.page)
            if row and row.startswith(("/desk", "/portal")):
                await self.at(row)


async def eyes(browser: Browser, site: str, look: Look) -> Eye:
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        reduced_motion="reduce",
        locale="zh-CN",
    )
    return Eye(await context.new_page(), site, look)


async def public(browser: Browser, site: str, look: Look, also: tuple[str, ...]) -> list[str]:
    eye = await eyes(browser, site, look)
    for path in (*PAGES.values(), *also):
        if path != "/tour":  # a played year alone has it
            await eye.at(path)
            if look == PLAIN:
                await eye.at(path + ("&" if "?" in path else "?") + "lang=en")
    await eye.page.context.close()
    return eye.wrong


async def inside(
    browser: Browser, site: str, look: Look, people: dict[str, world.Login]
) -> list[str]:
    wrong: list[str] = []
    seen: set[str] = set()
    for role, who in people.items():
        eye = await eyes(browser, site, look)
        eye.seen = seen
        await sign_in(eye.page, site, who)
        await eye.page.wait_for_selector("nav.side", state="attached")
        await eye.all_of_menu()
        wrong += [f"{role} {line}" for line in eye.wrong]
        await eye.page.context.close()
    return wrong


async def a_staff(matter: casework.Matter, clock: StillClock) -> dict[str, world.Login]:
    """Somebody of each role in the matter's office, and the institution's user."""
    office = matter.office
    held = {"supervisor": office.author, "approver": office.approver, "legal": office.legal}
    for role in DESK_ROLES[3:]:
        held[role] = await world.a_person(clock(), role, region=office.region, office=office.id)
    return {**held, "institution_user": matter.user}


@needs_chromium
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.mark)
async def test_no_page_of_the_desk_or_the_portal_shuts_anybody_out(
    look: Look,
    app: Litestar,
    chromium: Browser,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_03")
    await casework.served(matter, clock())
    people = await a_staff(matter, clock)
    async with served(app) as site:
        assert await inside(chromium, site, look, people) == []


@needs_chromium
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.mark)
async def test_no_public_page_shuts_anybody_out(
    look: Look,
    app: Litestar,
    chromium: Browser,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> None:
    second = await published(owner, clock)
    also = (
        f"/publications/{second.id}",
        f"/publications/{second.corrects}",
        "/clauses/weihai-2023-25/2/catalogue-only",
    )
    async with served(app) as site:
        assert await public(chromium, site, look, also) == []
