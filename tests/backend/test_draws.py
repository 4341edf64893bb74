"""Draws from frozen frames to the disclosed record: what is drawn, sealed, opened."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.clock import token
from backend.services import ceremony, countersigns, disclosure, draws, plans, voids
from backend.services.errors import Absent
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import PlanRecord, Stratum
from inspection_plans.draw.seed import person
from tests import drawing, world
from tests.conftest import StillClock
from tests.drawing import Office

Owner = asyncpg.Connection


async def held(owner: Owner) -> list[list[tuple[object, ...]]]:
    """Everything that a refused or repeated deed must leave as it was."""
    statements = (
        "select id, state from plan order by id",
        "select id, state, head, seed, entropy::text from draw order by id",
        "select draw, party, commitment, secret, revealed_at from draw_share order by 1, 2",
        "select draw, selection::text, assignment::text, days::text from draw_result",
        "select hash from draw_log order by seq",
        "select id, state, on_date, institution from visit order by id",
        "select id, visit, inspector from assignment order by id",
        "select id from aud.entry order by id",
    )
    return [[tuple(row) for row in await owner.fetch(text)] for text in statements]


async def a_world(app: Litestar, clock: StillClock, people: int = 6) -> Office:
    """An office with twenty institutions and some inspectors."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, people + 1))
    return office


async def drawn(office: Office, plan: PlanRecord) -> DrawRecord:
    """A plan's draw with dice, run."""
    draw = await drawing.throw_dice(office, await drawing.a_frozen_draw(office, plan))
    return await draws.run(draw.id, act=office.act, keys=office.keys)


async def frame(owner: Owner, draw: DrawRecord) -> dict[str, Any]:
    """The stored frame, looked at from behind the policies."""
    row = await owner.fetchrow("select * from draw_frame where draw = $1", draw.id)
    names = ("plan_doc", "objects", "inspectors", "blocked", "pseudonyms")
    return {name: msgspec.json.decode(row[name]) for name in names}


async def test_a_draw_goes_from_plan_to_a_record_that_verifies(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.a_frozen_draw(office, plan)
    assert (draw.state, draw.level, draw.object_count) == ("frozen", "C", 20)
    assert (await plans.plan(plan.id, act=office.act)).state == "running"
    draw = await drawing.throw_dice(office, draw)
    assert draw.state == "revealed"
    draw = await draws.run(draw.id, act=office.act, keys=office.keys)
    assert draw.state == "drawn"
    await owner.execute("update visit set state = 'concluded'")
    draw = await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.ok, verdict.level, verdict.problems) == (True, "C", ())
    assert (await plans.close(plan.id, act=office.act)).state == "closed"


async def test_visits_follow_the_result(app: Litestar, clock: StillClock, owner: Owner) -> None:
    office = await a_world(app, clock)
    draw = await drawn(office, await drawing.an_approved_plan(office))
    visits = await owner.fetch("select * from visit order by code")
    assert [row["code"] for row in visits] == [f"{draw.code}-{n:04}" for n in range(1, 11)]
    assert {row["state"] for row in visits} == {"assigned"}
    assert {(row["selection"], row["chance"]) for row in visits} == {("random", "10/20")}
    for row in visits:
        assert row["on_date"].isoformat() >= "2026-03-09"
        assert row["sealed_until"] == datetime(
            row["on_date"].year, row["on_date"].month, row["on_date"].day, 6, tzinfo=UTC
        ) - timedelta(hours=8)
    teams = Counter(row["visit"] for row in await owner.fetch("select visit from assignment"))
    assert set(teams.values()) == {2}
    shares = Counter(r["inspector"] for r in await owner.fetch("select * from assignment"))
    assert set(shares.values()) <= {3, 4}  # 20 places, 6 people


async def test_until_disclosure_nobody_reads_a_target(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    draw = await drawn(office, await drawing.an_approved_plan(office))
    public = (await disclosure.page(draw.code)).body.decode()
    office_sees = msgspec.json.encode(await draws.draw(draw.id, act=office.act)).decode()
    row = await owner.fetchrow("select * from draw where id = $1", draw.id)
    kept = await frame(owner, draw)
    secrets = [row["seed"], *(alias for alias in kept["pseudonyms"]["aliases"])]
    secrets += [item["id"] for item in kept["objects"]] + ["LIC-"]
    secrets += [share["secret"].hex() for share in await owner.fetch("select * from draw_share")]
    logged = await owner.fetchval("select string_agg(body::text, '') from draw_log")
    for text in (public, office_sees, logged):
        assert [secret for secret in secrets if secret in text] == []
    assert msgspec.json.decode(public)["outcome"]["selected"] == 10
    with pytest.raises(disclosure.NotDisclosed):
        await disclosure.verify(draw.id, act=office.act)
    before = await held(owner)
    with pytest.raises(disclosure.Sealed):
        await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    assert await held(owner) == before


async def test_the_day_of_disclosure_opens_a_draw_by_itself(
    app: Litestar, clock: StillClock
) -> None:
    office = await a_world(app, clock)
    draw = await drawn(office, await drawing.an_approved_plan(office))
    late = datetime.combine(draw.disclose_on + timedelta(days=1), datetime.min.time(), UTC)
    (line,) = await disclosure.pages(today=late.date())
    assert (line.state, line.overdue) == ("drawn", True)
    clock.set(late)
    assert await disclosure.due(act=await world.the_product(clock())) == (draw.id,)
    draw = await disclosure.disclose(draw.id, act=await world.the_product(late), keys=office.keys)
    assert draw.state == "published"
    assert (await disclosure.verify(draw.id, act=office.act)).ok
    (line,) = await disclosure.pages(today=late.date())
    assert (line.state, line.overdue) == ("published", False)


async def test_only_those_sent_are_named_by_licence(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock, people=12)
    spec = drawing.a_spec(strata=(Stratum(name="全部", ratio="1/20"),))
    draw = await drawn(office, await drawing.an_approved_plan(office, spec=spec))
    await owner.execute("update visit set state = 'submitted'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    public = await disclosure.record(draw.id, act=office.act)
    (entry,) = [e for e in public["record"]["log"] if e["type"] == "disclose"]
    commitments = {row["id"]: row["person"] for row in public["record"]["inspectors"]}
    assert len(entry["body"]["persons"]) == 2
    for one in entry["body"]["persons"]:
        assert person("sha256", one["salt"], one["licence"]) == commitments[one["id"]]
    sent = await owner.fetch(
        "select licence_no from inspector where id in (select inspector from assignment)"
    )
    named = {one["licence"] for one in entry["body"]["persons"]}
    assert named == {row["licence_no"] for row in sent}


async def test_a_second_freeze_and_a_second_run_change_nothing(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.a_frozen_draw(office, plan)
    before = await held(owner)
    assert (await drawing.a_frozen_draw(office, plan)).id == draw.id
    assert await held(owner) == before
    await drawing.throw_dice(office, draw)
    first = await draws.run(draw.id, act=office.act, keys=office.keys)
    before = await held(owner)
    clock.tick(hours=1)
    office.at = clock()
    assert await draws.run(draw.id, act=office.act, keys=office.keys) == first
    assert (await drawing.a_frozen_draw(office, plan)).id == draw.id
    assert await held(owner) == before


async def test_many_runs_at_once_leave_one_result(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    office.at = plan.fire_at
    frozen = await asyncio.gather(
        *(draws.freeze(plan.id, act=office.act, keys=office.keys, token=token) for _ in range(3))
    )
    assert len({draw.id for draw in frozen}) == 1
    await drawing.throw_dice(office, frozen[0])
    deeds = [draws.run(frozen[0].id, act=office.act, keys=office.keys) for _ in range(3)]
    again = draws.freeze(plan.id, act=office.act, keys=office.keys, token=token)
    *results, _ = await asyncio.gather(*deeds, again)
    assert len(set(results)) == 1
    assert await owner.fetchval("select count(*) from draw_result") == 1
    assert await owner.fetchval("select count(*) from visit") == 10


async def test_a_run_killed_at_any_moment_leaves_none_or_the_one_result(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    draw = await drawing.throw_dice(
        office, await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office))
    )
    before = await held(owner)
    killed = 0
    for step in range(60):
        run = asyncio.create_task(draws.run(draw.id, act=office.act, keys=office.keys))
        for _ in range(step):
            await asyncio.sleep(0)
            await owner.fetchval("select 1")
        run.cancel()
        ended = (await asyncio.gather(run, return_exceptions=True))[0]
        if not isinstance(ended, asyncio.CancelledError):
            break
        killed += 1
        if await held(owner) != before:  # killed after COMMIT: then it is the one result, whole
            break
    assert killed > 5
    done = await draws.run(draw.id, act=office.act, keys=office.keys)
    assert done.state == "drawn"
    assert await owner.fetchval("select count(*) from visit") == 10


async def test_a_draw_is_not_frozen_before_its_instant(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    before = await held(owner)
    with pytest.raises(draws.NotDue):
        await draws.freeze(plan.id, act=office.act, keys=office.keys, token=token)
    assert await held(owner) == before


async def test_places_that_nobody_can_fill_are_certified_and_the_result_stands(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, 4), cap="2")
    draw = await drawn(office, await drawing.an_approved_plan(office))
    outcome = (await draws.draw(draw.id, act=office.act)).outcome
    assert outcome is not None
    assert (outcome.status, outcome.selected) == ("infeasible", 10)
    assert outcome.need - outcome.supply == outcome.open_places == 14
    states = Counter(row["state"] for row in await owner.fetch("select state from visit"))
    assert states["drawn"] + states["assigned"] == 10
    assert states["assigned"] <= 3
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    assert (await disclosure.verify(draw.id, act=office.act)).ok


async def test_level_d_draws_at_once_and_says_so(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await a_world(app, clock)
    spec = drawing.a_spec(entropy=(), level_d_accepted=True, level_d_reason="培训演示数据")
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    assert (draw.state, draw.level) == ("revealed", "D")
    ordered = await owner.fetchrow("select kind, payload from task where kind = 'draw.run'")
    assert msgspec.json.decode(ordered["payload"]) == {"draw": str(draw.id)}
    await draws.run(draw.id, act=office.act, keys=office.keys)
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.ok, verdict.level) == (True, "D")


@pytest.mark.parametrize("alg", ["sha256", "sm3"])
async def test_three_parties_and_a_beacon_make_level_a(
    app: Litestar, clock: StillClock, owner: Owner, alg: str
) -> None:
    office = await a_world(app, clock)
    signers = [await drawing.a_party(office, "supervision"), await drawing.a_party(office, "b", 9)]
    beacon = msgspec.convert({"source": "drand", "ref": "quicknet"}, drawing.Entropy)
    spec = drawing.a_spec(alg=alg, parties=("operator", "supervision", "b"), entropy=(beacon,))
    draw = await drawing.a_frozen_draw(office, await drawing.an_approved_plan(office, spec=spec))
    for signer in signers:
        await signer.commit(office, draw)
    (named,) = draw.entropy
    office.at += timedelta(hours=1, seconds=5)
    await ceremony.enter(
        draw.id, "drand", named.ref, "ab" * 32, (), act=office.act, keys=office.keys
    )
    for signer in signers:
        draw = await signer.reveal(office, draw)
    assert (draw.state, draw.level) == ("revealed", "A")
    await draws.run(draw.id, act=office.act, keys=office.keys)
    head = (await draws.draw(draw.id, act=office.act)).draw.head
    signature = signers[0].key.sign(bytes.fromhex(head)).hex()
    await countersigns.countersign(draw.id, "supervision", head, signature, act=office.act)
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.ok, verdict.level, verdict.problems) == (True, "A", ())
    public = await disclosure.record(draw.id, act=office.act)
    assert (head, "supervision") in {(c["hash"], c["party"]) for c in public["countersigns"]}


async def test_another_province_sees_no_draw_of_ours(app: Litestar, clock: StillClock) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.a_frozen_draw(office, plan)
    foreign = await drawing.an_office(app, clock(), world.SHANXI)
    foreign.at = office.at
    assert await draws.draws(act=foreign.act) == ()
    for deed in (
        draws.draw(draw.id, act=foreign.act),
        draws.run(draw.id, act=foreign.act, keys=office.keys),
        draws.freeze(plan.id, act=foreign.act, keys=office.keys, token=token),
        disclosure.record(draw.id, act=foreign.act),
        disclosure.disclose(draw.id, act=foreign.act, keys=office.keys),
        voids.propose(draw.id, "理由", act=foreign.act),
    ):
        with pytest.raises(Absent):
            await deed


async def test_a_draw_over_http_and_what_the_public_reads(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient, owner: Owner
) -> None:
    office = await a_world(app, clock)
    plan = await drawing.an_approved_plan(office)
    mine = await world.signed_in(client, office.supervisor)
    early = await client.post(f"/api/v1/plans/{plan.id}/draw", headers=mine)
    assert (early.status_code, early.json()["code"]) == (409, "draw.not_due")
    clock.tick(hours=1)
    mine = await world.signed_in(client, office.supervisor)  # an access lasts less than that
    draw = (await client.post(f"/api/v1/plans/{plan.id}/draw", headers=mine)).json()
    at = f"/api/v1/draws/{draw['id']}"
    assert (await client.get(at, headers=mine)).json()["missing"] == [
        f"entropy:dice:{drawing.DICE.ref}"
    ]
    dice = {
        "source": "dice",
        "ref": drawing.DICE.ref,
        "value": drawing.DIGITS,
        "witnesses": list(drawing.WITNESSES),
    }
    few = await client.post(f"{at}/entropy", json={**dice, "value": "123"}, headers=mine)
    assert (few.status_code, few.json()["code"]) == (422, "draw.dice_invalid")
    assert (await client.post(f"{at}/entropy", json=dice, headers=mine)).status_code == 201
    assert (await client.post(f"{at}/result", headers=mine)).json()["state"] == "drawn"
    public = f"/api/v1/public/draws/{draw['code']}"
    page = await client.get(public)
    assert (page.status_code, page.json()["record"]) == (200, None)
    again = await client.get(public, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    sealed = await client.post(f"{at}/disclosure", headers=mine)
    assert (sealed.status_code, sealed.json()["code"]) == (409, "draw.sealed")
    await owner.execute("update visit set state = 'concluded'")
    assert (await client.post(f"{at}/disclosure", headers=mine)).status_code == 201
    opened = await client.get(public, headers={"If-None-Match": page.headers["etag"]})
    assert opened.status_code == 200
    assert len(opened.json()["record"]["objects"]) == 20
    assert (await client.get(f"{at}/verdict", headers=mine)).json()["ok"] is True
    assert (await client.get(f"{at}/record", headers=mine)).json() == opened.json()
    closed = await client.post(f"/api/v1/plans/{plan.id}/closing", headers=mine)
    assert closed.json()["state"] == "closed"
    shown = await client.get(f"/api/v1/plans/{plan.id}", headers=mine)
    assert shown.json() == closed.json()
    log = await client.get("/api/v1/public/draw-logs/370000/2026")
    assert log.json() == opened.json()["record"]["log"]
    listed = await client.get("/api/v1/public/draws")
    assert [(line["code"], line["state"]) for line in listed.json()] == [
        (draw["code"], "published")
    ]
    assert (await client.get("/api/v1/public/draws/370000-none")).status_code == 404
    assert (await client.get(at)).status_code == 401
