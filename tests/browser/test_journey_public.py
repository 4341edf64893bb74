"""Journeys of the public in a browser: a draw, a tip without script, a correction."""

import asyncpg
from litestar import Litestar
from playwright.async_api import Browser

from backend.services import publications
from backend.services.publications import Content
from inspection_plans.loader import load
from tests import casework, world
from tests.backend.test_pages import published
from tests.browser.phones import needs_chromium
from tests.browser.test_check_page import a_disclosed_draw, fits, served, verdict
from tests.conftest import StillClock


async def a_public_draw(app: Litestar, clock: StillClock, owner: asyncpg.Connection) -> str:
    """A draw that was disclosed and published; its code."""
    draw = await a_disclosed_draw(app, clock, owner)
    author = await world.a_person(clock(), "supervisor", region=draw.region)
    approver = await world.a_person(clock(), "approver", region=draw.region)
    made = await publications.prepare(
        "draw", draw.id, Content(), rules=load(), act=author.act(clock())
    )
    await publications.approve(made.id, digest=made.digest, act=approver.act(clock()))
    await publications.publish(made.id, act=author.act(clock()))
    return draw.code


@needs_chromium
async def test_a_citizen_finds_a_draw_and_checks_it(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    code = await a_public_draw(app, clock, owner)
    async with served(app) as site:
        page = await chromium.new_page(locale="zh-CN")
        await page.goto(site)
        await page.click("nav.ways a >> text=验证抽取")
        assert code in await page.inner_text("main")
        await page.click("main a >> text=自己验证")
        said = await verdict(page)
        assert "验证通过" in said
        assert code in said
        await page.close()


@needs_chromium
async def test_a_tip_is_sent_and_its_answer_read_without_script(
    app: Litestar, chromium: Browser, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    async with served(app) as site:
        context = await chromium.new_context(
            java_script_enabled=False, viewport={"width": 320, "height": 640}
        )
        page = await context.new_page()
        await page.goto(site)
        await page.click("nav.ways a >> text=投诉举报")
        await page.select_option("#tip-category", "loan")
        await page.fill("#tip-about", "海岬职业培训学校")
        await page.select_option("#tip-region", str(office.region))
        await page.fill("#tip-text", "要求学员贷款交费，说保证通过考试。")
        await page.click("main form button")
        code = await page.inner_text(".big-code code")
        await page.click("main a >> text=已有回执码")
        await page.fill("#code-code", code)
        await page.click("main form button")
        assert "还没有答复" in await page.inner_text("main")
        assert code not in page.url
        await page.fill("#more-text", "补充：合同还有三份。")
        await page.click("main form button")
        assert "补充：合同还有三份。" in await page.inner_text("main")
        await context.close()


@needs_chromium
async def test_a_corrected_result_shows_both(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    second = await published(owner, clock)
    async with served(app) as site:
        page = await chromium.new_page(locale="zh-CN", viewport={"width": 390, "height": 844})
        await page.goto(f"{site}/publications/{second.corrects}")
        assert "这份公示已被更正" in await page.inner_text("main")
        await page.click("main a >> text=查看更正后")
        both = await page.inner_text(".twin")
        assert "发现问题已责令改正" in both
        assert "发现问题待后续处理" in both
        assert "<b>用语</b>" in await page.inner_text("main")
        assert await fits(page)
        await page.close()
