"""Papers, a refusal and two phones: what is written on the phone is what the server takes."""

from typing import Any

from backend.clock import new_id
from tests.browser import phones
from tests.browser.stage import Kit, Stage, at_work
from tests.browser.test_acceptance_pages import LENS, a_code
from tests.browser.test_phone_pages import looked_at
from tests.conftest import BROWSED
from tests.phone_core import node

APPLIED = "select count(*) from op where status = 'applied' and kind = $1"
BODY = "select body::text from visit_event where kind = $1"


async def body(stage: Stage, kind: str) -> str:
    """The body of the only event of a kind, as the server keeps it."""
    await stage.until(APPLIED, 1, kind)
    found: str = await stage.kit.owner.fetchval(BODY, kind)
    return found


async def recorded(stage: Stage) -> None:
    """Record the paper that is open; the page goes back to where it came from."""
    here = stage.page.url
    await stage.page.click("footer.act button:enabled")
    await stage.page.wait_for_url(lambda url: url != here)


async def test_papers_survive_the_page_and_reach_the_server(kit: Kit) -> None:
    async with at_work(kit) as stage:
        page = stage.page
        await stage.fetched()
        await stage.open("papers/interview")
        await page.wait_for_selector(".card textarea")
        await page.check("input[name=choice] >> nth=0")
        await page.fill("main input[maxlength='40']", "李某")
        await page.fill(".card textarea >> nth=1", "我是本校教师。")
        # What was typed outlives the page.
        page = await stage.reborn("papers/interview")
        await page.wait_for_selector(".card textarea")
        assert await page.input_value(".card textarea >> nth=1") == "我是本校教师。"
        await recorded(stage)
        await page.wait_for_selector("text=已做 1 份")
        await stage.open("papers/preservation")
        await page.fill(".card input >> nth=0", "签到簿")
        await page.fill(".card input >> nth=1", "2 本")
        assert await page.is_disabled("footer.act button")
        await page.fill(".card input >> nth=2", "完好")
        await page.fill("main > label input >> nth=0", "教务处")
        await page.fill("main > label input >> nth=1", "王某")
        await recorded(stage)
        interview = await body(stage, "interview.record")
        assert '"formal":true' in interview.replace(" ", "")
        assert "我是本校教师。" in interview
        assert "签到簿" in await body(stage, "preservation.list")


async def test_a_refusal_needs_a_witness_and_goes_into_the_record(kit: Kit) -> None:
    async with at_work(kit) as stage:
        page = stage.page
        await stage.fetched()
        await stage.open("record/sign/party")
        await page.check("input[name=way][value=refused]")
        await page.fill("textarea", "不认可结果")
        assert await page.is_disabled("footer.act button")
        await page.fill("main input[maxlength='40']", "赵某")
        await recorded(stage)
        await stage.shown(".steps li:last-child", "拒签已记录")
        assert "赵某" in await body(stage, "signature.record")
        # A later answer is not what was refused.
        await stage.open("checklist")
        await stage.yes("TI-01")
        await stage.open("record")
        await stage.shown(".steps li:last-child", "签后有改动")


async def test_a_colleague_s_captures_join_by_code(kit: Kit) -> None:
    async with at_work(kit, everybody=True) as stage:
        page = stage.page
        await stage.fetched()
        other = await stage.colleague()
        [told] = node.call("codes", [listed(str(stage.visit), str(other.dev))])
        assert len(told["codes"]) == 2
        await stage.context.set_offline(True)
        await stage.open("record/colleague")
        for code, said in zip(told["codes"], ("已扫 1 / 2", "已合并 9 件"), strict=True):
            await page.evaluate(LENS, a_code(code))
            await page.click("button >> text=开始扫描")
            await stage.shown("[role=status]", said)
            await page.click("button >> text=停止扫描")
        await page.wait_for_selector("text=合计已合并 9 件")
        await stage.context.set_offline(False)
        assert str(other.dev) in await body(stage, "contributor.list")


async def test_a_trainee_answers_a_slip_on_a_phone_of_their_own(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.open("ask")
        await stage.page.click("button >> text=10 张")
        await stage.until("select count(*) from slip", 10)
        [draft] = [row for row in await stage.rows("cells") if row["name"].startswith("draft/s")]
        theirs = await kit.chromium.new_context(**phones.SCREEN)
        page = await theirs.new_page()
        for scheme, width in (("light", 390), ("dark", 320)):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.goto(f"{BROWSED}/slips/{draft['value']['codes'][0]}")
            await looked_at(page, f"slip {scheme}")
        await page.check("input[type=radio] >> nth=0")
        await page.click("main form button")
        await page.wait_for_url("**/slips/done")
        await looked_at(page, "slip done")
        await theirs.close()
        assert await stage.count("select count(*) from slip where spent") == 1


async def test_a_phone_whose_code_is_forgotten_is_taken_back_by_the_password(kit: Kit) -> None:
    async with at_work(kit) as stage:
        page = stage.page
        await stage.fetched()
        await stage.open("ask")
        await page.fill("#ending", "4711")
        await page.click("button:enabled >> text=打开问卷并锁定")
        await page.click("button >> text=不作答")
        for _ in range(5):
            await page.fill("#unlock", "0000")
            await page.click("button:enabled >> text=解锁")
            await page.wait_for_selector("button:enabled >> text=解锁")
        await page.wait_for_selector("[role=alert] >> text=已连续输错 5 次")
        # Not even the right one any more: somebody tries them out.
        await page.reload()
        await page.click("button >> text=不作答")
        await page.fill("#unlock", "4711")
        await page.click("button:enabled >> text=解锁")
        await page.wait_for_selector("[role=alert] >> text=已连续输错 5 次")
        await page.fill("#unlock", stage.who.password)
        await page.click("button:enabled >> text=解锁")
        await page.wait_for_selector("text=本机已收 0 份")


def listed(visit: str, dev: str) -> dict[str, Any]:
    """A colleague's nine captures: one more than fits a code."""
    items = [{"id": str(new_id()), "sha256": f"{number:064x}"} for number in range(9)]
    return {"visit": visit, "dev": dev, "items": items}
