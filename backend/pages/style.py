"""Our one style sheet and the address that changes with its bytes."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FILE = Path(__file__).parent / "assets" / "mingcha.css"


@cache
def sheet() -> tuple[str, bytes]:
    """Version and bytes of the style sheet."""
    content = FILE.read_bytes()
    return sha256(content).hexdigest()[:16], content


def address() -> str:
    """Where pages find the style sheet."""
    return f"/assets/{sheet()[0]}/mingcha.css"
