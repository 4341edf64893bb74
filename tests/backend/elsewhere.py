"""A second office in this process: the pools of the first are put aside while it runs."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
from litestar import Litestar

from backend.app import create_app
from backend.piccolo_conf import DB
from backend.services import tokens
from backend.settings import Settings
from media.bucket import Bucket
from tests.conftest import StillClock, lived


@contextlib.contextmanager
def own_pools() -> Iterator[None]:
    """Let what runs inside open and close database pools of its own."""
    kept, DB.pools = DB.pools, {}
    tokens.forget()
    try:
        yield
    finally:
        DB.pools = kept
        tokens.forget()


@contextlib.asynccontextmanager
async def an_app(
    settings: Settings, clock: StillClock
) -> AsyncIterator[tuple[Litestar, httpx.AsyncClient]]:
    """The whole app over other servers, and a client of it."""
    with own_pools():
        made = create_app(settings, bucket=Bucket.of(settings.store), clock=clock)
        async with lived(made):
            transport = httpx.ASGITransport(app=made, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://testserver"
            ) as http:
                yield made, http


def files(folder: Path) -> list[Path]:
    """Every file below a folder, by name."""
    return sorted(file for file in folder.rglob("*") if file.is_file())
