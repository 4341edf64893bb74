"""Backup and restore of an office with 10,000 pieces of evidence: how long, how much memory."""

import asyncio
import os
import random
import resource
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import asyncpg

from backend import clock
from backend.commands import backup, office, restore, scrub
from backend.embedded.supervisor import Running, start
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import audit, sequencer
from backend.services.act import Act, system
from backend.services.schema import migrate
from backend.settings import Settings
from media.bucket import Bucket, Facts, Lock, Room
from tests.bench.figures import Figure
from tests.conftest import superuser

ITEMS = 10_000
NEW = 100
BYTES = 40_000
ENTRIES_EACH = 4  # declared, received, verified, sealed
THREADS = 8
ORIGIN = "http://127.0.0.1:8000"
T = TypeVar("T")
RTO_S = 15 * 60
RPO_S = 5 * 60
EVIDENCE = """
insert into evidence (id, region, institution, channel, item, manifest, manifest_sha256, sha256,
  size, mime, source, transport, state, flags, late, disclosed, object_key, version_id,
  declared_at, received_at, verified_at, sealed_at, retain_until, lock_mode)
select t.id, 370000, t.id, 'phone', 'TI-01', t.manifest, repeat('ab', 32), t.sha256, $1,
  'image/jpeg', 'stream', '{"enc": "none"}', 'sealed', '{}', false, false, t.key, t.version,
  $2, $2, $2, $2, $3, 'governance'
from unnest($4::uuid[], $5::bytea[], $6::text[], $7::text[], $8::text[])
  as t (id, manifest, sha256, key, version)
"""


def run(items: int = ITEMS) -> list[Figure]:
    """A first backup, one of what is new since, and a restore with every proof."""
    with tempfile.TemporaryDirectory(prefix="mingcha-bench-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        root.chmod(0o755)
        shelf, data = root / "shelf", root / "office"
        with start(data / "servers", origin=ORIGIN) as running:
            settings = office.settings_of(running, data, ORIGIN)
            asyncio.run(_office(running, settings, items))
            figures = _backups(running, settings, shelf, items)
        return figures + _restored(shelf, root / "restored", settings.keys, items)


async def _office(running: Running, settings: Settings, items: int) -> None:
    """An empty office, then so many sealed pieces with their entries and their objects."""
    await migrate(running.pg)
    Bucket.of(settings.store).ensure_buckets()
    await _filled(running, settings, items)


async def _filled(running: Running, settings: Settings, items: int) -> None:
    bucket, now = Bucket.of(settings.store), clock.now()
    until = now + timedelta(days=1830)
    locked = Facts(BYTES, None, "image/jpeg", Lock("GOVERNANCE", until, hold=True))

    def put(_: int) -> tuple[object, ...]:
        raw, ident = random.randbytes(BYTES), clock.new_id()
        digest = sha256(raw).hexdigest()
        key = f"370000/{ident}/{digest}"
        bucket.put_waiting(key, raw, "image/jpeg")
        held = bucket.bring_back(Room.ORIGINALS, key, BytesIO(raw), locked)
        return ident, os.urandom(1200), digest, key, held.version

    with ThreadPoolExecutor(THREADS) as threads:
        rows = list(threads.map(put, range(items)))
    owner = await asyncpg.connect(superuser(running))
    await owner.execute("set session_replication_role = replica")
    await owner.execute(EVIDENCE, BYTES, now, until, *map(list, zip(*rows, strict=True)))
    await owner.close()
    await _logged(settings, items * ENTRIES_EACH)


async def _logged(settings: Settings, count: int) -> None:
    """So many entries, placed and signed."""
    await DB.open({role: settings.database.dsn(role) for role in ("worker", "seq")}, size=2)
    act = Act(by=system((100000,), 100000), at=clock.now(), new_id=clock.new_id)
    keys = open_keyring(settings.keys)
    async with DB.transaction(act.by.scope):
        for _ in range(count):
            await audit.record(act, "bench.done", "evidence", act.new_id(), region=100000)
    while await sequencer.sequence(at=clock.now(), keys=keys, origin=settings.log_origin):
        pass
    await DB.close()


def _mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(work: Callable[[], T]) -> tuple[T, float, str]:
    """What it gave, its seconds, and the processor's seconds of this process beside them."""
    began, cpu = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - began, f"{time.process_time() - cpu:.0f} s CPU here"


def _backups(running: Running, settings: Settings, shelf: Path, items: int) -> list[Figure]:
    before = _mb()
    first, whole, cpu = _timed(lambda: asyncio.run(backup.back_up(settings, shelf)))
    grown = _mb() - before
    asyncio.run(_filled(running, settings, NEW))
    second, again, cpu_again = _timed(lambda: asyncio.run(backup.back_up(settings, shelf)))
    (report, _), scrubbed, cpu_scrub = _timed(
        lambda: asyncio.run(scrub.scrub(settings, whole=True))
    )
    copied = sum(room.new_bytes for room in first.manifest.rooms.values()) / 1e6
    anew = sum(room.new_objects for room in second.manifest.rooms.values())
    read = report.facts["read"]
    return [
        Figure("first backup", whole, "s", note=f"{items} items, {copied:.0f} MB; {cpu}"),
        Figure("memory it adds", grown, "MB", target=64),
        Figure(
            "backup of what is new", again, "s", target=RPO_S, note=f"{anew} objects; {cpu_again}"
        ),
        Figure("scrub of everything", scrubbed, "s", note=f"{read} read again; {cpu_scrub}"),
    ]


def _restored(shelf: Path, data: Path, keys: Path, items: int) -> list[Figure]:
    args = Namespace(
        data=data, source=shelf, set=None, keys=keys, keys_file=None, passphrase_file=None
    )
    with redirect_stdout(None):
        failed, took, cpu = _timed(lambda: restore.main(Namespace(**vars(args), port=8000)))
    if failed:
        raise RuntimeError("the restore was refused")
    note = f"{items + NEW} items checked, locked, hashed, log recomputed; {cpu}"
    return [Figure("restore until ready", took, "s", target=RTO_S, note=note)]
