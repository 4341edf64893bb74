"""`python -m tests.bench [names] [--json]`: the figures of docs/benchmarks.md."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import uvloop

from tests.bench import (
    bench_backup,
    bench_desk,
    bench_documents,
    bench_draw,
    bench_evidence,
    bench_exports,
    bench_frame,
    bench_log,
    bench_pages,
    bench_phone,
    bench_photo,
    bench_rules,
    bench_scale,
    bench_signals,
    bench_simulate,
    bench_start,
    bench_submit,
    bench_sync,
    rig,
)
from tests.bench.crew import a_crew
from tests.bench.figures import Figure, as_json, table

NAMES = (
    "start",
    "submit",
    "scale",
    "evidence",
    "sync",
    "log",
    "signals",
    "photo",
    "draw",
    "frame",
    "simulate",
    "rules",
    "desk",
    "pages",
    "backup",
    "documents",
    "exports",
    "phone",
)
ALONE: dict[str, Callable[[], list[Figure]]] = {
    "sync": bench_sync.run,
    "log": bench_log.run,
    "signals": bench_signals.run,
    "simulate": bench_simulate.run,
    "rules": bench_rules.run,
    "desk": bench_desk.run,
    "backup": bench_backup.run,
    "documents": bench_documents.run,
    "exports": bench_exports.run,
    "phone": bench_phone.run,
}
DRAW_SCALE = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print; a missed target is a word in the table, never a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="what; all by default")
    parser.add_argument("--json", action="store_true", help="objects instead of a table")
    parser.add_argument("--stored", type=int, default=bench_scale.STORED, help="inspections")
    parser.add_argument("--draw-scale", type=int, default=DRAW_SCALE, help="divides the draw")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    names = args.names or NAMES
    began = time.monotonic()
    figures: list[Figure] = []
    if "start" in names:
        figures += bench_start.run()
    if {"submit", "scale", "evidence"} & set(names):
        figures += _on_servers(names, args.stored)
    if "photo" in names:
        figures += bench_photo.run()
    if "draw" in names:
        figures += bench_draw.run(scale=args.draw_scale, rounds=5)
    if "frame" in names:
        figures += _of_a_frame(bench_frame.COUNT // args.draw_scale)
    if "pages" in names:
        figures += _of_pages()
    for name, part in ALONE.items():
        if name in names:
            figures += part()
    print(as_json(figures) if args.json else table(figures))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


def _on_servers(names: Sequence[str], stored: int) -> list[Figure]:
    with rig.servers() as running:
        return uvloop.run(_measure(running, names, stored))


def _of_a_frame(count: int) -> list[Figure]:
    async def measure() -> list[Figure]:
        async with rig.stand(running) as stand:
            return await bench_frame.run(stand, count)

    with rig.servers() as running:
        return uvloop.run(measure())


def _of_pages() -> list[Figure]:
    async def measure() -> list[Figure]:
        async with rig.stand(running) as stand:
            return await bench_pages.run(stand)

    with rig.servers() as running:
        return uvloop.run(measure())


async def _measure(running: rig.Running, names: Sequence[str], stored: int) -> list[Figure]:
    figures: list[Figure] = []
    submit, scale, photos = "submit" in names, "scale" in names, "evidence" in names
    async with rig.stand(running) as stand:
        owner = await stand.owner()
        crew = await a_crew(
            stand,
            owner,
            to_submit=submit * bench_submit.NEW
            + scale * bench_scale.NEW
            + photos * bench_evidence.NEW,
            spare=submit * bench_submit.SPARE,
        )
        if submit:
            figures += await bench_submit.run(stand, crew, owner)
        if photos:
            figures += await bench_evidence.run(stand, crew)
        await owner.close()
        if scale:
            figures += await bench_scale.run(stand, crew, stored)
    return figures


if __name__ == "__main__":
    sys.exit(main())
