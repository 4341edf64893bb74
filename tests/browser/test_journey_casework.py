"""Journeys in a browser: a legal reviewer stops a removal; a published result is corrected."""

import asyncpg
from litestar import Litestar
from playwright.async_api import Browser, expect

from backend.services import publications
from backend.services.publications import Content
from inspection_plans.loader import load
from tests import casework
from tests.backend.test_case_deeds import a_trial
from tests.browser.phones import needs_chromium
from tests.browser.test_check_page import fits, served
from tests.browser.test_journey_supervisor import at_the_desk, opened, press
from tests.conftest import StillClock

OPINION = "证据不足以证明虚假宣传，请补充调查。"
PROPOSED = "建议退出培训机构目录。"


@needs_chromium
async def test_a_legal_reviewer_stops_the_proposal_of_a_removal(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    await trial.investigated()
    await trial.discussed()
    await trial.heard("removal")
    office = trial.matter.office
    async with (
        served(app) as site,
        at_the_desk(chromium, site, office.legal) as legal,
        at_the_desk(chromium, site, office.approver) as approver,
    ):
        await legal.click("main a.row[href*='/desk/cases']")
        await legal.click("main a.row >> nth=0")
        await opened(legal, "法制审核")
        await legal.check("input[name=cleared][value=false]")
        await legal.fill("#deed-legal-opinion", OPINION)
        await legal.click("#form-deed-legal button")
        await expect(legal.locator(".timeline")).to_contain_text(OPINION)
        await approver.goto(f"{site}/desk/cases/{trial.case.id}")
        await opened(approver, "退出目录建议")
        await approver.fill("#deed-proposal-text", PROPOSED)
        await approver.fill("#deed-proposal-remedies", "可以申请行政复议或者提起行政诉讼。")
        await approver.click("#form-deed-proposal button")
        await expect(approver.locator("form [role=alert]")).to_contain_text("法制审核未通过")
        assert await approver.input_value("#deed-proposal-text") == PROPOSED
        assert await fits(approver)
    assert await trial.state() == "verified"


@needs_chromium
async def test_a_published_result_is_corrected_at_the_desk(
    app: Litestar, chromium: Browser, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    office, at = matter.office, clock()
    content = Content(wordings=("correction_ordered",))
    first = await publications.prepare(
        "result", matter.visit, content, rules=load(), act=office.author.act(at)
    )
    await publications.approve(first.id, digest=first.digest, act=office.approver.act(at))
    await publications.publish(first.id, act=office.author.act(at))
    async with (
        served(app) as site,
        at_the_desk(chromium, site, office.author) as author,
        at_the_desk(chromium, site, office.approver) as approver,
    ):
        await author.goto(f"{site}/desk/publications/{first.id}")
        await opened(author, "更正")
        await author.fill("#correct-reason", "用语选错")
        await author.uncheck("#correct-w-correction_ordered")
        await author.check("#correct-w-further_handling")
        await author.click("#form-correct button")
        await expect(author.locator("ins")).to_contain_text("后续处理")
        preview = author.url.split("?")[0]
        await approver.goto(preview)
        await press(approver, "approve")
        await author.goto(preview)
        await press(author, "publish")
        await author.goto(f"{site}/publications/{first.id}")
        await author.click("main a >> text=查看更正后")
        shown = await author.inner_text("main")
        assert "用语选错" in shown
        assert "发现问题待后续处理" in shown
