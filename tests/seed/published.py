"""Everything that anybody may read: pages, feeds, files that the press keeps."""

import html
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import httpx
from litestar import Litestar

from backend.pages.press import Press

HREF = re.compile(r'(?:href|src)="(/[^"#]*)"')
MOST = 500
# Other faces, and what is no text of the office.
ELSEWHERE = ("/desk", "/portal", "/phone", "/static", "/assets", "/papers", "/s/")


async def everything(app: Litestar, client: httpx.AsyncClient) -> dict[str, str]:
    """What the site says, by address: from the front page along every link; then the kept files.

    At most ``MOST`` addresses, the nearest first.
    """
    own: Press = app.state.press  # of all tests: what it once showed it would show to the next
    with tempfile.TemporaryDirectory() as folder:
        app.state.press = Press(Path(folder), own.main)
        try:
            await app.state.press.turn(app)
            return await _read(app.state.press, client)
        finally:
            app.state.press = own


async def _read(press: Press, client: httpx.AsyncClient) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = list(dict.fromkeys(("/", *press.main)))
    while waiting and len(found) < MOST:
        path = waiting.pop(0)
        if path in found or path.startswith(ELSEWHERE):
            continue
        answer = await client.get(path)
        if answer.status_code != httpx.codes.OK or "text" not in _kind(answer):
            found[path] = ""
            continue
        found[path] = answer.text
        waiting += [html.unescape(link) for link in HREF.findall(answer.text)]
    for file in press.folder.rglob("*"):
        if file.is_file():
            found[f"kept {file.relative_to(press.folder)}"] = file.read_text("utf-8")
    return found


def _kind(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "")
    return "text" if re.search(r"text|json|xml|csv", kind) else kind


def naming(pages: dict[str, str], names: Iterable[str]) -> list[tuple[str, str]]:
    """Where a name stands, however it is spaced."""
    wanted = {_plain(name) for name in names if len(_plain(name)) > 1}
    told = {path: _plain(html.unescape(text)) for path, text in pages.items()}
    return [(path, name) for path, text in told.items() for name in wanted if name in text]


def _plain(text: str) -> str:
    return re.sub(r"[\s·]", "", unicodedata.normalize("NFKC", text))
