"""A supervisor's year in small, two editors of one plan, and the auditor: in a real browser."""

from pathlib import Path

import asyncpg
from litestar import Litestar
from playwright.async_api import Browser, Page

from backend.services import exports
from tests import drawing, world
from tests.browser.test_check_page import chromium, needs_chromium, opened, served
from tests.conftest import StillClock, Work

INSTITUTION = {
    "name": "虚构培训机构",
    "kinds": "training",
    "home_region": "370000",
    "fictional": "yes",
}
LISTED = {
    "kind": "training",
    "occupation": "ai",
    "levels": "junior",
    "listed_on": "2025-01-01",
    "valid_until": "2027-12-31",
    "source_notice": "虚构公告1号",
}
INSPECTOR = {
    "name": "虚构人员",
    "department": "hr",
    "unit": "虚构执法支队",
    "licence_until": "2028-12-31",
    "lead": "yes",
    "areas": "370000",
    "cap": "12",
}
WIDE = {"viewport": {"width": 1440, "height": 900}}


def code(number: int) -> dict[str, str]:
    """The valid code of an invented institution, as a cell."""
    return {"credit_code": drawing.credit_code(number)}


async def signed_in(page: Page, site: str, who: world.Login) -> None:
    """Sign in by the form, with the keyboard alone."""
    await page.goto(f"{site}/desk/sign-in")
    await page.focus("#login")
    await page.keyboard.type(who.login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(who.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site}/desk")


async def imported(page: Page, site: str, work: Work, kind: str, file: Path) -> None:
    """Try a file, then import the very same bytes."""
    await page.goto(f"{site}/desk/imports")
    await page.select_option("#send-kind", kind)
    await page.set_input_files("#send-file", file)
    await page.click("#form-send button")
    await page.wait_for_url("**/desk/imports/*")
    await work.drain()
    await page.reload()
    await page.get_by_role("button", name="导入此文件").click()
    await page.wait_for_load_state()
    await work.drain()
    await page.reload()
    assert "已导入" in await page.inner_text("main")


async def planned(page: Page, site: str) -> str:
    """A plan by its form: the address of its page."""
    await page.goto(f"{site}/desk/plans/new")
    for name, value in {
        "title": "一季度培训机构抽查",
        "code": "2026-Q1-01",
        "year": "2026",
        "period": "第一季度",
        "window_from": "2026-03-09",
        "window_until": "2026-04-30",
        "fire_on": "2026-03-02T10:00",
        "s0_name": "全部",
        "s0_ratio": "1/2",
        "e0_ref": "会议室 2026-03-02",
    }.items():
        await page.fill(f"#plan-{name}", value)
    await page.select_option("#plan-v_training_kind", "training_site")
    await page.select_option("#plan-v_training_sheet", "TI")
    await page.select_option("#plan-e0_source", "dice")
    await page.get_by_role("button", name="保存草稿").click()
    await page.wait_for_url(lambda url: url.split("?")[0].count("-") >= 4)
    return page.url


@needs_chromium
async def test_from_a_file_to_a_draw(
    app: Litestar, clock: StillClock, work: Work, tmp_path: Path
) -> None:
    office = await world.an_office(clock())
    supervisor = await world.a_person(clock(), "supervisor", office=office)
    approver = await world.a_person(clock(), "approver", office=office)
    rows = {
        "institutions": [{**INSTITUTION, **code(number)} for number in range(1, 7)],
        "catalogue": [{**LISTED, **code(number)} for number in range(1, 7)],
        "inspectors": [
            {**INSPECTOR, "staff_code": f"S{number}", "licence_no": f"LIC-{number}"}
            for number in range(1, 5)
        ],
    }
    async with served(app) as site, chromium() as browser:
        async with opened(browser, site, **WIDE) as page:
            await signed_in(page, site, supervisor)
            for kind, cells in rows.items():
                file = tmp_path / f"{kind}.csv"
                file.write_bytes(exports.write(kind, cells, "csv"))
                await imported(page, site, work, kind, file)
            plan = await planned(page, site)
            await page.fill("#simulate-years", "3")
            await page.get_by_role("button", name="开始推演").click()
            await page.wait_for_url("**/desk/simulations/*")
            await work.drain()
            await page.reload()
            assert await page.locator("figure.plot svg").count() >= 3
            await page.goto(plan)
            await page.get_by_role("button", name="提交审批").click()
            await page.get_by_text("等待另一人审批").wait_for()
            assert await page.get_by_role("button", name="批准").count() == 0
        await _approved(browser, site, approver, plan)
        clock.tick(hours=2)
        async with opened(browser, site, **WIDE) as page:
            await signed_in(page, site, supervisor)
            await page.goto(plan)
            await page.get_by_role("button", name="冻结名录").click()
            await page.wait_for_url("**/desk/draws/*")
            await page.fill("[name=value]", drawing.DIGITS)
            await page.fill("[name=witnesses]", "\n".join(drawing.WITNESSES))
            await page.get_by_role("button", name="录入").click()
            await page.get_by_text("随机值已写入公开记录").wait_for()
            await work.drain()
            await page.get_by_text("检查组（化名）").wait_for()  # the room follows by itself
            assert "虚构培训机构" not in await page.inner_text("main")


async def _approved(browser: Browser, site: str, who: world.Login, plan: str) -> None:
    async with opened(browser, site, **WIDE) as page:
        await signed_in(page, site, who)
        await page.goto(plan)
        await page.get_by_role("button", name="批准").click()
        await page.get_by_text("到抽取时间自动冻结名录").wait_for()


@needs_chromium
async def test_two_supervisors_edit_one_plan(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    colleague = await world.a_person(clock(), "supervisor", office=office.id)
    # What the browser's console says of the refusal is its status.
    said = {"said_about": "409"}
    async with (
        served(app) as site,
        chromium() as browser,
        opened(browser, site, **WIDE) as one,
        opened(browser, site, **said, **WIDE) as other,
    ):
        await signed_in(one, site, office.supervisor)
        await signed_in(other, site, colleague)
        plan = await planned(one, site)
        for page in (one, other):
            await page.goto(f"{plan.split('?')[0]}/edit")
        await one.fill("#plan-title", "甲的名称")
        await one.fill("#plan-s0_ratio", "1/4")
        await one.get_by_role("button", name="保存草稿").click()
        await one.get_by_text("保存为新版本").wait_for()
        await other.fill("#plan-title", "乙的名称")
        await other.get_by_role("button", name="保存草稿").click()
        await other.locator("#joined").wait_for()
        assert "甲的名称" in await other.inner_text("#joined")
        assert await other.input_value("#plan-title") == "乙的名称"
        assert await other.input_value("#plan-s0_ratio") == "1/4"
        await other.get_by_role("button", name="保存合并后的草稿").click()
        await other.get_by_text("保存为新版本").wait_for()
        shown = await other.inner_text("main")
        assert "乙的名称" in shown
        assert "1/4" in shown


@needs_chromium
async def test_the_audit_administrator_checks_the_log(
    app: Litestar, clock: StillClock, work: Work, owner: asyncpg.Connection
) -> None:
    auditor = await world.a_person(clock(), "auditadmin")
    await work.drain()
    async with (
        served(app) as site,
        chromium() as browser,
        opened(browser, site, **WIDE) as page,
    ):
        await signed_in(page, site, auditor)
        await page.goto(f"{site}/desk/log")
        await page.get_by_role("button", name="立即核查整个日志").click()
        await page.get_by_text("正在后台进行").wait_for()
        await work.drain()
        await page.locator("#checks article").wait_for()  # the page looks again by itself
        # Heads that other tests left in the store are faults of this one's new log.
        assert "重算" in await page.inner_text("#checks article")
        await page.get_by_role("link", name="查看日志条目").click()
        assert "log.check_ordered" in await page.inner_text("main")
        assert await owner.fetchval("select count(*) from aud.verification") == 1
