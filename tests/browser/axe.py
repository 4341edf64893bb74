"""axe-core over the page that is open: WCAG 2.2 A and AA, 0 violations."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

from backend.phone.build import HERE, packages

FILE = HERE / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((one) => [
    one.id, one.help, ...one.nodes.map((node) => `${node.target} ${node.failureSummary}`)]);
}"""


@cache
def program() -> str:
    """The checker, as it lies among the locked packages."""
    packages()
    return Path(FILE).read_text("utf-8")


async def violations(page: Page) -> list[list[str]]:
    """What axe objects to on the page as it stands: rule, sentence, places."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(program())
    found: list[list[str]] = await page.evaluate(RUN, TAGS)
    return found


async def overflow(page: Page) -> list[str]:
    """What sticks out of the page to the side; nothing where it fits."""
    found: list[str] = await page.evaluate(
        "() => document.documentElement.scrollWidth <= innerWidth ? [] :"
        " [...document.querySelectorAll('main *, header *, footer *, nav *')]"
        ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1)"
        ".map((one) => `${one.tagName}.${one.className}`)"
    )
    return found
