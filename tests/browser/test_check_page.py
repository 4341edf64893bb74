"""The page "check it yourself" in a real browser: a true record is green, a changed one red."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from backend.pages import scripts
from backend.services import disclosure, draws
from backend.services.records.draws import DrawRecord
from tests import drawing
from tests.conftest import StillClock
from tests.inspection_plans.draw.cases import Office

CHROMIUM = shutil.which("chromium")
WHY = "no chromium here (Debian: apt install chromium fonts-noto-cjk); the page was not tried"
needs_chromium = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason=WHY)
LOOKS = [(320, 640, "light"), (390, 844, "dark"), (1440, 900, "light")]


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[str]:
    """The app on a free port of loopback; its lifespan is held by the fixture."""
    config = uvicorn.Config(app, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    # A connection made before the server is up waits in the socket's queue.
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    assert CHROMIUM, WHY
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, address: str, *, said_about: str = "nothing", **context: Any
) -> AsyncIterator[Page]:
    """A page with nothing on its console but `said_about`: no fault, nothing kept out."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        said.append(message.text)

    one = await browser.new_context(**context)
    page = await one.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    await page.goto(address)
    yield page
    assert [text for text in said if said_about not in text] == []
    await one.close()


async def a_disclosed_draw(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> DrawRecord:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, 7))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    draw = await drawing.throw_dice(office, draw)
    draw = await draws.run(draw.id, act=office.act, keys=office.keys)
    await owner.execute("update visit set state = 'concluded'")
    return await disclosure.disclose(draw.id, act=office.act, keys=office.keys)


async def changed(draw: DrawRecord, folder: Path) -> Path:
    """The draw's public page with another institution drawn."""
    page = json.loads((await disclosure.page(draw.code)).body)
    part = page["record"]["selection"][0]
    part["random"][0], part["reserve"][0] = part["reserve"][0], part["random"][0]
    file = folder / "changed.json"
    file.write_text(json.dumps(page), encoding="utf-8")
    return file


async def verdict(page: Page) -> str:
    """Start the check and read what it says."""
    await page.click("form#check button")
    await page.wait_for_selector("#verdict, #result .error")
    return await page.inner_text("#result")


async def told(page: Page, state: str) -> list[str]:
    """The checks that ended in a state, in the order shown."""
    found: list[str] = await page.locator(f'li[data-state="{state}"]').evaluate_all(
        "all => all.map(one => one.dataset.check)"
    )
    return found


async def fits(page: Page) -> bool:
    """Nothing sticks out to the right."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@needs_chromium
async def test_a_true_record_is_green_and_a_changed_one_red(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    draw = await a_disclosed_draw(app, clock, owner)
    forged = await changed(draw, tmp_path)
    async with served(app) as site, chromium() as browser:
        for width, height, scheme in LOOKS:
            looks = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            async with opened(browser, f"{site}/draws/{draw.code}/check", **looks) as page:
                said = await verdict(page)
                assert "验证通过" in said
                assert "等级 C" in said
                assert f"抽取编号 {draw.code}，来自 本网站的公开记录" in said
                assert await page.locator("#result .verdict.ok").count() == 1
                assert await told(page, "bad") == []
                assert (await told(page, "ok"))[:3] == ["shape", "chain", "signatures"]
                assert await page.evaluate("document.activeElement.id") == "verdict"
                assert await fits(page)
                await page.screenshot(path=shot(f"true-{width}"), full_page=True)
                await page.set_input_files("#file", forged)
                said = await verdict(page)
                assert "验证不通过" in said
                assert "来自 changed.json" in said
                assert await page.locator("#result .verdict.danger").count() == 1
                assert await told(page, "bad") == ["result"]
                assert "按种子重新抽取得到不同的 抽中名单" in said
                assert await fits(page)
                await page.screenshot(path=shot(f"changed-{width}"), full_page=True)


def shot(name: str) -> Path | None:
    """Where a picture goes when somebody wants to look; nowhere otherwise."""
    folder = os.environ.get("MINGCHA_SHOTS")
    return Path(folder) / f"check-{name}.png" if folder else None


@needs_chromium
async def test_the_head_on_paper_counts_and_the_page_speaks_english(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    draw = await a_disclosed_draw(app, clock, owner)
    async with served(app) as site, chromium() as browser:
        address = f"{site}/draws/{draw.code}/check?lang=en"
        async with opened(browser, address, locale="en") as page:
            said = await verdict(page)
            assert "no head was given" in said
            head = str(draw.head)[:16].upper()
            await page.fill("#head", f"{head[:8]} {head[8:]}")
            said = await verdict(page)
            assert "Verified: everything checked holds" in said
            assert "no head was given" not in said
            await page.fill("#head", "0" * 16)
            said = await verdict(page)
            assert "NOT verified" in said
            assert "is not in this log" in said
            await page.screenshot(path=shot("english"), full_page=True)


@needs_chromium
async def test_what_cannot_be_checked_is_said_in_words(
    app: Litestar, clock: StillClock, tmp_path: Path
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, 7))
    sealed = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    noise = tmp_path / "noise.json"
    noise.write_text("<b>not a record</b>", encoding="utf-8")
    async with served(app) as site, chromium() as browser:
        async with opened(browser, f"{site}/draws/{sealed.code}/check") as page:
            assert "尚未公开" in await verdict(page)
        unknown = f"{site}/draws/2099-Q1-01/check"
        async with opened(browser, unknown, said_about="404") as page:
            assert "没有找到这次抽取的记录" in await verdict(page)
        async with opened(browser, f"{site}/draws/check") as page:
            assert "请先选择一个记录文件" in await verdict(page)
            await page.set_input_files("#file", noise)
            assert "这不是抽取记录" in await verdict(page)


# Counts what the page itself did meanwhile, and what it said.
WATCH = """
  window.beats = 0;
  window.said = new Set();
  const beat = () => { window.beats += 1; requestAnimationFrame(beat); };
  requestAnimationFrame(beat);
  const status = document.getElementById("status");
  new MutationObserver(() => window.said.add(status.textContent)).observe(status, {
    childList: true,
  });
"""


@needs_chromium
async def test_the_page_stays_alive_and_tells_how_far_it_is(app: Litestar, tmp_path: Path) -> None:
    office = Office()
    office.frames["objects"] = [{"id": f"9137{n:05d}/T", "stratum": "S1"} for n in range(8000)]
    office.frames["inspectors"][0]["cap"] = office.frames["inspectors"][1]["cap"] = 5000
    office.year()
    office.result(office.attempt())
    file = tmp_path / "record.json"
    file.write_text(json.dumps(office.record()), encoding="utf-8")
    async with (
        served(app) as site,
        chromium() as browser,
        opened(browser, f"{site}/draws/check") as page,
    ):
        await page.evaluate(WATCH)
        await page.set_input_files("#file", file)
        assert "验证通过" in await verdict(page)
        assert await page.evaluate("window.beats") >= 10
        said = await page.evaluate("[...window.said]")
        assert "正在核对：冻结的名录" in said
        assert "正在核对：按记录重新抽取" in said
        assert await page.inner_text("#status") == ""
        assert not await page.is_visible("#progress")


@needs_chromium
async def test_without_script_the_page_says_how_to_check(app: Litestar) -> None:
    async with served(app) as site, chromium() as browser:
        address = f"{site}/draws/2026-Q1-01/check"
        async with opened(browser, address, java_script_enabled=False) as page:
            assert not await page.is_visible("form#check")
            text = await page.inner_text("main")
            assert "没有启用脚本" in text
            assert "python3 verify_draw.py record.json" in text
            assert await page.locator('a[href="/verify_draw.py"]').count() == 1


async def test_the_page_and_its_scripts_answer_under_a_strict_policy(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/draws/2026-Q1-01/check?attempt=2&lang=en")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "/api/v1/public/draws/2026-Q1-01?attempt=2" in answer.text
    again = {"If-None-Match": answer.headers["etag"]}
    kept = await client.get("/draws/2026-Q1-01/check?attempt=2&lang=en", headers=again)
    assert (kept.status_code, kept.content) == (304, b"")
    for name in scripts.files():
        script = await client.get(scripts.address(name))
        assert script.status_code == 200, name
        assert script.headers["content-type"].startswith("text/javascript")
        assert "immutable" in script.headers["cache-control"]
    assert (await client.get("/assets/0000/js/draw.js")).status_code == 404
    wrong = f"/assets/{scripts.version()}/js/%2e%2e/scripts.py"
    assert (await client.get(wrong)).status_code == 404
    with pytest.raises(KeyError):
        scripts.address("nothing.js")


async def test_the_separate_program_is_served_as_it_was_built(client: httpx.AsyncClient) -> None:
    answer = await client.get("/verify_draw.py")
    assert answer.headers["content-disposition"] == 'attachment; filename="verify_draw.py"'
    page = await client.get("/draws/check")
    assert answer.headers["etag"].strip('"') in page.text
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get("/verify_draw.py", headers=again)).status_code == 304
    compile(answer.text, "verify_draw.py", "exec")
