"""What the other faces take from npm: htmx as it is, and the icons they name as one sprite."""

import re
import shutil
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
OUT = HERE.parent / "pages" / "static"
TEMPLATES = HERE.parent / "pages"
NAMED = re.compile(r"icon(?:\(|=)[\"']([a-z0-9-]+)[\"']")
INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
SPACE = re.compile(r"\s+")
FILES = ("htmx.min.js", "icons.svg", "licences.txt")


class IconUnknown(Exception):  # noqa: N818 - a sentence for the operator
    """A template names an icon that the set does not have."""


def complete() -> bool:
    """Whether everything was copied before."""
    return all((OUT / name).is_file() for name in FILES)


def names() -> list[str]:
    """Every icon that a template or a page module names, in order."""
    files = [*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.py")]
    found = {name for file in files for name in NAMED.findall(file.read_text("utf-8"))}
    return sorted(found)


def sprite(icons: list[str]) -> str:
    """One SVG with a symbol an icon, 24 units wide, drawn in the colour of the text.

    Raises: IconUnknown.
    """
    symbols = []
    for name in icons:
        file = MODULES / "lucide-static" / "icons" / f"{name}.svg"
        if not file.is_file():
            raise IconUnknown(name)
        found = INNER.search(file.read_text("utf-8"))
        drawn = SPACE.sub(" ", found[1] if found else "").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawn}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def copy() -> Path:
    """Copy them into the pages' folder; the folder. Raises: IconUnknown."""
    OUT.mkdir(exist_ok=True)
    shutil.copyfile(MODULES / "htmx.org" / "dist" / "htmx.min.js", OUT / "htmx.min.js")
    licences = [MODULES / package / "LICENSE" for package in ("htmx.org", "lucide-static")]
    text = "\n\n".join(file.read_text("utf-8") for file in licences)
    (OUT / "licences.txt").write_text(text, "utf-8")
    (OUT / "icons.svg").write_text(sprite(names()), "utf-8")
    return OUT
