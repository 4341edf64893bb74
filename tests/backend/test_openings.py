"""Openings: one institution's rows, proved against the public root, nobody else's."""

from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.services import disclosure, draws, openings
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Stratum
from inspection_plans.draw.merkle import check_opening
from tests import drawing, world
from tests.conftest import StillClock
from tests.drawing import Office, refused

Owner = asyncpg.Connection


async def a_drawn_plan(
    app: Litestar, clock: StillClock, profile: str = "full"
) -> tuple[Office, DrawRecord]:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.institutions(office.act, [9], status="closed")
    await drawing.inspectors(office.act, range(1, 9))
    strata = (Stratum(name="全部", ratio="1/3"),)
    spec = drawing.a_spec(strata=strata, profile=profile)
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    await drawing.throw_dice(office, draw)
    return office, await draws.run(draw.id, act=office.act, keys=office.keys)


async def disclosed(office: Office, draw: DrawRecord, owner: Owner) -> None:
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)


async def an_institution(owner: Owner, number: int) -> UUID:
    found: UUID = await owner.fetchval(
        "select id from institution where credit_code = $1", drawing.credit_code(number)
    )
    return found


@pytest.mark.parametrize("profile", ["full", "sealed"])
async def test_each_institution_proves_where_it_stood(
    app: Litestar, clock: StillClock, owner: Owner, profile: str
) -> None:
    office, draw = await a_drawn_plan(app, clock, profile)
    await disclosed(office, draw, owner)
    public = await disclosure.record(draw.id, act=office.act)
    assert ("objects" in public["record"]) == (profile == "full")
    places = {}
    for number in range(1, 10):
        whose = await an_institution(owner, number)
        found = await openings.own(draw.id, whose, act=office.act, keys=office.keys)
        (row,) = found.rows
        assert found.root == public["draw"]["frame_objects"]
        assert check_opening(found.alg, found.root, row.proof)
        assert row.proof["row"]["id"] == f"{drawing.credit_code(number)}/training"
        places[number] = row.place
        if row.excluded is None:
            assert row.under == (row.place == "random")
    assert places[9] == "none"
    visited = {
        row["credit_code"]
        for row in await owner.fetch(
            "select i.credit_code from visit v join institution i on i.id = v.institution"
        )
    }
    drawn = {drawing.credit_code(n) for n, place in places.items() if place == "random"}
    assert drawn == visited
    assert len(drawn) == 3


async def test_before_the_disclosure_nothing_is_said(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    whose = await an_institution(owner, 1)
    deed = openings.own(draw.id, whose, act=office.act, keys=office.keys)
    await refused("draw.not_disclosed", deed)


async def test_an_institution_gets_its_own_row_whatever_it_asks(
    app: Litestar, client: httpx.AsyncClient, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, "sealed")
    await disclosed(office, draw, owner)
    mine, other = await an_institution(owner, 1), await an_institution(owner, 2)
    user = await world.a_person(clock(), "institution_user", institution=mine)
    headers = await world.signed_in(client, user)
    answer = await client.get(
        f"/api/v1/draws/{draw.id}/opening", params={"institution": str(other)}, headers=headers
    )
    assert answer.status_code == 200
    assert [row["object"] for row in answer.json()["rows"]] == [
        f"{drawing.credit_code(1)}/training"
    ]
    text = msgspec.json.encode(answer.json()).decode()
    assert all(drawing.credit_code(number) not in text for number in range(2, 10))


async def test_who_was_not_in_the_frame_is_told_so(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    await disclosed(office, draw, owner)
    await drawing.institutions(office.act, [30])
    whose = await an_institution(owner, 30)
    found = await openings.own(draw.id, whose, act=office.act, keys=office.keys)
    assert (found.in_frame, found.rows, found.count) == (False, (), 9)
    other = await drawing.an_office(app, clock(), region=world.SHANXI)
    await refused("thing.absent", openings.own(draw.id, whose, act=other.act, keys=office.keys))
