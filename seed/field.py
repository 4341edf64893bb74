"""Act 4: the visits, as their teams' phones make them."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.services import directories, visit_lists
from backend.services.bundles import Task
from backend.services.records.directories import Institution
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.sheets import Sheet
from media.manifest import Roll
from seed import answers, people
from seed.answers import Scene, Shot, Slip
from seed.people import Cast
from seed.phone import Capture, Handset, Store, answers_sha
from seed.stage import Stage, Stuck
from seed.world import HEILONGJIANG, SHANDONG, SHANXI, World

EQUIPPED_ON = date(2026, 3, 30)
PROVINCES = (SHANDONG, SHANXI, HEILONGJIANG)
ADVISED = Slip("TI-28", "未见为学员申报服务的记录")
MISREAD = Slip("TI-26", "未见近一期质量评估结果")
REFUSES = "job_guarantee"  # whose party does not sign
ROLL_ITEM = "CV-03"
AHEAD = timedelta(days=366)
ROAD_S = 3 * 3600
DIAL_TRIES = "登记的住所无人应答，两次拨打登记电话未接通，门牌与登记一致"


@dataclass
class Trip:
    """One visit of the year: who goes where, what is there, what the phones brought home."""

    visit: UUID
    code: str
    region: int
    on_date: date
    team: tuple[UUID, ...]
    institution: Institution
    scene: Scene
    fate: str = "clean"
    captures: list[Capture] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Field:
    """Phones by inspector, and what they did."""

    stage: Stage
    cast: Cast
    store: Store
    pictures: int | None = None  # at most so many a visit, the breach first; None: all asked for
    handsets: dict[UUID, Handset] = field(default_factory=dict)
    tasks: dict[tuple[UUID, UUID], Task] = field(default_factory=dict)
    operations: int = 0
    repeated: int = 0
    receipts: int = 0
    roll_calls: int = 0

    def handset(self, inspector: UUID) -> Handset:
        """The phone of an inspector who was equipped."""
        if inspector not in self.handsets:
            phone = self.cast.phones[inspector]
            self.handsets[inspector] = Handset.of(self.stage, phone, self.store)
        return self.handsets[inspector]

    async def task(self, inspector: UUID, visit: UUID) -> Task:
        """What the inspector's phone knows of a visit after it asked."""
        handset = self.handset(inspector)
        for task in await handset.sync():
            self.tasks[inspector, task.visit] = task
        if (inspector, visit) not in self.tasks:
            raise Stuck(f"{handset.phone.person.name} was not sent task {visit}")
        return self.tasks[inspector, visit]


async def plan_trips(stage: Stage, cast: Cast, world: World) -> list[Trip]:
    """All visits that were drawn and are made, in the order of their days, and what is there."""
    trips = []
    for province in PROVINCES:
        # The director of the play looks ahead; nobody in it can, before a visit's hour.
        now = people.of(cast, province, "supervisor", stage)
        act = msgspec.structs.replace(now, at=now.at + AHEAD)
        for visit in await visit_lists.page(act=act, state="assigned", limit=200):
            team = (await visit_lists.view(visit.id, act=act)).team
            where = await directories.institution(visit.institution, act=act)
            trips.append(
                Trip(
                    visit=visit.id,
                    code=visit.code,
                    region=visit.region,
                    on_date=visit.on_date,
                    team=tuple(member.inspector for member in team),
                    institution=where,
                    scene=_scene(where, visit.sheet, world),
                )
            )
    trips.sort(key=lambda trip: (trip.on_date, trip.code))
    _fates(trips, world)
    left = _leave_one(trips, world)
    cast.waiting = left.region, left.team
    return trips


def _leave_one(trips: list[Trip], world: World) -> Trip:
    """Take the last clean visit out, one of Shandong if there is one: a guest finds it open."""
    named = set(world.named.values())
    clean = [
        trip
        for trip in trips
        if trip.fate == "clean" and trip.institution.credit_code not in named
    ]
    if not clean:
        raise Stuck("no visit is left for a guest's phone")
    left = max(clean, key=lambda trip: (trip.region // 10000 == SHANDONG // 10000, trip.on_date))
    trips.remove(left)
    return left


def _scene(where: Institution, sheet: str, world: World) -> Scene:
    breach = world.planted.get(where.credit_code)
    seen = breach if breach and breach.item.startswith(sheet) else None
    return Scene(where.name, where.lat_e7 or 0, where.lon_e7 or 0, seen)


def _fates(trips: list[Trip], world: World) -> None:
    """In Shandong one clean place has a small slip, one is misread, one is never found open."""
    named = set(world.named.values())
    others = [
        trip
        for trip in trips
        if trip.region // 10000 == SHANDONG // 10000
        and trip.institution.credit_code not in named | set(world.planted)
        and "-TI-" in trip.code
    ]
    fates = {"advice": ADVISED, "misread": MISREAD, "unreachable": None}
    for trip, (fate, slip) in zip(others, fates.items(), strict=False):
        trip.fate = fate
        trip.scene = Scene(trip.scene.name, trip.scene.lat_e7, trip.scene.lon_e7, slip=slip)
    for trip in trips:
        if trip.scene.breach:
            trip.fate = trip.scene.breach.kind


async def equip(stage: Stage, cast: Cast, trips: list[Trip]) -> int:
    """Every inspector who was drawn gets an account and a phone; how many.

    The first login is printed: it is of the team whose visit waits.
    """
    stage.clock.move(EQUIPPED_ON)
    for region, team in [cast.waiting, *((one.region, one.team) for one in trips)]:
        # The province's eyes: an inspector of the province may be sent into a city with an office.
        act = people.of(cast, region // 10000 * 10000, "supervisor", stage)
        for inspector in team:
            who = await directories.inspector(inspector, act=act)
            await people.equip(stage, cast, who, printed=not cast.phones)
    return len(cast.phones)


async def go(here: Field, trips: list[Trip]) -> None:
    """Every visit on its day; in the evening the worker verifies and the phones hear of it."""
    stage = here.stage
    for day in sorted({trip.on_date for trip in trips}):
        out: set[UUID] = set()
        for trip in (one for one in trips if one.on_date == day):
            stage.clock.move(day)
            if not out.isdisjoint(trip.team):  # nobody is at two places at once
                stage.clock.tick(ROAD_S)
                out.clear()
            await visit(here, trip)
            out.update(trip.team)
        await stage.drain()
        for handset in here.handsets.values():
            here.receipts += await handset.collect()


async def visit(here: Field, trip: Trip) -> None:
    """One visit from arrival to submission, or to a door that stays shut."""
    lead, *colleagues = trip.team
    task = await here.task(lead, trip.visit)
    await _arrive(here, trip, lead, task)
    if trip.fate == "unreachable":
        return
    await _record(here, trip, task)
    for colleague in colleagues:
        await _assist(here, trip, colleague)


async def _arrive(here: Field, trip: Trip, lead: UUID, task: Task) -> None:
    handset = here.handset(lead)
    place = {"loc": handset.position(trip.scene), "chal": task.challenge, "code": "A-01"}
    batch = [
        handset.op(task, "visit.start", {}),
        handset.op(task, "visit.checkin", place),
    ]
    if trip.fate == "unreachable":
        shut = {"outcome": "unreachable", "text": DIAL_TRIES, "witness": "物业值班人员（虚构）"}
        batch.append(handset.op(task, "obstruction.record", shut))
    else:
        shown = {"inspectors": [str(one) for one in trip.team], "to": "现场负责人（虚构）"}
        batch.append(handset.op(task, "certificate.shown", shown))
    here.operations += await handset.send(batch)


def _sheet(task: Task, trip: Trip) -> Sheet:
    return applied_sheet(task.sheet, jurisdiction_of(trip.region), trip.on_date)[0]


async def _record(here: Field, trip: Trip, task: Task) -> None:
    """Answers, pictures, roll, interviews and signatures of the recorder; then the claim."""
    handset, sheet = here.handset(trip.team[0]), _sheet(task, trip)
    shots = answers.shots(sheet, trip.scene)[: here.pictures]
    told = answers.answers(sheet, trip.scene)
    trip.told = answers.finished(sheet, told, task.facts, shots)
    roll, batch = _roll_call(here, trip, task)
    batch.insert(0, handset.op(task, "answer.set", {"answers": trip.told}))
    for shot, raw in await _pictures(here.stage, trip, shots):
        seen = roll if shot.item == ROLL_ITEM else None
        trip.captures.append(handset.capture(task, trip.scene, shot.item, raw, roll=seen))
    batch += [handset.op(task, "evidence.declare", one.body) for one in trip.captures]
    batch += _words(handset, trip, task, answers.interviews(sheet))
    batch += _signatures(handset, trip, task)
    batch.append(_claim(handset, trip, task))
    here.operations += await handset.send(batch)
    if trip.fate == "pass_guarantee":  # the answer was lost on the way: the phone asks again
        here.repeated += await handset.send(batch, again=True)
    await handset.upload(trip.captures)


def _claim(handset: Handset, trip: Trip, task: Task) -> bytes:
    claim = {"items": [one.listed for one in trip.captures], "answers_sha": answers_sha(trip.told)}
    return handset.op(task, "visit.finalize", claim)


async def _pictures(stage: Stage, trip: Trip, shots: list[Shot]) -> list[tuple[Shot, bytes]]:
    """The shots and their pictures, drawn in threads."""

    def draw(shot: Shot) -> bytes:
        seed = stage.secret("picture", trip.code, shot.item, shot.title, shot.number)
        return answers.picture(shot, trip.scene, int.from_bytes(seed[:8]))

    drawn = await asyncio.gather(*(asyncio.to_thread(draw, shot) for shot in shots))
    return list(zip(shots, drawn, strict=True))


def _roll_call(here: Field, trip: Trip, task: Task) -> tuple[Roll | None, list[bytes]]:
    """In a class visit all names are called; the figures are signed with the picture too."""
    if task.roster is None or task.training_class is None:
        return None, []
    rng = here.stage.rng("roll", trip.code)
    roster = [{"id": one.id} for one in task.roster.trainees]
    marks = answers.marks(roster, trip.scene, rng)
    present = sum(mark["state"] == "present" for mark in marks)
    body = {
        "training_class": str(task.training_class),
        "roster": task.roster.sha256,
        "marks": marks,
        "strangers": 0,
        "heads": present,
    }
    here.roll_calls += 1
    roll = Roll(
        roster=task.roster.sha256, present=present, absent=len(marks) - present, count=present
    )
    return roll, [here.handset(trip.team[0]).op(task, "rollcall.record", body)]


def _words(handset: Handset, trip: Trip, task: Task, count: int) -> list[bytes]:
    """Anonymous interviews, and the party's own words about a breach."""
    seen = trip.scene.breach
    asked = [
        {"q": "是否本人报名、实际缴费多少？", "a": "本人报名，按公示标准缴费。"},
        {"q": "机构是否作过承诺或安排贷款？", "a": seen.said if seen else "没有。"},
    ]
    body = {"role": "trainee", "formal": False, "questions": asked}
    batch = [handset.op(task, "interview.record", body) for _ in range(count)]
    if seen:
        said = {"role": "现场负责人", "text": f"对现场记录“{seen.said}”无异议，愿意整改。"}
        batch.append(handset.op(task, "party.statement", said))
    papers = [one for one in trip.captures if seen and one.body["manifest"]["item"] == seen.item]
    if seen and seen.picture == "contract" and papers:
        copied = {
            "title": seen.words[0],
            "holder": trip.scene.name[:100],
            "pages": 1,
            "compared": True,
            "evidence": [str(papers[0].id)],
        }
        batch.append(handset.op(task, "document.copy", copied))
    return batch


def _signatures(handset: Handset, trip: Trip, task: Task) -> list[bytes]:
    """The recorder signs, and the party or, where it refuses, a witness for it."""
    over = answers_sha(trip.told)
    mine = {"role": "inspector", "inspector": str(trip.team[0]), "over": over}
    party: dict[str, Any] = {"role": "party", "name": "现场负责人（虚构）", "over": over}
    if trip.fate == REFUSES:
        party = {
            "role": "refusal",
            "reason": "负责人称需请示总部，拒绝签字",
            "witness": "社区工作人员（虚构）",
            "over": over,
        }
    return [handset.op(task, "signature.record", one) for one in (mine, party)]


async def _assist(here: Field, trip: Trip, colleague: UUID) -> None:
    """The second phone checks in, signs the same record and claims that it holds nothing."""
    handset, task = here.handset(colleague), await here.task(colleague, trip.visit)
    over = answers_sha(trip.told)
    batch = [
        handset.op(
            task,
            "visit.checkin",
            {"loc": handset.position(trip.scene), "chal": task.challenge},
        ),
        handset.op(
            task,
            "signature.record",
            {"role": "inspector", "inspector": str(colleague), "over": over},
        ),
        handset.op(task, "visit.finalize", {"items": [], "answers_sha": answers_sha([])}),
    ]
    here.operations += await handset.send(batch)


async def complete_again(here: Field, trip: Trip) -> None:
    """A returned visit: one more picture, and a claim of everything."""
    task = await here.task(trip.team[0], trip.visit)
    handset, sheet = here.handset(trip.team[0]), _sheet(task, trip)
    wanted = next(shot for shot in answers.shots(sheet, trip.scene))
    extra = Shot(wanted.item, wanted.title, wanted.profile, wanted.number + 1)
    drawn = await _pictures(here.stage, trip, [extra])
    added = [handset.capture(task, trip.scene, shot.item, raw) for shot, raw in drawn]
    trip.captures += added
    batch = [handset.op(task, "evidence.declare", one.body) for one in added]
    batch.append(_claim(handset, trip, task))
    here.operations += await handset.send(batch)
    await handset.upload(added)
    await here.stage.drain()
    here.receipts += await handset.collect()
