"""Embedded servers plus one app process: what `run` and the demo share."""

import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from backend.embedded.processes import Child, Command, wait_until
from backend.embedded.supervisor import Running
from backend.settings import Settings, to_environment

READY_S = 60.0


def settings_of(running: Running, data: Path, origin: str) -> Settings:
    """The settings of a product on embedded servers; keys lie beside the servers' data."""
    return Settings(
        database=running.pg,
        store=running.s3,
        keys=(data / "keys").absolute(),
        origin=origin,
        log_origin="mingcha.invalid/embedded",
        secure_cookies=origin.startswith("https://"),
    )


def verb(running: Running, settings: Settings, *words: str, log: Path) -> Child:
    """Run `mingcha WORDS` as a child with these settings; it is stopped before the servers."""
    env = {**os.environ, **to_environment(settings)}
    argv = [sys.executable, "-m", "backend", *words]
    command = Command(
        name=f"mingcha {words[0]}",
        argv=argv,
        env=env,
        log=log,
        orphan_signal=signal.SIGTERM,
        cwd=Path(__file__).parents[2],
    )
    return running.run(command)


def serve(running: Running, settings: Settings, port: int, *, log: Path) -> Child:
    """Start the app on loopback and return when it answers; raises StartFailed."""
    child = verb(running, settings, "serve", "--port", str(port), log=log)
    wait_until(lambda: answers(port), child, limit_s=READY_S)
    return child


def answers(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(child: Child) -> int:
    """Sit until the app ends or somebody asks us to stop; the exit code."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        return child.process.wait()
    except KeyboardInterrupt:
        return 0
