"""The phone's shell in a real browser: enrolment, tasks, and a start without signal."""

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from litestar import Litestar

from tests import field as worlds
from tests.backend.desk import Desk
from tests.browser import phones
from tests.conftest import StillClock


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
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await context.set_offline(True)
        await page.reload()
        await page.click(f"a[href='#/tasks/{mine}']")
        assert await page.inner_text("h1")
        assert "离线" in await page.inner_text(".status")
    assert await owner.fetchval("select count(*) from device") == 3
