"""What may happen next in a schedule: work without signal, sending, the server's own work.

Each step is one action; the faults that it meets are the caller's. Source: evidence spec 13.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from backend import jobs
from backend.services import tokens, uploads
from tests.faults import lanes
from tests.faults.edges import Killed, Plan
from tests.faults.model import BATCH, Phone
from tests.faults.play import Play, Venue, an_item, big_picture, kept_of
from tests.faults.shelf import Kept, Letter

NATION = 100000
LEASE_S = 61
SHOTS = 2  # of one phone in one schedule
CHUNKS = (200, 300, 500)
OVER = "ab" * 32
Step = Callable[[Play], Awaitable[None]]
STATE = """
select md5(string_agg(h, '' order by h)) from (
  select md5(t::text) as h from op t where visit = any ($1)
  union all select md5(t::text) from answer t where visit = any ($1)
  union all select md5(t::text) from visit_event t where visit = any ($1)
  union all select md5(t::text) from evidence t where visit = any ($1)
  union all select md5(t::text) from claim t where visit = any ($1)
  union all select md5(t::text) from rollcall t where visit = any ($1)
  union all select md5(t::text) from visit t where id = any ($1)
  union all select md5(t::text) from dead_letter t where visit = any ($1)
  union all select md5(t::text) from task t where done_at is null
  union all select md5(t::text) from aud.entry t where t.id > $2) as x
"""


# Work without signal


async def work(play: Play) -> None:
    """Somebody does something on site; nothing is sent."""
    venue = play.dice.choice(play.venues)
    phone = play.dice.choice(venue.phones)
    if phone.locked or venue.visit not in phone.tasks:
        return
    deed = play.dice.choice(DEEDS)
    deed(play, venue, phone)


def start(_play: Play, venue: Venue, phone: Phone) -> None:
    phone.draft("visit.start", venue.visit, {})


def checkin(_play: Play, venue: Venue, phone: Phone) -> None:
    challenge = phone.tasks[venue.visit]["challenge"]
    loc = {"st": "ok", "crs": "wgs84", "n": 3, "lat": 375130123, "lon": 1221200456, "acc_cm": 900}
    phone.draft("visit.checkin", venue.visit, {"loc": loc, "chal": challenge})


def answer(play: Play, venue: Venue, phone: Phone) -> None:
    phone.answer(venue.visit, an_item(play))


def snap(play: Play, venue: Venue, phone: Phone) -> None:
    if phone.shelf.shots < SHOTS:
        big = "big" in play.traits and not any(one.size > lanes.PART for one in _all(play))
        phone.snap(venue.visit, big_picture(play) if big else play.picture(), "TI-01")


def show(_play: Play, venue: Venue, phone: Phone) -> None:
    shown = {"inspectors": [str(one) for one in venue.team], "to": "校长"}
    phone.draft("certificate.shown", venue.visit, shown)


def sign(play: Play, venue: Venue, phone: Phone) -> None:
    one = {"role": "inspector", "inspector": str(play.dice.choice(venue.team)), "over": OVER}
    phone.draft("signature.record", venue.visit, one)


def state(_play: Play, venue: Venue, phone: Phone) -> None:
    said = {"role": "校长", "text": "没有异议", "name": "王某"}
    phone.draft("party.statement", venue.visit, said)


def call_roll(play: Play, venue: Venue, phone: Phone) -> None:
    roster = phone.tasks[venue.visit]["roster"]
    if roster is None:
        return
    called = play.dice.sample(roster["trainees"], play.dice.randint(1, len(roster["trainees"])))
    marks = [
        {"trainee": one["id"], "state": play.dice.choice(("present", "absent", "late"))}
        for one in called
    ]
    body = {
        "training_class": phone.tasks[venue.visit]["training_class"],
        "roster": roster["sha256"],
        "marks": marks,
        "strangers": 0,
    }
    phone.draft("rollcall.record", venue.visit, body)


def withdraw(play: Play, venue: Venue, phone: Phone) -> None:
    """Withdraw a capture that was never sent; a claim that lists it is made anew."""
    fresh = [one for one in kept_of(phone) if not (one.opened or one.sent or one.state)]
    fresh = [one for one in fresh if one.visit == venue.visit and not _listed(phone, one)]
    if fresh:
        one = play.dice.choice(fresh)
        one.withdrawn = True
        body = {"evidence": one.id, "reason": "拍摄模糊"}
        phone.draft("evidence.withdraw", venue.visit, body)


def _listed(phone: Phone, one: Kept) -> bool:
    claims = [letter.raw for letter in phone.shelf.letters if letter.kind == "visit.finalize"]
    return any(one.id.encode() in raw for raw in claims)


def finalize(_play: Play, venue: Venue, phone: Phone) -> None:
    """Claim the record; the recorder lists what its colleague showed it."""
    also = []
    if phone is venue.recorder:
        for colleague in venue.phones:
            if colleague is not phone:
                held = colleague.shelf.captures.values()
                also += [
                    one.listed for one in held if one.visit == venue.visit and not one.withdrawn
                ]
    phone.finalize(venue.visit, also)


DEEDS = (
    *(start, checkin, answer, answer, answer, snap, snap, snap, show, sign, sign),
    *(state, call_roll, withdraw, finalize),
)


def _all(play: Play) -> list[Kept]:
    return [one for phone in play.phones for one in phone.shelf.captures.values()]


# Sending


def talker(play: Play) -> Phone | None:
    """Some phone that may speak now; a silent colleague waits for the end."""
    able = play.living()
    if "silent_colleague" in play.traits:
        silent = {venue.phones[1].name for venue in play.venues}
        able = [phone for phone in able if phone.name not in silent]
    return play.dice.choice(able) if able else None


async def push(play: Play) -> None:
    """Send some operations: in order, out of order, twice, or some that are done already."""
    phone = talker(play)
    if phone is None:
        return
    letters = chosen(play, phone)
    if letters:
        await phone.push(letters)


def chosen(play: Play, phone: Phone) -> list[Letter]:
    """A batch as the dice want it."""
    waiting = phone.shelf.pending()[:20]
    way = play.dice.random()
    if way < 0.2:
        play.dice.shuffle(waiting)
    elif way < 0.35:
        waiting = waiting[:1] * 2 + waiting[1:]
    elif way < 0.5:
        done = [one for one in phone.shelf.letters if not one.pending]
        waiting = play.dice.sample(done, min(3, len(done))) + waiting
    elif way < 0.7 and len(waiting) > 1:
        waiting = play.dice.sample(waiting, play.dice.randint(1, len(waiting)))
    return waiting[:BATCH]


async def media(play: Play) -> None:
    """Send bytes by one of the lanes, not always to the end."""
    phone = talker(play)
    due = phone.shelf.due() if phone else []
    if phone is None or not due:
        return
    kept = play.dice.choice(due)
    if kept.size > lanes.PART and play.twins == 0:
        play.twins = 1
        await lanes.twins(phone, kept)
    if play.dice.random() < 0.5:
        await by_tus(play, phone, kept, most=play.dice.randint(1, 4))
        return
    there = await lanes.direct(phone, kept, most=play.dice.randint(1, 2))
    if there and play.dice.random() < 0.8:
        await lanes.complete(phone, kept)


async def by_tus(play: Play, phone: Phone, kept: Kept, *, most: int) -> None:
    """Send chunks; rotten memory sends other bytes once."""
    rotten = "rotten" in play.traits and not play.spoilt and kept.size < lanes.PART
    raw = None
    if rotten and kept.raw is not None:
        raw = bytes(byte ^ 1 for byte in kept.raw)
        play.spoilt[kept.id] = {"media.hash_mismatch", "may_pass"}
        play.history.note(phone.name, "rotten", evidence=kept.id)
    chunk = (1 << 20) if kept.size > lanes.PART else play.dice.choice(CHUNKS)
    await lanes.tus(phone, kept, chunk=chunk, most=most, raw=raw)


async def receipts(play: Play) -> None:
    """A phone looks for receipts, or for what the server lacks."""
    phone = talker(play)
    if phone is not None:
        await (phone.pull_receipts() if play.dice.random() < 0.6 else phone.ask_cursor())


async def complete(play: Play) -> None:
    """A phone says complete, once more or too early."""
    phone = talker(play)
    sent = [one for one in kept_of(phone) if one.state] if phone else []
    if phone is not None and sent:
        await lanes.complete(phone, play.dice.choice(sent))


async def replay(play: Play) -> None:
    """A phone sends what is final once more: nothing changes, and it is told the same."""
    phone = talker(play)
    done = [one for one in phone.shelf.letters if not one.pending] if phone else []
    if phone is None or not done:
        return
    before = await fingerprint(play)
    if await phone.push(done[-BATCH:]) and await fingerprint(play) != before:
        play.wrong.append("replay: operations sent again changed what is held")


async def fingerprint(play: Play) -> str:
    """One digest of everything that this schedule left in the database."""
    visits = [venue.visit for venue in play.venues]
    found: str = await play.stage.owner.fetchval(STATE, visits, play.since)
    return hashlib.sha256(str(found).encode()).hexdigest()


# The server's own work


async def worker(play: Play) -> None:
    """The worker takes one task; killed in it, the lease must run out first."""
    await jobs.worker.once(play.stage.jobs, limit=1)


async def sequencer(play: Play) -> None:
    await jobs.sequencer.once(play.stage.jobs)


async def restart(_play: Play) -> None:
    """A new process remembers nothing."""
    tokens.forget()


async def lapse(play: Play) -> None:
    """Time passes; leases run out."""
    play.stage.clock.tick(seconds=play.dice.choice((1, 7, LEASE_S)))


async def jump(play: Play) -> None:
    """The server's clock is set anew."""
    span = play.dice.choice((-600, -10, 30, 3600))
    play.stage.clock.set(play.stage.clock() + timedelta(seconds=span))


async def weeks(play: Play) -> None:
    """More than a week passes; idle uploads end."""
    if "weeks" not in play.traits:
        return
    stage = play.stage
    stage.clock.tick(days=7, minutes=1)
    await uploads.expire(act=stage.jobs.act(NATION), bucket=stage.bucket, spool=stage.jobs.spool)


async def fill(play: Play) -> None:
    """The spool is full, until it is not."""
    spool = play.stage.jobs.spool
    if "full" in play.traits:
        spool.quota = play.stage.settings.spool_bytes if spool.quota == 0 else 0


async def overlap(play: Play) -> None:
    """One request stands still in mid-transaction while another, and the sequencer, go on."""
    first, second = talker(play), talker(play)
    if first is None or second is None:
        return
    own, other = first.shelf.pending()[:5], second.shelf.pending()[:5]
    if first is second:
        other = own
    if not (own and other):
        return
    plan = Plan("statement", "stall", play.dice.randint(2, 7))
    with play.stage.edges.here(plan):
        held = asyncio.create_task(first.push(own))
    stopped = asyncio.create_task(plan.reached.wait())
    await asyncio.wait({held, stopped}, return_when=asyncio.FIRST_COMPLETED)
    passing = asyncio.create_task(second.push(other))
    for _ in range(2):
        await jobs.sequencer.once(play.stage.jobs)
    plan.go_on.set()
    stopped.cancel()
    await asyncio.gather(held, passing)


async def crowd(play: Play) -> None:
    """Several workers at once, and phones that say complete twice meanwhile."""
    context = play.stage.jobs
    phone = talker(play)
    sent = [one for one in kept_of(phone) if one.state in lanes.AWAITED][:2] if phone else []
    says: list[Awaitable[Any]] = [
        lanes.complete(phone, one) for one in sent for _ in range(2) if phone
    ]
    await asyncio.gather(*says, *(jobs.worker.once(context) for _ in range(3)))


async def guarded(play: Play, step: Step, plan: Plan | None) -> None:
    """Take one step under its fault; whatever it kills is dead, and a new process begins."""
    try:
        with play.stage.edges.everywhere(plan):
            await step(play)
    except Killed:
        pass
    except Exception:
        if plan is None or not plan.fired:  # the loops of the jobs go on after a fault
            raise
    if plan is not None and plan.fired and plan.place != "wire":
        tokens.forget()
