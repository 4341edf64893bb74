"""Figures of the rules: a million deadline questions on one core, and loading the packs."""

import json
import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from inspection_plans import loader
from inspection_plans.ask.table import answer_line
from inspection_plans.deadlines import Asks
from inspection_plans.rulebook import Rulebook
from tests.bench.figures import Figure, median

QUESTIONS = 1_000_000
BATCH = 100_000  # lines in memory at once
FIRST = date(2021, 10, 8)
DAYS = 1900
PLACES = ("national", "CN-37", "CN-3710", "CN-14", "CN-23", "CN-11", "CN-3701")
LOADS = 5
Question = tuple[str, str, date]


def run(*, questions: int = QUESTIONS) -> list[Figure]:
    """Ask every concept that has a trigger, everywhere, about mixed days; processor seconds."""
    rules = loader.load_rulebook()
    asked = a_mix(rules, questions)
    return [
        _whole("rules: deadlines by function", questions, lambda: by_function(rules, asked)),
        _whole("rules: deadlines by line", questions, lambda: by_line(rules, asked)),
        median(
            "rules: load the packs",
            [seconds(lambda: loader.read(loader.HOME / "packs")) for _ in range(LOADS)],
            "s",
            target=0.3,
        ),
        median(
            "rules: load packs, settings, calendar",
            [seconds(lambda: loader.read_rulebook(loader.HOME)) for _ in range(LOADS)],
            "s",
        ),
    ]


def a_mix(rules: Rulebook, count: int) -> list[Question]:
    """Questions drawn with one seed: concepts asked by a day, without a medium."""
    rng = random.Random(1)
    concepts = [
        row.concept
        for row in rules.library.deadlines.values()
        if row.asks is Asks.DAY and row.choose is None
    ]
    return [
        (
            rng.choice(concepts),
            rng.choice(PLACES),
            FIRST + timedelta(days=rng.randrange(DAYS)),
        )
        for _ in range(count)
    ]


def by_function(rules: Rulebook, asked: list[Question]) -> float:
    """Processor seconds through the Python function."""
    clock = rules.clock

    def work() -> None:
        for concept, place, trigger in asked:
            clock.deadline(concept, place, trigger)

    return seconds(work)


def by_line(rules: Rulebook, asked: list[Question]) -> float:
    """Processor seconds from a line of JSON to a line of JSON; writing the questions is free."""

    def answer(lines: list[bytes]) -> None:
        for line in lines:
            answer_line(line, rules)

    batches = (asked[start : start + BATCH] for start in range(0, len(asked), BATCH))
    return sum(seconds(partial(answer, [as_line(one) for one in batch])) for batch in batches)


def as_line(question: Question) -> bytes:
    concept, place, trigger = question
    return json.dumps(
        {
            "ask": "deadline",
            "concept": concept,
            "jurisdiction": place,
            "trigger": trigger.isoformat(),
        }
    ).encode()


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _whole(name: str, questions: int, measure: Callable[[], float]) -> Figure:
    took = measure()
    note = f"{questions:,} questions, {took / questions * 1e6:.1f} µs each"
    return Figure(name, took, "s", target=60.0, note=note)
