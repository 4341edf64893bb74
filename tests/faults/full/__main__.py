"""`python -m tests.faults.full --seed N` replays one schedule; `--count N` plays many.

`--disk` (root) gives everything a small disk that gets full.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.faults.full.disk import a_disk
from tests.faults.full.scene import a_scene
from tests.faults.full.schedule import schedule
from tests.faults.full.stand import a_stand


async def _play(seeds: Sequence[int], *, every: bool, disk: Path | None) -> int:
    failed, took = [], 0.0
    async with a_stand(disk) as stand, a_scene(stand) as scene:
        for seed in seeds:
            verdict = await schedule(scene, seed)
            took += verdict.took_s
            print(f"seed {seed}: {verdict.took_s:.1f} s, {len(verdict.wrong)} wrong", flush=True)
            if verdict.wrong or every:
                print(verdict, flush=True)
            if verdict.wrong:
                failed.append(seed)
        deaths = dict(stand.deaths)
    print(f"{len(seeds)} schedules, failed {failed}, {took:.0f} s; ended processes: {deaths}")
    return min(len(failed), 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Play the seeds asked for; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.full", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and print its steps")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--disk", action="store_true")
    args = parser.parse_args(argv)
    alone = args.seed is not None
    seeds = [args.seed] if alone else range(args.first, args.first + args.count)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory())) if args.disk else None
        disk = held.enter_context(a_disk(folder)) if folder else None
        return asyncio.run(_play(seeds, every=alone, disk=disk))


if __name__ == "__main__":
    sys.exit(main())
