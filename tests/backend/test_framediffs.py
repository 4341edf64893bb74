"""The difference of a frame: against the last one and against the catalogue."""

import asyncpg
import msgspec
import pytest
from litestar import Litestar

from backend.services import framediffs
from backend.services.errors import Absent
from inspection_plans.framediff import Moved
from tests import drawing, world
from tests.conftest import StillClock

Owner = asyncpg.Connection


def ident(number: int) -> str:
    return f"{drawing.credit_code(number)}/training"


async def test_a_freeze_says_what_changed_and_the_log_has_the_counts(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 7))
    await drawing.institutions(office.act, range(1, 7))
    await drawing.institutions(office.act, [7], listed=False)
    first = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    alone = await framediffs.difference(first.id, act=office.act)
    assert (alone.since, alone.diff.appeared) == (None, ())
    assert alone.diff.unlisted == (ident(7),)
    await drawing.institutions(office.act, [8])
    await drawing.institutions(office.act, [2], risk_class="C")
    # Somebody takes one out of the frame by hand, past the product: the catalogue tells.
    await owner.execute(
        "update institution set kinds = '{evaluation}' where credit_code = $1",
        drawing.credit_code(3),
    )
    plan = await drawing.an_approved_plan(office, code="second")
    second = await drawing.a_frozen_draw(office, plan)
    found = await framediffs.difference(second.id, act=office.act)
    assert found.since == first.code
    assert found.diff.appeared == (ident(8),)
    assert found.diff.vanished == found.diff.missing == (ident(3),)
    assert [one.object for one in found.diff.moved] == [ident(2)]
    assert found.diff.moved == (Moved(ident(2), "B 370000", "C 370000"),)
    assert found.names[drawing.credit_code(8)] == "虚构培训机构008"
    logged = [
        msgspec.json.decode(row["body"])["diff"]
        for row in await owner.fetch(
            "select body from draw_log where type = 'freeze' order by seq"
        )
    ]
    assert [one.get("since") for one in logged] == [None, first.code]
    assert logged[1] == {
        "since": first.code,
        "appeared": 1,
        "vanished": 1,
        "moved": 1,
        "unlisted": 1,
        "missing": 1,
    }


async def test_the_difference_of_another_office_is_absent(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    other = await drawing.an_office(app, clock(), region=world.SHANXI)
    await drawing.inspectors(office.act, range(1, 7))
    await drawing.institutions(office.act, range(1, 7))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    with pytest.raises(Absent):
        await framediffs.difference(draw.id, act=other.act)
