"""Figures of the draw: `python -m tests.bench.bench_draw` prints them as JSON.

Each time is the median of interleaved rounds, in processor seconds of this process.
"""

import gc
import hashlib
import json
import random
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from inspection_plans.draw import merkle, outcome, record, seed
from inspection_plans.draw.select import select
from inspection_plans.draw.send import assign
from inspection_plans.draw.verify import verify

SEED = hashlib.sha256(b"bench").hexdigest()
MIB = 2**20


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def medians(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in times.items()}


def extra_mib(work: Callable[[], object]) -> float:
    """Most memory that Python held at once beyond what was there before."""
    gc.collect()
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / MIB


def objects(count: int) -> list[dict[str, Any]]:
    return [{"id": f"91370000{i:010d}/T", "stratum": f"S{i % 4}"} for i in range(count)]


def inspectors(count: int, cap: int, areas: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(2)
    return [
        {
            "id": f"p{i:05d}",
            "lead": i % 2 == 0,
            "skills": [],
            "areas": [f"A{a}" for a in sorted(rng.sample(range(areas), 3))] if areas else [],
            "cap": cap,
        }
        for i in range(count)
    ]


def hash_all(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        hashlib.sha256(row["id"].encode()).digest()


def selection(count: int, rounds: int) -> Iterator[tuple[str, float]]:
    strata = [{"id": f"S{i}", "ratio": "0.01"} for i in range(4)]
    plan = {"mode": "ratio", "reserve": 100, "strata": strata}
    rows = objects(count)
    weighted = [{**row, "w": 1 + i % 3} for i, row in enumerate(rows)]
    tenth = rows[: count // 10]
    times = medians(
        {
            "hash": lambda: hash_all(rows),
            "select": lambda: select("sha256", SEED, plan, rows),
            "tenth": lambda: select("sha256", SEED, plan, tenth),
            "weighted": lambda: select("sha256", SEED, plan, weighted),
        },
        rounds,
    )
    yield "select_seconds", times["select"]
    yield "select_per_hash_pass", times["select"] / times["hash"]
    yield "select_growth_from_a_tenth", times["select"] / times["tenth"]
    yield "select_weighted_seconds", times["weighted"]
    yield "select_extra_mib", extra_mib(lambda: select("sha256", SEED, plan, rows))
    yield "frame_root_seconds", seconds(lambda: merkle.frame_root("sha256", SEED, rows))


def sending(count: int, staff: int, rounds: int) -> Iterator[tuple[str, float]]:
    rng = random.Random(1)
    people = inspectors(staff, 3 * count // staff)
    # Half may lead, but all of them together have five per cent of turns too few.
    turns = 19 * count // 20 // ((staff + 1) // 2)
    short = [{**one, "cap": turns if one["lead"] else one["cap"]} for one in people]
    ids = [one["id"] for one in people]
    visits = [{"id": f"91370000{i:010d}/T"} for i in range(count)]
    avoided = {visit["id"]: rng.sample(ids, staff // 100) for visit in visits}
    pairs = [[one, visit] for visit, block in avoided.items() for one in block]
    times = medians(
        {
            "lists": lambda: assign("sha256", SEED, visits, people, avoided),
            "pairs": lambda: assign("sha256", SEED, visits, people, pairs),
            "short": lambda: assign("sha256", SEED, visits, short, avoided),
        },
        rounds,
    )
    places = 2 * count
    yield "assign_microseconds_per_place", times["lists"] / places * 1e6
    yield "assign_microseconds_per_place_from_pairs", times["pairs"] / places * 1e6
    yield "assign_microseconds_per_place_leads_missing", times["short"] / places * 1e6
    unfilled = assign("sha256", SEED, visits, short, avoided)["open"]
    yield "assign_leads_missing", len(unfilled)
    yield "assign_extra_mib", extra_mib(lambda: assign("sha256", SEED, visits, people, avoided))


def overlapping(count: int, staff: int) -> Iterator[tuple[str, float]]:
    """Sixteen areas of unequal demand: the case in which phase C has work."""
    rng = random.Random(3)
    areas = [f"A{min(rng.randrange(16), rng.randrange(16))}" for _ in range(count)]
    visits = [{"id": f"v{i:06d}", "area": area} for i, area in enumerate(areas)]
    people = inspectors(staff, 10 * count // staff, areas=16)
    found: dict[str, Any] = {}
    yield (
        "overlapping_areas_seconds",
        seconds(lambda: found.update(assign("sha256", SEED, visits, people, []))),
    )
    yield "overlapping_areas_moves", found["moves"]


def a_record(count: int, staff: int) -> dict[str, Any]:
    """A disclosed record of one party with dice, as large as a province's."""
    alg, draw, attempt = "sha256", "2027-01", {"draw": "2027-01", "attempt": 1}
    plan = {"mode": "ratio", "strata": [{"id": f"S{i}", "ratio": "0.085"} for i in range(4)]}
    frames = {"objects": objects(count), "inspectors": inspectors(staff, 200), "blocked": []}
    keys = {"objects": SEED, "inspectors": SEED}
    frozen = record.frozen(alg, frames, keys)
    dice = {"source": "dice", "ref": "hall", "value": "31415926535897932384"}
    secret = SEED
    final = seed.seed(
        alg,
        draw,
        1,
        plan=plan,
        frames={name: frozen[name]["root"] for name in keys},
        reveals={"operator": secret},
        entropy=[dice],
    )
    drawn = outcome.draw(alg, final, plan, frames)
    known = hashlib.sha256(bytes.fromhex(secret)).hexdigest()
    commit = seed.commitment(alg, draw, 1, "operator", secret)
    named = [{"source": "dice", "ref": "hall"}]
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("plan_year", {"year": 2027, "draws": [{"draw": draw, "due": "2027-12-31"}]}),
        ("attempt_open", {**attempt, "stage": "draw"}),
        ("plan", {**attempt, "digest": record.digest(alg, plan)}),
        ("freeze", {**attempt, **frozen, "parties": ["operator"], "entropy": named}),
        ("commit", {**attempt, "party": "operator", "commitment": commit}),
        ("entropy", {**attempt, **dice, "witnesses": ["a", "b"]}),
        ("reveal", {**attempt, "party": "operator", "digest": known, "countersigned": []}),
        ("result", record.result_body(alg, draw, 1, final, drawn)),
        ("opening", {**attempt, "party": "operator", "value": secret}),
    ]
    log: list[dict[str, Any]] = []
    for kind, body in bodies:
        log.append(record.append(log, kind, body, "2027-01-04T08:00:00Z"))
    return record.build(alg, draw, plan, frames, keys=keys, log=log, outcome=drawn)


def verifying(count: int, staff: int, rounds: int) -> Iterator[tuple[str, float]]:
    text = json.dumps(a_record(count, staff), ensure_ascii=False)

    def check() -> None:
        report = verify(json.loads(text))
        if not report.ok:
            raise AssertionError(report.failures[:3])

    yield "verify_seconds", medians({"verify": check}, rounds)["verify"]
    yield "verify_record_mib", len(text.encode()) / MIB


def run(scale: int = 1, rounds: int = 5) -> dict[str, float]:
    """Give name -> figure; `scale` divides every size, for a quick look."""
    figures = [
        *selection(1_000_000 // scale, rounds),
        *sending(100_000 // scale, 2000 // scale, rounds),
        *overlapping(20_000 // scale, 400 // scale),
        *verifying(200_000 // scale, 400 // scale, 3),
    ]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {name: round(float(value), 3) for name, value in [*figures, ("peak_rss_mib", most)]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=1) + "\n")
