"""After the faults have stopped: phones send all they have, the desk settles what cannot end.

Source: evidence spec 3 (completion, two-person acts), 13 (drained within N steps).
"""

from uuid import UUID

from backend import jobs
from backend.services import gaps
from tests.faults import lanes, steps
from tests.faults.model import BATCH, Phone
from tests.faults.play import Play, Venue, an_item, kept_of
from tests.faults.rogues import state_of

ROUNDS = 8
SILENT_ROUNDS = 1
DONE = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})
# Devices that owe a claim, or answers that their claim speaks of.
OWING = "select distinct id::uuid as dev from visit_missing($1) where what in ('claim', 'answers')"


async def drain(play: Play) -> None:
    """Bring everything to its end within ``ROUNDS`` rounds."""
    stage = play.stage
    stage.jobs.spool.quota = stage.settings.spool_bytes
    stage.clock.set(max(stage.clock(), play.latest))
    for phone in play.living():
        await phone.fetch_tasks()
    for venue in play.venues:
        close(play, venue)
    for turn in range(ROUNDS):
        silent = turn < SILENT_ROUNDS and "silent_colleague" in play.traits
        quiet = {venue.phones[1].name for venue in play.venues} if silent else set()
        for phone in play.living():
            if phone.name not in quiet:
                await send_all(phone, again=turn > 0)
        await server(play)
        stage.clock.tick(seconds=steps.LEASE_S)
        if not quiet and not any(_waits(play, phone) for phone in play.living()):
            break
    await refused(play)
    for venue in play.venues:
        await settle(play, venue)


async def refused(play: Play) -> None:
    """What a rogue sent gets a final answer now: else it would stand in its queue for ever."""
    for phone, letter in play.bad:
        answered = letter.stand != "queued" or phone.locked or not await phone.push([letter])
        if not answered and letter.stand == "queued":
            play.wrong.append(f"{phone.name}: bad {letter.op_id} is to be sent again and again")


def _waits(play: Play, phone: Phone) -> bool:
    """Whether a phone still has something to hope for."""
    hoped = [one for one in phone.shelf.unsealed() if one.id not in play.spoilt]
    return bool(phone.shelf.pending() or hoped)


def close(play: Play, venue: Venue) -> None:
    """What a record needs, signed by the recorder; every phone of the visit claims.

    What a phone of the new team answered under the old assignment is in doubt: it answers anew.
    """
    recorder = venue.recorder
    if venue.visit not in recorder.tasks:  # it was over before this phone was given out
        return
    for phone in venue.phones:
        used = any(letter.visit == venue.visit for letter in phone.shelf.letters)
        if phone.locked or not (used or phone is recorder):
            continue
        held = phone.shelf.answers.get(venue.visit, {})
        if held and phone.tasks[venue.visit]["asg_epoch"] > 1:
            phone.answer(venue.visit, *held.values())
        if phone is not recorder:
            steps.finalize(play, venue, phone)
    steps.start(play, venue, recorder)
    steps.show(play, venue, recorder)
    for inspector in venue.team:
        one = {"role": "inspector", "inspector": str(inspector), "over": steps.OVER}
        recorder.draft("signature.record", venue.visit, one)
    party = {"role": "party", "name": "王某", "over": steps.OVER}
    recorder.draft("signature.record", venue.visit, party)
    if venue.session:
        steps.call_roll(play, venue, recorder)
    steps.finalize(play, venue, recorder)


async def send_all(phone: Phone, *, again: bool) -> None:
    """One round of an honest phone: operations, what is lacking, bytes, receipts."""
    while letters := phone.shelf.pending()[:BATCH]:
        if not await phone.push(letters) or any(one.pending for one in letters):
            break
    if not phone.shelf.unsealed():
        return
    await phone.ask_cursor()
    for kept in phone.shelf.due():
        if again or not await lanes.direct(phone, kept) or not await lanes.complete(phone, kept):
            chunk = 1 << 20 if kept.size > lanes.PART else 500
            await lanes.tus(phone, kept, chunk=chunk)
    for kept in phone.shelf.unsealed():
        if again and kept.sent:
            await lanes.complete(phone, kept)
    await phone.pull_receipts()


async def server(play: Play) -> None:
    """Worker and sequencer until nothing is left that may run now."""
    context = play.stage.jobs
    moved = 1
    while moved:
        moved = 0
        while await jobs.worker.once(context, limit=1):
            moved += 1
        moved += await jobs.sequencer.once(context)


async def settle(play: Play, venue: Venue) -> None:
    """Two persons close the devices that are gone, or conclude with the gap that they left."""
    stage, visit = play.stage, UUID(venue.visit)
    second = stage.cast.second
    if await state_of(play, venue) not in DONE:
        current = {phone.dev for phone in venue.phones if not phone.locked} - replaced(venue)
        for row in await stage.owner.fetch(OWING, visit):
            if row["dev"] not in current:
                await gaps.propose_closing(visit, row["dev"], "设备遗失或已换人", act=stage.act())
                await gaps.close_device(
                    visit, row["dev"], act=stage.act(second), rules=stage.jobs.rules
                )
    if await state_of(play, venue) not in DONE and play.lost | set(play.spoilt):
        await _gap(play, visit)
    if (state := await state_of(play, venue)) not in DONE:
        lacks = await stage.owner.fetch("select * from visit_missing($1)", visit)
        names = {str(phone.dev): phone.name for phone in [*play.phones, *play.graves]}
        told = [(row["what"], names.get(row["id"], row["id"])) for row in lacks]
        play.wrong.append(f"visit {visit} is {state} in the end: {told}")


def replaced(venue: Venue) -> set[UUID]:
    """Phones of inspectors who are no longer in the team: what they claim is in doubt."""
    return {phone.dev for phone in venue.phones if phone.inspector not in venue.team}


async def _gap(play: Play, visit: UUID) -> None:
    stage = play.stage
    try:
        gap = await gaps.propose_gap(visit, "证据随设备毁损", act=stage.act())
    except gaps.NothingMissing:
        return
    await gaps.approve_gap(visit, act=stage.act(stage.cast.second))
    if odd := set(gap) - play.lost - set(play.spoilt):
        play.wrong.append(f"visit {visit} has a gap of captures that were not lost: {odd}")


async def afterwards(play: Play) -> None:
    """A record is complete, and more comes: late, refused, or without effect."""
    venue = play.venues[0]
    phone = venue.recorder
    if phone.locked or venue.visit not in phone.tasks:
        return
    steps.finalize(play, venue, phone)
    phone.answer(venue.visit, an_item(play))
    listed = [one for one in kept_of(phone) if one.visit == venue.visit]
    if listed:
        one = play.dice.choice(listed)
        letter = phone.draft(
            "evidence.withdraw", venue.visit, {"evidence": one.id, "reason": "误"}
        )
        play.dishonest.add(letter.op_id)
    phone.snap(venue.visit, play.picture(), "TI-01")
    for again in (False, True):
        await send_all(phone, again=again)
        await server(play)


async def weeks_later(play: Play) -> None:
    """Seven days after the seal phones free their bytes, not before."""
    play.stage.clock.tick(days=7, minutes=2)
    for phone in play.living():
        phone.nonce = ""
        await phone.free()
