"""Figures of the draw's engine alone, in processor seconds of this process.

Each time is the median of interleaved rounds; `bench_frame` does the same out of a database.
"""

import gc
import hashlib
import json
import random
import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inspection_plans.draw import merkle, outcome, record, seed
from inspection_plans.draw.report import load
from inspection_plans.draw.select import select
from inspection_plans.draw.send import assign
from inspection_plans.draw.verify import verify
from tests.bench.figures import Figure

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


def selection(count: int, rounds: int) -> Iterator[Figure]:
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
    drawn = times["select"]
    yield Figure("draw: select", drawn, "s", note=f"{count:,} rows, one per cent")
    yield Figure("draw: select in hash passes", drawn / times["hash"], "×", 2.5)
    yield Figure("draw: select, growth from a tenth", drawn / times["tenth"], "×", 11)
    yield Figure("draw: select by weight", times["weighted"], "s")
    memory = extra_mib(lambda: select("sha256", SEED, plan, rows))
    yield Figure("draw: select, extra memory", memory, "MiB")
    yield Figure(
        "draw: root of the frame", seconds(lambda: merkle.frame_root("sha256", SEED, rows)), "s"
    )


def sending(count: int, staff: int, rounds: int) -> Iterator[Figure]:
    rng = random.Random(1)
    people = inspectors(staff, 3 * count // staff)
    # Half may lead, but all of them together have five per cent of turns too few.
    turns = 19 * count // 20 // ((staff + 1) // 2)
    short = [{**one, "cap": turns if one["lead"] else one["cap"]} for one in people]
    ids = [one["id"] for one in people]
    visits = [{"id": f"91370000{i:010d}/T"} for i in range(count)]
    avoided = {visit["id"]: rng.sample(ids, staff // 100) for visit in visits}
    in_order = sorted([one, visit] for visit, block in avoided.items() for one in block)
    # As they come out of a file: pairs and texts of their own, one after another in memory.
    pairs = json.loads(json.dumps(in_order))
    del in_order
    # What is drawn from is the caller's: no full collection walks two million pairs.
    gc.collect()
    gc.freeze()
    times = medians(
        {
            "avoidance by visit": lambda: assign("sha256", SEED, visits, people, avoided),
            "avoidance by inspector": lambda: assign("sha256", SEED, visits, people, pairs),
            "leads missing": lambda: assign("sha256", SEED, visits, short, avoided),
        },
        rounds,
    )
    note = f"{count:,} visits, {staff:,} inspectors, 1 % avoided"
    for name, spent in times.items():
        place = spent / (2 * count) * 1e6
        yield Figure(f"draw: send, {name}", place, "µs a place", 12, note=note)
    memory = extra_mib(lambda: assign("sha256", SEED, visits, people, pairs))
    yield Figure("draw: send, extra memory", memory, "MiB", 300)
    gc.unfreeze()


def overlapping(count: int, staff: int) -> Iterator[Figure]:
    """Sixteen areas of unequal demand: the case in which phase C has work."""
    rng = random.Random(3)
    areas = [f"A{min(rng.randrange(16), rng.randrange(16))}" for _ in range(count)]
    visits = [{"id": f"v{i:06d}", "area": area} for i, area in enumerate(areas)]
    people = inspectors(staff, 10 * count // staff, areas=16)
    sent: dict[str, Any] = {}
    spent = seconds(lambda: sent.update(assign("sha256", SEED, visits, people, [])))
    note = f"{count:,} visits, {sent['moves']} moves"
    yield Figure("draw: send, sixteen areas", spent, "s", note=note)


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
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SEED))
    public = key.public_key().public_bytes_raw().hex()
    party_keys = [{"party": "operator", "kind": "operator", "key": public}]
    signed = key.sign(seed.tagged("ssj1.commit") + bytes.fromhex(commit)).hex()
    named = [{"source": "dice", "ref": "hall"}]
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("plan_year", {"year": 2027, "draws": [{"draw": draw, "due": "2027-12-31"}]}),
        ("attempt_open", {**attempt, "stage": "draw"}),
        ("plan", {**attempt, "digest": record.digest(alg, plan)}),
        (
            "freeze",
            {
                **attempt,
                **frozen,
                "parties": ["operator"],
                "party_keys": party_keys,
                "entropy": named,
            },
        ),
        ("commit", {**attempt, "party": "operator", "commitment": commit, "signature": signed}),
        ("entropy", {**attempt, **dice, "witnesses": ["a", "b"]}),
        ("reveal", {**attempt, "party": "operator", "digest": known, "countersigned": []}),
        ("result", record.result_body(alg, draw, 1, final, drawn)),
        ("opening", {**attempt, "party": "operator", "value": secret}),
    ]
    log: list[dict[str, Any]] = []
    for kind, body in bodies:
        log.append(record.append(log, kind, body, "2027-01-04T08:00:00Z"))
    whole = record.build(alg, draw, plan, frames, keys=keys, log=log, outcome=drawn)
    head = record.head(log)
    signature = key.sign(bytes.fromhex(head)).hex()
    countersign = {"party": "operator", "head": head, "signature": signature}
    return record.attach(whole, countersigns=[countersign])


def verifying(count: int, staff: int, rounds: int) -> Iterator[Figure]:
    text = json.dumps(a_record(count, staff), ensure_ascii=False)

    def check() -> None:
        report = verify(load(text) or {})
        if not report.ok:
            raise AssertionError(report.failures[:3])

    note = f"{count:,} objects, {len(text.encode()) / MIB:.1f} MiB"
    yield Figure("draw: verify", medians({"verify": check}, rounds)["verify"], "s", 5, note=note)


def run(scale: int = 1, rounds: int = 5) -> list[Figure]:
    """Give the figures; `scale` divides every size, for a quick look."""
    figures = [
        *selection(1_000_000 // scale, rounds),
        *sending(100_000 // scale, 2000 // scale, rounds),
        *overlapping(20_000 // scale, 400 // scale),
        *verifying(200_000 // scale, 400 // scale, 3),
    ]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*figures, Figure("draw: most memory of the process", most, "MiB")]
