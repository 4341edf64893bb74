"""Frames: who is in, in which stratum, excluded by which rule; who can be sent, and not where."""

from collections import Counter
from collections.abc import Awaitable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from backend.clock import token
from backend.services import disclosure, draws, frames
from backend.services.errors import ServiceRefusal
from backend.services.imports import take
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import PlanRecord, Stratum
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.merkle import frame_root
from inspection_plans.loader import load
from tests import drawing, world
from tests.conftest import START, StillClock
from tests.drawing import Office

Owner = asyncpg.Connection


async def frame(owner: Owner, draw: DrawRecord) -> dict[str, Any]:
    """The stored frame, looked at from behind the policies."""
    row = await owner.fetchrow("select * from draw_frame where draw = $1", draw.id)
    names = ("plan_doc", "objects", "inspectors", "blocked", "pseudonyms")
    return {name: msgspec.json.decode(row[name]) for name in names}


async def exclusions(owner: Owner, draw: DrawRecord) -> dict[str, str | None]:
    """Credit code → the rule that excludes it."""
    kept = await frame(owner, draw)
    return {row["id"].partition("/")[0]: row.get("excl") for row in kept["objects"]}


async def refused(code: str, deed: Awaitable[object], owner: Owner) -> dict[str, object]:
    """The deed is refused with this code and no draw, log entry or state is left behind."""
    before = await owner.fetch("select id, state, updated_at from plan")
    logged = await owner.fetchval("select count(*) from draw_log")
    with pytest.raises((ServiceRefusal, DrawRefusal)) as refusal:
        await deed
    assert refusal.value.code == code
    assert await owner.fetch("select id, state, updated_at from plan") == before
    assert await owner.fetchval("select count(*) from draw_log") == logged
    assert await owner.fetchval("select count(*) from draw") == 0
    return refusal.value.facts


async def an_open_case(owner: Owner, office: Office, number: int) -> None:
    """A case against an institution; its way there is casework's own test."""
    await owner.execute(
        "insert into case_file (id, region, institution, findings, state, reason, opened_by,"
        " opened_at) select gen_random_uuid(), region, id, '{}', 'opened', '测试', $2, $3"
        " from institution where credit_code = $1",
        drawing.credit_code(number),
        office.supervisor.person.id,
        office.at,
    )


async def test_each_rule_excludes_by_its_code_and_the_rows_stay(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2])
    await drawing.institutions(office.act, [3], status="closed")
    await drawing.institutions(office.act, [4], status="moved")
    await drawing.institutions(office.act, [5], listed=False)
    await drawing.institutions(office.act, [6])
    await drawing.institutions(office.act, [7], listed=False)
    entry = {
        "credit_code": drawing.credit_code(7),
        "kind": "training",
        "occupation": "blockchain",
        "levels": "junior",
        "listed_on": "2025-01-01",
        "source_notice": "虚构公告2号",
    }
    await take("catalogue", [entry], act=office.act, rules=load())
    await an_open_case(owner, office, 6)
    spec = drawing.a_spec(occupations=("ai",))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    assert await exclusions(owner, draw) == {
        drawing.credit_code(1): None,
        drawing.credit_code(2): None,
        drawing.credit_code(3): "CLOSED",
        drawing.credit_code(4): "MOVED",
        drawing.credit_code(5): "TERM_OVER",
        drawing.credit_code(6): "CASE_OPEN",
        drawing.credit_code(7): "SCOPE",
    }
    shown = await draws.draw(draw.id, act=office.act)
    assert shown.exclusions == dict.fromkeys(
        ("CLOSED", "MOVED", "TERM_OVER", "CASE_OPEN", "SCOPE"), 1
    )


async def test_who_was_visited_rests_and_has_a_yearly_cap(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 9))
    first = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    await drawing.throw_dice(office, first)
    await draws.run(first.id, act=office.act, keys=office.keys)
    drawn = {
        row["credit_code"]
        for row in await owner.fetch(
            "select credit_code from institution where id in (select institution from visit)"
        )
    }
    assert len(drawn) == 4
    for code, spec in (
        ("COOLDOWN", drawing.a_spec()),
        ("CAP_REACHED", drawing.a_spec(frequency_cap=1)),
    ):
        plan = await drawing.an_approved_plan(office, code=code.replace("_", "-"), spec=spec)
        again = await exclusions(owner, await drawing.a_frozen_draw(office, plan))
        assert {who for who, why in again.items() if why == code} == drawn
        assert sum(why is None for why in again.values()) == 4
    spec = drawing.a_spec(cool_down_days=0)
    plan = await drawing.an_approved_plan(office, code="free", spec=spec)
    free = await exclusions(owner, await drawing.a_frozen_draw(office, plan))
    assert set(free.values()) == {None}


async def test_strata_tell_the_never_visited_from_the_others(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 9))
    first = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    await drawing.throw_dice(office, first)
    await draws.run(first.id, act=office.act, keys=office.keys)
    strata = (
        Stratum(name="未查过", ratio="1", visited="never"),
        Stratum(name="查过", ratio="1/4", visited="before"),
    )
    spec = drawing.a_spec(strata=strata, cool_down_days=0)
    plan = await drawing.an_approved_plan(office, code="again", spec=spec)
    again = await drawing.a_frozen_draw(office, plan)
    row = await owner.fetchrow("select * from draw_frame where draw = $1", again.id)
    names = {v: k for k, v in msgspec.json.decode(row["pseudonyms"])["strata"].items()}
    before = {
        found["credit_code"]
        for found in await owner.fetch(
            "select credit_code from institution where id in (select institution from visit)"
        )
    }
    stratum = {
        one["id"].partition("/")[0]: names[one["stratum"]]
        for one in msgspec.json.decode(row["objects"])
    }
    assert stratum == {
        code: "查过" if code in before else "未查过"
        for code in map(drawing.credit_code, range(1, 9))
    }
    only = drawing.a_spec(strata=strata[:1], cool_down_days=0)
    lonely = await drawing.an_approved_plan(office, code="only", spec=only)
    with pytest.raises(ServiceRefusal) as refusal:
        await drawing.a_frozen_draw(office, lonely)
    assert refusal.value.code == "frame.uncovered"
    assert refusal.value.facts["count"] == 4


async def test_expired_certificates_are_left_out_and_reported(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, [1, 2, 3])
    await drawing.inspectors(office.act, [4], licence_until="2026-04-29")  # within the window
    await drawing.inspectors(office.act, [5], available="no")
    await drawing.inspectors(office.act, [6], areas="140000")
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    shown = await draws.draw(draw.id, act=office.act)
    assert shown.filtered == {"LICENCE_EXPIRED": 1, "UNAVAILABLE": 1, "NO_AREA": 1}
    kept = await frame(owner, draw)
    assert len(kept["inspectors"]) == draw.inspector_count == 3
    named = {one["staff_code"]: one["reason"] for one in kept["pseudonyms"]["filtered"]}
    assert named["S004"] == "LICENCE_EXPIRED"
    logged = msgspec.json.decode(
        await owner.fetchval("select body from draw_log where type = 'freeze'")
    )
    assert {one["code"]: one["count"] for one in logged["filtered"]} == shown.filtered


async def test_recusal_is_frozen_for_the_whole_frame_and_kept(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 4))
    await drawing.inspectors(office.act, [9], unit="虚构培训机构008")  # its own unit
    for number in range(1, 8):
        await drawing.relation(office.act, 1, number)
    spec = drawing.a_spec(strata=(Stratum(name="全部", ratio="1"),))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    kept = await frame(owner, draw)
    assert len(kept["blocked"]) == 8
    assert kept["blocked"] == sorted(kept["blocked"])
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
    sent = {
        (row["staff_code"], row["credit_code"])
        for row in await owner.fetch(
            "select p.staff_code, i.credit_code from assignment a join inspector p"
            " on p.id = a.inspector join visit v on v.id = a.visit"
            " join institution i on i.id = v.institution"
        )
    }
    assert sent
    assert not {("S001", drawing.credit_code(n)) for n in range(1, 8)} & sent
    assert ("S009", drawing.credit_code(8)) not in sent


async def test_the_last_inspectors_do_not_come_again(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 5))
    await drawing.inspectors(office.act, range(1, 7))
    spec = drawing.a_spec(strata=(Stratum(name="全部", ratio="1"),), cool_down_days=0)
    for code in ("one", "two"):
        plan = await drawing.an_approved_plan(office, code=code, spec=spec)
        draw = await drawing.a_frozen_draw(office, plan)
        await drawing.throw_dice(office, draw)
        await draws.run(draw.id, act=office.act, keys=office.keys)
    pairs = Counter(
        (row["inspector"], row["institution"])
        for row in await owner.fetch(
            "select a.inspector, v.institution from assignment a join visit v on v.id = a.visit"
        )
    )
    assert len(pairs) == 16
    assert set(pairs.values()) == {1}


async def test_strata_that_miss_somebody_are_named(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2], risk_class="A")
    await drawing.institutions(office.act, [3], risk_class="D")
    spec = drawing.a_spec(strata=(Stratum(name="低风险", risk=("A", "B"), ratio="1/2"),))
    plan = await drawing.an_approved_plan(office, spec=spec)
    facts = await refused("frame.uncovered", drawing.a_frozen_draw(office, plan), owner)
    example = {"risk": "D", "region": 370000, "visited": "never"}
    assert facts == {"count": 1, "examples": [example]}


async def test_strata_that_overlap_are_named(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2], region=str(world.WEIHAI))
    strata = (
        Stratum(name="全省", regions=(world.SHANDONG,), ratio="1/2"),
        Stratum(name="威海", regions=(world.WEIHAI,), ratio="1/2"),
    )
    plan = await drawing.an_approved_plan(office, spec=drawing.a_spec(strata=strata))
    facts = await refused("frame.ambiguous", drawing.a_frozen_draw(office, plan), owner)
    example = {"risk": "B", "region": world.WEIHAI, "visited": "never"}
    assert facts["examples"] == [example]


async def test_cities_are_strata_with_all_below_them(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2], region=str(world.WEIHAI))
    await drawing.institutions(office.act, [3, 4, 5], region=str(world.JINAN))
    strata = (
        Stratum(name="威海", regions=(world.WEIHAI,), ratio="1"),
        Stratum(name="济南", regions=(world.JINAN,), ratio="1/3"),
    )
    plan = await drawing.an_approved_plan(office, spec=drawing.a_spec(strata=strata))
    draw = await drawing.a_frozen_draw(office, plan)
    kept = await frame(owner, draw)
    names = {ident: name for name, ident in kept["pseudonyms"]["strata"].items()}
    sizes = Counter(names[row["stratum"]] for row in kept["objects"])
    assert sizes == {"威海": 2, "济南": 3}
    assert "威海" not in str(kept["plan_doc"])
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
    regions = Counter(row["region"] for row in await owner.fetch("select region from visit"))
    assert regions == {world.WEIHAI: 2, world.JINAN: 1}


async def test_an_empty_frame_is_refused(app: Litestar, clock: StillClock, owner: Owner) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    plan = await drawing.an_approved_plan(office)
    facts = await refused("frame.empty", drawing.a_frozen_draw(office, plan), owner)
    assert facts == {"rows": 0, "exclusions": {}}
    await drawing.institutions(office.act, [1], status="closed")
    facts = await refused("frame.empty", drawing.a_frozen_draw(office, plan), owner)
    assert facts == {"rows": 1, "exclusions": {"CLOSED": 1}}


async def test_without_a_team_nobody_is_drawn(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, [1, 2])
    await drawing.inspectors(office.act, [1])
    await drawing.inspectors(office.act, [2], licence_until="2026-03-20")
    plan = await drawing.an_approved_plan(office)
    facts = await refused("frame.too_few_inspectors", drawing.a_frozen_draw(office, plan), owner)
    assert facts == {"eligible": 1, "needed": 2, "filtered": {"LICENCE_EXPIRED": 1}}


async def test_a_slot_so_late_that_no_day_is_left_draws_nobody(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, [1, 2])
    await drawing.inspectors(office.act, [1, 2])
    plan = await drawing.an_approved_plan(office)
    office.at = clock() + timedelta(days=60)
    await refused("frame.no_days", drawing.a_frozen_draw(office, plan), owner)


async def test_one_institution_twice_in_the_directory_is_refused(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.inspectors(office.act, range(1, 5))
    await drawing.institutions(office.act, [1, 2])
    await take(
        "institutions",
        [
            {
                "credit_code": drawing.credit_code(1),
                "name": "虚构培训机构001",
                "kinds": "training",
                "region": str(world.WEIHAI),
                "home_region": "370000",
            }
        ],
        act=office.act,
        rules=load(),
    )
    plan = await drawing.an_approved_plan(office)
    facts = await refused("E_DUP_ID", drawing.a_frozen_draw(office, plan), owner)
    assert facts == {"id": f"{drawing.credit_code(1)}/training"}


async def test_class_sessions_are_drawn_on_their_own_days(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, [1, 2])
    await drawing.inspectors(office.act, range(1, 5))
    days = {"K1": "2026-03-10", "K2": "2026-03-14", "K3": "2026-03-17", "K4": "2026-06-01"}
    for number in (1, 2):
        code = drawing.credit_code(number)
        row = {
            "credit_code": code,
            "code": "B1",
            "title": "虚构班次",
            "occupation": "ai",
            "level": "junior",
            "mode": "offline",
            "venue_region": "371000",
            "venue": "虚构教室",
            "teacher": "虚构教师",
            "starts_on": "2026-03-05",
            "ends_on": "2026-06-30",
        }
        await take("classes", [row], act=office.act, rules=load())
        sessions = [
            {
                "credit_code": code,
                "class_code": "B1",
                "code": session,
                "on_date": day,
                "starts": "09:00",
                "ends": "12:00",
                "mode": "offline",
                "status": "cancelled" if session == "K3" else "planned",
            }
            for session, day in days.items()
        ]
        await take("sessions", sessions, act=office.act, rules=load())
    spec = drawing.a_spec(
        objects="class_session",
        visits=(drawing.SESSION,),
        strata=(Stratum(name="全部", ratio="1/2"),),
    )
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    kept = await frame(owner, draw)
    assert [(row["id"].split("/", 1)[1], row["area"]) for row in kept["objects"]][:3] == [
        ("B1/K1", "371000"),
        ("B1/K2", "371000"),
        ("B1/K3", "371000"),
    ]
    assert [row.get("excl") for row in kept["objects"]] == [None, None, "CLOSED"] * 2
    assert "days" not in kept["plan_doc"]
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
    rows = await owner.fetch(
        "select v.kind, v.on_date, s.on_date as held from visit v"
        " join class_session s on s.id = v.class_session"
    )
    assert len(rows) == 3
    assert all(row["on_date"] == row["held"] for row in rows)
    assert {row["kind"] for row in rows} == {"class_session"}
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    assert (await disclosure.verify(draw.id, act=office.act)).ok


async def test_the_frozen_roots_are_those_of_the_rows(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 6))
    await drawing.inspectors(office.act, range(1, 4))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    kept = await frame(owner, draw)
    wrapped = await owner.fetchval("select object_key from draw_frame")
    assert len(wrapped) == 40
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    public = (await disclosure.record(draw.id, act=office.act))["record"]
    for name, root in (("objects", draw.frame_objects), ("inspectors", draw.frame_inspectors)):
        assert frame_root("sha256", public["keys"][name], kept[name]) == root


def a_plan(**changes: Any) -> PlanRecord:
    """A plan as stored, without a database."""
    draft = msgspec.structs.asdict(drawing.a_draft(START, **changes))
    ident = UUID(int=1)
    return PlanRecord(
        **draft,
        id=ident,
        region=370000,
        office=ident,
        state="approved",
        rev=1,
        created_by=ident,
        submitted_by=ident,
        approved_by=ident,
        reason=None,
        created_at=START,
        updated_at=START,
    )


@given(st.integers(0, 58))
def test_days_are_working_days_of_the_window_after_the_draw(late: int) -> None:
    at = START + timedelta(days=late)
    days = [date.fromisoformat(day) for day in frames.working_days(a_plan(), at)]
    assert days == sorted(set(days))
    assert min(days) > frames.on_day(at)
    assert min(days) >= date(2026, 3, 9)
    assert max(days) <= date(2026, 4, 30)
    assert date(2026, 4, 6) not in days  # 清明 of the published table


@given(st.sets(st.text(min_size=1), min_size=1, max_size=30), st.binary(min_size=32, max_size=32))
def test_opaque_strata_say_nothing_of_their_names(names: set[str], key: bytes) -> None:
    ids = frames.opaque(names, key, "sha256")
    assert ids == frames.opaque(sorted(names), key, "sha256")
    assert sorted(ids.values()) == [f"s{n:03}" for n in range(1, len(names) + 1)]
    assert set(ids) == names


async def test_two_freezes_of_equal_directories_share_no_pseudonym(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 6))
    await drawing.inspectors(office.act, range(1, 4))
    seen: list[set[str]] = []
    for code in ("one", "two"):
        plan = await drawing.an_approved_plan(office, code=code)
        office.at = plan.fire_at
        draw = await draws.freeze(plan.id, act=office.act, keys=office.keys, token=token)
        kept = await frame(owner, draw)
        seen.append(set(kept["pseudonyms"]["aliases"]))
    assert not seen[0] & seen[1]
