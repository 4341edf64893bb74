"""Pictures of the desk: every page of each role's menu, and the first thing of each list."""

from pathlib import Path

from playwright.async_api import Browser, Page

from tests.screens.site import DESK, PHONE, Look, browsing, first_row, menu, shot, sign_in

ROLES = ("supervisor", "approver", "legal", "publisher", "sysadmin", "secadmin", "auditadmin")


def named(path: str) -> str:
    """A file name of an address, without what differs from run to run."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    return "-".join("one" if len(part) > 30 else part for part in parts)


async def _role(
    page: Page, base: str, folder: Path, look: Look, seen: set[str], role: str
) -> None:
    await sign_in(page, base, role)
    await shot(page, folder, f"desk-home-{role}", look)
    for path in await menu(page):
        await page.goto(base + path)
        name = named(path)
        if name in seen or name == "desk":
            continue
        seen.add(name)
        await shot(page, folder, name, look)
        row = await first_row(page)
        if row and named(row) not in seen:
            seen.add(named(row))
            await page.goto(base + row)
            await shot(page, folder, named(row), look)


async def shoot(browser: Browser, base: str, folder: Path) -> None:
    """Every page of the desk once, by the first role that has it."""
    for look in (*DESK, PHONE):
        seen: set[str] = set()
        for role in ROLES:
            async with browsing(browser, look) as context:
                await _role(await context.new_page(), base, folder, look, seen, role)
