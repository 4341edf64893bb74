"""Film and sound from within the page: whole files that the server takes, or a word why not."""

import pytest

from tests.browser.stage import Kit, Stage, at_work
from tests.browser.test_phone_faults import arrived

WRITES = "MediaRecorder.isTypeSupported"


async def recorded(stage: Stage, mode: str) -> None:
    """Two seconds of film or sound at TI-01; shown as kept when this ends.

    The made-up microphone of a loaded machine gives nothing at times: the page says so, and it is
    recorded again.
    """
    page = stage.page
    await page.click("#TI-01 .shots button")
    await page.check(f".viewfinder input[value={mode}]")
    for _ in range(8):
        await page.click(".viewfinder button:enabled >> text=开始录制")
        await page.wait_for_selector(".viewfinder >> text=2 秒")
        await page.click(".viewfinder button >> text=停止")
        nothing = page.locator(".viewfinder").get_by_text("没有录到内容")
        await page.locator("#TI-01 figure").or_(nothing).first.wait_for()
        if not await nothing.count():
            return
    raise AssertionError("eight times nothing was recorded")


@pytest.mark.parametrize("mode", ["video", "audio"])
async def test_what_is_recorded_in_the_page_is_kept_and_taken(kit: Kit, mode: str) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        mime = f"{mode}/mp4"
        if not await stage.page.evaluate(f"{WRITES}('{mime}')"):
            await stage.page.click("#TI-01 .shots button")
            await stage.page.check(f".viewfinder input[value={mode}]")
            await stage.page.wait_for_selector(".viewfinder [role=alert] >> text=选文件")
            return
        await recorded(stage, mode)
        [capture] = await stage.rows("captures")
        media = capture["manifest"]["media"]
        assert (media["mime"], media["src"]) == (mime, "stream")
        assert media["dur_ms"] >= 2000
        await stage.line_back()
        await arrived(stage, 1)
