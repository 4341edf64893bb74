"""Pictures of the portal, as the institution's user of the demo sees it."""

from pathlib import Path

from playwright.async_api import Browser

from tests.screens.desk import named
from tests.screens.site import DESK, PHONE, browsing, first_row, menu, shot, sign_in


async def shoot(browser: Browser, base: str, folder: Path) -> None:
    """Every page of the portal's menu, and the first thing of each list."""
    for look in (*DESK, PHONE):
        async with browsing(browser, look) as context:
            page = await context.new_page()
            await sign_in(page, base, "institution_user")
            for path in await menu(page):
                await page.goto(base + path)
                await shot(page, folder, named(path), look)
                row = await first_row(page)
                if row and row.startswith("/portal"):
                    await page.goto(base + row)
                    await shot(page, folder, named(row), look)
