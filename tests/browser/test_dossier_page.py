"""`verify.html` opened from a disk in a real browser: green, red, partial; no network; mutants."""

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, async_playwright

from media.dossier import program
from media.offline import report
from tests.media import mutations
from tests.media.dossiers import FINGERPRINTS, HOUR, T0, a_world
from tests.media.test_dossier_mutants import ALL, FILES, MANY, mutants

CHROMIUM = shutil.which("chromium")
WHY = "no chromium here (Debian: apt install chromium fonts-noto-cjk); the page was not tried"
needs_chromium = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason=WHY)
LOOKS = [(390, 844, "dark"), (1440, 900, "light")]
SAMPLE = 20
EXAMINE = """
async (raw) => {
  const bytes = Uint8Array.from(atob(raw), (letter) => letter.charCodeAt(0));
  return linesOf(await examine(new Blob([bytes]), new Set()));
}
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    assert CHROMIUM, WHY
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, folder: Path, **looks: object) -> AsyncIterator[Page]:
    """The page from the disk, offline; it says nothing on its console and asks for nothing."""
    file = folder / "verify.html"
    file.write_bytes(program.verify_html())
    context = await browser.new_context(offline=True, **looks)  # type: ignore[arg-type]
    page = await context.new_page()
    said: list[str] = []
    asked: list[str] = []

    def heard(request: Request) -> None:
        if request.url != file.as_uri():
            asked.append(request.url)

    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.on("request", heard)
    await page.goto(file.as_uri())
    yield page
    assert (said, asked) == ([], [])
    await context.close()


def shot(name: str) -> Path | None:
    """Where a picture goes when somebody wants to look; nowhere otherwise."""
    folder = os.environ.get("MINGCHA_SHOTS")
    return Path(folder) / f"bundle-{name}.png" if folder else None


async def verdict(page: Page, file: Path) -> str:
    await page.set_input_files("#file", file)
    await page.wait_for_selector("#verdict")
    return await page.inner_text("#verdict")


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@needs_chromium
async def test_true_spoilt_and_revoked_bundles_look_so(tmp_path: Path) -> None:
    files = {
        "true": a_world().packed(),
        "revoked": a_world(2, revoked=T0 + 61_500).packed(),
        "spoilt": a_world().packed()[:-1],
    }
    expected = {"true": "核验通过", "revoked": "核验不通过", "spoilt": "核验不通过"}
    async with chromium() as browser:
        for width, height, scheme in LOOKS:
            looks = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            async with opened(browser, tmp_path, **looks) as page:
                for name, raw in files.items():
                    file = tmp_path / f"{name}.zip"
                    file.write_bytes(raw)
                    await page.evaluate("document.getElementById('result').replaceChildren()")
                    assert expected[name] in await verdict(page, file)
                    assert await fits(page)
                    assert await page.evaluate("document.activeElement.id") == "verdict"
                    ours = "\n".join(report.lines(report.examine(file, [])))
                    assert (await page.text_content("#lines") or "").strip() == ours
                    await page.screenshot(path=shot(f"{name}-{width}-{scheme}"), full_page=True)


@needs_chromium
async def test_fingerprints_are_compared_and_a_revoked_key_says_when(tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(a_world(2, revoked=T0 + 100 * HOUR).packed())
    async with chromium() as browser, opened(browser, tmp_path) as page:
        await page.fill("#trust", "\n".join(FINGERPRINTS).upper())
        assert "核验通过" in await verdict(page, file)
        said = await page.inner_text("#result")
        assert "与您提供的指纹一致" in said
        assert "revoked at 2026-" in said
        assert "本包没有时间戳" in said
        await page.fill("#trust", "ab" * 32)
        await page.click("#check button")
        await page.wait_for_selector(".verdict.rejected")
        assert await page.locator(".check[data-check=V2] .mark.failed").count() == 1


async def in_browser(page: Page, numbers: range, folder: Path) -> None:
    for number, mutant, file in mutants(numbers, folder):
        ours = list(report.lines(report.examine(file, [])))
        raw = base64.b64encode(await asyncio.to_thread(file.read_bytes)).decode()
        assert await page.evaluate(EXAMINE, raw) == ours, (number, mutant.done)
        assert ours[-1] == "verdict rejected", (number, mutant.done)
        file.unlink()


@needs_chromium
async def test_a_sample_of_mutants_in_the_browser(tmp_path: Path) -> None:
    async with chromium() as browser, opened(browser, tmp_path) as page:
        await in_browser(page, range(SAMPLE), tmp_path)
        true = base64.b64encode(mutations.true_zip(FILES)).decode()
        assert (await page.evaluate(EXAMINE, true))[-1] == "verdict verified"


@needs_chromium
@pytest.mark.slow
@pytest.mark.timeout(3000)
async def test_five_thousand_mutants_in_the_browser(tmp_path: Path) -> None:
    async with chromium() as browser, opened(browser, tmp_path) as page:
        await in_browser(page, range(MANY, MANY + ALL), tmp_path)
