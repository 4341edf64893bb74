"""Who looks again: the same team, or one that anybody can draw again from what is kept."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg
import pytest

from backend.piccolo_conf import DB
from backend.services import reinspections, reviews, visits
from backend.services.imports import take
from backend.services.notices import Notice
from backend.services.reinspections import Reinspection
from backend.services.visits import NewAssignment
from inspection_plans.loader import load
from tests import casework, drawing
from tests.casework import Matter
from tests.conftest import StillClock, Work

pytestmark = pytest.mark.usefixtures("app")


async def staffed(matter: Matter, owner: asyncpg.Connection, clock: StillClock) -> list[UUID]:
    """Five inspectors of the office; the first two were at the visit."""
    act = matter.office.author.act(clock())
    await drawing.inspectors(act, range(1, 6))
    rows = await owner.fetch("select id from inspector order by staff_code")
    found = [row["id"] for row in rows]
    team = tuple(
        NewAssignment(inspector=one, place=place, lead=place == 1)
        for place, one in enumerate(found[:2], 1)
    )
    async with DB.transaction(act.by.scope):
        await visits.assign([(matter.visit, matter.office.region, team)], epoch=1, act=act)
    return found


async def again(matter: Matter, clock: StillClock) -> tuple[Notice, Reinspection]:
    """The term ran out, and the office has the finding seen again; the visit, once it is known."""
    notice = await casework.served(matter, clock(), draft=matter.draft(days=5))
    clock.tick(days=10)
    act = matter.office.other.act
    taken = await reviews.begin(notice.id, rev=notice.rev, act=act(clock()))
    decision = reviews.Decision(
        finding=matter.findings[0].id, outcome="reinspection", reason="现场核对"
    )
    await reviews.decide(notice.id, decision, rev=taken.rev, act=act(clock()))
    assert await reinspections.of(notice.id, act=act(clock())) == ()  # nobody is warned
    clock.tick(days=60)
    (found,) = await reinspections.of(notice.id, act=act(clock()))
    return notice, found


async def team_of(visit: UUID, owner: asyncpg.Connection) -> list[UUID]:
    """Who goes, the leader first."""
    rows = await owner.fetch(
        "select inspector from assignment where visit = $1 and state = 'active'"
        " order by lead desc, place",
        visit,
    )
    return [row["inspector"] for row in rows]


async def test_the_same_team_goes_again_while_it_may(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    staff = await staffed(matter, owner, clock)
    notice, found = await again(matter, clock)
    assert (found.way, found.seed) == ("same_team", None)
    assert await team_of(found.visit, owner) == staff[:2]
    visit = await owner.fetchrow("select * from visit where id = $1", found.visit)
    assert (visit["selection"], visit["origin_notice"]) == ("reinspection", notice.id)
    assert (visit["state"], visit["unannounced"]) == ("assigned", True)
    assert visit["sealed_until"].date() <= visit["on_date"]
    assert found.code.endswith("-F1")


async def test_who_may_not_go_again_is_replaced_by_a_draw_that_can_be_repeated(
    owner: asyncpg.Connection, clock: StillClock, work: Work
) -> None:
    matter = await casework.a_matter(owner, clock())
    staff = await staffed(matter, owner, clock)
    credit = await owner.fetchval(
        "select credit_code from institution where id = $1", matter.institution
    )
    relation = {
        "licence_no": "LIC-00001",
        "credit_code": credit,
        "ground": "kinship",
        "declared_on": "2026-01-05",
    }
    await take("relations", [relation], act=matter.office.author.act(clock()), rules=load())
    await owner.execute(
        "update inspector set licence_until = $2 where id = $1", staff[4], date(2026, 3, 3)
    )
    await work.drain()  # a draw takes its seed from a published head of the log
    notice, found = await again(matter, clock)
    assert found.way == "draw"
    assert found.candidates == tuple(sorted(staff[1:4]))  # no relation, a certificate that day
    head = await owner.fetchrow(
        "select size, encode(root, 'hex') as root from aud.checkpoint"
        " where created_at <= $1 order by size desc limit 1",
        clock() - timedelta(days=60),
    )
    assert found.seed == f"{head['size']}:{head['root']}:{notice.id}:0"
    drawn = reinspections.ranked(found.seed, found.candidates)[:2]
    assert await team_of(found.visit, owner) == drawn
    digest = await owner.fetchval(
        "select body ->> 'after_sha' from aud.entry"
        " where body ->> 'verb' = 'visit.reinspection_ordered'"
    )
    assert digest  # the seed is bound by the log
