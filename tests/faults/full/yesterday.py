"""Yesterday's office in the place of today's, by the product's own `backup` and `restore`.

The backup is taken while phones are at work. Then machine, spool and what the log remembered of
its published heads are lost; the keys are not, as an operator keeps them elsewhere. Two
administrators let the log go on.  Source: evidence spec 8 (rollback), 13 (restore from yesterday).
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from backend.embedded import supervisor
from backend.services import recovery
from backend.settings import to_environment
from tests import world
from tests.faults.full.fate import Fate
from tests.faults.full.scene import Scene
from tests.faults.full.stand import ALLOWED, KEYS, PARTS, ROOT, Stand

ADMINISTRATORS = ("sysadmin", "secadmin")
SAID_MOST = 2000


async def keep(stand: Stand) -> None:
    """`mingcha backup` of the running office; an older one makes room."""
    await stand.ready()
    await asyncio.to_thread(shutil.rmtree, _kept(stand), ignore_errors=True)
    env = {**os.environ, **to_environment(stand.settings)}
    await _mingcha(stand, env, "backup", "--to", str(_kept(stand)))


async def restore(stand: Stand) -> None:
    """`mingcha restore` into an empty folder; app and worker start on the servers it leaves."""
    stand.resting = True
    stand.end(*PARTS)
    lost = stand.running
    lost.children = []
    lost.stop()
    gone = (lost.stack.pg.data, lost.stack.store.data, stand.settings.spool_folder)
    for folder in gone:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    stand.lives += 1
    place = stand.folder / f"office-{stand.lives}"
    words = ["--data", str(place), "--from", str(_kept(stand))]
    keys = ["--keys", str(stand.folder / KEYS)]
    await _mingcha(stand, os.environ, "restore", *words, *keys)
    await stand.move(supervisor.start(place / "servers", origin=ALLOWED), place)
    stand.resting = False
    await stand.ready()


async def let_go_on(scene: Scene) -> None:
    """Two administrators of different roles recover the log, which then signs anew."""
    at = scene.clock()
    first, other = [await world.a_person(at, role) for role in ADMINISTRATORS]
    await recovery.propose("restored from yesterday's backup", act=scene.act(first))
    await recovery.approve(act=scene.act(other), base=scene.settings.log_origin)


def _kept(stand: Stand) -> Path:
    return stand.folder / "kept"


async def _mingcha(stand: Stand, env: Mapping[str, str], *words: str) -> None:
    """One verb as a process of its own, by the clock of app and worker. Raises: OSError."""
    fate = Fate(stand.folder / "verb.fate")
    fate.set("offset_ms", stand.fates["app"].get("offset_ms"))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.full.launch", str(fate.file), *words),
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    if running.returncode:
        raise OSError(f"mingcha {words[0]}: {said.decode(errors='replace')[-SAID_MOST:]}")
