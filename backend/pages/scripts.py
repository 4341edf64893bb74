"""Our scripts and the address that changes when any of them does: they import each other."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "assets"


@cache
def files() -> dict[str, bytes]:
    """Every script by its path below the folder, in order."""
    paths = sorted(FOLDER.rglob("*.js"))
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}


@cache
def version() -> str:
    """The digest of all scripts and their names, 16 hexadecimal digits."""
    state = sha256()
    for name, content in files().items():
        state.update(f"{name} {len(content)}\n".encode() + content)
    return state.hexdigest()[:16]


def address(name: str) -> str:
    """Where pages find a script; raises KeyError for one that is not there."""
    if name not in files():
        raise KeyError(name)
    return f"/assets/{version()}/js/{name}"
