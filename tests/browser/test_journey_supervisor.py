"""Journeys in a browser: from a visit to its published result; two supervisors, one notice."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from litestar import Litestar
from playwright.async_api import Browser, Page, expect

from backend.pages import built
from backend.services import notices
from tests import casework, world
from tests.browser.phones import needs_chromium
from tests.browser.test_check_page import fits, served
from tests.casework import Matter
from tests.conftest import StillClock


@asynccontextmanager
async def at_the_desk(chromium: Browser, site: str, who: world.Login) -> AsyncIterator[Page]:
    """A person's own browser, signed in; nothing but our files may be refused on its console."""
    context = await chromium.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    await page.goto(f"{site}/desk/sign-in")
    await page.fill("#login", who.login)
    await page.fill("#password", who.password)
    await page.press("#password", "Enter")
    await page.wait_for_url("**/desk")
    yield page
    assert faults == []
    await context.close()


async def press(page: Page, form: str) -> None:
    """Send a form of one button with the keyboard alone."""
    await page.focus(f"#form-{form} button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice.ok")


async def opened(page: Page, summary: str) -> None:
    """Open a drawer by its words, with the keyboard alone."""
    await page.locator("summary", has_text=re.compile(f"^{summary}$")).focus()
    await page.keyboard.press("Enter")


async def reviewed(author: Page, site: str, matter: Matter) -> None:
    """The board, the visit and its finding, by the keyboard alone."""
    await author.goto(f"{site}/desk/visits")
    await author.focus("#all ~ .scroll")
    await author.keyboard.press("j")
    await author.keyboard.press("Enter")
    await author.wait_for_url(f"**/desk/visits/{matter.visit}")
    assert await fits(author)
    await author.focus(".jumps a[href='#answers']")
    await author.keyboard.press("Enter")
    await author.keyboard.press("j")
    await expect(author.locator("article.item >> nth=0")).to_be_focused()
    await author.focus("#answers input >> nth=0")
    await author.keyboard.type("kj")  # these letters belong to whoever writes
    assert await author.input_value("#answers input >> nth=0") == "kj"
    await author.keyboard.press("Control+A")
    await author.keyboard.press("Delete")
    await press(author, "accept")
    await author.goto(f"{site}/desk/findings/{matter.findings[0].id}")
    await author.focus("#verify-evidence input")
    await author.keyboard.press("Space")
    await press(author, "verify")


async def ordered(author: Page, approver: Page, matter: Matter, clock: StillClock) -> str:
    """From the verified finding to a served notice; its address."""
    await author.click("a.button >> text=起草通知书")
    await author.fill("#draft-text", "经检查核实，责令限期改正。")
    await author.select_option("#draft-inspection_item", matter.item)
    await author.fill("textarea[id^=draft-demand]", "限期改正")
    await author.fill("textarea[id^=draft-asked]", "整改照片")
    await author.click("main form button >> text=保存草稿")
    await author.wait_for_selector("text=草稿已保存")
    notice = author.url.split("?")[0]
    await approver.goto(notice)
    await press(approver, "approve")
    await author.goto(notice)
    await press(author, "issue")
    await opened(author, "直接送达")
    await author.fill("#serve-in_person-receiver", "李某")
    await author.fill("#serve-in_person-receiver_title", "校长")
    await author.fill("#serve-in_person-served_on", clock().date().isoformat())
    await author.click("#form-serve-in_person button")
    await author.wait_for_selector("text=期限从次日起算")
    return notice


async def settled(author: Page, approver: Page, notice: str) -> None:
    """The overdue notice is taken up, accepted, and closed by another person."""
    await author.reload()
    await expect(author.locator(".titled .tag.danger")).to_contain_text("逾期")
    await press(author, "begin")
    await author.check("input[name=outcome][value=accepted]")
    await author.click("form[id^=form-outcome] button")
    await author.wait_for_selector("text=已记录结论")
    await approver.goto(notice)
    await press(approver, "close")


async def made_public(author: Page, approver: Page, site: str) -> None:
    """The result that is due goes through its preview and approval to the public page."""
    await author.goto(f"{site}/desk/publications")
    await author.click("a.row >> nth=0")
    await author.check("input[value=corrected_on_order]")
    await author.click("#form-content button")
    await author.wait_for_selector("text=公众将看到的全部内容")
    preview = author.url.split("?")[0]
    await approver.goto(preview)
    await press(approver, "approve")
    await author.goto(preview)
    await press(author, "publish")
    await author.click("text=查看公众页面")
    await author.wait_for_url(f"{site}/publications/*")
    assert "海岬职业培训学校" in await author.inner_text("main")


@needs_chromium
async def test_a_visit_becomes_a_published_result(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    await casework.a_piece(owner, visit=matter.visit)
    await owner.execute(
        "update visit set state = 'complete', completed_at = now() where id = $1", matter.visit
    )
    async with (
        served(app) as site,
        at_the_desk(chromium, site, matter.office.author) as author,
        at_the_desk(chromium, site, matter.office.approver) as approver,
    ):
        await reviewed(author, site, matter)
        # How a record comes to be signed is the phone's matter, and tried there.
        await casework.concluded(owner, matter.visit, clock())
        notice = await ordered(author, approver, matter, clock)
        clock.tick(days=40)
        await settled(author, approver, notice)
        await made_public(author, approver, site)


@needs_chromium
@pytest.mark.skipif(built.address("htmx.min.js") is None, reason="the build did not run here")
async def test_the_board_updates_by_itself(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await owner.execute("update visit set state = 'submitted' where id = $1", matter.visit)
    async with (
        served(app) as site,
        at_the_desk(chromium, site, matter.office.author) as page,
    ):
        await page.clock.install()
        await page.goto(f"{site}/desk/visits")
        board = page.locator("#board .counts")
        await expect(board).to_contain_text("待证据")
        await owner.execute("update visit set state = 'complete' where id = $1", matter.visit)
        async with page.expect_response(f"{site}/desk/visits"):
            await page.clock.fast_forward(21_000)
        await expect(board).to_contain_text("待审核")
        await expect(board).not_to_contain_text("待证据")


@needs_chromium
async def test_two_supervisors_edit_one_notice_and_nothing_is_lost(
    app: Litestar,
    chromium: Browser,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> None:
    matter = await casework.a_matter(owner, clock())
    office = matter.office
    draft = await notices.draft(matter.draft(), act=office.author.act(clock()))
    async with (
        served(app) as site,
        at_the_desk(chromium, site, office.author) as one,
        at_the_desk(chromium, site, office.author) as two,
        at_the_desk(chromium, site, office.other) as colleague,
    ):
        edit = f"{site}/desk/notices/{draft.id}/edit"
        for page in (one, two, colleague):
            await page.goto(edit)
        await one.fill("#draft-text", "第一个窗口的正文")
        await one.select_option("#draft-inspection_item", matter.item)
        await one.click("main form button >> text=保存草稿")
        await one.wait_for_selector("text=草稿已保存")
        # The colleague may not write another's words; what was typed is still there.
        await colleague.fill("#draft-text", "同事的建议")
        await colleague.select_option("#draft-inspection_item", matter.item)
        await colleague.click("main form button >> text=保存草稿")
        await colleague.wait_for_selector("form [role=alert]")
        assert await colleague.input_value("#draft-text") == "同事的建议"
        # The same author in a second window sees both, and keeps what is meant.
        await two.fill("#draft-text", "第二个窗口的正文")
        await two.select_option("#draft-inspection_item", matter.item)
        await two.click("main form button >> text=保存草稿")
        await two.wait_for_selector("form [role=alert]")
        assert await two.input_value("#draft-text") == "第二个窗口的正文"
        assert "第一个窗口的正文" in await two.inner_text("main details")
        await two.fill("#draft-text", "第一个窗口的正文；第二个窗口的正文")
        await two.click("main form button >> text=保存草稿")
        await two.wait_for_selector("text=草稿已保存")
    kept = await notices.get(draft.id, act=office.author.act(clock()))
    assert kept.text == "第一个窗口的正文；第二个窗口的正文"
