"""Submitting a visit beside a bare transaction of the same rows: new, replayed, unremembered."""

from collections.abc import Awaitable, Callable

import asyncpg

from backend.services import tokens
from tests.bench.bare import Bare, Rows, rows_of, texts_of
from tests.bench.crew import Crew, Submission
from tests.bench.figures import Figure, median
from tests.bench.rig import Request, Spent, Stand, spend

ROUNDS = 7
BATCHES = 48
# One round more warms everything up and is thrown away; one visit more shows the rows.
NEW = 1 + (ROUNDS + 1) * BATCHES * 2
SPARE = (ROUNDS + 1) * BATCHES

Work = Callable[[], Awaitable[Spent]]


async def run(stand: Stand, crew: Crew, owner: asyncpg.Connection) -> list[Figure]:
    """All figures of the submit at eight connections; the database is the small one."""
    (model,) = crew.submissions(1)
    await stand.call(model.request)
    texts = await texts_of(owner, model.visit)
    institution = await owner.fetchval("select institution from visit where id = $1", model.visit)
    bare = await Bare.open(stand)
    rounds: list[dict[str, Spent]] = []
    for number in range(ROUNDS + 1):
        new, silent = crew.submissions(BATCHES), crew.submissions(BATCHES)
        rows = [rows_of(one, crew.spare.pop(), stand.clock(), institution, texts) for one in new]
        works = _works(stand, bare, rows, new, silent)
        names = list(works)
        turned = names[number % len(names) :] + names[: number % len(names)]
        spent = {name: await works[name]() for name in _after_new(turned)}
        rounds.append(spent)
    await bare.close()
    return list(_figures(rounds[1:], len(model.operations)))


def _after_new(names: list[str]) -> list[str]:
    """The order of a round, in which a replay comes after what it replays."""
    first = [name for name in names if name != "replayed"]
    first.insert(first.index("new") + 1, "replayed")
    return first


def _works(
    stand: Stand, bare: Bare, rows: list[Rows], new: list[Submission], silent: list[Submission]
) -> dict[str, Work]:
    async def unknown(request: Request) -> None:
        tokens.forget()
        await stand.call(request)

    requests = [one.request for one in new]
    return {
        "bare": lambda: bare.spend(rows),
        "new": lambda: spend(stand.call, requests),
        "replayed": lambda: spend(stand.call, requests),
        "silent": lambda: spend(unknown, [one.request for one in silent]),
    }


def _figures(rounds: list[dict[str, Spent]], operations: int) -> list[Figure]:
    def each(name: str) -> list[Spent]:
        return [spent[name] for spent in rounds]

    ratios = [spent["new"].rate / spent["bare"].rate for spent in rounds]
    replays = [spent["replayed"].rate / spent["new"].rate for spent in rounds]
    cpu = [spent.cpu_ms for spent in each("new")]
    return [
        median("submit: rate beside bare asyncpg", ratios, "×", target=0.35, side="at least"),
        median("submit: app CPU a batch of 4", cpu, "ms", target=1.6),
        median("submit: app CPU an operation", [one / operations for one in cpu], "ms"),
        median("submit: replayed beside new", replays, "×", target=1.0, side="at least"),
        median("replay: app CPU a batch", [one.cpu_ms for one in each("replayed")], "ms"),
        median(
            "submit, token not remembered: app CPU", [one.cpu_ms for one in each("silent")], "ms"
        ),
        median("submit: batches a second", [one.rate for one in each("new")], "/s"),
        median("bare: transactions a second", [one.rate for one in each("bare")], "/s"),
        median("bare: client CPU a transaction", [one.cpu_ms for one in each("bare")], "ms"),
    ]
