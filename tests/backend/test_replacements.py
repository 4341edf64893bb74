"""After a draw: withdrawals, recusals, supplements, a second sending; each checked by replay."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.clock import token
from backend.piccolo_conf import DB
from backend.services import (
    assignments,
    disclosure,
    draws,
    recusals,
    sendings,
    supplements,
    tasks,
    teams,
    withdrawals,
)
from backend.services.draw_events import Clerk
from backend.services.records.draw_events import NewRecusal, NewWithdrawal, Withdrawal
from backend.services.records.draws import DrawRecord
from backend.services.visits import NewAssignment
from tests import drawing, world
from tests.conftest import StillClock, Work
from tests.drawing import Office

Owner = asyncpg.Connection
GONE = NewWithdrawal(reason="moved", paper="迁址告知书（虚构）", evidence_sha256="ab" * 32)


def clerk(office: Office, *, second: bool = False) -> Clerk:
    """A person of the office at the desk."""
    return Clerk(office.second if second else office.act, office.keys, token)


async def held(owner: Owner) -> list[list[tuple[object, ...]]]:
    """Everything that a refused deed must leave as it was."""
    statements = (
        "select id, state, head from draw order by id",
        "select draw, number, digest from draw_event order by 1, 2",
        "select id, state from withdrawal order by id",
        "select id, state from recusal_request order by id",
        "select hash from draw_log order by seq",
        "select id, state, epoch from visit order by id",
        "select id, state from assignment order by id",
        "select id from aud.entry order by id",
    )
    return [[tuple(row) for row in await owner.fetch(text)] for text in statements]


async def a_drawn_plan(
    app: Litestar, clock: StillClock, people: int = 6, **cells: str
) -> tuple[Office, DrawRecord]:
    """Twenty institutions, ten of them drawn."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 21))
    await drawing.inspectors(office.act, range(1, people + 1), **cells)
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.throw_dice(office, await drawing.a_frozen_draw(office, plan))
    return office, await draws.run(draw.id, act=office.act, keys=office.keys)


async def first_visit(owner: Owner, office: Office) -> UUID:
    """The earliest visit, at the hour when it is no secret any more."""
    row = await owner.fetchrow("select id, sealed_until from visit order by on_date, code")
    office.at = max(office.at, row["sealed_until"])
    return UUID(str(row["id"]))


async def withdrawn(office: Office, visit: UUID, new: NewWithdrawal = GONE) -> Withdrawal:
    """A withdrawal that a second person confirmed."""
    one = await withdrawals.propose(visit, new, clerk=clerk(office))
    return await withdrawals.confirm(one.id, clerk=clerk(office, second=True))


async def team(owner: Owner, visit: UUID) -> list[UUID]:
    """Who is in the team now, by place."""
    rows = await owner.fetch(
        "select inspector from assignment where visit = $1 and state = 'active' order by place",
        visit,
    )
    return [row["inspector"] for row in rows]


async def verified(office: Office, owner: Owner, draw: DrawRecord) -> dict[str, Any]:
    """The disclosed record, after a citizen's verifier found nothing wrong."""
    await owner.execute("update visit set state = 'concluded' where state <> 'closed'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.problems, verdict.ok) == ((), True)
    record: dict[str, Any] = (await disclosure.record(draw.id, act=office.act))["record"]
    return record


def kinds(record: dict[str, Any]) -> list[str]:
    """The types of the opened events, in the order they happened."""
    return [entry["type"] for entry in record["log"] if "opens" in entry["body"]]


async def code_of(deed: Any, owner: Owner) -> str:
    """The code with which a deed is refused, everything left as it was."""
    before = await held(owner)
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the code says which
        await deed
    assert await held(owner) == before
    return str(getattr(refusal.value, "code", refusal.value))


async def test_a_withdrawn_institution_gives_its_place_to_the_reserve(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    one = await withdrawn(office, visit)
    assert one.replacement is not None
    gone = await owner.fetchrow("select * from visit where id = $1", visit)
    new = await owner.fetchrow("select * from visit where id = $1", one.replacement)
    assert (gone["state"], await team(owner, visit)) == ("closed", [])
    assert new["state"] == "assigned"
    assert (len(await team(owner, new["id"])), new["chance"]) == (2, "10/20")
    assert new["on_date"] > office.at.date()
    assert new["sealed_until"] > office.at
    logged = await owner.fetchval("select string_agg(body::text, '') from draw_log")
    assert one.object not in logged
    (rate,) = await withdrawals.rates(act=office.act)
    assert (rate.drawn, rate.withdrawn, rate.limit) == (10, 1, 3)
    assert rate.by == {office.supervisor.person.name: 1}
    record = await verified(office, owner, draw)
    assert kinds(record) == ["withdraw", "replace", "substitute", "substitute"]


async def test_who_was_withdrawn_must_be_drawn_next_time(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    one = await withdrawn(office, await first_visit(owner, office))
    await owner.execute("update visit set on_date = on_date - 400 where state <> 'closed'")
    spec = drawing.a_spec(cool_down_days=0)
    plan = await drawing.an_approved_plan(
        office,
        code="next",
        spec=spec,
        window_from=date(2026, 5, 6),
        window_until=date(2026, 6, 30),
    )
    again = await drawing.throw_dice(office, await drawing.a_frozen_draw(office, plan))
    await draws.run(again.id, act=office.act, keys=office.keys)
    await owner.execute("update visit set on_date = on_date + 400 where on_date < '2026-01-01'")
    selection = msgspec.json.decode(
        await owner.fetchval("select selection from draw_result where draw = $1", again.id)
    )
    assert selection[0]["must"] == [one.object]
    assert await owner.fetchval("select returned_in from withdrawal") == again.id
    await owner.execute("update visit set state = 'concluded'")
    for each in (draw, again):
        await disclosure.disclose(each.id, act=office.act, keys=office.keys)
        assert (await disclosure.verify(each.id, act=office.act)).problems == ()


async def test_withdrawals_need_a_visible_visit_two_persons_and_have_a_ceiling(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    row = await owner.fetchrow("select id from visit order by on_date, code")
    sealed = withdrawals.propose(row["id"], GONE, clerk=clerk(office))
    assert await code_of(sealed, owner) == "thing.absent"
    visit = await first_visit(owner, office)
    one = await withdrawals.propose(visit, GONE, clerk=clerk(office))
    twice = withdrawals.propose(visit, GONE, clerk=clerk(office))
    assert await code_of(twice, owner) == "withdrawal.exists"
    own = withdrawals.confirm(one.id, clerk=clerk(office))
    assert await code_of(own, owner) == "draw.same_person"
    await withdrawals.refuse(one.id, "证据不足", act=office.second)
    late = withdrawals.confirm(one.id, clerk=clerk(office, second=True))
    assert await code_of(late, owner) == "withdrawal.decided"
    await owner.execute("update visit set started_at = now() where id = $1", visit)
    begun = withdrawals.propose(visit, GONE, clerk=clerk(office))
    assert await code_of(begun, owner) == "withdrawal.visit_begun"
    rows = await owner.fetch("select id from visit where id <> $1 order by code", visit)
    office.at = await owner.fetchval("select max(sealed_until) from visit")
    for other in rows[:3]:
        await withdrawn(office, other["id"])
    many = withdrawals.propose(rows[3]["id"], GONE, clerk=clerk(office))
    assert await code_of(many, owner) == "withdrawal.too_many"
    await verified(office, owner, draw)


async def test_an_exhausted_reserve_is_a_shortfall_and_no_new_draw(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    rows = await owner.fetch("select id, sealed_until from visit order by on_date, code limit 3")
    office.at = rows[-1]["sealed_until"]
    made = [(await withdrawn(office, row["id"])).replacement for row in rows]
    assert [one is None for one in made] == [False, False, True]  # two in reserve
    assert await owner.fetchval("select count(*) from draw") == 1
    record = await verified(office, owner, draw)
    assert kinds(record).count("replace") == 2


async def test_three_recusals_of_a_visit_are_automatic_then_a_person_decides(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=8)
    visit = await first_visit(owner, office)
    others = await owner.fetch(
        "select visit, inspector from assignment where visit <> $1 order by id", visit
    )
    stays = "select id from assignment where visit = $1 and place = 1 and state = 'active'"
    colleague = await owner.fetchval(stays, visit)
    released: list[UUID] = []
    for _ in range(3):
        before = await team(owner, visit)
        new = NewRecusal(inspector=before[1], cause="institution", ground="与负责人系亲属")
        one = await recusals.ask(visit, new, clerk=clerk(office))
        assert (one.state, one.decision) == ("granted", "automatic")
        now = await team(owner, visit)
        assert (now[0], now[1] in [*released, before[1]]) == (before[0], False)
        released.append(before[1])
    fourth = NewRecusal(inspector=now[1], cause="institution", ground="仍有顾虑")
    one = await recusals.ask(visit, fourth, clerk=clerk(office))
    assert (one.state, one.zh.startswith("本次检查的自动回避次数已满")) == ("pending", True)
    again = recusals.ask(visit, fourth, clerk=clerk(office))
    assert await code_of(again, owner) == "visit.recusal_open"
    own = recusals.decide(one.id, grant=True, reason="情况属实", clerk=clerk(office))
    assert await code_of(own, owner) == "visit.same_person"
    head = clerk(office, second=True)
    decided = await recusals.decide(one.id, grant=True, reason="情况属实", clerk=head)
    assert decided.state == "granted"
    late = recusals.decide(one.id, grant=False, reason="重来", clerk=head)
    assert await code_of(late, owner) == "visit.recusal_decided"
    after = await owner.fetch(
        "select visit, inspector from assignment where visit <> $1 order by id", visit
    )
    assert after == others  # other teams are never disturbed
    assert await owner.fetchval(stays, visit) == colleague  # nor does a colleague's work go stale
    record = await verified(office, owner, draw)
    assert kinds(record) == ["substitute"] * 4


async def test_nobody_is_put_back_by_hand_after_a_recusal(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    gone, kept = await team(owner, visit)
    new = NewRecusal(inspector=gone, cause="illness", ground="突发疾病")
    assert (await recusals.ask(visit, new, clerk=clerk(office))).state == "granted"
    back = (NewAssignment(gone, 1, lead=True), NewAssignment(kept, 2, lead=False))
    deed = assignments.reassign(visit, back, "病愈", act=office.act)
    assert await code_of(deed, owner) == "visit.released"


async def test_a_recusal_after_the_visit_began_is_recorded_and_refused(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    await owner.execute(
        "update visit set state = 'started', started_at = now() where id = $1", visit
    )
    before = await team(owner, visit)
    new = NewRecusal(inspector=before[1], cause="institution", ground="与负责人系亲属")
    one = await recusals.ask(visit, new, clerk=clerk(office))
    assert (one.state, "检查已经开始" in one.zh) == ("refused", True)
    assert await team(owner, visit) == before
    assert await owner.fetchval("select state from visit where id = $1", visit) == "started"
    assert await owner.fetchval("select count(*) from draw_event") == 0
    (kept,) = await recusals.recusals(visit, act=office.act)
    assert kept == one
    stranger = NewRecusal(inspector=office.id, cause="illness", ground="不在组内")
    other = await owner.fetchval("select id from visit where id <> $1 order by code", visit)
    office.at = await owner.fetchval("select max(sealed_until) from visit")
    absent = recusals.ask(other, stranger, clerk=clerk(office))
    assert await code_of(absent, owner) == "visit.not_in_team"


async def test_who_falls_ill_with_nobody_left_waits_for_a_supplement(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=2)
    visit = await first_visit(owner, office)
    ill = (await team(owner, visit))[1]
    new = NewRecusal(inspector=ill, cause="illness", ground="发烧住院")
    assert (await recusals.ask(visit, new, clerk=clerk(office))).state == "granted"
    assert await owner.fetchval("select state from visit where id = $1", visit) == "recused"
    assert len(await team(owner, visit)) == 1
    nobody = supplements.add(draw.id, [ill], clerk=clerk(office))
    assert await code_of(nobody, owner) == "draw.nobody_to_add"
    needless = sendings.freeze(draw.id, clerk=clerk(office))
    assert await code_of(needless, owner) == "draw.sending_needless"
    await drawing.inspectors(office.act, [3])
    fresh = await owner.fetchval("select id from inspector where staff_code = 'S003'")
    done = await supplements.add(draw.id, [fresh], clerk=clerk(office))
    assert (done.added, done.filled, done.still_open) == (1, 1, 0)
    assert fresh in await team(owner, visit)
    assert await owner.fetchval("select state from visit where id = $1", visit) == "assigned"
    record = await verified(office, owner, draw)
    assert kinds(record) == ["substitute", "supplement", "substitute"]


async def test_an_infeasible_sending_is_tried_anew_with_more_people(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=3, cap="2")
    nobody = sendings.freeze(draw.id, clerk=clerk(office))
    assert await code_of(nobody, owner) == "draw.sending_nobody_new"
    await drawing.inspectors(office.act, range(4, 12), cap="3")
    rows = await owner.fetch("select id from inspector where staff_code > 'S003'")
    done = await supplements.add(draw.id, [row["id"] for row in rows], clerk=clerk(office))
    assert (done.added, done.filled, done.still_open) == (8, 0, 14)
    targets = await owner.fetch("select institution, on_date from visit order by code")
    again = await sendings.freeze(draw.id, clerk=clerk(office))
    assert (again.attempt, again.stage, again.frame_objects) == (
        2,
        "assignment",
        draw.frame_objects,
    )
    assert (await sendings.freeze(draw.id, clerk=clerk(office))).id == again.id
    again = await drawing.throw_dice(office, again, "9" * 20)
    await draws.run(again.id, act=office.act, keys=office.keys)
    outcome = (await draws.draw(again.id, act=office.act)).outcome
    assert outcome is not None
    assert (outcome.status, outcome.open_places) == ("complete", 0)
    assert {r["state"] for r in await owner.fetch("select state from visit")} == {"assigned"}
    assert await owner.fetch("select institution, on_date from visit order by code") == targets
    record = await verified(office, owner, draw)
    assert kinds(record) == ["supplement"]
    page = msgspec.json.decode((await disclosure.page(draw.code)).body)
    assert (page["draw"]["attempt"], page["draw"]["state"]) == (2, "published")
    closed = recusals.refill(
        (await owner.fetchval("select id from visit limit 1")), clerk=clerk(office)
    )
    assert await code_of(closed, owner) == "draw.events_closed"


async def test_a_second_sending_comes_before_the_first_visit(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=3, cap="2")
    await first_visit(owner, office)
    await drawing.inspectors(office.act, range(4, 12), cap="3")
    late = sendings.freeze(draw.id, clerk=clerk(office))
    assert await code_of(late, owner) == "draw.sending_late"
    rows = await owner.fetch("select id from inspector where staff_code > 'S003'")
    done = await supplements.add(draw.id, [row["id"] for row in rows], clerk=clerk(office))
    assert (done.filled, done.still_open) == (14, 0)
    await verified(office, owner, draw)


async def test_an_event_opened_as_something_else_is_found(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    await withdrawn(office, await first_visit(owner, office))
    await owner.execute(
        "update draw_event set body = jsonb_set(body, '{reason}', '\"force_majeure\"')"
        " where kind = 'withdraw'"
    )
    await owner.execute("update visit set state = 'concluded' where state <> 'closed'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert [problem.partition(":")[0] for problem in verdict.problems] == ["sealed"]


async def test_a_visit_without_a_draw_has_no_events(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    await owner.execute("update visit set draw = null where id = $1", visit)
    deed = withdrawals.propose(visit, GONE, clerk=clerk(office))
    assert await code_of(deed, owner) == teams.NotDrawn.code


async def test_events_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=8)
    visit = await first_visit(owner, office)
    clock.set(office.at + timedelta(minutes=1))
    mine = await world.signed_in(client, office.supervisor)
    second = await world.signed_in(client, office.approver)
    ill = (await team(owner, visit))[0]
    ask = {"inspector": str(ill), "cause": "illness", "ground": "发烧"}
    asked = await client.post(f"/api/v1/visits/{visit}/recusals", json=ask, headers=mine)
    assert (asked.status_code, asked.json()["state"]) == (201, "granted")
    listed = await client.get(f"/api/v1/visits/{visit}/recusals", headers=mine)
    assert [one["cause"] for one in listed.json()] == ["illness"]
    body = msgspec.to_builtins(GONE)
    wrong = await client.post(
        f"/api/v1/visits/{visit}/withdrawal", json={**body, "reason": "unwelcome"}, headers=mine
    )
    assert wrong.status_code == 422
    made = await client.post(f"/api/v1/visits/{visit}/withdrawal", json=body, headers=mine)
    at = f"/api/v1/withdrawals/{made.json()['id']}"
    done = await client.post(f"{at}/confirmation", headers=second)
    assert (done.status_code, done.json()["state"]) == (201, "confirmed")
    late = await client.post(f"{at}/refusal", json={"reason": "改主意"}, headers=second)
    assert (late.status_code, late.json()["code"]) == (409, "withdrawal.decided")
    events = await client.get(f"/api/v1/draws/{draw.id}/events", headers=mine)
    assert [one["kind"] for one in events.json()][:3] == ["substitute", "withdraw", "replace"]
    assert made.json()["object"] not in events.text
    rates = await client.get("/api/v1/withdrawal-rates", headers=mine)
    assert rates.json()[0]["withdrawn"] == 1
    head = await client.get(f"/api/v1/draws/{draw.id}/head", headers=mine)
    assert head.json()["station"] == "result"
    assert head.json()["head"].startswith(head.json()["printed"])
    assert "operator" in head.json()["zh"]


async def test_who_recuses_itself_on_the_phone_is_replaced_by_the_seed(
    app: Litestar, clock: StillClock, owner: Owner, work: Work
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    gone = (await team(owner, visit))[0]
    await owner.execute(
        "update assignment set state = 'recused' where visit = $1 and inspector = $2", visit, gone
    )
    await owner.execute("update visit set state = 'recused' where id = $1", visit)
    async with DB.transaction(office.act.by.scope):
        payload = {"visit": str(visit)}
        await tasks.enqueue("draw.refill", payload, region=draw.region, at=office.at)
    clock.set(office.at)
    await work.drain()
    now = await team(owner, visit)
    assert (len(now), gone in now) == (2, False)
    assert await owner.fetchval(
        "select lead from assignment where inspector = $1 and visit = $2 and state = 'active'",
        now[0],
        visit,
    )
    assert await owner.fetchval("select state from visit where id = $1", visit) == "assigned"
    before = await held(owner)
    await recusals.refill(visit, clerk=clerk(office))
    assert await held(owner) == before
    record = await verified(office, owner, draw)
    assert kinds(record) == ["substitute"]
