"""The year, act by act, with one line of progress each; what it comes to at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from backend.services import sequencer, statistics
from seed import casework, directories, people, phone, plans, publish, replies, watch
from seed import field as visits
from seed.casework import Reviewed
from seed.directories import Imported
from seed.field import PROVINCES, Field, Trip
from seed.people import Cast, Login
from seed.plans import Planned
from seed.publish import Early, Published
from seed.replies import Ended
from seed.stage import Stage
from seed.watch import Watched
from seed.world import YEAR, World

STARTS_ON = date(YEAR, 1, 5)
Say = Callable[[str], None]


@dataclass
class Played:
    """What happened, as the acts counted it."""

    world: World
    cast: Cast
    imported: Imported
    filed: int
    planned: list[Planned]
    trips: list[Trip]
    here: Field
    reviewed: Reviewed
    ended: Ended
    published: Published
    watched: Watched
    counts: dict[int, dict[str, statistics.Count]] = field(default_factory=dict)
    log_size: int = 0
    seconds: float = 0.0

    @property
    def logins(self) -> list[Login]:
        """The logins to print."""
        return self.cast.logins


class Narrator:
    """Says one line an act: its number, what it came to, how long it took."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.began = self.last = time.monotonic()
        self.act = 0

    def __call__(self, title: str, **counts: int) -> None:
        """Tell the act that has just ended."""
        self.act += 1
        now = time.monotonic()
        told = "，".join(f"{name} {count}" for name, count in counts.items())
        self.say(f"[{self.act}/9] {title}：{told}  ({now - self.last:.1f} s)")
        self.last = now


async def play(stage: Stage, world: World, *, say: Say, pictures: int | None = None) -> Played:
    """Play the whole year on a stage whose database is migrated and empty.

    ``pictures`` spares a test some of every visit's; the year itself takes all.
    """
    tell = Narrator(say)
    cast = await people.found(stage)
    imported = await directories.bring_in(stage, cast, world)
    filed = await directories.file_allocations(stage, cast, world)
    tell(
        "名录导入与备案 directories and filings",
        机构=imported.rows["institutions"],
        检查人员=imported.rows["inspectors"],
        班次=imported.rows["classes"],
        学员=imported.rows["rosters"],
        备案=filed,
        试导入报错单元格=imported.bad_cells,
    )
    for line in imported.bad_lines:
        say(f"      {line}")
    planned = await plans.approve_all(stage, cast)
    tell("计划由两人批准 plans approved", 计划=len(planned))
    await plans.draw_all(stage, cast, planned)
    trips = await visits.plan_trips(stage, cast, world)
    tell("到点抽取、见证掷骰 draws", 抽取=len(planned), 现场检查=len(trips))
    async with phone.open_store() as store:
        here = Field(stage, cast, store, pictures)
        await _field(here, trips, tell)
        reviewed, ended, published, watched = await _casework(here, world, trips, planned, tell)
    played = Played(
        world, cast, imported, filed, planned, trips, here, reviewed, ended, published, watched
    )
    await _count(stage, played)
    played.seconds = time.monotonic() - tell.began
    return played


async def _field(here: Field, trips: list[Trip], tell: Narrator) -> None:
    await visits.equip(here.stage, here.cast, trips)
    await visits.go(here, trips)
    tell(
        "手机到现场 visits",
        照片=sum(len(trip.captures) for trip in trips),
        点名=here.roll_calls,
    )


async def _casework(
    here: Field, world: World, trips: list[Trip], planned: list[Planned], tell: Narrator
) -> tuple[Reviewed, Ended, Published, Watched]:
    reviewed = await casework.review_all(here, trips)
    await casework.judge_all(here, trips, reviewed)
    tell("审核与核实 review", 属实问题=reviewed.verified, 不成立=reviewed.dismissed)
    await casework.serve_all(here, reviewed.matters)
    ended, published = Ended(), Published()
    early = await publish.early(here, reviewed.matters, published)
    tell("通知书送达 notices served", 通知书=len(reviewed.matters))
    await _answers(here, reviewed, ended)
    tell(
        "答复、复查、销号 replies and closing",
        答复=ended.replies,
        延期=ended.extensions,
        异议成立=ended.upheld,
        再次责令=ended.second_orders,
        销号=ended.closed,
        案件=len(ended.cases),
    )
    watched = await watch.watch(here, world, reviewed.matters)
    tell(
        "举报、案头审查 a tip and desk review",
        举报=watched.tips,
        疑点=watched.hits,
        转为问题=watched.upheld,
    )
    await _publish(here, trips, planned, reviewed, early, published)
    tell("公开抽取、公示结果 publication", 公示=published.standing, 更正=published.corrections)
    return reviewed, ended, published, watched


async def _answers(here: Field, reviewed: Reviewed, ended: Ended) -> None:
    await replies.answer_all(here, reviewed.matters, ended)
    await replies.second_round(here, reviewed.matters, ended)
    await replies.open_cases(here, reviewed.matters, ended)
    await replies.close_all(here, reviewed.matters, ended)


async def _publish(
    here: Field,
    trips: list[Trip],
    planned: list[Planned],
    reviewed: Reviewed,
    early: Early,
    published: Published,
) -> None:
    await plans.open_all(here.stage, here.cast, planned)
    await publish.plans_and_draws(here, planned, published)
    await publish.results(here, trips, reviewed.matters, early, published)
    await here.stage.drain()


async def _count(stage: Stage, played: Played) -> None:
    """Ask the product itself, so that what is printed is what it answers."""
    for province in PROVINCES:
        act = people.of(played.cast, province, "supervisor", stage)
        played.counts[province] = await statistics.overview(act=act)
    head = await sequencer.head()
    played.log_size = head.size if head else 0
