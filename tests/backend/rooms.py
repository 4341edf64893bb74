"""A browser without script at the desk: signs in, opens pages, sends forms; counts queries."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx

from tests.world import Login

TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')
Fields = Mapping[str, str | list[str]]


def text_of(page: httpx.Response) -> str:
    """What a page says, without its marks."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain)).strip()


class Desk:
    """One signed-in person's browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def open(self, path: str, status: int = 200) -> httpx.Response:
        """A page, with the status it must have."""
        answer = await self.http.get(path)
        assert answer.status_code == status, (path, answer.status_code, text_of(answer)[:600])
        return answer

    async def send(
        self,
        page: str,
        path: str,
        fields: Fields | None = None,
        *,
        status: int = 303,
        files: Any = None,
    ) -> httpx.Response:
        """The form of a page, with its token."""
        token = TOKEN.search((await self.open(page)).text)
        assert token, page
        data = {"_csrf_token": token[1], **(fields or {})}
        answer = await self.http.post(path, data=data, files=files)
        assert answer.status_code == status, (path, answer.status_code, text_of(answer)[:900])
        return answer


async def at_the_desk(app: Any, who: Login) -> Desk:
    """A browser of its own for a person."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://testserver")
    desk = Desk(http)
    await desk.send(
        "/desk/sign-in", "/desk/sign-in", {"login": who.login, "password": who.password}
    )
    return desk


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    said: list[str] = []
    pairs = [(asyncpg.Connection, name) for name in ("execute", "fetch", "fetchrow", "fetchval")]
    kept = [(owner, name, getattr(owner, name)) for owner, name in pairs]

    def counted(plain: Any) -> Any:
        async def call(self: asyncpg.Connection, query: str, *args: Any, **rest: Any) -> Any:
            said.append(query)
            return await plain(self, query, *args, **rest)

        return call

    for owner, name, plain in kept:
        setattr(owner, name, counted(plain))
    try:
        yield said
    finally:
        for owner, name, plain in kept:
            setattr(owner, name, plain)
