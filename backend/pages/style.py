"""Our one style sheet and the address that changes with its bytes."""

from functools import cache
from hashlib import sha256
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
# Colours, sizes and spaces stand by themselves: the phone's application reads them too.
PARTS = ("tokens.css", "mingcha.css")


@cache
def sheet() -> tuple[str, bytes]:
    """Version and bytes of the style sheet."""
    content = b"\n".join((ASSETS / part).read_bytes() for part in PARTS)
    return sha256(content).hexdigest()[:16], content


def address() -> str:
    """Where pages find the style sheet."""
    return f"/assets/{sheet()[0]}/mingcha.css"
