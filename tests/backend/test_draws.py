"""Draws from frozen frames to the disclosed record, and the mistakes operators make."""

import asyncpg
from litestar import Litestar

from backend.services import disclosure, draws
from tests import drawing
from tests.conftest import StillClock


async def test_a_draw_goes_from_plan_to_a_record_that_verifies(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, 7))
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.a_frozen_draw(office, plan)
    assert (draw.state, draw.level, draw.object_count) == ("frozen", "C", 20)
    draw = await drawing.throw_dice(office, draw)
    assert draw.state == "revealed"
    draw = await draws.run(draw.id, act=office.act, keys=office.keys)
    assert draw.state == "drawn"
    visits = await owner.fetch("select * from visit")
    assert len(visits) == 10
    await owner.execute("update visit set state = 'concluded'")
    draw = await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert verdict.problems == ()
    assert verdict.ok
    assert verdict.level == "C"
