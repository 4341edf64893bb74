"""Our one style sheet, assembled from files by topic, and the addresses that change with it."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")
ASSETS = Path(__file__).parent / "assets"
DARK = "@media (prefers-color-scheme: dark)"
SCHEME = "color-scheme: light dark"
# The condition of the dark half, and what the browser's own controls look like.
CHOSEN: dict[Theme, tuple[str, str]] = {
    "system": (DARK, SCHEME),
    "light": ("@media not all", "color-scheme: light"),
    "dark": ("@media all", "color-scheme: dark"),
}


def parts() -> list[Path]:
    """Tokens first (the phone's application reads them too), then the elements, then the rest."""
    rest = sorted((ASSETS / "css").glob("*.css"))
    first = ASSETS / "css" / "base.css"
    return [ASSETS / "tokens.css", first, *(path for path in rest if path != first)]


@cache
def sheet(theme: Theme = "system") -> tuple[str, bytes]:
    """Version and bytes of the style sheet as a person chose to see it."""
    text = "\n".join(path.read_text("utf-8") for path in parts())
    condition, scheme = CHOSEN[theme]
    content = text.replace(DARK, condition).replace(SCHEME, scheme).encode()
    return sha256(content).hexdigest()[:16], content


def address(theme: Theme = "system") -> str:
    """Where pages find the style sheet."""
    name = "mingcha.css" if theme == "system" else f"mingcha-{theme}.css"
    return f"/assets/{sheet(theme)[0]}/{name}"
