"""A process that draws and is killed: forked from one that has everything imported already.

Reads JSON lines: {"verb": "draw", ...} forks one child that freezes, enters the dice and runs,
and dies by SIGKILL at its ``kill``-th statement; {"verb": "serve", ...} forks several at once
that tick and work. Writes one JSON line for each.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from backend import logs
from backend.clock import new_id, token
from backend.db import engine
from backend.jobs import schedule, worker
from backend.jobs.context import Context
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import ceremony, draws, occurrences
from backend.services.act import Act, system
from inspection_plans.loader import applied_sheet, load, load_calendar, load_settings

SENT = 3  # turns of the loop after which a statement is on its way to the server
Job = dict[str, Any]
Deed = Callable[[Job, Any], Awaitable[None]]


class Mortal(engine.Link):
    """A connection whose process dies at a statement: before it is sent, or while it runs."""

    count = 0
    kill = 0
    during = False

    async def _meet(self, statement: Awaitable[Any]) -> Any:
        Mortal.count += 1
        if Mortal.count != Mortal.kill:
            return await statement
        if Mortal.during:
            sent = asyncio.ensure_future(statement)
            for _ in range(SENT):
                await asyncio.sleep(0)
            assert sent is not None
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - as asyncpg has it
        return await self._meet(super().execute(query, *args, timeout=timeout))

    async def _execute(self, *args: Any, **kwargs: Any) -> Any:
        return await self._meet(super()._execute(*args, **kwargs))


async def draw_once(job: Job, keys: Any) -> None:
    """Freeze, enter the dice, run: what is done already stays as it is."""
    at = datetime.fromisoformat(job["at"])
    act = Act(by=system((job["region"],), job["region"]), at=at, new_id=new_id)
    draw = await draws.freeze(UUID(job["plan"]), act=act, keys=keys, token=token)
    source, ref, value, witnesses = job["dice"]
    if draw.state == "frozen":
        await ceremony.enter(draw.id, source, ref, value, witnesses, act=act, keys=keys)
    await draws.run(draw.id, act=act, keys=keys)


async def serve(job: Job, keys: Any) -> None:
    """Be a leader and a worker for some rounds."""
    at = datetime.fromisoformat(job["at"])
    # What no job of a draw asks for stays away: stores of bytes, and the rules of sheets.
    given = dict.fromkeys(Context.__struct_fields__) | {
        "keys": keys,
        "clock": lambda: at,
        "ids": new_id,
        "token": token,
        "regions": (job["region"], occurrences.NATION),
    }
    context = Context(**given)
    for _ in range(job["rounds"]):
        await schedule.tick(context)
        while await worker.once(context):
            pass


async def _alive(job: Job, deed: Deed) -> None:
    await DB.open(job["dsns"], size=2)
    try:
        await deed(job, open_keyring(Path(job["keys"])))
    finally:
        await DB.close()


def _child(job: Job, deed: Deed, report: int) -> None:
    """Do the deed in this process and leave it, however it ends."""
    engine.Link = Mortal
    Mortal.kill, Mortal.during = job.get("kill", 0), job.get("during", False)
    code = 1
    try:
        asyncio.run(_alive(job, deed))
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os.write(report, str(Mortal.count).encode())
        os._exit(code)


def _fork(job: Job, deed: Deed) -> tuple[int, int]:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(job, deed, write)
    os.close(write)
    return pid, read


def _wait(pid: int, read: int) -> Job:
    _, status = os.waitpid(pid, 0)
    said = os.read(read, 64)
    os.close(read)
    killed = os.WIFSIGNALED(status)
    return {
        "killed": killed,
        "code": None if killed else os.WEXITSTATUS(status),
        "count": int(said or b"0"),
    }


def main() -> None:
    """Answer every line; the rules' files are read once, before the first child is forked."""
    logs.configure(sys.stderr)  # standard output carries answers alone
    load()
    load_calendar()
    load_settings()
    applied_sheet("TI", "CN-37", date(2026, 3, 9))
    for line in sys.stdin:
        job = json.loads(line)
        deed = {"draw": draw_once, "serve": serve}[job["verb"]]
        children = [_fork(job, deed) for _ in range(job.get("processes", 1))]
        answers = [_wait(pid, read) for pid, read in children]
        sys.stdout.write(json.dumps(answers) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
