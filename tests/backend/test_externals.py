"""Draws made elsewhere: entered by one, confirmed by another, labelled for ever."""

from datetime import date
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar

from backend.services import disclosure, draws, externals, occurrences
from backend.services.externals import ExternalVisit, NewExternal
from backend.services.records.plans import PlanRecord
from tests import drawing
from tests.conftest import StillClock
from tests.drawing import Office, refused

Owner = asyncpg.Connection


async def a_plan(app: Litestar, clock: StillClock) -> tuple[Office, PlanRecord]:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 7))
    await drawing.inspectors(office.act, range(1, 7))
    spec = drawing.a_spec(origin="external", entropy=())
    return office, await drawing.an_approved_plan(office, spec=spec)


def a_result(plan: PlanRecord, **changes: Any) -> NewExternal:
    visits = tuple(
        ExternalVisit(
            credit_code=drawing.credit_code(number),
            kind="training",
            on_date=plan.window_from,
            team=(f"S{number:03}", f"S{number + 1:03}"),
        )
        for number in (1, 2)
    )
    given = {"platform": "虚构抽查平台", "reference": "CC-2026-7", "drawn_on": date(2026, 3, 2)}
    return NewExternal(**(given | {"visits": visits} | changes))


async def test_two_people_make_it_visits_that_are_labelled_external(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, plan = await a_plan(app, clock)
    await externals.enter(plan.id, a_result(plan, reference="CC-2026-6"), act=office.act)
    entered = await externals.enter(plan.id, a_result(plan), act=office.act)
    assert (entered.reference, entered.confirmed_by) == ("CC-2026-7", None)
    assert await owner.fetchval("select count(*) from visit") == 0
    await refused("draw.same_person", externals.confirm(plan.id, act=office.act))
    draw = await externals.confirm(plan.id, act=office.second)
    assert (draw.origin, draw.level, draw.state) == ("external", "external", "drawn")
    found = await owner.fetch("select draw, selection, state, chance from visit order by code")
    assert [tuple(row) for row in found] == [(draw.id, "random", "assigned", None)] * 2
    assert await owner.fetchval("select count(*) from assignment") == 4
    shown = await draws.draw(draw.id, act=office.act)
    assert (shown.outcome, shown.exclusions, shown.missing) == (None, {}, ())
    logged = await owner.fetch("select type, body from draw_log order by seq")
    assert [row["type"] for row in logged] == ["plan_year", "attempt_open", "result"]
    assert msgspec.json.decode(logged[2]["body"])["status"] == "external"
    for deed in (
        externals.enter(plan.id, a_result(plan), act=office.act),
        externals.confirm(plan.id, act=office.second),
    ):
        await refused("external.confirmed", deed)


async def test_once_disclosed_the_verifier_says_that_nobody_can_check_it(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, plan = await a_plan(app, clock)
    await externals.enter(plan.id, a_result(plan), act=office.act)
    draw = await externals.confirm(plan.id, act=office.second)
    await refused("draw.sealed", disclosure.disclose(draw.id, act=office.act, keys=office.keys))
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    public = await disclosure.record(draw.id, act=office.act)
    assert public["record"]["profile"] == "external"
    assert [one["team"] for one in public["record"]["visits"]] == [2, 2]
    assert "S001" not in msgspec.json.encode(public).decode()
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert not verdict.ok


async def test_a_plan_drawn_elsewhere_is_neither_fired_nor_frozen(
    app: Litestar, clock: StillClock
) -> None:
    office, plan = await a_plan(app, clock)
    assert await occurrences.fire_due_plans(regions=(370000,), at=plan.fire_at) == 0
    await refused("draw.external", drawing.a_frozen_draw(office, plan))
    here = await drawing.an_approved_plan(office, code="here")
    await refused(
        "external.not_external", externals.enter(here.id, a_result(here), act=office.act)
    )


async def test_what_does_not_fit_is_refused_with_its_place(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, plan = await a_plan(app, clock)
    first = a_result(plan).visits[0]

    async def wrong(code: str, **changes: Any) -> dict[str, object]:
        visit = msgspec.structs.replace(first, **changes)
        new = a_result(plan, visits=(visit,))
        return await refused(code, externals.enter(plan.id, new, act=office.act))

    for reason, changes in (
        ("institution", {"credit_code": drawing.credit_code(99)}),
        ("institution", {"kind": "evaluation"}),
        ("on_date", {"on_date": date(2027, 1, 4)}),
        ("team", {"team": ("S001", "S999")}),
    ):
        facts = await wrong("external.visit_wrong", **changes)
        assert (facts["field"], facts["reason"]) == ("visits[0]", reason)
    await drawing.relation(office.act, 1, 1)
    await wrong("visit.declared_relation")
    new = a_result(plan, platform="两\n行")
    other = msgspec.structs.replace(first, credit_code=drawing.credit_code(3))
    new = msgspec.structs.replace(new, visits=(other,))
    await refused("E_CONTROL", externals.enter(plan.id, new, act=office.act))
    assert await owner.fetchval("select count(*) from external_draw") == 0
