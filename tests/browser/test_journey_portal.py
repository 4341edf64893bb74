"""A journey in a browser: an institution's answer with evidence, kept while it is written."""

import asyncio

import asyncpg
from litestar import Litestar
from playwright.async_api import Browser, Page, Route

from backend.services import replies
from tests import casework, world
from tests.browser.phones import needs_chromium
from tests.browser.test_check_page import fits, served
from tests.conftest import StillClock, Work
from tests.field import a_jpeg

WORDS = "易拉宝已于三月二日撤除，合同条款已经删去。"


async def sign_in(page: Page, site: str, who: world.Login) -> None:
    """Sign in by the form."""
    await page.goto(f"{site}/desk/sign-in")
    await page.fill("#login", who.login)
    await page.fill("#password", who.password)
    await page.click("main form button")


@needs_chromium
async def test_an_institution_answers_with_evidence_and_keeps_a_receipt(
    app: Litestar,
    chromium: Browser,
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    finding = str(matter.findings[0].id)
    form = f"section[id='{finding}'] form"
    async with served(app) as site:
        context = await chromium.new_context(locale="zh-CN")
        page = await context.new_page()
        await sign_in(page, site, matter.user)
        await page.wait_for_url("**/portal")
        typed = asyncio.Event()

        async def late(route: Route) -> None:
            await typed.wait()
            await route.continue_()

        await page.route("**/portal/draft.js", late)
        await page.click(f"main a.row >> text={notice.number}")
        await page.fill(f"{form} textarea", WORDS)
        typed.set()  # a slow line: the script comes after the words
        await page.wait_for_selector(f"{form} [data-state] >> text=已自动保存")
        await page.reload()  # the page dies: what was written is there
        assert await page.input_value(f"{form} textarea") == WORDS
        photo = {"name": "撤除后.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg()}
        await page.set_input_files(f"{form} input[type=file]", photo)  # type: ignore[arg-type]
        await page.click(f"{form} button")
        await page.wait_for_selector("text=草稿已保存，还没有发送")
        await work.drain()
        await page.reload()
        assert "已核验" in (text := await page.inner_text(form)) or "已封存" in text
        assert await fits(page)
        await page.click("section[id='send'] button")
        await page.wait_for_selector("section >> text=回执写明时间和内容摘要")
        async with page.expect_download() as taken:
            await page.click("main table a >> text=下载")
        assert (await taken.value).suggested_filename.startswith("receipt-")
        (sent,) = await replies.of(notice.id, act=matter.user.act(clock()))
        assert (sent.state, sent.text, len(sent.evidence)) == ("submitted", WORDS, 1)
        assert sent.digest in await page.inner_text("main")
        await context.close()
