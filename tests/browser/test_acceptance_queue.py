"""Acceptance 4 to 9: what is sent, in which order, who knows of it, and what a person can do."""

import asyncio
import re

from tests import field as worlds
from tests import world
from tests.browser.stage import Kit, a_film, at_work, refuse

MEGA = 1 << 20
PUTS = "**/*X-Amz-Signature*"


async def test_4_an_upload_goes_on_at_the_part_after_the_app_died(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-01", a_film(6 * MEGA), "a.mp4")
        [capture] = await stage.rows("captures")
        assert capture["wire"]["size"] > 6 * MEGA
        stage.count_bytes()
        # The second part never comes through; then the app dies.
        await stage.context.route("**/*partNumber=2*", refuse)
        await stage.line_back()
        await stage.until_row("captures", "sent", 5 * MEGA)
        await stage.page.close()
        await stage.context.unroute("**/*partNumber=2*")
        before = len(stage.sent)
        stage.page = await stage.context.new_page()
        await stage.open("checklist")
        await stage.shown("#TI-01 figure", "已传")
        later = sum(size for _, size in stage.sent[before:] if size > MEGA // 4)
        assert later <= capture["wire"]["size"] - 5 * MEGA + 300_000
    sql = "select count(*) from evidence where state = 'received'"
    assert await kit.owner.fetchval(sql) == 1


VIDEOS = "select count(*) from evidence where mime = 'video/mp4'"
ARRIVED = "select count(*) from evidence where mime = 'video/mp4' and state = 'received'"


async def test_5_findings_arrive_while_a_video_is_held_up(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        held = asyncio.Event()

        async def slow(route: object) -> None:
            await held.wait()
            await refuse(route)  # type: ignore[arg-type]

        await stage.context.route(PUTS, slow)
        await stage.context.route("**/api/v1/uploads/*", slow)
        await stage.take("TI-01", a_film(6 * MEGA), "a.mp4")
        await stage.line_back()
        await stage.until(VIDEOS, 1)
        await stage.yes("TI-02")
        await stage.until("select count(*) from answer", 1)
        assert await stage.count(ARRIVED) == 0
        # The desk: the answer is here, one piece of one is still to come.
        who = await world.signed_in(kit.client, kit.desk.who)
        path = f"/api/v1/visits/{stage.visit}/holders"
        [mine] = [
            one
            for one in (await kit.client.get(path, headers=who)).json()["holders"]
            if one["took_part"]
        ]
        assert mine["announced"] == 1
        held.set()


async def test_6_one_line_on_every_page_says_how_it_stands(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-01")
        for place in ("", "arrival", "checklist", "record", "/", "/queue", "/settings"):
            await stage.open(place)
            await stage.page.wait_for_selector("h1")
            [line] = await stage.page.locator(".status").all_inner_texts()
            assert "离线" in line, place
            assert "待传 1 件，最早" in line, place
        await stage.line_back()
        await stage.shown(".status", "全部已传")
        assert "在线" in await stage.page.inner_text(".status")


async def test_7_each_piece_says_where_it_is_and_can_be_helped(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.open("checklist")
        await stage.context.route(PUTS, refuse)
        await stage.context.route("**/api/v1/uploads*", refuse)
        for item in ("TI-01", "TI-02", "TI-03"):
            await stage.take(item, worlds.a_jpeg(ord(item[-1]), 700))
        await stage.open("/queue")
        ids = {row["item"]: row["id"] for row in await stage.rows("captures")}
        first, second, third = (f"#piece-{ids[f'TI-0{n}']}" for n in (1, 2, 3))
        await stage.shown(first, "网络中断")
        assert re.search(r"0\.00 / 0\.0[1-9] MB", await stage.page.inner_text(first))
        # One goes to a file, one is withdrawn with a reason; the third is not held back by them.
        async with stage.page.expect_download() as saved:
            await stage.page.click(f"{first} >> text=导出为文件")
        assert (await saved.value).suggested_filename.endswith(".package")
        await stage.page.click(f"{second} >> text=撤回")
        await stage.page.fill(f"{second} textarea", "拍错了对象")
        await stage.page.click(f"{second} >> text=撤回这一件")
        await stage.shown(second, "撤回理由：拍错了对象")
        await stage.waits(ids["TI-03"])
        await stage.context.unroute_all()
        assert "等待上传" in await stage.page.inner_text(third)
        await stage.page.click(f"{third} >> text=立即重试", force=True)
        await stage.shown(third, "已传")
        sql = "select count(*) from evidence where state = 'withdrawn'"
        await stage.until(sql, 1)
        left = {row["id"] for row in await stage.rows("chunks")}
        assert ids["TI-02"] not in left


async def test_8_before_the_end_both_sides_are_told_who_holds_what(kit: Kit) -> None:
    async with at_work(kit, everybody=True) as stage:
        colleague = await stage.colleague()
        declared = colleague.capture(worlds.a_jpeg())
        await colleague.send(colleague.op("evidence.declare", declared.body))
        await stage.fetched()
        await stage.open("checklist")
        await stage.context.route(PUTS, refuse)
        await stage.context.route("**/api/v1/uploads*", refuse)
        await stage.take("TI-01", worlds.a_jpeg(side=500))
        await stage.open("record")
        await stage.shown(".standing", "这台手机：还有 1 件未传")
        await stage.shown(".standing", "的手机：还有 1 件未传")
        who = await world.signed_in(kit.client, kit.desk.who)
        path = f"/api/v1/visits/{stage.visit}/holders"
        found = (await kit.client.get(path, headers=who)).json()["holders"]
        assert sorted(one["announced"] for one in found if one["took_part"]) == [1, 1]


async def test_9_of_two_answers_both_stand_until_somebody_chooses(kit: Kit) -> None:
    async with at_work(kit, everybody=True) as stage:
        colleague = await stage.colleague()
        await colleague.send(
            colleague.op("answer.set", {"answers": [worlds.an_answer("TI-11", "no")]})
        )
        await stage.fetched()
        await stage.open("checklist")
        await stage.yes("TI-11")
        await stage.until("select count(*) from answer", 2)
        await stage.open("record")
        await stage.page.click("text=两台手机答案不同 1 项")
        card = "#differ-TI-11"
        await stage.page.wait_for_selector(card)
        assert await stage.page.is_checked(f"{card} label >> text=两份都算")
        await stage.page.check(f"{card} label:has-text('我的') input")
        await stage.until("select count(*) from answer_choice where keep is not null", 1)
        assert await stage.count("select count(*) from answer") == 2
        await stage.page.check(f"{card} label:has-text('两份都算') input")
        await stage.until("select count(*) from answer_choice where keep is null", 1)
