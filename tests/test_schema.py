"""The OpenAPI document against the running server: no 5xx, no undocumented answer."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.services.directories import link_account
from backend.settings import Settings, to_environment
from inspection_plans.loader import load
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.field import enrolled
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
# Everyday: the plainest example of each of 400 operations, and a wilder one for those whom most of
# them answer; `fuzz` looks longer.
PLAIN, WILD, PHASES = ("60", "60", "fuzzing,coverage") if FUZZ else ("1", "2", "fuzzing")
AT_ONCE = 2  # schemathesis computes more than the product answers: one each on two cores
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


@contextlib.contextmanager
def served(settings: Settings, log: Path) -> Iterator[str]:
    """The product in a process of its own on loopback, as an office runs it."""
    port = free_port()
    env = {**os.environ, **to_environment(settings)}
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    with log.open("wb") as out:
        child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
        try:
            yield wait_for(f"http://127.0.0.1:{port}", child, log)
        finally:
            child.terminate()
            child.wait(20)


def wait_for(base: str, child: subprocess.Popen[bytes], log: Path) -> str:
    """Poll until it answers, at most two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}/api/v1/health").status_code == 200:
                return base
        time.sleep(0.1)  # polling a foreign process, with a limit
    raise AssertionError(log.read_text("utf-8")[-3000:])


@dataclass(frozen=True)
class Caller:
    """Who asks: nobody, or a login with the phone it is bound to."""

    name: str
    login: str | None = None
    device: UUID | None = None
    examples: str = PLAIN


def complaints(base: str, caller: Caller, folder: Path) -> str:
    """What schemathesis finds as one caller; empty when every answer was as documented."""
    headers = []
    if caller.login:
        body = {"login": caller.login, "password": world.PASSWORD}
        bound = {"device": str(caller.device)} if caller.device else {}
        token = httpx.post(f"{base}/api/v1/sessions", json=body | bound).json()["access"]
        # Signed out, a caller would see nothing but 401 from there on; nobody tries that route.
        headers = [
            "--header", f"Authorization: Bearer {token}",
            "--exclude-path", "/api/v1/sessions/end",
        ]  # fmt: skip
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{base}/api/schema/openapi.json",
        "--checks", CHECKS, "--phases", PHASES, "--max-examples", caller.examples,
        "--generation-deterministic", "--no-color",
        # A plan's nested body is hard to generate; that says nothing of the product.
        "--suppress-health-check", "filter_too_much", *headers,
    ]  # fmt: skip
    folder.mkdir()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=800
    )
    return (
        f"{caller.name}:\n{done.stdout}"[-9000:] + done.stderr[-2000:] if done.returncode else ""
    )


async def callers(desk: Desk, at: datetime) -> list[Caller]:
    """One of each kind of person, as far as roles reach into different rooms."""
    await desk.take("institutions", sheets.an_institution())
    await desk.take("inspectors", sheets.an_inspector())
    inspector = await world.a_person(at, "inspector")
    await link_account(await desk.id_of("inspector"), inspector.person.id, act=desk.act)
    _, phone = await enrolled(desk, inspector)
    school = await desk.id_of("institution")
    user = await world.a_person(at, "institution_user", institution=school)
    return [
        Caller("nobody"),
        Caller("supervisor", desk.who.login, examples=WILD),
        Caller("approver", (await world.a_person(at, "approver", "legal")).login),
        Caller("inspector", inspector.login, phone, WILD),
        Caller("institution", user.login, examples=WILD),
        Caller("security", (await world.a_person(at, "secadmin")).login),
        Caller("system", (await world.a_person(at, "sysadmin")).login),
    ]


@pytest.mark.usefixtures("app")
@pytest.mark.timeout(1800 if FUZZ else 600)
async def test_every_documented_route_keeps_its_word(
    settings: Settings, clock: StillClock, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    office = await world.an_office(clock())
    who = await world.a_person(clock(), "supervisor", office=office)
    people = await callers(Desk(who, clock, load(), owner), clock())
    turn = asyncio.Semaphore(AT_ONCE)
    with served(settings, tmp_path / "app.log") as base:

        async def ask(caller: Caller) -> str:
            async with turn:
                return await asyncio.to_thread(complaints, base, caller, tmp_path / caller.name)

        found = await asyncio.gather(*(ask(caller) for caller in people))
    told = "\n".join(found).strip()
    assert not told, told


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/api/v1/sessions", b"[" * 200_000),
        ("/api/v1/sessions", b'{"login":' * 100_000),
        ("/api/v1/sessions", b'{"login":"\\ud800","password":"x"}'),
        ("/api/v1/sessions", b'{"login":"\\u0000","password":"x"}'),
        ("/api/v1/sessions", b'{"login":"\xff","password":"x"}'),
        ("/api/v1/sessions", b'{"login":1e999,"password":"x"}'),
        ("/api/v1/sessions", b"{"),
        ("/api/v1/sessions", b""),
        ("/api/v1/rules/sheets/%00", None),
        ("/api/v1/problems/%ff", None),
        ("/api/v1/log/proof/inclusion?index=99999999999999999999&size=1", None),
        ("/api/v1/public/draw-logs/99999999999999999999/1", None),
        ("/api/v1/public/draws/%00", None),
        ("/api/v1/public/publications?limit=-1", None),
    ],
)
async def test_what_no_generator_writes_is_refused_all_the_same(
    client: httpx.AsyncClient, path: str, content: bytes | None
) -> None:
    method = "GET" if content is None else "POST"
    sent = {"Content-Type": "application/json"}
    answer = await client.request(method, path, content=content, headers=sent)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
