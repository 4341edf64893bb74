"""Every page of the phone opens, fits a small screen and large text, and axe finds nothing."""

from playwright.async_api import Page

from tests.browser import axe
from tests.browser.stage import Kit, Stage, at_work

# Each page with something that is on it once it is drawn.
PLACES = {
    "/": "ul.cards a",
    "/records": "ul.cards a",
    "/queue": "main",
    "/settings": "input[name=theme]",
    "": "ol.steps",
    "arrival": ".note",
    "checklist": "#TI-01",
    "roll": ".person",
    "ask": ".card",
    "questions": "main",
    "advert": "textarea",
    "papers": ".steps",
    "papers/interview": "textarea",
    "papers/copy": "input[type=checkbox]",
    "papers/preservation": ".card",
    "papers/extraction": "textarea",
    "papers/obstruction": "textarea",
    "papers/recusal": "textarea",
    "record": ".steps",
    "record/reading": "article",
    "record/sign/party": "canvas",
    "record/colleague": "input[value=helper]",
    "differences": ".bar",
}
LOOKS = [("light", "zh", 390), ("dark", "en", 320)]
LARGE = "(size) => { document.documentElement.style.fontSize = size; }"
SMALL = """() => [...document.querySelectorAll('button, .button, .choices label, .steps a')]
  .filter((one) => one.offsetHeight > 0 && one.offsetHeight < 44).map((one) => one.textContent)"""


async def dressed(stage: Stage, scheme: str, language: str, width: int) -> None:
    """Another theme, language and width."""
    await stage.page.set_viewport_size({"width": width, "height": 844})
    await stage.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await stage.open("/settings")
    await stage.page.check(f"input[name=language] >> nth={int(language == 'en')}")


async def looked_at(page: Page, place: str) -> None:
    """Nothing that axe objects to, too small or sticking out, in large text neither."""
    assert await axe.violations(page) == [], place
    assert await page.evaluate(SMALL) == [], place
    assert await axe.overflow(page) == [], place
    await page.evaluate(LARGE, "200%")
    assert await axe.overflow(page) == [], f"{place} in large text"
    await page.evaluate(LARGE, "")


async def test_every_page_in_both_themes_and_languages(kit: Kit) -> None:
    async with at_work(kit, roster=True) as stage:
        faults: list[str] = []
        stage.page.on("pageerror", lambda fault: faults.append(str(fault)))
        await stage.fetched()
        await stage.open("checklist")
        await stage.page.check("#TI-01 input[type=radio] >> nth=1")
        for look in LOOKS:
            await dressed(stage, *look)
            for place, shown in PLACES.items():
                await stage.open(place)
                await stage.page.wait_for_selector(shown)
                await looked_at(stage.page, f"{place} {look}")
        assert faults == []


async def test_sheets_and_the_viewfinder_too(kit: Kit) -> None:
    async with at_work(kit, roster=True) as stage:
        page = stage.page
        await page.emulate_media(color_scheme="dark")
        await stage.fetched()
        await stage.open("checklist")
        await page.click("#TI-01 .head button")
        await page.wait_for_selector(".sheet li")
        await page.wait_for_timeout(200)
        await looked_at(page, "clauses")
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".sheet", state="detached")
        assert await page.evaluate("document.activeElement.textContent.trim()") == "条款"
        await page.click("#TI-01 .shots button")
        await page.wait_for_selector(".viewfinder button:enabled")
        await looked_at(page, "viewfinder")
        await page.click(".viewfinder button >> text=返回")
        await page.wait_for_selector(".viewfinder", state="detached")
