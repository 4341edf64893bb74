"""Pictures of the inspector's phone, page by page through one visit.

In the demo's year every visit is over, so the phone gets a small world of its own.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
import msgspec
from playwright.async_api import Browser, Page, async_playwright

from backend.app import create_app
from backend.clock import new_id
from backend.embedded.supervisor import start
from backend.services.schema import migrate
from backend.settings import Settings
from inspection_plans.loader import applied_sheet, jurisdiction_of, load
from media.bucket import Bucket
from tests import world
from tests.backend.desk import Desk
from tests.browser import phones
from tests.browser.stage import Kit, Stage, at_work
from tests.conftest import BROWSED, StillClock, Work, lived, superuser

LOOKS = ("light", "dark")
SETTLE_MS = 500


class Sight(NamedTuple):
    """One page: the picture's name, its place, and what is on it once it is drawn."""

    name: str
    place: str
    shown: str


PAGES = (
    Sight("today", "/", "ul.cards a"),
    Sight("task", "", "ol.steps"),
    Sight("arrival", "arrival", ".note"),
    Sight("checklist", "checklist", "#TI-02"),
    Sight("roll-call", "roll", ".person"),
    Sight("ask", "ask", ".card"),
    Sight("advert", "advert", "textarea"),
    Sight("papers", "papers", ".steps"),
    Sight("interview", "papers/interview", ".card textarea"),
    Sight("preservation", "papers/preservation", ".card"),
    Sight("obstruction", "papers/obstruction", "textarea"),
    Sight("recusal", "papers/recusal", "textarea"),
    Sight("record", "record", ".steps"),
    Sight("reading", "record/reading", "article"),
    Sight("sign", "record/sign/party", "canvas"),
    Sight("colleague", "record/colleague", "input[value=helper]"),
    Sight("records", "/records", "ul.cards a"),
    Sight("queue", "/queue", "main"),
    Sight("settings", "/settings", "input[name=theme]"),
)


async def shoot(_browser: Browser, _base: str, folder: Path) -> None:
    """Every page of the phone in both themes, with something done on it.

    In a browser of its own, which has a camera.
    """
    async with async_playwright() as driver:
        eyes = await driver.chromium.launch(executable_path=phones.CHROMIUM, args=phones.ARGS)
        await _every_page(eyes, folder)
        await eyes.close()


async def _every_page(browser: Browser, folder: Path) -> None:
    version = applied_sheet("TI", jurisdiction_of(world.SHANDONG), datetime.now(UTC).date())[0]  # noqa: TID251 - the browser has the real time
    async with _a_kit(browser) as kit, at_work(kit, roster=True, version=version) as stage:
        await _door(stage, folder)
        await stage.fetched()
        await _done(stage)
        for scheme in LOOKS:
            await stage.page.emulate_media(color_scheme=scheme)
            for sight in PAGES:
                await stage.open(sight.place)
                await stage.page.wait_for_selector(sight.shown)
                await _picture(stage.page, folder, f"{sight.name}-{scheme}")
            await _sheets(stage, folder, scheme)


@contextlib.asynccontextmanager
async def _a_kit(browser: Browser) -> AsyncIterator[Kit]:
    """Servers of their own, the app on the browsed origin, a supervisor's desk."""
    home = Path(tempfile.mkdtemp(prefix="mingcha-screens-"))
    clock = StillClock()
    clock.set(datetime.now(UTC))  # noqa: TID251 - the browser has the real time
    with start(home / "servers", origin=BROWSED) as running:
        await migrate(running.pg)
        store = msgspec.structs.replace(running.s3, prefix="screens-")
        bucket = Bucket.of(store)
        await asyncio.to_thread(bucket.ensure_buckets)
        settings = Settings(
            database=running.pg,
            store=store,
            keys=home / "keys",
            origin=BROWSED,
            duties=(),
            log_origin="screens.mingcha.invalid/log",
            secure_cookies=False,
        )
        app = create_app(settings, bucket=bucket, clock=clock, ids=new_id)
        owner = await asyncpg.connect(superuser(running, running.pg.name))
        shelf = phones.Shelf(app)
        async with lived(app), phones.served(shelf), _client(shelf) as client:
            office = await world.an_office(clock())
            who = await world.a_person(clock(), "supervisor", region=world.SHANDONG, office=office)
            desk = Desk(who, clock, load(), owner)
            yield Kit(shelf, browser, clock, desk, client, owner, Work(app.state.jobs))
        await owner.close()


def _client(shelf: phones.Shelf) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=shelf.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BROWSED)


async def _picture(page: Page, folder: Path, name: str) -> None:
    await page.wait_for_timeout(SETTLE_MS)
    await page.screenshot(path=folder / f"phone-{name}.png")


async def _door(stage: Stage, folder: Path) -> None:
    """Signing in, as a phone that is nobody's sees it."""
    context = await stage.kit.chromium.new_context(**phones.SCREEN)
    page = await context.new_page()
    for scheme in LOOKS:
        await page.emulate_media(color_scheme=scheme)
        await page.goto(f"{BROWSED}/phone/")
        await page.wait_for_selector("#login")
        await _picture(page, folder, f"sign-in-{scheme}")
    await context.close()


async def _done(stage: Stage) -> None:
    """A visit that is well on its way."""
    page = stage.page
    await stage.open("arrival")
    await page.wait_for_selector(".note.ok")
    await page.click("footer.act button")
    await page.fill("#shown-to", "校长王某")
    await page.click("form button")
    await stage.open("checklist")
    await page.check("#TI-01 input[type=radio] >> nth=0")
    await page.check("#TI-02 input[type=radio] >> nth=1")
    await page.click("#TI-01 .shots button")
    await page.wait_for_selector(".viewfinder button:enabled >> text=拍照")
    await page.click(".viewfinder button:enabled >> text=拍照")
    await page.wait_for_selector("#TI-01 figure")
    await stage.open("roll")
    await page.wait_for_selector(".person")
    for number in range(6):
        await page.check(f".person >> nth={number} >> input >> nth={2 if number == 1 else 0}")
    await page.click("footer.act button")
    await stage.open("ask")
    await page.click("button:enabled >> nth=-3")
    await page.wait_for_selector(".qr")
    await stage.open("advert")
    await page.fill("textarea", "零基础保過班，不过退款！月薪过万，一次性考核通过率高。")
    await page.wait_for_selector("mark")


async def _sheets(stage: Stage, folder: Path, scheme: str) -> None:
    """What opens over a page: clauses, the viewfinder, the questionnaire in a trainee's hand."""
    page = stage.page
    await stage.open("checklist")
    await page.click("#TI-02 .head button")
    await page.wait_for_selector(".sheet li")
    await _picture(page, folder, f"clauses-{scheme}")
    await page.keyboard.press("Escape")
    await page.click("#TI-02 .shots button")
    await page.wait_for_selector(".viewfinder button:enabled")
    await _picture(page, folder, f"viewfinder-{scheme}")
    await page.click(".viewfinder button >> text=返回")
    await stage.open("ask")
    await page.click("button:enabled >> text=打开问卷并锁定")
    await page.wait_for_selector("input[name=loan]")
    await _picture(page, folder, f"questionnaire-{scheme}")
    await page.click("button >> text=不作答")
    await page.fill("#unlock", "0003")
    await page.click("button >> text=解锁")
    await page.wait_for_selector("text=学员访谈问卷")
