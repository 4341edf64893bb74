"""One seeded full-stack schedule, from its first step to its verdict.

The dice of a seed say what phones do and what befalls the product; the processes' own pace is
theirs, so that a replay meets the same deeds and faults, not the same microseconds.
Source: evidence spec 13 (L3: full stack through proxy and kills).
"""

import asyncio
import itertools
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx

from backend.services import tokens
from inspection_plans.states import WrongState
from media.bucket import Bucket
from tests.faults import drain, rogues, steps
from tests.faults.checker import check
from tests.faults.full import deeds, disk, yesterday
from tests.faults.full.scene import Scene
from tests.faults.logwatch import LogWatch
from tests.faults.model import Phone
from tests.faults.play import Play, a_play
from tests.faults.schedule import case_of

STEPS = (9, 15)
FAULTY = 0.55
ROUNDS = 24
QUIET_S = 4.0
LAST_S = 60.0
LEASE_S = 61
LIMIT_S = 240.0  # of a schedule that takes ten seconds when nobody else is at work
RESTORED = 10  # every tenth seed restores yesterday's backup
EARLY = 0.5  # of them phones speak before two administrators let the log go on
KEPT_AT = 3
Step = Callable[[Play], Awaitable[None]]
TABLE: tuple[tuple[int, Step], ...] = (
    (26, steps.push),
    (34, steps.media),
    (8, steps.receipts),
    (4, steps.complete),
    (4, rogues.rogue),
    (1, rogues.intruder),
)
CALM: tuple[Step, ...] = (rogues.reassign, rogues.revoke, rogues.wipe, rogues.spy)
RUNNABLE = """
select (select count(*) from task where done_at is null and run_at <= $1
    and (locked_until is null or locked_until < $1) and attempts < max_attempts)
  + (select count(*) from aud.entry where tree_index is null)
  + (select count(*) from evidence where state = 'verified')
"""
OPEN = "select count(*) from task where done_at is null"
run = itertools.count(1)


@dataclass(frozen=True)
class Verdict:
    """What one schedule showed; without ``wrong`` it held."""

    seed: int
    wrong: tuple[str, ...]
    trace: tuple[str, ...]
    took_s: float

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: replay with: python -m tests.faults.full --seed {self.seed}"]
        lines += [f"  {one}" for one in self.wrong]
        return "\n".join([*lines, "  steps:", *(f"    {one}" for one in self.trace)])


async def schedule(scene: Scene, seed: int) -> Verdict:
    """Play one seed and hold what is left against what was seen."""
    began = asyncio.get_running_loop().time()
    stand = scene.stand
    await stand.ready()
    stand.line.seed = stand.back.seed = seed
    stand.line.requests = stand.back.requests = 0
    scene.faults.clear()
    play = await a_play(scene, seed, f"full-{next(run)}")
    play.trace.append(f"traits {sorted(play.traits)}")
    wrong = [*await _played(scene, play), *scene.faults]
    took = asyncio.get_running_loop().time() - began
    return Verdict(seed, tuple(wrong), tuple(play.trace), took)


async def _played(scene: Scene, play: Play) -> tuple[str, ...]:
    """Everything of one schedule, which ends whatever happens."""
    try:
        restored = not play.seed % RESTORED
        async with asyncio.timeout(LIMIT_S * (1 + restored)):
            for number in range(play.dice.randint(*STEPS)):
                if restored and number == KEPT_AT:
                    await yesterday.keep(scene.stand)
                await _step(scene, play, desk=not restored)
            if restored:
                await _yesterday(scene, play)
            await _drain(scene, play)
            log = await scene.watch.look(scene.owner)
            return (*play.wrong, *log, *check(await case_of(play)))
    except TimeoutError as late:
        scene.stand.spare()
        where = traceback.extract_tb(_deepest(late))
        places = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in where[-4:]]
        return (f"it came to no end: {late or 'its time was up'} at {places}",)


def _deepest(fault: BaseException) -> TracebackType | None:
    """Where the work stood that the limit ended."""
    while fault.__context__ is not None:
        fault = fault.__context__
    return fault.__traceback__


async def _yesterday(scene: Scene, play: Play) -> None:
    """The server is older than its phones; a phone that sees it sends everything again.

    What was told of operations since is void, and the log goes on from an older entry, under a
    new epoch.
    """
    await yesterday.restore(scene.stand)
    tokens.forget()
    play.trace.append("restored from yesterday")
    scene.settings, keys = scene.stand.settings, scene.stand.keys
    scene.bucket = Bucket.of(scene.settings.store)
    events = play.history.events
    events[:] = [one for one in events if (one.what, one.phase) != ("op", "ok")]
    lost = await scene.owner.fetchval("select coalesce(max(id), 0) from aud.entry")
    scene.watch = LogWatch(scene.settings.log_origin, keys.log.public, lost=lost)
    for phone in play.living():
        phone.tokens, phone.nonce, phone.since, phone.shelf.receipts_after = None, "", 0, 0
        for letter in phone.shelf.letters:
            letter.stand = "queued" if letter.stand == "applied" else letter.stand
        for kept in phone.shelf.captures.values():
            kept.sent = kept.opened = False
            kept.state, kept.promised, kept.sealed_ms = "", 0, None
    if play.dice.random() < EARLY:
        for phone in play.living():
            await drain.send_all(phone, again=False)
    await yesterday.let_go_on(scene)


async def _step(scene: Scene, play: Play, *, desk: bool) -> None:
    """Somebody works on site, then phones speak while something befalls the product."""
    stand, dice = scene.stand, play.dice
    for _ in range(dice.randint(2, 5)):
        await steps.work(play)
    if dice.random() < 0.2 and desk:
        deed = dice.choice(CALM)
        await stand.ready()
        with suppress(httpx.TransportError):  # a connection of the process that has ended
            await deed(play)
        play.trace.append(deed.__name__)
    fault = deeds.draw(stand, dice) if dice.random() < FAULTY else None
    chosen = [step for _, step in dice.choices(TABLE, [w for w, _ in TABLE], k=dice.randint(1, 3))]
    play.trace.append(f"{fault.told if fault else '-'}: {[step.__name__ for step in chosen]}")
    beside = asyncio.create_task(fault.beside()) if fault and fault.beside else None
    for step in chosen:
        await step(play)
    if beside is not None:
        await beside
    stand.line.weather = stand.back.weather = deeds.Weather()
    if stand.disk is not None:
        disk.empty(stand.disk)
    if dice.random() < 0.8:
        await stand.ready()


async def _drain(scene: Scene, play: Play) -> None:
    """After the faults have stopped, everything comes to its end within ``ROUNDS`` rounds."""
    stand = scene.stand
    stand.spare()
    deeds.empty(stand)
    await stand.ready()
    for phone in play.living():
        await phone.fetch_tasks()
    for venue in play.venues:
        drain.close(play, venue)
    for turn in range(ROUNDS):
        for phone in play.living():
            await drain.send_all(phone, again=turn > 0)
        await _quiet(scene)
        for phone in play.living():
            await phone.pull_receipts()
        if not await _waits(scene, play):
            play.trace.append(f"drained in {turn + 1} rounds")
            break
        if turn:
            scene.clock.tick(seconds=LEASE_S)
    await _settle(play)
    await _quiet(scene, limit_s=LAST_S)  # a worker that was killed may still be starting


async def _settle(play: Play) -> None:
    """The desk ends what phones cannot end."""
    for venue in play.venues:
        try:
            await drain.settle(play, venue)
        except WrongState as refusal:  # nobody was left to claim it: the desk's to assign anew
            if not play.lost:
                raise
            play.trace.append(f"visit {venue.visit} stays {refusal.facts['state']}")


async def _quiet(scene: Scene, limit_s: float = QUIET_S) -> None:
    """Wait until worker and sequencer have nothing that may run now, or no more than a while."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + limit_s
    while loop.time() < limit:
        if not await scene.owner.fetchval(RUNNABLE, scene.clock()):
            return
        await asyncio.sleep(0.03)


async def _waits(scene: Scene, play: Play) -> bool:
    if await scene.owner.fetchval(OPEN):
        return True
    return any(_due(phone, play) for phone in play.living())


def _due(phone: Phone, play: Play) -> bool:
    spared = play.lost | set(play.spoilt)
    unsealed = [one for one in phone.shelf.unsealed() if one.id not in spared]
    return bool(phone.shelf.pending() or phone.shelf.due() or unsealed)
