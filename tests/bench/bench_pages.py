"""The weight of the first page of the desk with all it needs; a public page from its file."""

import re
import time
from collections.abc import Awaitable, Callable

import httpx

from backend.pages.press import Press
from tests import world
from tests.bench.figures import Figure, median
from tests.bench.rig import Stand

ROUNDS = 200
WEIGHT_MOST, LINE_BITS, SECONDS_MOST = 60_000, 1_600_000, 0.5
NEEDED = re.compile(r'(?:href|src)="(/assets/[^"#]+)')
TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')


def _weight(answer: httpx.Response) -> int:
    """Bytes of the body as they go over the line."""
    return int(answer.headers["content-length"])


async def _first_page(http: httpx.AsyncClient, who: world.Login) -> tuple[int, int]:
    """Bytes of the first page of the desk with its style, scripts and icons; and of it alone."""
    form = await http.get("/desk/sign-in")
    token = TOKEN.search(form.text)
    body = {"login": who.login, "password": who.password, "_csrf_token": token[1] if token else ""}
    await http.post("/desk/sign-in", data=body)
    page = await http.get("/desk")
    needed = set(NEEDED.findall(page.text))
    total = _weight(page)
    for path in sorted(needed):
        total += _weight(await http.get(path))
    return total, _weight(page)


async def _times(call: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each of many calls, one after the other."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await call()
        found.append((time.perf_counter() - began) * 1000)
    return found


async def run(stand: Stand) -> list[Figure]:
    """Weigh the first page of the desk; time a public page from its file."""
    who = await world.a_person(stand.clock(), "supervisor")
    transport = httpx.ASGITransport(app=stand.app)
    async with httpx.AsyncClient(transport=transport, base_url=stand.settings.origin) as http:
        total, alone = await _first_page(http, who)
        press: Press = stand.app.state.press
        await press.turn(stand.app)
        kept = await _times(lambda: http.get("/"))
    return [
        Figure("first desk page, all it needs", total, "B", WEIGHT_MOST, note=f"{alone} B alone"),
        Figure("the same at 1.6 Mbit/s", total * 8 / LINE_BITS, "s", SECONDS_MOST),
        median("public page from its file", kept, "ms"),
    ]
