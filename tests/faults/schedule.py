"""One seeded schedule from its first step to its verdict.

Source: evidence spec 13 (L2: app, PostgreSQL and S3 in process).
"""

from dataclasses import dataclass

from tests.faults import portal, rogues, steps
from tests.faults.checker import Case, check
from tests.faults.drain import afterwards, drain, server, weeks_later
from tests.faults.facts import collect
from tests.faults.play import Play, a_play
from tests.faults.stage import Stage
from tests.faults.steps import Step, guarded

BEFORE = (3, 9)  # deeds without signal, before anything is sent
STEPS = (12, 22)
# Weight, step, and whether it may meet a fault.
TABLE: tuple[tuple[int, Step, bool], ...] = (
    (24, steps.work, False),
    (22, steps.push, True),
    (24, steps.media, True),
    (14, steps.worker, True),
    (7, steps.sequencer, True),
    (6, steps.receipts, True),
    (3, steps.complete, True),
    (2, steps.replay, False),
    (4, steps.overlap, False),
    (5, steps.crowd, False),
    (2, steps.restart, False),
    (4, steps.lapse, False),
    (2, steps.jump, False),
    (3, steps.weeks, False),
    (4, steps.fill, False),
    (10, rogues.rogue, True),
    (1, rogues.spy, False),
    (1, rogues.intruder, False),
    (6, portal.reply, True),
    (4, rogues.reassign, False),
    (4, rogues.revoke, False),
    (4, rogues.wipe, False),
)
WEIGHTS = [weight for weight, _, _ in TABLE]


@dataclass(frozen=True)
class Verdict:
    """What one schedule showed; without ``wrong`` it held."""

    seed: int
    label: str
    wrong: tuple[str, ...]
    trace: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: replay with: python -m tests.faults --seed {self.seed}"]
        return "\n".join([*lines, *(f"  {one}" for one in self.wrong)])


async def schedule(stage: Stage, seed: int, label: str = "clean") -> Verdict:
    """Play one seed and hold what is left against what was seen."""
    play = await played(stage, seed, label)
    log = await stage.watch.look(stage.owner)
    wrong = [*play.wrong, *log, *await portal.verdict(play), *check(await case_of(play))]
    return Verdict(play.seed, play.label, tuple(wrong), tuple(play.trace))


async def played(stage: Stage, seed: int, label: str) -> Play:
    """A schedule from its first step until everything is drained."""
    play = await a_play(stage, seed, label)
    play.trace.append(f"traits {sorted(play.traits)}")
    for _ in range(play.dice.randint(*BEFORE)):
        await steps.work(play)
    for _ in range(play.dice.randint(*STEPS)):
        await _step(play)
    await drain(play)
    await portal.drain(play)
    if "afterwards" in play.traits:
        await afterwards(play)
    if "weeks" in play.traits:
        await weeks_later(play)
    await server(play)
    for phone in play.living():
        await phone.pull_receipts()
    return play


async def cases(stage: Stage, seed: int, label: str) -> Case:
    """A schedule as the checker is handed it, for tests of the checker."""
    play = await played(stage, seed, label)
    await stage.watch.look(stage.owner)
    return await case_of(play)


async def _step(play: Play) -> None:
    _, step, may_break = play.dice.choices(TABLE, WEIGHTS)[0]
    plan = play.fault() if may_break else None
    told = "" if plan is None else f" {plan.place} {plan.how} {plan.nth}"
    await guarded(play, step, plan)
    fired = " fired" if plan is not None and plan.fired else ""
    play.trace.append(f"{step.__name__}{told}{fired}")
    play.latest = max(play.latest, play.stage.clock())


async def case_of(play: Play) -> Case:
    """Read what the server holds of a schedule, beside what was seen."""
    stage = play.stage
    facts = await collect(
        stage.owner,
        stage.bucket,
        visits={venue.visit for venue in play.venues},
        devices=play.devices,
        op_ids={event.facts["op_id"] for event in play.history.of("op", "invoke")},
        since=play.since,
        at=stage.clock(),
    )
    return Case(
        history=play.history,
        phones=play.phones,
        facts=facts,
        trust=stage.trust,
        notes=set(stage.watch.notes),
        dishonest=play.dishonest,
        spoilt=play.spoilt,
        lost=play.lost,
        invited={venue.visit: venue.invited for venue in play.venues},
        restored=False,
    )
