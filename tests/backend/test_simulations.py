"""Simulations: the plans of the year on today's scope, slice by slice, left and found again."""

from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.services import draws, simulations
from backend.services.errors import Absent
from backend.services.records.plans import PlanRecord, Stratum
from tests import drawing, world
from tests.conftest import StillClock, Work
from tests.drawing import Office, refused

Owner = asyncpg.Connection


async def a_plan(app: Litestar, clock: StillClock, **spec: Any) -> tuple[Office, PlanRecord]:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.institutions(office.act, [9], status="closed")
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.inspectors(office.act, [8], available="no")
    await drawing.relation(office.act, 1, 1)
    return office, await drawing.an_approved_plan(office, spec=drawing.a_spec(**spec))


async def test_it_runs_in_slices_and_counts_the_year(
    app: Litestar, clock: StillClock, work: Work, owner: Owner
) -> None:
    office, plan = await a_plan(app, clock, strata=(Stratum(name="全部", ratio="1/3"),))
    await drawing.an_approved_plan(office, code="other")
    ordered = await simulations.order(plan.id, 150, act=office.act)
    assert (ordered.state, ordered.done, ordered.report) == ("running", 0, None)
    assert ordered.notes.plans == (plan.code, "other")
    assert (ordered.notes.institutions, ordered.notes.inspectors) == (9, 4)
    assert ordered.notes.filtered == {"UNAVAILABLE": 1}
    await work.drain()
    found = await simulations.simulation(ordered.id, act=office.act)
    assert (found.state, found.done) == ("done", 150)
    report = found.report
    assert report is not None
    assert (report.years, report.terms, report.draws) == (150, 50, 300)
    assert set(report.cities) == {"370000"}
    assert report.cities["370000"].institutions == 8
    # Three of nine, then at most half of nine, in two draws with a cool-down between them.
    assert report.cities["370000"].visits >= 150 * 3
    assert set(report.inspector_visits) == {"S001", "S002", "S003", "S004"}
    assert report.exclusions["CLOSED"] == 300
    slices = await owner.fetchval("select count(*) from task where kind = 'plan.simulate'")
    assert slices == 3
    assert await owner.fetchval("select count(*) from draw") == 0


async def test_a_simulation_says_what_a_freeze_would_refuse(
    app: Litestar, clock: StillClock
) -> None:
    office, plan = await a_plan(app, clock, strata=(Stratum(name="高", risk=("D",), ratio="1"),))
    await refused("frame.uncovered", simulations.order(plan.id, 30, act=office.act))
    assert await simulations.simulations(plan.id, act=office.act) == ()


async def test_a_cancelled_one_keeps_what_it_has_and_goes_no_further(
    app: Litestar, clock: StillClock, work: Work
) -> None:
    office, plan = await a_plan(app, clock)
    ordered = await simulations.order(plan.id, 300, act=office.act)
    await simulations.advance(ordered.id, act=work.context.act(370000))
    half = await simulations.cancel(ordered.id, act=office.act)
    assert (half.state, half.done) == ("cancelled", 60)
    await work.drain()
    assert await simulations.simulation(ordered.id, act=office.act) == half
    await refused("simulation.over", simulations.cancel(ordered.id, act=office.act))


async def test_a_slice_that_breaks_is_told_and_not_repeated(
    app: Litestar, clock: StillClock, work: Work, owner: Owner
) -> None:
    office, plan = await a_plan(app, clock)
    ordered = await simulations.order(plan.id, 60, act=office.act)
    await owner.execute("update simulation set scenario = jsonb_set(scenario, '{alg}', '\"md5\"')")
    await work.drain()
    found = await simulations.simulation(ordered.id, act=office.act)
    assert found.state == "failed"
    assert "E_ALG" in (found.fault or "")


async def test_it_never_touches_the_draw_and_is_the_office_s_own(
    app: Litestar, client: httpx.AsyncClient, clock: StillClock, work: Work
) -> None:
    office, plan = await a_plan(app, clock)
    headers = await world.signed_in(client, office.supervisor)
    answer = await client.post(f"/api/v1/plans/{plan.id}/simulations", json={}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["years"] == 300
    wrong = await client.post(
        f"/api/v1/plans/{plan.id}/simulations", json={"years": 1}, headers=headers
    )
    assert wrong.status_code == 422
    await work.drain()
    ident = answer.json()["id"]
    done = (await client.get(f"/api/v1/simulations/{ident}", headers=headers)).json()
    assert (done["state"], done["report"]["years"]) == ("done", 300)
    other = await drawing.an_office(app, clock(), region=world.SHANXI)
    with pytest.raises(Absent):
        await simulations.order(plan.id, 30, act=other.act)
    foreign = await client.get(
        f"/api/v1/simulations/{ident}", headers=await world.signed_in(client, other.supervisor)
    )
    assert foreign.status_code == 404
    draw = await drawing.a_frozen_draw(office, plan)
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
