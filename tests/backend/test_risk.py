"""The risk class from verified facts, recorded as a version, read by the next draw's strata."""

import asyncio
import json
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.clock import new_id
from backend.jobs.draws import HANDLERS
from backend.services import directories, risk, versions
from backend.services.errors import Absent
from backend.services.records.plans import Stratum
from backend.services.tasks import Task
from tests import casework, drawing, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")


async def recorded(owner: asyncpg.Connection, institution: UUID) -> tuple[str, int]:
    """Class and revision as they stand in the directory."""
    row = await owner.fetchrow(
        "select risk_class, rev from institution where id = $1", institution
    )
    return row["risk_class"], row["rev"]


async def made_critical(owner: asyncpg.Connection, matter: casework.Matter) -> None:
    """The matter's findings as red lines."""
    for finding in matter.findings:
        await owner.execute("update finding set severity = 'critical' where id = $1", finding.id)


def points(found: risk.Standing) -> dict[str, int]:
    """Contributions that are not nothing."""
    return {one.name: one.points for one in found.grade.factors if one.points}


async def test_suspicions_are_shown_and_never_counted(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    await made_critical(owner, matter)
    found = await risk.standing(matter.institution, act=matter.office.author.act(clock()))
    assert (found.recorded, found.grade.risk_class, points(found)) == ("B", "B", {"start_B": 30})
    critical = next(one for one in found.grade.factors if one.name == "critical")
    assert (critical.given, critical.counted) == (1, 0)


async def test_a_verified_red_line_is_recorded_once_as_a_version_with_its_reason(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await made_critical(owner, matter)
    clock.tick(minutes=1)
    act = matter.office.author.act(clock())
    both = await asyncio.gather(
        risk.regrade(matter.institution, act=act), risk.regrade(matter.institution, act=act)
    )
    assert [one.recorded for one in both] == ["C", "C"]
    assert points(both[0]) == {"start_B": 30, "critical": 40}
    assert await recorded(owner, matter.institution) == ("C", 2)
    newest, first = await versions.versions("institution", matter.institution, act=act)
    assert (first.payload["risk_class"], newest.payload["risk_class"]) == ("B", "C")
    assert (newest.import_run, newest.recorded_by) == (None, act.by.id)
    (body,) = [
        json.loads(row["body"]) if isinstance(row["body"], str) else row["body"]
        for row in await owner.fetch(
            "select body from aud.entry where body ->> 'verb' = 'institution.regraded'"
        )
    ]
    assert body["reason"] == "B -> C: 70 (start_B 30, critical 40)"
    assert body["object"]["id"] == str(matter.institution)


async def test_a_contested_finding_waits_for_the_decision(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    await made_critical(owner, matter)
    clock.tick(minutes=1)
    act = matter.office.author.act(clock())
    await owner.execute(
        "insert into reply (id, region, institution, notice, finding, kind, text, evidence, state,"
        " by_account, created_at, submitted_at) values ($1, $2, $3, $4, $5, 'objection', '不属实',"
        " '{}', 'submitted', $6, $7, $7)",
        new_id(),
        matter.office.region,
        matter.institution,
        notice.id,
        matter.findings[0].id,
        act.by.id,
        clock(),
    )
    assert points(await risk.standing(matter.institution, act=act)) == {"start_B": 30}
    clock.tick(minutes=1)
    await owner.execute(
        "update notice_finding set outcome = 'not_accepted', decided_at = $2 where notice = $1",
        notice.id,
        clock(),
    )
    act = matter.office.author.act(clock())
    assert points(await risk.standing(matter.institution, act=act))["critical"] == 40


async def test_an_overdue_order_counts_until_it_is_done(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    act = matter.office.author.act(clock())
    assert "overdue" not in points(await risk.standing(matter.institution, act=act))
    clock.tick(days=60)
    act = matter.office.author.act(clock())
    assert points(await risk.standing(matter.institution, act=act))["overdue"] == 15


async def test_a_clean_visit_takes_off_and_a_visit_with_a_breach_does_not(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    clean = await casework.a_visit(matter.office, matter.institution, clock())
    for visit in (matter.visit, clean):
        await owner.execute("update visit set submitted_at = $2 where id = $1", visit, clock())
        await casework.concluded(owner, visit, clock())
    found = await risk.standing(matter.institution, act=matter.office.author.act(clock()))
    factor = next(one for one in found.grade.factors if one.name == "clean")
    assert (factor.counted, factor.points) == (1, -6)


async def test_the_class_does_not_fall_while_a_case_is_open(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await owner.execute(
        "update institution set risk_class = 'D' where id = $1", matter.institution
    )
    act, case = matter.office.author.act(clock()), new_id()
    await owner.execute(
        "insert into case_file (id, region, institution, findings, state, reason, opened_by,"
        " opened_at) values ($1, $2, $3, '{}', 'opened', '调查', $4, $5)",
        case,
        matter.office.region,
        matter.institution,
        act.by.id,
        clock(),
    )
    held = await risk.regrade(matter.institution, act=act)
    assert (held.recorded, held.grade.held) == ("D", True)
    await owner.execute("update case_file set closed_at = $2 where id = $1", case, clock())
    assert (await risk.regrade(matter.institution, act=act)).recorded == "B"


async def test_the_product_regrades_who_has_facts_and_leaves_the_others(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    other = await casework.an_institution(matter.office, clock())
    await made_critical(owner, matter)
    product = await world.the_product(clock())
    assert await risk.regrade_all(act=product) == 1
    assert await risk.regrade_all(act=product) == 0
    assert await recorded(owner, matter.institution) == ("C", 2)
    clock.tick(days=2000)
    await risk.regrade_all(act=await world.the_product(clock()))
    assert await recorded(owner, other) == ("B", 1)


async def test_the_next_draw_puts_a_regraded_institution_into_its_new_stratum(
    app: Litestar, owner: asyncpg.Connection, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2, 3])
    one = await directories.institution_by_credit_code(drawing.credit_code(1), act=office.act)
    await owner.execute(
        "insert into finding (id, region, institution, item, source, title_zh, detail, severity,"
        " clauses, state, evidence, verified_by, verified_at, created_at) values ($1, $2, $3,"
        " 'TI-08', 'checklist', '承诺包过', '', 'critical', '{}', 'verified', $4, $5, $6, $6)",
        new_id(),
        one.region,
        one.id,
        [new_id()],
        office.act.by.id,
        clock(),
    )
    await risk.regrade_all(act=await world.the_product(clock()))
    strata = (
        Stratum(name="低", risk=("A", "B"), ratio="1/2"),
        Stratum(name="高", risk=("C", "D"), ratio="1"),
    )
    plan = await drawing.an_approved_plan(office, spec=drawing.a_spec(strata=strata))
    draw = await drawing.a_frozen_draw(office, plan)
    kept = await owner.fetchval("select objects from draw_frame where draw = $1", draw.id)
    placed = {row["id"].partition("/")[0]: row["stratum"] for row in json.loads(kept)}
    first, second, third = (placed[drawing.credit_code(number)] for number in (1, 2, 3))
    assert first != second == third


async def test_the_daily_work_of_draws_regrades(
    app: Litestar, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await made_critical(owner, matter)
    task = Task(id=1, kind="draw.daily", payload={}, region=world.WEIHAI, attempts=1)
    await HANDLERS["draw.daily"](task, app.state.jobs)
    assert await recorded(owner, matter.institution) == ("C", 2)


async def test_the_desk_is_told_every_factor(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    headers = await world.signed_in(client, matter.office.author)
    path = f"/api/v1/institutions/{matter.institution}/risk"
    told = (await client.get(path, headers=headers)).json()
    assert (told["recorded"], told["grade"]["risk_class"]) == ("B", "B")
    assert {one["name"]: one["points"] for one in told["grade"]["factors"] if one["points"]} == {
        "start_B": 30,
        "major": 15,
    }
    assert all(one["zh"] and one["en"] for one in told["grade"]["factors"])
    own = await world.signed_in(client, matter.user)
    assert (await client.get(path, headers=own)).status_code == 403


async def test_another_office_sees_no_such_institution(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    elsewhere = await casework.an_office(clock(), region=370600, name="烟人社")
    for ask in (risk.standing, risk.regrade):
        with pytest.raises(Absent):
            await ask(matter.institution, act=elsewhere.author.act(clock()))
