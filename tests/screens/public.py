"""Pictures of the public pages."""

from pathlib import Path

from playwright.async_api import Browser, Page

from tests.screens.site import DESK, PHONE, Look, browsing, shot

# name → address, or where the first such link of that address leads
PAGES = {
    "front": "/",
    "institutions": "/institutions",
    "plans": "/plans",
    "draws": "/draws",
    "results": "/results",
    "clauses": "/clauses",
    "clauses-search": "/clauses?q=培训&subject=training_institution",
    "notice": "/clauses/weihai-2023-25",
    "statistics": "/statistics",
    "tip": "/tips",
    "tip-answer": "/tips/answer",
    "documents": "/documents",
    "certificates": "/certificates",
    "feeds": "/feeds",
    "licence": "/licence",
    "contact": "/contact",
    "log": "/log",
    "bundles": "/bundles/check",
    "sign-in": "/desk/sign-in",
    "tour": "/tour",
}
BEHIND = {
    "result": ("/results", "main a[href^='/publications/']"),
    "correction": ("/results", "main a:has-text('更正前')"),
    "draw-check": ("/draws", "main a[href*='/check']"),
    "clause": ("/clauses/national-2021-71", "main ol.items a"),
}


async def _behind(page: Page, base: str, start: str, link: str) -> bool:
    """Go where a link of a page leads; False where there is none."""
    await page.goto(base + start)
    links = page.locator(link)
    if not await links.count():
        return False
    await page.goto(base + str(await links.first.get_attribute("href")))
    return True


async def _all(browser: Browser, base: str, folder: Path, look: Look) -> None:
    async with browsing(browser, look) as context:
        page = await context.new_page()
        for name, path in PAGES.items():
            await page.goto(base + path)
            await shot(page, folder, f"public-{name}", look)
        for name, (start, link) in BEHIND.items():
            if await _behind(page, base, start, link):
                if name == "draw-check":
                    await page.click("form#check button")
                    await page.wait_for_selector("#verdict, #result .error")
                await shot(page, folder, f"public-{name}", look)


async def shoot(browser: Browser, base: str, folder: Path) -> None:
    """Every public page, wide in light and dark, and on a phone."""
    for look in (*DESK, PHONE):
        await _all(browser, base, folder, look)
