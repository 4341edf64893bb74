"""`python -m tests.screens [faces] [--base URL]`: a picture of every page of the four faces."""

import argparse
import asyncio
import shutil
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from playwright.async_api import async_playwright

from tests.screens import site

FACES = ("phone", "desk", "portal", "public")
FOLDER = site.ROOT / "screens"


async def _shoot(faces: list[str], base: str, folder: Path) -> None:
    chromium = shutil.which("chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for face in faces:
            await import_module(f"tests.screens.{face}").shoot(browser, base, folder)
        await browser.close()


def main() -> int:
    """Serve the demo world unless ``--base`` names one, look at it, say how many pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description=__doc__)
    parser.add_argument("faces", nargs="*", choices=[*FACES, []], help="all when none is named")
    parser.add_argument("--base", default="", help="a site that is served already")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    args = parser.parse_args()
    if shutil.which("chromium") is None:
        print("no chromium here (Debian: apt install chromium fonts-noto-cjk)", file=sys.stderr)
        return 1
    args.folder.mkdir(parents=True, exist_ok=True)
    before = set(args.folder.glob("*.png"))
    with nullcontext(args.base) if args.base else site.served() as base:
        asyncio.run(_shoot(args.faces or list(FACES), base, args.folder))
    every = set(args.folder.glob("*.png"))
    print(f"{len(every)} pictures in {args.folder}, {len(every - before)} of them new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
