"""Operations in doubt, refused operations, and visits that wait for somebody's decision."""

from typing import Any

import asyncpg
import httpx
import pytest

from backend.services import assignments, devices
from backend.services.visits import NewAssignment
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.phone import Phone, answers_sha


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


async def boss(field: worlds.Field, *roles: str) -> dict[str, str]:
    who = await world.a_person(field.clock(), *roles) if roles else field.desk.who
    return await world.signed_in(field.http, who)


async def post(
    field: worlds.Field, path: str, body: dict[str, Any], *roles: str
) -> httpx.Response:
    return await field.http.post(path, json=body, headers=await boss(field, *roles))


async def handed_over(field: worlds.Field) -> None:
    """The visit goes to the second and third inspector; the first one's phone is stale."""
    team = tuple(
        NewAssignment(inspector, place, lead=place == 1)
        for place, inspector in enumerate(field.inspectors[1:], start=1)
    )
    await assignments.reassign(field.visit, team, "调休", act=field.desk.act)


def answer(phone: Phone, item: str = "TI-11", value: str = "yes", **changes: Any) -> bytes:
    return phone.op("answer.set", {"answers": [worlds.an_answer(item, value)]}, **changes)


async def doubts(field: worlds.Field) -> list[dict[str, Any]]:
    path = f"/api/v1/visits/{field.visit}/doubts"
    found = await field.http.get(path, headers=await boss(field))
    assert found.status_code == 200, found.text
    listed: list[dict[str, Any]] = found.json()["doubts"]
    return listed


async def decided(
    field: worlds.Field, decision: str, *ops: str, reason: str = "经核对"
) -> httpx.Response:
    body = {"ops": list(ops), "decision": decision, "reason": reason}
    return await post(field, f"/api/v1/visits/{field.visit}/doubts/decision", body)


async def test_a_stale_operation_is_kept_and_decides_nothing(field: worlds.Field) -> None:
    phone = field.phone
    await handed_over(field)
    shot = phone.capture(worlds.a_jpeg())
    before = await field.held()
    told = await phone.send(
        phone.op("visit.start", {}),
        answer(phone, value="no"),
        phone.op("signature.record", {"role": "party", "over": "ab" * 32}),
        phone.op("evidence.declare", shot.body),
        phone.op("visit.finalize", {"items": [], "answers_sha": answers_sha([])}),
    )
    assert [one["outcome"]["flags"] for one in told] == [["stale_assignment"]] * 5
    held = await field.held()
    assert held == before | {"op": before["op"] + 5, "evidence": 1}
    assert await field.state() == "opened"
    listed = await doubts(field)
    assert [one["kind"] for one in listed] == [
        "visit.start",
        "answer.set",
        "signature.record",
        "evidence.declare",
        "visit.finalize",
    ]
    assert {one["standing"] for one in listed} == {"waiting"}
    assert listed[1]["body"]["answers"][0]["value"] == {"result": "no"}
    path = f"/api/v1/visits/{field.visit}/timeline"
    moments = (await field.http.get(path, headers=await boss(field))).json()["moments"]
    assert [one["what"] for one in moments].count("doubt.waiting") == 5
    waits = await field.http.get("/api/v1/doubts", headers=await boss(field))
    assert {one["op_id"] for one in waits.json()["doubts"]} == {one["op_id"] for one in listed}


async def test_an_adopted_operation_has_its_effect_once(field: worlds.Field) -> None:
    phone = field.phone
    await handed_over(field)
    sent = [answer(phone, value="no"), phone.op("visit.start", {})]
    ids = [one["op_id"] for one in await phone.send(*sent)]
    done = await decided(field, "adopted", *ids)
    assert done.status_code == 200, done.text
    assert set(done.json()["decided"]) == set(ids)
    assert (await field.state(), (await field.held())["answer"]) == ("started", 1)
    assert await field.entries("op.adopted") == 2
    again = await phone.send(*sent)
    assert [one["result"] for one in again] == ["duplicate", "duplicate"]
    assert [one["outcome"]["flags"] for one in again] == [["adopted"], ["adopted"]]
    twice = await decided(field, "voided", *ids)
    assert (twice.status_code, twice.json()["code"]) == (409, "op.doubt_decided")


@pytest.mark.parametrize("decision", ["attached", "voided"])
async def test_what_does_not_count_asks_its_phone_for_no_claim(
    field: worlds.Field, decision: str
) -> None:
    old, phone = field.phones
    await handed_over(field)
    await phone.fetch_task(field.visit)
    told = await old.send(answer(old, value="no"))
    await worlds.signed(phone, *field.inspectors[1:])
    claim = {"items": [], "answers_sha": answers_sha([])}
    await phone.send(phone.op("visit.finalize", claim))
    assert await field.state() == "submitted"
    wrong = await decided(field, decision, str(field.visit))
    assert (wrong.status_code, wrong.json()["code"]) == (404, "thing.absent")
    none = await decided(field, decision, told[0]["op_id"], reason="")
    assert none.status_code == 422
    assert (await decided(field, decision, told[0]["op_id"])).status_code == 200
    assert await field.state() == "complete"
    assert (await field.held())["answer"] == 0
    assert [one["standing"] for one in await doubts(field)] == [decision]
    assert await field.entries(f"op.{decision}") == 1


async def test_nobody_alone_voids_a_capture(field: worlds.Field) -> None:
    phone = field.phone
    await handed_over(field)
    shot = phone.capture(worlds.a_jpeg())
    told = await phone.send(phone.op("evidence.declare", shot.body))
    refused = await decided(field, "voided", told[0]["op_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "op.capture_stays")
    assert (await decided(field, "adopted", told[0]["op_id"])).status_code == 200
    assert (await field.held())["evidence"] == 1


async def test_a_revoked_phones_operations_come_from_another_sign_in(
    field: worlds.Field,
) -> None:
    phone = field.phone
    await devices.revoke(phone.dev, act=field.desk.act)
    who = await field.owner.fetchval(
        "select c.login from device d join account c on c.id = d.account where d.id = $1",
        phone.dev,
    )
    body = {"login": who, "password": world.PASSWORD}
    session = await field.http.post("/api/v1/sessions", json=body)
    phone.headers = {"Authorization": f"Bearer {session.json()['access']}"}
    shot = phone.capture(worlds.a_jpeg())
    told = await phone.send(
        answer(phone), phone.op("evidence.declare", shot.body), phone.op("visit.start", {})
    )
    assert [one["outcome"]["flags"] for one in told] == [["revoked_key"]] * 3
    assert await field.state() == "opened"
    held = await field.held()
    assert (held["answer"], held["evidence"]) == (0, 1)
    ids = [one["op_id"] for one in told]
    both = await world.a_person(field.clock(), "supervisor", "approver")
    headers = await world.signed_in(field.http, both)
    base = f"/api/v1/visits/{field.visit}/doubts"
    early = await post(field, f"{base}/approval", {"ops": ids}, "approver")
    assert (early.status_code, early.json()["code"]) == (409, "visit.not_proposed")
    proposal = {"ops": ids, "decision": "adopted", "reason": "本人持有"}
    first = await field.http.post(f"{base}/decision", json=proposal, headers=headers)
    assert (first.json()["decided"], set(first.json()["proposed"])) == ([], set(ids))
    same = await field.http.post(f"{base}/approval", json={"ops": ids}, headers=headers)
    assert (same.status_code, same.json()["code"]) == (403, "visit.same_person")
    assert (await field.held())["answer"] == 0
    done = await post(field, f"{base}/approval", {"ops": ids}, "approver")
    assert done.status_code == 200, done.text
    assert ((await field.held())["answer"], await field.state()) == (1, "started")


async def test_another_persons_phone_is_no_phone_of_mine(field: worlds.Field) -> None:
    one, other = field.phones
    sent = other.op("visit.start", {})
    told = await one.send(sent)
    assert told[0]["outcome"]["code"] == "op.foreign_device"
    assert (await other.send(sent))[0]["result"] == "applied"


async def test_a_late_answer_waits_until_the_visit_is_returned(field: worlds.Field) -> None:
    phone = field.phone
    first, late = worlds.an_answer("TI-11"), worlds.an_answer("TI-11", "no")
    overtaken = phone.op("answer.set", {"answers": [late]})
    await worlds.signed(phone, *field.inspectors[:2])
    await phone.send(
        phone.op("answer.set", {"answers": [first]}),
        phone.op("visit.finalize", {"items": [], "answers_sha": answers_sha([first])}),
    )
    assert await field.state() == "complete"
    assert (await phone.send(overtaken))[0]["outcome"] == {"result": "applied"}
    told = await phone.send(phone.op("answer.set", {"answers": [late]}))
    assert told[0]["outcome"]["flags"] == ["after_signature"]
    assert await field.owner.fetchval("select verdict from answer") == "pass"
    early = await decided(field, "adopted", told[0]["op_id"])
    assert (early.status_code, early.json()["code"]) == (409, "answer.record_closed")
    assert [one["standing"] for one in await doubts(field)] == ["waiting"]
    await post(field, f"/api/v1/visits/{field.visit}/return", {"reason": "补充"})
    assert (await decided(field, "adopted", told[0]["op_id"])).status_code == 200
    assert await field.owner.fetchval("select verdict from answer") == "fail"


async def letter(field: worlds.Field) -> dict[str, Any]:
    found = await field.http.get("/api/v1/dead-letters", headers=await boss(field))
    one: dict[str, Any] = found.json()["letters"][0]
    return one


async def test_a_dead_letter_goes_the_same_road_once_more(field: worlds.Field) -> None:
    phone = field.phone
    later = await worlds.a_visit(
        field.desk, field.institution, field.inspectors[:2], sealed_until=field.clock.tick(hours=1)
    )
    field.clock.tick(hours=-1)
    sent = phone.op("visit.start", {"visit": str(later)})
    assert (await phone.send(sent))[0]["outcome"]["code"] == "thing.absent"
    path = f"/api/v1/dead-letters/{(await letter(field))['id']}/application"
    early = await post(field, path, {"reason": "再试"})
    assert (early.status_code, early.json()["result"]) == (200, "rejected")
    assert early.json()["outcome"]["code"] == "thing.absent"
    assert (await letter(field))["tried_code"] == "thing.absent"
    assert (await phone.send(sent))[0]["outcome"]["result"] == "rejected"
    field.clock.tick(hours=1)
    done = await post(field, path, {"reason": "任务已解封"})
    assert (done.status_code, done.json()["result"]) == (200, "applied")
    held = await field.owner.fetchrow("select inspector, dev from visit_event")
    assert (held["inspector"], held["dev"]) == (phone.inspector, phone.dev)
    assert ((await letter(field))["state"], await field.entries("op.letter_applied")) == (
        "applied",
        1,
    )
    again = await post(field, path, {"reason": "再来"})
    assert (again.status_code, again.json()["code"]) == (409, "op.letter_closed")
    phone.headers = await world.signed_in(
        field.http, await person_of(field, phone), device=phone.dev
    )
    told = (await phone.send(sent))[0]
    assert (told["result"], told["outcome"]["result"]) == ("duplicate", "applied")


async def person_of(field: worlds.Field, phone: Phone) -> world.Login:
    login = await field.owner.fetchval(
        "select c.login from device d join account c on c.id = d.account where d.id = $1",
        phone.dev,
    )
    return world.Login(field.desk.who.person, login)


async def test_what_is_not_authentic_stays_refused(field: worlds.Field) -> None:
    phone = field.phone
    bad = answer(phone).replace(b'"yes"', b'"no"')
    await phone.send(bad)
    path = f"/api/v1/dead-letters/{(await letter(field))['id']}/application"
    told = await post(field, path, {"reason": "再试"})
    assert told.json()["outcome"]["code"] == "op.digest_mismatch"
    assert (await field.held())["op"] == 0
    approver = await post(field, path, {"reason": "再试"}, "approver")
    assert (approver.status_code, approver.json()["code"]) == (403, "person.denied")


async def test_a_letter_whose_id_is_taken_can_only_be_closed(field: worlds.Field) -> None:
    phone = field.phone
    await phone.send(answer(phone))
    other = (await phone.send(answer(phone, "TI-12", seq=phone.seq)))[0]
    assert other["outcome"]["code"] == "op.seq_reused"
    path = f"/api/v1/dead-letters/{(await letter(field))['id']}/application"
    told = await post(field, path, {"reason": "再试"})
    assert told.json()["outcome"]["code"] == "op.seq_reused"
    alarms = await field.http.get("/api/v1/devices/alarms", headers=await boss(field))
    assert [one["kind"] for one in alarms.json()["alarms"]] == ["seq_reused"]


async def test_a_decision_lets_a_visit_go_on_or_says_why_it_was_not_made(
    field: worlds.Field,
) -> None:
    recused, other = field.phones
    await recused.send(recused.op("recusal.declare", {"ground": "亲属"}))
    await other.send(other.op("evidence.declare", other.capture(worlds.a_jpeg()).body))
    assert await field.state() == "needs_decision"
    lines = await field.http.get("/api/v1/visits?state=needs_decision", headers=await boss(field))
    assert len(lines.json()["visits"]) == 1
    path = f"/api/v1/visits/{field.visit}/decision"
    alone = await post(field, path, {"outcome": "resumed", "reason": "继续"})
    assert (alone.status_code, alone.json()["code"]) == (409, "visit.team_too_small")
    done = await post(field, path, {"outcome": "closed", "reason": "机构停业"})
    assert done.json() == {"state": "closed"}
    assert await field.entries("visit.decided_closed") == 1
    again = await post(field, path, {"outcome": "closed", "reason": "机构停业"})
    assert (again.status_code, again.json()["code"]) == (409, "visit.wrong_state")


async def test_a_submission_that_was_obstructed_is_decided(field: worlds.Field) -> None:
    phone = field.phone
    path = f"/api/v1/visits/{field.visit}/decision"
    decision = {"outcome": "refused", "reason": "拒绝检查"}
    claim = {"items": [], "answers_sha": answers_sha([])}
    await phone.send(phone.op("visit.finalize", claim))
    plain = await post(field, path, decision)
    assert (plain.status_code, plain.json()["code"]) == (409, "visit.no_obstruction")
    shut = {"outcome": "refused", "text": "拒绝入内"}
    await phone.send(phone.op("obstruction.record", shut))
    assert await field.state() == "submitted"
    assert (await post(field, path, decision)).json() == {"state": "refused"}


WITHDRAWN = """
begin; set local session_replication_role = replica;
insert into withdrawal (id, region, draw, visit, object, reason, paper, evidence_sha256, state,
  proposed_by, proposed_at, decided_by, decided_at)
select gen_random_uuid(), region, gen_random_uuid(), id, 'o1', 'moved', '虚构函', repeat('ab', 32),
  'confirmed', gen_random_uuid(), now(), gen_random_uuid(), now() from visit;
update assignment set state = 'replaced', ended_at = now();
update visit set state = 'closed';
commit
"""


async def test_a_capture_of_a_visit_that_was_withdrawn_needs_a_decision(
    field: worlds.Field,
) -> None:
    """As the draw leaves it when an object is withdrawn while a phone is out of reach."""
    phone = field.phone
    await field.owner.execute(WITHDRAWN)
    assert (await phone.send(phone.op("visit.start", {})))[0]["result"] == "applied"
    assert await field.state() == "closed"
    shot = phone.capture(worlds.a_jpeg())
    told = (await phone.send(phone.op("evidence.declare", shot.body)))[0]
    assert told["outcome"]["flags"] == ["stale_assignment"]
    assert await field.state() == "needs_decision"
    assert {one["kind"] for one in await doubts(field)} == {"visit.start", "evidence.declare"}
    path = f"/api/v1/visits/{field.visit}/decision"
    done = await post(field, path, {"outcome": "closed", "reason": "已撤出抽取"})
    assert done.json() == {"state": "closed"}
