"""Third-party files that the build copied from npm; without them pages work without script."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
KINDS = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def files() -> dict[str, bytes]:
    """Every built file by its name; empty before the first build."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.*"))}


@cache
def address(name: str) -> str | None:
    """Where pages find a built file, by its digest; None where it was never built."""
    content = files().get(name)
    if content is None:
        return None
    return f"/assets/{sha256(content).hexdigest()[:16]}/built/{name}"
