"""The OpenAPI document against the running server: no 5xx, no undocumented answer."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.settings import Settings, to_environment
from tests import world
from tests.conftest import StillClock

ROOT = Path(__file__).parents[1]
EXAMPLES = "60" if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else "6"
CALLERS = {
    "nobody": (),
    "supervisor": ("supervisor",),
    "approver": ("approver",),
    "inspector": ("inspector",),
    "secadmin": ("secadmin",),
}
# What the framework does and we cannot: named one by one, everything else counts.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    """Poll until it answers, at most 30 s."""
    until = time.monotonic() + 30
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}/api/v1/health").status_code == 200:
                return base
        time.sleep(0.1)  # polling a foreign process, with a limit
    raise AssertionError(log.read_text("utf-8")[-3000:])


def complaints(base: str, login: str | None, folder: Path) -> str:
    """What schemathesis finds as one caller; empty when every answer was as documented."""
    headers = []
    if login:
        body = {"login": login, "password": world.PASSWORD}
        token = httpx.post(f"{base}/api/v1/sessions", json=body).json()["access"]
        headers = ["--header", f"Authorization: Bearer {token}"]
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{base}/api/schema/openapi.json",
        "--checks", CHECKS, "--phases", "fuzzing", "--max-examples", EXAMPLES,
        "--generation-deterministic", "--no-color", *headers,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    return done.stdout[-6000:] + done.stderr[-2000:] if done.returncode else ""


@pytest.mark.usefixtures("app")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("caller", CALLERS)
async def test_every_documented_route_keeps_its_word(
    settings: Settings, clock: StillClock, tmp_path: Path, caller: str
) -> None:
    roles = CALLERS[caller]
    login = (await world.a_person(clock(), *roles)).login if roles else None
    with served(settings, tmp_path / "app.log") as base:
        assert await asyncio.to_thread(complaints, base, login, tmp_path) == ""
