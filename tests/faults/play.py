"""One schedule under way: its visits and phones, its dice, and what was planted on purpose."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from backend.clock import uuid7
from backend.services import tokens
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.sheets import Sheet
from tests import world
from tests.conftest import START
from tests.faults.edges import Plan
from tests.faults.history import History
from tests.faults.model import Phone
from tests.faults.shelf import Kept, Letter, Shelf
from tests.faults.stage import STEP, Seat, Stage
from tests.field import a_jpeg, a_visit, undemanding

TRAITS = {
    "big": 0.03,
    "class_session": 0.3,
    "two_visits": 0.5,
    "silent_colleague": 0.3,
    "reassigned": 0.15,
    "revoked": 0.1,
    "wiped": 0.12,
    "rotten": 0.12,
    "portal": 0.15,
    "weeks": 0.15,
    "full": 0.1,
    "skewed": 0.3,
    "afterwards": 0.25,
}
FAULTS = (
    ("statement", ("before", "after", "cut"), 12),
    ("commit", ("before", "after", "cut", "cut"), 3),
    ("store", ("before", "after", "cut"), 12),
    ("wire", ("before", "after", "twice"), 3),
)
PLANTED = 0.35  # of all actions meet a fault
SKEWS_MS = (-90 * 86_400_000, 86_400_000, -10_000, 600_000)


@dataclass
class Venue:
    """One visit: its recorder's phone, a colleague's, and whoever came by a reassignment."""

    visit: str
    phones: list[Phone]
    team: list[UUID]
    session: bool
    invited: set[str] = field(default_factory=set)

    @property
    def recorder(self) -> Phone:
        """Who may still speak, of the team before those who left it, the newest first."""
        order = [*reversed(self.phones[2:]), *self.phones[:2]]
        ours = [phone for phone in order if phone.inspector in self.team]
        return next((phone for phone in [*ours, *order] if not phone.locked), order[0])


@dataclass
class Play:
    """The schedule of one seed; ``label`` keeps ids of different runs of one seed apart."""

    seed: int
    label: str
    stage: Stage
    traits: frozenset[str]
    dice: random.Random
    lots: random.Random
    history: History
    venues: list[Venue] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    seats: dict[str, Seat] = field(default_factory=dict)
    devices: set[UUID] = field(default_factory=set)
    graves: list[Phone] = field(default_factory=list)
    revoked: set[UUID] = field(default_factory=set)
    dishonest: set[str] = field(default_factory=set)
    bad: list[tuple[Phone, Letter]] = field(default_factory=list)
    spoilt: dict[str, set[str]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    pictures: int = 0
    twins: int = 0
    drafts: list[Any] = field(default_factory=list)
    since: int = 0
    latest: datetime = START

    def ids(self) -> UUID:
        """The next id of this label and seed."""
        ms = int(self.stage.clock().timestamp() * 1000)
        return uuid7(ms, self.lots.getrandbits(74))

    def picture(self) -> bytes:
        """A small picture that no other schedule has."""
        self.pictures += 1
        salt = sha256(f"{self.label}:{self.seed}:{self.pictures}".encode()).digest()
        return _jpeg(salt[0]) + salt  # behind its end: flagged, not refused

    def fault(self) -> Plan | None:
        """What the next action meets, by the dice."""
        if self.dice.random() >= PLANTED:
            return None
        place, hows, most = self.dice.choice(FAULTS)
        far = self.dice.choice((2, most // 2, most))
        return Plan(place, self.dice.choice(hows), self.dice.randint(1, far))  # type: ignore[arg-type]  # as listed above

    def living(self) -> list[Phone]:
        """Phones that may still speak."""
        return [phone for phone in self.phones if not phone.locked]


@lru_cache(maxsize=256)
def _jpeg(shade: int) -> bytes:
    return a_jpeg(shade, 16)


@lru_cache(maxsize=1)
def _version() -> Sheet:
    return undemanding(applied_sheet("TI", jurisdiction_of(world.SHANDONG), START.date())[0])


async def a_play(stage: Stage, seed: int, label: str) -> Play:
    """Set up the visits and phones of one seed."""
    dice = random.Random(seed)
    traits = frozenset(name for name, chance in TRAITS.items() if dice.random() < chance)
    stage.clock.set(START + (1 + seed % 10_000) * STEP)
    tokens.forget()
    play = Play(seed, label, stage, traits, dice, random.Random(f"{label}:{seed}"), History())
    play.since = await stage.owner.fetchval("select coalesce(max(id), 0) from aud.entry")
    seats = dice.sample(stage.cast.seats, 4)
    await _venue(play, seats[:2], session="class_session" in traits)
    if "two_visits" in traits:
        await _venue(play, seats[1:3] if dice.random() < 0.3 else seats[2:4], session=False)
    if "skewed" in traits:
        for phone in play.phones:
            phone.skew_ms = dice.choice(SKEWS_MS)
    return play


async def _venue(play: Play, seats: list[Seat], *, session: bool) -> None:
    stage = play.stage
    visit = await a_visit(
        stage.cast.desk,
        stage.cast.institution,
        [seat.inspector for seat in seats],
        id=play.ids(),
        code=f"V-{play.label}-{play.seed}-{len(play.venues)}"[-40:],
        version=_version(),
        on_date=START.date(),
        kind="class_session" if session else "training_site",
        training_class=stage.cast.training_class if session else None,
        sealed_until=stage.clock() - timedelta(minutes=5),
    )
    phones = [await phone_of(play, seat) for seat in seats]
    team = [seat.inspector for seat in seats]
    names = {phone.name for phone in phones}
    play.venues.append(Venue(str(visit), phones, team, session, names))
    for phone in phones:
        if not await phone.fetch_tasks() or str(visit) not in phone.tasks:
            raise RuntimeError("a phone got no task before any fault")


async def phone_of(play: Play, seat: Seat, *, fresh: bool = False) -> Phone:
    """The phone of an inspector in this schedule; ``fresh`` after its storage was wiped."""
    for known in play.phones:
        if known.inspector == seat.inspector and not fresh:
            return known
    stage = play.stage
    key, dev = await stage.enrolled(seat)
    phone = Phone(
        name=f"phone-{len(play.devices) + 1}",
        http=stage.http,
        store=stage.store,
        clock=stage.clock,
        ids=play.ids,
        key=key,
        dev=dev,
        inspector=seat.inspector,
        login=lambda: stage.login(seat, dev),
        trust=stage.trust,
        history=play.history,
    )
    phone.shelf = Shelf(f"{play.lots.getrandbits(64):016x}", phone.shelf.prev)
    play.devices.add(dev)
    play.phones.append(phone)
    play.seats[phone.name] = seat
    return phone


def big_picture(play: Play) -> bytes:
    """A picture of two parts: padding behind its end, which is flagged and not refused."""
    raw = play.picture()
    return raw + sha256(raw).digest() * ((5 << 20) // 32 + play.dice.randint(1, 20_000))


def kept_of(phone: Phone) -> list[Kept]:
    """Captures of a phone that are not withdrawn."""
    return [one for one in phone.shelf.captures.values() if not one.withdrawn]


def an_item(play: Play) -> dict[str, Any]:
    """An answer to a plain question."""
    item = play.dice.choice(("TI-11", "TI-12", "TI-13"))
    result = play.dice.choice(("yes", "no"))
    answer: dict[str, Any] = {"item": item, "value": {"result": result}}
    return answer if result == "yes" else answer | {"reason": f"缺 {play.dice.randint(1, 99)}"}
