"""Acts 2, 3 and 8: plans with two persons, draws before witnesses, their opening afterwards."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from backend.services import ceremony, disclosure, draws, parties, plans
from backend.services.records.draws import DrawRecord, NewParty
from backend.services.records.plans import Entropy, PlanDraft, PlanSpec, Stratum, VisitRule
from inspection_plans.draw.seed import commitment
from media.keys import ServerKey
from seed import people
from seed.people import Cast
from seed.stage import SHANGHAI, Stage, Stuck
from seed.world import HEILONGJIANG, SHANDONG, SHANXI, WEIHAI, YEAR

WRITTEN_ON = date(YEAR, 3, 10)
CLASS_DAY = date(YEAR, 4, 15)  # a Wednesday on which every class has a lesson
WINDOW = (date(YEAR, 4, 7), date(YEAR, 4, 24))
TRAINING = VisitRule(object="training", kind="training_site", sheet="TI")
EVALUATION = VisitRule(object="evaluation", kind="evaluation_site", sheet="EI")
SESSION = VisitRule(object="class_session", kind="class_session", sheet="CV")
DISCIPLINE = "discipline"
DICE_THROWS = 24
WITNESSES = ("机关纪委代表（虚构）", "培训行业协会代表（虚构）")


@dataclass(frozen=True)
class Wanted:
    """One plan of the year: whose, of what, and how many besides all of class D."""

    region: int
    code: str
    title: str
    rule: VisitRule
    others: int
    fires_on: date
    window: tuple[date, date] = WINDOW

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """All of class D, a few of the others; of lessons and evaluators no class is favoured."""
        if self.rule is SESSION:
            return (Stratum(name="当日全部课次", ratio="1/1"),)
        few = {"ratio": "1/40", "min": self.others, "max": self.others}
        if self.rule is EVALUATION:
            return (Stratum(name="全部评价机构", **few),)  # type: ignore[arg-type]  # one dict
        return (
            Stratum(name="D 类", risk=("D",), ratio="1/1"),
            Stratum(name="A、B、C 类", risk=("A", "B", "C"), **few),  # type: ignore[arg-type]  # the same
        )


PLANS = (
    Wanted(WEIHAI, f"{YEAR}-CV-01", "在训班次一日全查", SESSION, 0, date(YEAR, 3, 23),
           (CLASS_DAY, CLASS_DAY)),
    Wanted(SHANDONG, f"{YEAR}-TI-01", "上半年培训机构抽查", TRAINING, 3, date(YEAR, 3, 24)),
    Wanted(SHANXI, f"{YEAR}-TI-01", "上半年培训机构抽查", TRAINING, 2, date(YEAR, 3, 25)),
    Wanted(HEILONGJIANG, f"{YEAR}-TI-01", "上半年培训机构抽查", TRAINING, 2, date(YEAR, 3, 26)),
    Wanted(HEILONGJIANG, f"{YEAR}-EI-01", "上半年评价机构抽查", EVALUATION, 1,
           date(YEAR, 3, 27)),
)  # fmt: skip


@dataclass
class Planned:
    """A plan that was approved, and its draw once there is one."""

    wanted: Wanted
    plan: UUID
    draw: UUID | None = None

    @property
    def drawn(self) -> UUID:
        """The draw; raises Stuck before it was fired."""
        if self.draw is None:
            raise Stuck(f"{self.wanted.code} was not drawn")
        return self.draw


def _dice(wanted: Wanted) -> Entropy:
    place = people.OFFICES[wanted.region][0]
    return Entropy(source="dice", ref=f"{place}公开抽取 {wanted.fires_on.isoformat()}")


def _draft(wanted: Wanted) -> PlanDraft:
    two = wanted.region == SHANDONG
    spec = PlanSpec(
        objects="class_session" if wanted.rule is SESSION else "institution",
        kinds=("evaluation",) if wanted.rule is EVALUATION else ("training",),
        reserve=0 if wanted.rule is SESSION else 2,
        strata=wanted.strata,
        visits=(wanted.rule,),
        cool_down_days=0 if wanted.rule is SESSION else 60,
        parties=("operator", DISCIPLINE) if two else ("operator",),
        entropy=(_dice(wanted),),
    )
    return PlanDraft(
        code=wanted.code,
        title=wanted.title,
        year=YEAR,
        period=f"{YEAR}H1",
        targeted=wanted.rule is SESSION,
        window_from=wanted.window[0],
        window_until=wanted.window[1],
        fire_at=datetime.combine(wanted.fires_on, time(10), SHANGHAI).astimezone(UTC),
        spec=spec,
    )


def _party_key(stage: Stage) -> ServerKey:
    return ServerKey.from_seed(stage.secret("party", DISCIPLINE))


async def approve_all(stage: Stage, cast: Cast) -> list[Planned]:
    """Every plan is written and submitted by one person and approved by another."""
    stage.clock.move(WRITTEN_ON)
    new = NewParty(
        code=DISCIPLINE,
        name="机关纪委（虚构）",
        kind="discipline",
        public_key=_party_key(stage).public.hex(),
    )
    await parties.register(new, act=people.of(cast, SHANDONG, "supervisor", stage))
    done = []
    for wanted in PLANS:
        author = people.of(cast, wanted.region, "supervisor", stage)
        plan = await plans.create(_draft(wanted), act=author)
        await plans.submit(plan.id, act=people.of(cast, wanted.region, "supervisor", stage))
        await plans.approve(plan.id, act=people.of(cast, wanted.region, "approver", stage))
        done.append(Planned(wanted, plan.id))
    return done


async def draw_all(stage: Stage, cast: Cast, planned: list[Planned]) -> list[DrawRecord]:
    """The scheduler fires each plan at its instant; dice before two witnesses let it run."""
    drawn = []
    for one in planned:
        stage.clock.move(one.wanted.fires_on, 10)
        await stage.tick()
        region = one.wanted.region
        act = people.of(cast, region, "supervisor", stage)
        found = await draws.draws(act=act, plan=one.plan)
        if not found:
            raise Stuck(f"{region} {one.wanted.code}: the scheduler did not fire the plan")
        one.draw = found[0].id
        await _ceremony(stage, cast, one, found[0])
        await stage.drain()
        result = (await draws.draw(one.draw, act=act)).draw
        if result.state != "drawn":
            raise Stuck(f"{result.code} is {result.state}, not drawn")
        drawn.append(result)
    return drawn


async def _ceremony(stage: Stage, cast: Cast, one: Planned, draw: DrawRecord) -> None:
    region, keys = one.wanted.region, stage.jobs.keys
    key, mine = _party_key(stage), stage.secret("share", draw.code)
    second = DISCIPLINE in draw.parties
    if second:
        commits = commitment(draw.alg, draw.code, draw.attempt, DISCIPLINE, mine.hex())
        signature = key.sign(ceremony.COMMIT_TAG + bytes.fromhex(commits)).hex()
        await ceremony.commit(
            draw.id, DISCIPLINE, commits, signature,
            act=people.of(cast, region, "approver", stage), keys=keys,
        )  # fmt: skip
    dice, rng = _dice(one.wanted), stage.rng("dice", draw.code)
    thrown = "".join(str(rng.randint(1, 6)) for _ in range(DICE_THROWS))
    act = people.of(cast, region, "supervisor", stage)
    draw = await ceremony.enter(
        draw.id, dice.source, dice.ref, thrown, WITNESSES, act=act, keys=keys
    )
    if second:
        head = (await draws.draw(draw.id, act=act)).draw.head
        await ceremony.reveal(
            draw.id, DISCIPLINE, mine.hex(), head=head,
            signature=key.sign(bytes.fromhex(head)).hex(),
            act=people.of(cast, region, "approver", stage), keys=keys,
        )  # fmt: skip


async def open_all(stage: Stage, cast: Cast, planned: list[Planned]) -> int:
    """Disclose every draw, replay it with the citizen's verifier, close its plan."""
    for one in planned:
        act = people.of(cast, one.wanted.region, "supervisor", stage)
        await disclosure.disclose(one.drawn, act=act, keys=stage.jobs.keys)
        verdict = await disclosure.verify(one.drawn, act=act)
        if not verdict.ok:
            raise Stuck(f"{one.wanted.code}: {verdict.problems}")
        await plans.close(one.plan, act=people.of(cast, one.wanted.region, "supervisor", stage))
    return len(planned)
