"""A database that is away or restarts is said so (503, come again), and is no fault of ours."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.piccolo_conf import DB
from backend.services.errors import passing
from backend.settings import Settings
from media.bucket import StoreAbsent, StoreUnavailable

HEALTH = "/api/v1/health"
WAITING = """
select pid from pg_stat_activity where wait_event_type = 'Lock' and usename like 'mingcha%'
"""

END_IDLE = """
select pg_terminate_backend(pid) from pg_stat_activity
where state = 'idle' and application_name like 'mingcha-%'
"""


def said(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.headers["retry-after"]


async def test_a_database_that_does_not_answer(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    door = Path(settings.database.host) / f".s.PGSQL.{settings.database.port}"
    away = door.with_name("away")
    door.rename(away)
    try:
        for pool in DB.pools.values():
            await pool.expire_connections()
        answer = await client.get(HEALTH)
        assert said(answer) == (503, "request.unavailable", "30")
    finally:
        away.rename(door)
    assert (await client.get(HEALTH)).status_code == 200


async def test_a_connection_that_is_ended_meanwhile(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    async with owner.transaction():
        await owner.execute("lock table region in access exclusive mode")
        asked = asyncio.create_task(client.get(HEALTH))
        async with asyncio.timeout(20):
            while not (waiting := await owner.fetch(WAITING)):  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.01)
        for row in waiting:
            await owner.execute("select pg_terminate_backend($1)", row["pid"])
        assert said(await asked) == (503, "request.unavailable", "30")
    assert (await client.get(HEALTH)).status_code == 200


async def test_connections_that_ended_while_idle_are_nobodys_matter(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    for _ in range(5):
        assert (await client.get(HEALTH)).status_code == 200
        await owner.execute(END_IDLE)
        assert (await client.get(HEALTH)).status_code == 200


async def test_a_body_that_is_cut_is_no_fault_of_ours(app: Litestar) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b'{"login"', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    statuses = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/sessions",
        "raw_path": b"/api/v1/sessions",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"99")],
        "client": ("127.0.0.1", 40_000),
        "server": ("testserver", 80),
        "state": {},
    }
    await app(scope, receive, send)
    assert statuses[0] == 400


@pytest.mark.parametrize(
    ("fault", "passes"),
    [
        (StoreUnavailable(), True),
        (StoreAbsent(), False),
        (asyncpg.DiskFullError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.InternalClientError("no such state"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("the server expects 1 argument"), False),
        (asyncpg.UniqueViolationError("x"), False),
        (ConnectionResetError(), True),
        (OSError(28, "full"), True),
        (FileNotFoundError(2, "gone"), False),
        (LookupError(), False),
    ],
)
def test_what_passes_is_told_from_what_is_wrong(fault: Exception, *, passes: bool) -> None:
    assert passing(fault) is passes
