"""Figures of the desk review: a year of filings in bulk, and one changed filing.

`python -m tests.bench.bench_desk FILE` reviews a file of rows and prints figures as JSON; the
parts of the benchmark start it as a child, so that the peak of memory is that of a review alone.
"""

import dataclasses
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from inspection_plans import loader
from inspection_plans.desk.bulk import read_lines
from inspection_plans.desk.review import Change, Review
from inspection_plans.filings import key_of, registers
from inspection_plans.vocabulary import Jurisdiction
from tests.bench import filings
from tests.bench.figures import Figure

CLASSES = 10_000
ROUNDS = 5
PLACE, AS_OF = Jurisdiction("CN-37"), date(2024, 12, 31)
# Rows that an office loads for all; a change of one is no changed filing of an institution.
LOADED = {"occupations", "standards", "certificate_layouts"}


def run(classes: int = CLASSES) -> list[Figure]:
    """Review ``classes`` classes of ``filings.HEADS`` trainees in a child process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filings.ndjson"
        with path.open("wb") as file:
            file.writelines(line + b"\n" for line in filings.lines(classes))
        command = [sys.executable, "-m", "tests.bench.bench_desk", str(path)]
        done = subprocess.run(command, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    heads = classes * filings.HEADS
    note = f"{found['rows']:,} rows, {found['results']:,} results, {found['findings']:,} findings"
    name = f"desk: {classes:,} classes, {heads:,} trainees"
    return [
        Figure(f"{name}, read", found["read"], "s processor"),
        Figure(f"{name}, judged", found["judged"], "s processor"),
        Figure(name, found["read"] + found["judged"], "s processor", 120, note=note),
        Figure(f"{name}, peak memory", found["peak_mib"], "MiB", 1024),
        Figure(
            "desk: one changed filing, slowest register",
            found["slowest_ms"],
            "ms processor",
            50,
            note=found["slowest"],
        ),
    ]


def review(path: Path) -> dict[str, Any]:
    """Read and judge a file, then change a row of every register."""
    rules = loader.load_rulebook()
    # The rows live until the end and make no circles; walking them again and again is idle.
    gc.disable()
    start = time.process_time()
    with path.open("rb") as file:
        view = read_lines(file)
    read = time.process_time() - start
    review = Review(rules, view, PLACE, AS_OF)
    start = time.process_time()
    verdicts = Counter(result.verdict.value for result in review.run())
    review.prepare()
    judged = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = _changes(review)
    slowest = max(times, key=lambda name: times[name])
    return {
        "read": read,
        "judged": judged,
        "rows": sum(view.count(register) for register in registers()),
        "results": verdicts.total(),
        "findings": verdicts["finding"],
        "peak_mib": peak,
        "slowest": f"a row of {slowest}",
        "slowest_ms": times[slowest],
    }


def _changes(review: Review) -> dict[str, float]:
    """Milliseconds of taking in one changed row, the slowest of some rounds, by register."""
    times = {}
    for register, name in registers().items():
        row = next(review.view.all(register), None)
        if row is None or name in LOADED:
            continue
        rounds = []
        for _ in range(ROUNDS):
            change = Change(register, key_of(row), dataclasses.replace(row))
            start = time.process_time()
            review.update([change])
            rounds.append((time.process_time() - start) * 1000)
        times[name] = max(rounds)
    return times


if __name__ == "__main__":
    sys.stdout.write(json.dumps(review(Path(sys.argv[1]))))
