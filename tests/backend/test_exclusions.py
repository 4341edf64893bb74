"""Exclusions by hand: two signatures, a ceiling, nothing after the freeze."""

from uuid import UUID

import asyncpg
import msgspec
import pytest
from litestar import Litestar

from backend.services import draws, exclusions
from backend.services.errors import Absent
from backend.services.exclusions import NewExclusion
from tests import drawing, world
from tests.conftest import StillClock
from tests.drawing import Office, refused

Owner = asyncpg.Connection


async def an_office(app: Litestar, clock: StillClock, count: int) -> Office:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 7))
    await drawing.institutions(office.act, range(1, count + 1))
    return office


async def wish(owner: Owner, number: int) -> NewExclusion:
    found: UUID = await owner.fetchval(
        "select id from institution where credit_code = $1", drawing.credit_code(number)
    )
    return NewExclusion(institution=found, reason="正在接受巡视", paper="虚构函〔2026〕1号")


async def by_hand(owner: Owner) -> list[str]:
    rows = await owner.fetchval("select objects from draw_frame")
    found = msgspec.json.decode(rows)
    return [row["id"] for row in found if row.get("excl") == "MANUAL"]


async def test_only_what_a_second_person_confirmed_is_excluded_and_counted(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await an_office(app, clock, 60)
    plan = await drawing.an_approved_plan(office)
    first = await exclusions.propose(plan.id, await wish(owner, 1), act=office.act)
    other = await exclusions.propose(plan.id, await wish(owner, 2), act=office.act)
    third = await exclusions.propose(plan.id, await wish(owner, 3), act=office.act)
    await refused("plan.same_person", exclusions.confirm(first.id, act=office.act))
    await refused(
        "exclusion.exists", exclusions.propose(plan.id, await wish(owner, 1), act=office.act)
    )
    await exclusions.confirm(first.id, act=office.second)
    await exclusions.refuse(other.id, "理由不足", act=office.second)
    await exclusions.confirm(third.id, act=office.second)
    await exclusions.end(third.id, "情况已变化", act=office.act)
    await refused("exclusion.not_open", exclusions.confirm(third.id, act=office.second))
    draw = await drawing.a_frozen_draw(office, plan)
    assert await by_hand(owner) == [f"{drawing.credit_code(1)}/training"]
    assert (await draws.draw(draw.id, act=office.act)).exclusions == {"MANUAL": 1}
    states = [one.state for one in await exclusions.exclusions(plan.id, act=office.act)]
    assert states == ["confirmed", "refused", "ended"]


async def test_over_the_ceiling_nothing_is_frozen(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await an_office(app, clock, 99)  # two of a hundred would be two per cent
    plan = await drawing.an_approved_plan(office)
    for number in (1, 2):
        one = await exclusions.propose(plan.id, await wish(owner, number), act=office.act)
        await exclusions.confirm(one.id, act=office.second)
    await refused("frame.too_many_by_hand", drawing.a_frozen_draw(office, plan))
    assert await owner.fetchval("select count(*) from draw") == 0
    assert await owner.fetchval("select state from plan") == "approved"
    await drawing.institutions(office.act, [100])
    await drawing.a_frozen_draw(office, plan)
    assert len(await by_hand(owner)) == 2


async def test_nobody_is_excluded_after_the_freeze(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await an_office(app, clock, 60)
    plan = await drawing.an_approved_plan(office)
    one = await exclusions.propose(plan.id, await wish(owner, 1), act=office.act)
    await drawing.a_frozen_draw(office, plan)
    for deed in (
        exclusions.propose(plan.id, await wish(owner, 2), act=office.act),
        exclusions.confirm(one.id, act=office.second),
        exclusions.end(one.id, "情况已变化", act=office.act),
    ):
        await refused("exclusion.plan_frozen", deed)
    assert await by_hand(owner) == []


async def test_another_office_finds_nothing(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await an_office(app, clock, 5)
    other = await drawing.an_office(app, clock(), region=world.SHANXI)
    plan = await drawing.an_approved_plan(office)
    one = await exclusions.propose(plan.id, await wish(owner, 1), act=office.act)
    with pytest.raises(Absent):
        await exclusions.propose(plan.id, await wish(owner, 2), act=other.act)
    with pytest.raises(Absent):
        await exclusions.confirm(one.id, act=other.second)
    assert await exclusions.exclusions(plan.id, act=other.act) == ()
