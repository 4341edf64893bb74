"""Public pages as files: rendered once a state of the world, then served without any query.

A generation is one state of what is public, of the words and of the program.  ``turn`` looks
whether there is a newer one, renders the main pages into it and only then shows it; other pages
join it when first asked for.  Without a generation nothing is kept and every page is rendered.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response

from backend.pages.render import HEADERS
from backend.pages.words import language_of
from backend.services import public_figures
from backend.services.accounts import on_day
from backend.services.errors import Absent

HERE = Path(__file__).parents[2]
# What a page is made of besides the data: words, templates, styles, code and the packs.
SOURCES = ("backend/pages", "backend/texts", "backend/services", "inspection_plans")
KINDS = {".py", ".html", ".css", ".js", ".yaml", ".json", ".svg"}
LOOK_EVERY = timedelta(seconds=3)
KEPT_GENERATIONS = 2
PRESSING = "mingcha.pressing"
TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "atom": "application/atom+xml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
Make = Callable[[], Awaitable[str]]


@cache
def program() -> str:
    """The digest of everything that pages are made of besides the data."""
    state = sha256()
    for source in SOURCES:
        for file in sorted((HERE / source).rglob("*")):
            if file.suffix in KINDS and "static" not in file.parts:
                state.update(file.relative_to(HERE).as_posix().encode() + file.read_bytes())
    return state.hexdigest()


class Press:
    """The kept pages under one folder; ``main`` are the addresses rendered before they are asked.

    Several processes of one host may share the folder: equal generations hold equal pages.
    """

    def __init__(self, folder: Path, main: tuple[str, ...]) -> None:
        self.folder = folder
        self.main = main
        self.shown: str | None = None

    def _file(self, generation: str, name: str) -> Path:
        return self.folder / generation / name

    def read(self, generation: str | None, name: str) -> bytes | None:
        """A kept page, None where it is not there yet."""
        if generation is None:
            return None
        with suppress(OSError):
            return self._file(generation, name).read_bytes()
        return None

    def keep(self, generation: str | None, name: str, content: bytes) -> None:
        """Keep a page whole or not at all; a disk that is full loses nothing but speed."""
        if generation is None:
            return
        file = self._file(generation, name)
        fresh = file.with_suffix(f"{file.suffix}.{id(content):x}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(content)
            fresh.replace(file)

    async def turn(self, app: Litestar) -> bool:
        """Show the newest state of what is public; False when nothing is new or the data are away.

        Raises: what rendering a page raises.
        """
        mark = await public_figures.mark(today=on_day(app.state.clock()))
        if mark is None:
            return False
        generation = sha256(f"{program()}/{mark}".encode()).hexdigest()[:16]
        if generation == self.shown:
            return False
        for path in self.main:
            for query in ("", "lang=en"):
                await _ask(app, path, query, generation)
        self.shown = generation
        await asyncio.to_thread(self._forget)
        return True

    def _forget(self) -> None:
        """Old generations go, but for the one whose pages are being read just now."""
        with suppress(OSError):
            found = sorted(self.folder.iterdir(), key=lambda one: one.stat().st_mtime)
            for old in found[:-KEPT_GENERATIONS]:
                if old.name != self.shown:
                    shutil.rmtree(old, ignore_errors=True)


async def _ask(app: Litestar, path: str, query: str, generation: str) -> None:
    """Render one page into a generation by asking the app itself."""
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": None,
        "server": None,
        "extensions": {},
        "state": {},
        PRESSING: generation,
    }

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None:  # noqa: ANN401 - ASGI
        """Nobody reads this answer: the page is kept."""

    await app(scope, receive, send)


@asynccontextmanager
async def pressing(app: Litestar) -> AsyncIterator[None]:
    """Turn the press every few seconds until the block ends."""

    async def work() -> None:
        while True:
            await app.state.press.turn(app)
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _name(request: Request[Any, Any, Any], kind: str) -> str:
    path = request.url.path.strip("/") or "index"
    if ".." in path.split("/"):
        raise Absent
    return f"{path}.{language_of(request)}.{kind}"


async def served(
    request: Request[Any, Any, Any], make: Make, *, kind: str = "html", policy: str | None = None
) -> Response[bytes | None]:
    """The kept page, or a fresh one; a strong validator either way, 304 when the caller has it.

    A query other than the language is answered fresh and not kept: callers could fill the disk.
    """
    press: Press = request.app.state.press
    asked: str | None = request.scope.get(PRESSING)  # type: ignore[assignment]
    generation = asked or press.shown
    plain = set(request.query_params) <= {"lang"}
    name = _name(request, kind)
    content = press.read(generation, name) if plain and asked is None else None
    if content is None:
        content = (await make()).encode()
        if plain:
            press.keep(generation, name, content)
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": etag, "Cache-Control": "public, no-cache"}
    if policy:
        headers["Content-Security-Policy"] = policy
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type=TYPES[kind], headers=headers)
