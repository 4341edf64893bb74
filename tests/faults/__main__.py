"""`python -m tests.faults --seed N` replays one schedule; `--count N --first S` plays many."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import msgspec

from backend.app import create_app
from backend.embedded.supervisor import Running, start
from backend.services.schema import migrate
from backend.settings import Database, Settings, Store
from media.bucket import Bucket
from tests.conftest import StillClock, lived
from tests.faults.schedule import Verdict, schedule
from tests.faults.stage import Stage, a_stage
from tests.superuser import dsn_of, hurry


@contextlib.asynccontextmanager
async def on_servers(
    database: Database, store: Store, password: str, folder: Path
) -> AsyncIterator[Stage]:
    """A stage of its own on servers that run: migrated, with its buckets and keys."""
    await migrate(database)
    bucket, clock = Bucket.of(store), StillClock()
    bucket.ensure_buckets()
    settings = Settings(
        database=database,
        store=store,
        keys=folder / "keys",
        origin="http://testserver",
        duties=(),
        log_origin="faults.mingcha.invalid/log",
        secure_cookies=False,
    )
    dsn = dsn_of(database, password)
    owner = await asyncpg.connect(dsn)
    # Nothing here ends the database's own process: what is committed need not wait for the disk.
    await hurry(owner, database)
    app = create_app(settings, bucket=bucket, clock=clock)
    try:
        async with lived(app), a_stage(app, owner, settings, clock, dsn) as stage:
            yield stage
    finally:
        await owner.close()


async def _play(running: Running, seeds: Sequence[int], folder: Path, *, every: bool) -> int:
    failed: list[Verdict] = []
    began = time.monotonic()
    store = msgspec.structs.replace(running.s3, prefix="f")
    async with on_servers(running.pg, store, running.superuser_password, folder) as stage:
        for seed in seeds:
            verdict = await schedule(stage, seed)
            print(f"seed {seed}: {len(verdict.wrong)} wrong", flush=True)
            if every:
                print("\n".join(verdict.trace))
            if verdict.wrong:
                failed.append(verdict)
                print(verdict, flush=True)
    took = time.monotonic() - began
    print(f"{len(seeds)} schedules, {len(failed)} failed, {took:.1f} s")
    return min(len(failed), 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Play the seeds asked for; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and print its steps")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    args = parser.parse_args(argv)
    alone = args.seed is not None
    seeds = [args.seed] if alone else range(args.first, args.first + args.count)
    with (
        tempfile.TemporaryDirectory(prefix="mingcha-faults-", ignore_cleanup_errors=True) as name,
        start(Path(name), origin="http://testserver") as running,
    ):
        return asyncio.run(_play(running, seeds, Path(name), every=alone))


if __name__ == "__main__":
    sys.exit(main())
