"""Embedded servers, one app process and one worker: what `run` and the demo share."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec

from backend.embedded import tsa
from backend.embedded.processes import Child, Command, wait_until
from backend.embedded.supervisor import Running
from backend.settings import Settings, from_environment, to_environment

READY_S = 60.0
LOOK_S = 0.5
ENVIRONMENT = "environment.json"
SELFCHECK = "selfcheck.json"
UNFINISHED = "restoring"


def settings_of(running: Running, data: Path, origin: str) -> Settings:
    """The settings of a product on embedded servers; keys lie beside the servers' data.

    Unless the environment names a time-stamp authority, the development one answers from this
    process as long as it lives. Witnesses are those of the environment.
    """
    url, roots = os.environ.get("MINGCHA_TSA_URL", ""), os.environ.get("MINGCHA_TSA_ROOTS", "")
    if not url:
        authority = tsa.serve(data / "tsa")
        url, roots = authority.url, str(authority.roots)
    return Settings(
        database=running.pg,
        store=running.s3,
        keys=(data / "keys").absolute(),
        origin=origin,
        log_origin="mingcha.invalid/embedded",
        secure_cookies=origin.startswith("https://"),
        tsa_url=url,
        tsa_roots=Path(roots).absolute(),
        witnesses=tuple(os.environ.get("MINGCHA_WITNESSES", "").split()),
    )


def remember(settings: Settings, data: Path) -> None:
    """Keep the settings beside the data (0600), so that other verbs can find the servers."""
    handle = os.open(data / ENVIRONMENT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(to_environment(settings), out)


def mark_unfinished(data: Path) -> None:
    """A restore is at work here: nobody serves from these data until it is done."""
    (data / UNFINISHED).write_text("restore\n", "utf-8")


def unmark(data: Path) -> None:
    """The restore is done and proved."""
    (data / UNFINISHED).unlink()


def unfinished(data: Path) -> bool:
    """Whether a restore on these data was cut off."""
    return (data / UNFINISHED).exists()


def recall(data: Path) -> Settings | None:
    """Settings of the environment, or those that the last start on ``data`` left; else None."""
    if "MINGCHA_DB_HOST" in os.environ:
        return from_environment()
    try:
        return from_environment(json.loads((data / ENVIRONMENT).read_text("utf-8")))
    except FileNotFoundError:
        return None


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


def keep_doors(running: Running, settings: Settings) -> None:
    """Leave the lines of the self-check beside the keys: evidence bundles carry them."""
    lines = [
        {"id": line.id, "ok": "yes" if line.ok else "no", "door": line.en, "seen": line.seen}
        for line in running.selfcheck
    ]
    text = json.dumps(lines, ensure_ascii=False)
    (settings.keys.parent / SELFCHECK).write_text(text, encoding="utf-8")


def serve(running: Running, settings: Settings, port: int, *, log: Path) -> Child:
    """Start the app on loopback and return when it answers; raises StartFailed.

    Worker and timer run beside it, in a process that yields to it.
    """
    keep_doors(running, settings)
    web = msgspec.structs.replace(settings, duties=("web",))
    child = verb(running, web, "serve", "--port", str(port), log=log)
    verb(running, settings, "work", log=log.with_name("work.log"))
    wait_until(lambda: answers(port), child, limit_s=READY_S)
    return child


def answers(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(running: Running) -> int:
    """Sit until somebody asks us to stop (0), or a server or the app ends by itself (1)."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        while not (dead := [child for child in running.children if child.ended()]):
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return 0
    print(f"{dead[0].command.name} 已退出 has ended:\n{dead[0].tail()}", file=sys.stderr)
    return 1
