"""What no honest phone does, and what the desk does meanwhile.

Altered, doubled and foreign operations; strangers who look; a team that is changed, a phone that
is revoked, a phone that is wiped. Source: evidence spec 3, 5, 12.
"""

import json
from dataclasses import replace
from uuid import UUID

import httpx

from backend.services import assignments, devices, tokens
from backend.services.visits import NewAssignment
from media.manifest import FIRST_PREV
from tests.conftest import START
from tests.faults.model import Phone, code_of
from tests.faults.play import Play, Venue, kept_of, phone_of
from tests.faults.shelf import Letter, Shelf

PROVED = ("verified", "sealed")
THEFTS = 0.4  # of rogues, where there is something to steal
UNDER_WAY = ("assigned", "opened", "started", "submitted")
TUS = {"Tus-Resumable": "1.0.0"}


async def rogue(play: Play) -> None:
    """Send one operation that must change nothing."""
    able = play.living()
    phone = play.dice.choice(able) if able else None
    done = [one for one in phone.shelf.letters if one.stand == "applied"] if phone else []
    if phone is None or not done:
        return
    known, deed = play.dice.choice(done), play.dice.choice((other_body, same_number, altered))
    stolen = thief(play, phone, known) if play.dice.random() < THEFTS else None
    letter = stolen or deed(play, phone, known)
    play.dishonest.add(letter.op_id)
    play.bad.append((phone, letter))
    await phone.push([letter])


def other_body(play: Play, phone: Phone, known: Letter) -> Letter:
    """Another operation under an id that is taken."""
    said = {"role": "校长", "text": f"改 {play.dice.random()}", "name": "王某"}
    changes = {"op_id": known.op_id, "seq": known.seq}
    return phone.signed("party.statement", known.visit, said, **changes)


def same_number(play: Play, phone: Phone, known: Letter) -> Letter:
    """Another operation under a number that is taken."""
    said = {"role": "校长", "text": f"又 {play.dice.random()}", "name": "王某"}
    return phone.signed("party.statement", known.visit, said, seq=known.seq)


def altered(play: Play, phone: Phone, known: Letter) -> Letter:
    """An operation whose body was changed after it was signed."""
    said = {"role": "校长", "text": "没有异议", "name": "王某"}
    number = 1_000_000 + play.dice.randint(1, 1_000_000)
    fresh = phone.signed("party.statement", known.visit, said, seq=number)
    fresh.raw = fresh.raw.replace("没有异议".encode(), "很有异议".encode())
    return fresh


def thief(play: Play, phone: Phone, known: Letter) -> Letter | None:
    """A declaration that takes the id of a colleague's capture for another picture."""
    taken = [
        letter
        for other in play.phones
        for letter in other.shelf.letters
        if other is not phone and letter.kind == "evidence.declare" and letter.stand == "applied"
    ]
    if not taken:
        return None
    victim = json.loads(play.dice.choice(taken).raw)["body"]["manifest"]["id"]
    said = phone.manifest(known.visit, play.picture(), "TI-01", id=victim)
    number = 2_000_000 + play.dice.randint(1, 1_000_000)
    return phone.signed("evidence.declare", known.visit, phone.declaration(said), seq=number)


async def intruder(play: Play) -> None:
    """A phone of another region works on a visit that it cannot know."""
    stage = play.stage
    seat = stage.cast.stranger
    if not stage.spares:
        stage.spares.append(await stage.enrolled(seat, stage.cast.strange_desk))
    key, dev = stage.spares[0]
    known = play.venues[0].phones[0]
    phone = replace(
        known,
        name="intruder",
        key=key,
        dev=dev,
        inspector=seat.inspector,
        login=lambda: stage.login(seat, dev),
        shelf=Shelf(f"{play.lots.getrandbits(64):016x}", FIRST_PREV),
        tokens=None,
        nonce="",
    )
    said = {"role": "校长", "text": "外人", "name": "王某"}
    letter = phone.signed("party.statement", play.venues[0].visit, said)
    play.dishonest.add(letter.op_id)
    await phone.push([letter])
    if letter.stand == "applied":
        play.history.note("intruder", "spy", path="ops", seen="its operation was applied")
    for method, path in (("POST", "/api/v1/evidence/{}/complete"), ("HEAD", "/api/v1/uploads/{}")):
        for one in kept_of(known)[:1]:
            answer = await phone.call(method, path.format(one.id), headers=TUS)
            odd = answer is not None and answer.status_code != httpx.codes.NOT_FOUND
            seen = str(answer.status_code) if answer is not None and odd else ""
            play.history.note("intruder", "spy", path=path.format(one.id), seen=seen)


async def spy(play: Play) -> None:
    """Somebody of another region asks for what is here; it must be like what never was."""
    stage = play.stage
    headers = await stage.headers(stage.cast.strange_desk)
    visit = play.dice.choice(play.venues).visit
    captures = [one.id for phone in play.phones for one in kept_of(phone)]
    evidence = play.dice.choice(captures) if captures else visit
    never = str(play.ids())
    for path in ("/api/v1/visits/{}", "/api/v1/evidence/{}", "/api/v1/evidence/{}/receipt"):
        wanted = visit if "visits" in path else evidence
        seen = await stage.http.get(path.format(wanted), headers=headers)
        like = await stage.http.get(path.format(never), headers=headers)
        same = (seen.status_code, code_of(seen)) == (like.status_code, code_of(like))
        odd = "" if same and seen.status_code == httpx.codes.NOT_FOUND else seen.text[:200]
        play.history.note("stranger", "spy", path=path.format(wanted), seen=odd)
    listed = await stage.http.get("/api/v1/visits", headers=headers)
    play.history.note("stranger", "spy", path="list", seen=visit if visit in listed.text else "")


async def reassign(play: Play) -> None:
    """The desk gives a visit that is under way to a team with somebody new in it."""
    venue = play.dice.choice(play.venues)
    spent = len(venue.phones) > 2 or "reassigned" not in play.traits
    if spent or await state_of(play, venue) not in UNDER_WAY:
        return
    stage = play.stage
    # Whoever lost a phone can sign nothing, and is given nothing.
    gone = {phone.inspector for phone in play.phones if phone.locked}
    fresh = [seat for seat in stage.cast.seats if seat.inspector not in gone.union(venue.team)]
    if not fresh:
        return
    team = [play.dice.choice(venue.team), play.dice.choice(fresh).inspector]
    members = tuple(NewAssignment(one, n, lead=n == 1) for n, one in enumerate(team, 1))
    await assignments.reassign(UUID(venue.visit), members, "人员调整", act=stage.act())
    venue.team = team
    seat = next(seat for seat in fresh if seat.inspector == team[1])
    phone = await phone_of(play, seat)
    while not await phone.fetch_tasks():
        pass
    venue.phones.append(phone)
    venue.invited.add(phone.name)


async def state_of(play: Play, venue: Venue) -> str:
    """Where the visit stands, behind the policies."""
    found: str = await play.stage.owner.fetchval(
        "select state from visit where id = $1", UUID(venue.visit)
    )
    return found


async def revoke(play: Play) -> None:
    """A phone's key is revoked, from before its first capture on; what is unproved stays so."""
    able = [phone for phone in play.phones if len(play.phones) > 1]
    if "revoked" not in play.traits or play.revoked or not able:
        return
    phone = play.dice.choice(able)
    await devices.revoke(phone.dev, act=play.stage.act(), compromised_since=START)
    tokens.forget()
    play.revoked.add(phone.dev)
    phone.locked = True
    proved = await play.stage.owner.fetch(
        "select id from evidence where dev = $1 and state = any ($2)", phone.dev, PROVED
    )
    for ident in set(phone.shelf.captures) - {str(row["id"]) for row in proved}:
        play.spoilt[ident] = {"revoked_key"}
        play.lost.add(ident)


async def wipe(play: Play) -> None:
    """A phone's storage is gone, its key too; its inspector enrols it anew."""
    able = [phone for phone in play.living() if phone in play.venues[0].phones]
    if "wiped" not in play.traits or play.graves or not able:
        return
    phone = play.dice.choice(able)
    seat = play.seats[phone.name]
    play.lost |= set(phone.shelf.captures)
    play.history.note(phone.name, "wiped", dev=str(phone.dev))
    play.graves.append(phone)
    play.phones.remove(phone)
    fresh = await phone_of(play, seat, fresh=True)
    while not await fresh.fetch_tasks():
        pass
    for venue in play.venues:
        if phone in venue.phones:
            venue.phones = [fresh if one is phone else one for one in venue.phones]
            venue.invited.add(fresh.name)
