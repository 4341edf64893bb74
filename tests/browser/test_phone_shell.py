"""The phone's shell in a real browser: enrolment, tasks, and a start without signal."""

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from litestar import Litestar

from tests import field as worlds
from tests.backend.desk import Desk
from tests.browser import phones
from tests.conftest import StillClock, Work


@phones.needs_chromium
async def test_a_phone_is_enrolled_and_starts_again_without_signal(
    app: Litestar,
    clock: StillClock,
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the browser has the real time
    field = await worlds.a_field(desk, client, owner)
    who, code = await phones.an_inspector(desk, field.inspectors[2])
    mine = await worlds.a_visit(desk, field.institution, [field.inspectors[2]])
    async with phones.served(app) as origin, phones.browser(str(tmp_path)) as context:
        page = await context.new_page()
        await phones.enrolled(page, origin, who, code)
        await page.click("nav.tabs >> text=今日任务")
        await page.wait_for_selector(f"a[href='#/tasks/{mine}']")
        assert "在线" in await page.inner_text(".status")
        await phones.holds(page, phones.KEPT)
        await context.set_offline(True)
        await page.reload()
        await page.click(f"a[href='#/tasks/{mine}']")
        assert await page.inner_text("h1")
        assert "离线" in await page.inner_text(".status")
    assert await owner.fetchval("select count(*) from device") == 3


@phones.needs_chromium
async def test_photos_and_answers_without_signal_arrive_and_are_sealed(
    app: Litestar,
    clock: StillClock,
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    tmp_path: Path,
    work: Work,
) -> None:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the browser has the real time
    field = await worlds.a_field(desk, client, owner)
    who, code = await phones.an_inspector(desk, field.inspectors[2])
    mine = await worlds.a_visit(desk, field.institution, [field.inspectors[2]])
    async with phones.served(app) as origin, phones.browser(str(tmp_path)) as context:
        page = await context.new_page()
        await phones.enrolled(page, origin, who, code)
        await phones.holds(page, phones.KEPT)
        await page.click("nav.tabs >> text=今日任务")
        await page.click(f"a[href='#/tasks/{mine}']")
        await page.wait_for_selector("a[href$=checklist]")
        await context.set_offline(True)
        await page.click("a[href$=checklist]")
        await page.check("#TI-01 input[type=radio] >> nth=0")
        await page.click("#TI-01 .shots button")
        await page.set_input_files(
            ".viewfinder input[type=file]",
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": worlds.a_jpeg(side=400)},
        )
        await page.wait_for_selector("#TI-01 figure")
        assert await owner.fetchval("select count(*) from evidence") == 0
        # The page dies; what was shown as kept is there again.
        await page.close()
        page = await context.new_page()
        await page.goto(f"{origin}/phone/#/tasks/{mine}/checklist")
        await page.wait_for_selector("#TI-01 figure")
        assert await page.is_checked("#TI-01 input[type=radio] >> nth=0")
        await context.set_offline(False)
        await page.wait_for_selector("#TI-01 figure >> text=已传")
        await work.drain()
        await page.wait_for_selector("#TI-01 figure >> text=已验证")
    row = await owner.fetchrow("select state, flags, transport ->> 'enc' as enc from evidence")
    assert (row["state"], row["flags"], row["enc"]) == ("sealed", [], "a256gcm")
    assert await owner.fetchval("select count(*) from answer") == 1
