"""Acceptance 1, 2, 3, 12: every tap is kept, nothing is alarmed about, nothing is torn apart."""

import asyncio
from dataclasses import replace

from tests import field as worlds
from tests.browser.stage import Kit, at_work


async def test_1_every_tap_is_there_after_the_page_was_killed(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        for item in ("TI-01", "TI-02"):
            await stage.yes(item)
            # Killed in the same breath: what was tapped before is there again.
            await stage.reborn()
            assert await stage.page.is_checked(f"#{item} input[type=radio] >> nth=0")
        await stage.page.click("#TI-03 summary")
        await stage.page.check("#TI-03 details input[type=checkbox] >> nth=0")
        await stage.page.locator("#TI-03 textarea").first.press_sequentially("没有开")
        await stage.reborn()
        kept = await stage.page.locator("#TI-03 textarea").first.input_value()
        assert kept in {"没有", "没有开"}  # at most the keystroke in flight
        assert await stage.page.locator("button >> text=/保存|存盘/").count() == 0
        assert await stage.page.is_checked("#TI-01 input[type=radio] >> nth=0")


async def test_2_after_the_submission_nothing_speaks_of_an_unsaved_record(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.open("checklist")
        await stage.yes("TI-01")
        await stage.submit()
        asked: list[str] = []
        stage.page.on("dialog", lambda dialog: asked.append(dialog.message))
        await stage.page.close(run_before_unload=True)
        stage.page = await stage.context.new_page()
        await stage.open("record")
        await stage.page.wait_for_selector("text=已提交")
        said = await stage.page.inner_text("body")
        assert not any(word in said for word in ("未保存", "没有保存", "未提交"))
        assert asked == []


async def test_3_answer_signature_and_picture_stand_together_or_not_at_all(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-01", worlds.a_jpeg(side=900))
        [capture] = await stage.rows("captures")
        [op] = [row for row in await stage.rows("ops") if row["kind"] == "evidence.declare"]
        chunks = [row for row in await stage.rows("chunks") if row["id"] == capture["id"]]
        assert (capture["op"], sum(row["bytes"] for row in chunks)) == (
            op["id"],
            capture["wire"]["size"],
        )
        # A drawn signature and its picture are one, too.
        await stage.open("record/sign/party")
        await stage.page.fill("main input[maxlength='40']", "王某")
        pad = await stage.page.locator("canvas").bounding_box()
        assert pad is not None
        await stage.page.mouse.move(pad["x"] + 20, pad["y"] + 20)
        await stage.page.mouse.down()
        await stage.page.mouse.move(pad["x"] + 120, pad["y"] + 60, steps=5)
        await stage.page.mouse.up()
        await stage.page.click("footer.act button")
        await stage.page.wait_for_url("**/record")
        ops = sorted(await stage.rows("ops"), key=lambda row: row["seq"])
        assert [row["kind"] for row in ops[-2:]] == ["evidence.declare", "signature.record"]
        assert ops[-2]["at"] == ops[-1]["at"]
        # Two more in the same breath, in two tabs: each has its own number, and all arrive.
        other = replace(stage, page=await stage.context.new_page())
        await asyncio.gather(
            stage.sign("party", "王某"), other.sign(str(stage.field.inspectors[2]))
        )
        await stage.line_back()
        sql = "select count(*) from op where kind = 'signature.record' and status = 'applied'"
        await stage.until(sql, 3)
        numbers = [row["seq"] for row in await stage.rows("ops")]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_12_the_camera_costs_nothing_and_leads_back_within_a_second(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-11")
        await stage.page.click("#TI-11 .shots button")
        await stage.page.wait_for_selector(".viewfinder video")
        # The page behind the camera is killed; the answer and the place are there again.
        await stage.reborn()
        assert await stage.page.is_checked("#TI-11 input[type=radio] >> nth=0")
        await stage.page.click("#TI-11 .shots button")
        await stage.page.click(".viewfinder >> role=button[name=拍照]")
        await stage.page.wait_for_selector("#TI-11 figure")
        back = await stage.page.evaluate(
            "async () => { const began = performance.now();"
            " while (document.querySelector('.viewfinder'))"
            " await new Promise(requestAnimationFrame);"
            " return performance.now() - began; }"
        )
        assert back < 1000
        place = await stage.page.evaluate(
            "() => document.getElementById('TI-11').getBoundingClientRect().top"
        )
        assert -200 < place < 844
        [capture] = await stage.rows("captures")
        assert capture["manifest"]["media"]["src"] == "stream"
