"""Visits: sealed until their hour, complete only when proved, reviewed, returned, reassigned."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import visits
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.phone import Capture, Phone, answers_sha


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


async def verified(field: worlds.Field, *captures: Capture) -> None:
    """As the worker leaves it; how it gets there is the evidence tests' matter."""
    for capture in captures:
        await field.owner.execute(
            "update evidence set state = 'verified' where id = $1", UUID(capture.id)
        )


async def boss(field: worlds.Field, *roles: str) -> dict[str, str]:
    who = await world.a_person(field.clock(), *roles) if roles else field.desk.who
    return await world.signed_in(field.http, who)


async def missing(field: worlds.Field) -> list[str]:
    answer = await field.http.get(f"/api/v1/visits/{field.visit}", headers=await boss(field))
    found: list[str] = answer.json()["waiting"]["missing"]
    return found


def claim(phone: Phone, captures: list[Capture], answers: list[dict[str, Any]]) -> bytes:
    listed = [one.listed for one in captures]
    return phone.op("visit.finalize", {"items": listed, "answers_sha": answers_sha(answers)})


async def made_complete(field: worlds.Field, *values: str) -> list[dict[str, Any]]:
    """A visit with two answers, signed, submitted and complete; the answers."""
    phone = field.phone
    answers = [
        worlds.an_answer(item, value)
        for item, value in zip(("TI-11", "TI-12"), values or ("yes", "no"), strict=True)
    ]
    await worlds.signed(phone, *field.inspectors[:2])
    await phone.send(phone.op("answer.set", {"answers": answers}), claim(phone, [], answers))
    assert await field.state() == "complete"
    return answers


async def test_a_sealed_task_is_not_sent_before_its_hour(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    field = await worlds.a_field(desk, client, owner)
    phone = field.phones[1]
    clock.tick(minutes=1)  # beyond the overlap in which rows come a second time
    hour = clock() + timedelta(minutes=4)
    sealed = await worlds.a_visit(desk, field.institution, field.inspectors[:2], sealed_until=hour)
    bundle = await phone.get("/api/v1/tasks")
    assert str(sealed) not in json.dumps(bundle)
    assert bundle["next_at"] == hour.isoformat().replace("+00:00", "Z")
    early = await phone.send(phone.op("visit.start", {"visit": str(sealed)}))
    assert early[0]["outcome"]["code"] == "thing.absent"
    clock.tick(minutes=5)
    later = await phone.get(f"/api/v1/tasks?since={bundle['cursor']}")
    assert [task["visit"] for task in later["tasks"]] == [str(sealed)]
    assert later["next_at"] is None
    assert await field.entries("visit.opened") == 2


async def test_not_even_the_office_sees_a_visit_before_its_hour(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    field = await worlds.a_field(desk, client, owner)
    hour = clock() + timedelta(minutes=4)
    sealed = await worlds.a_visit(desk, field.institution, field.inspectors[:2], sealed_until=hour)
    boss = await world.signed_in(client, desk.who)
    paths = [f"/api/v1/visits/{sealed}", f"/api/v1/visits/{sealed}/timeline"]
    listed = await client.get("/api/v1/visits", headers=boss)
    assert str(sealed) not in listed.text
    assert {(await client.get(path, headers=boss)).status_code for path in paths} == {404}
    clock.set(hour)
    listed = await client.get("/api/v1/visits", headers=boss)
    assert str(sealed) in listed.text
    assert {(await client.get(path, headers=boss)).status_code for path in paths} == {200}


async def test_a_task_holds_what_work_without_signal_needs(field: worlds.Field) -> None:
    bundle = await field.phone.fetch_task(field.visit)
    task = bundle["tasks"][0]
    sheet = bundle["sheets"][task["sheet_digest"]]
    cited = {clause for item in sheet["items"] for clause in item["clauses"]}
    assert cited == set(bundle["clauses"])
    assert [one["lead"] for one in task["team"]] == [True, False]
    assert task["institution"]["credit_code"]
    assert task["policy"]["phone_keep_days"] >= 7
    assert (task["state"], task["asg_epoch"], task["roster"]) == ("opened", 1, None)
    assert await field.entries("visit.looked") == 2


async def test_a_submission_is_a_claim_until_everything_is_proved(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    answers = [worlds.an_answer("TI-11"), worlds.an_answer("TI-12", "no", reason="缺")]
    wrong = claim(phone, [shot], answers[:1])
    await phone.send(phone.op("answer.set", {"answers": answers}), wrong)
    assert await field.state() == "submitted"
    everything = {
        "answers",
        "certificate_shown",
        "evidence",
        "inspector_signatures",
        "party_signature",
    }
    assert {one.partition(":")[0] for one in await missing(field)} == everything
    await phone.send(claim(phone, [shot], answers))
    assert {one.partition(":")[0] for one in await missing(field)} == everything - {"answers"}
    await worlds.signed(phone, *field.inspectors[:2])
    assert await missing(field) == [f"evidence:{shot.id}"]
    assert await field.state() == "submitted"
    await phone.send(phone.op("evidence.declare", shot.body))
    assert await field.state() == "submitted"
    await verified(field, shot)
    assert await field.state() == "submitted"
    product = await world.the_product(field.clock())
    assert await visits.complete_if_ready(field.visit, act=product, rules=field.desk.rules)
    assert await field.state() == "complete"
    found = await field.owner.fetch("select item, state from finding")
    assert [tuple(one) for one in found] == [("TI-12", "suspected")]
    assert not await visits.complete_if_ready(field.visit, act=product, rules=field.desk.rules)
    assert await field.entries("visit.completed") == 1


async def test_a_listed_capture_must_be_the_very_bytes(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    await worlds.signed(phone, *field.inspectors[:2])
    await phone.send(phone.op("evidence.declare", shot.body))
    await verified(field, shot)
    other = {"id": shot.id, "sha256": sha256(b"another").hexdigest()}
    body = {"items": [other], "answers_sha": answers_sha([])}
    await phone.send(phone.op("visit.finalize", body))
    product = await world.the_product(field.clock())
    assert not await visits.complete_if_ready(field.visit, act=product, rules=field.desk.rules)
    assert await field.state() == "submitted"
    await phone.send(claim(phone, [shot], []))
    assert await field.state() == "complete"


async def test_every_phone_with_a_part_in_it_must_claim(field: worlds.Field) -> None:
    recorder, other = field.phones
    await worlds.signed(recorder, *field.inspectors[:2])
    await other.send(other.op("visit.start", {}))
    await recorder.send(claim(recorder, [], []))
    assert await missing(field) == [f"claim:{other.dev}"]
    base = f"/api/v1/visits/{field.visit}/devices/{other.dev}/closing"
    early = await field.http.post(f"{base}/approval", headers=await boss(field, "approver"))
    assert (early.status_code, early.json()["code"]) == (409, "visit.not_proposed")
    both = await world.a_person(field.clock(), "supervisor", "approver")
    headers = await world.signed_in(field.http, both)
    proposed = await field.http.post(base, json={"reason": "手机丢失"}, headers=headers)
    assert proposed.status_code == 204, proposed.text
    same = await field.http.post(f"{base}/approval", headers=headers)
    assert (same.status_code, same.json()["code"]) == (403, "visit.same_person")
    assert await field.state() == "submitted"
    closed = await field.http.post(f"{base}/approval", headers=await boss(field, "approver"))
    assert closed.status_code == 204
    assert await field.state() == "complete"


async def test_lost_captures_are_named_by_two_persons(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    await worlds.signed(phone, *field.inspectors[:2])
    await phone.send(claim(phone, [shot], []))
    base = f"/api/v1/visits/{field.visit}/gap"
    gap = await field.http.post(base, json={"reason": "手机损毁"}, headers=await boss(field))
    assert gap.json() == {"missing": [shot.id]}
    done = await field.http.post(f"{base}/approval", headers=await boss(field, "approver"))
    assert done.status_code == 204
    assert await field.state() == "concluded_with_gap"


async def test_a_returned_visit_is_corrected_and_claimed_again(field: worlds.Field) -> None:
    phone = field.phone
    answers = await made_complete(field)
    late = await phone.send(phone.op("answer.set", {"answers": answers}))
    assert late[0]["outcome"] == {"result": "applied", "flags": ["after_signature"]}
    again = await phone.send(claim(phone, [], answers))
    assert again[0]["outcome"]["flags"] == ["after_signature"]
    path = f"/api/v1/visits/{field.visit}/return"
    headers = await boss(field)
    nothing = await field.http.post(path, json={"reason": ""}, headers=headers)
    assert nothing.status_code == 422
    back = await field.http.post(path, json={"reason": "照片不清"}, headers=headers)
    assert back.status_code == 204
    field.clock.tick(minutes=1)
    bundle = await phone.get("/api/v1/tasks")
    assert bundle["tasks"][0]["review_reason"] == "照片不清"
    better = [worlds.an_answer("TI-11"), worlds.an_answer("TI-12")]
    await phone.send(phone.op("answer.set", {"answers": better}), claim(phone, [], better))
    assert await field.state() == "complete"


async def test_review_and_conclusion(field: worlds.Field) -> None:
    headers = await boss(field)
    base = f"/api/v1/visits/{field.visit}"
    early = await field.http.post(f"{base}/acceptance", headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "visit.wrong_state")
    await made_complete(field)
    assert (await field.http.post(f"{base}/acceptance", headers=headers)).status_code == 204
    await field.owner.execute("update visit set completed_at = null")
    gate = await field.http.post(f"{base}/conclusion", headers=headers)
    assert (gate.status_code, gate.json()["code"]) == (409, "visit.record_incomplete")
    assert gate.json()["facts"]["gate"] == "G3"
    await field.owner.execute("update visit set completed_at = now()")
    assert (await field.http.post(f"{base}/conclusion", headers=headers)).status_code == 204
    assert await field.state() == "concluded"


@pytest.mark.parametrize("outcome", ["unreachable", "closed", "refused"])
async def test_a_visit_that_could_not_be_made(field: worlds.Field, outcome: str) -> None:
    phone = field.phone
    await phone.send(phone.op("obstruction.record", {"outcome": outcome, "text": "无人应门"}))
    assert await field.state() == outcome
    path = f"/api/v1/visits/{field.visit}/conclusion"
    assert (await field.http.post(path, headers=await boss(field))).status_code == 204


async def test_recusal_frees_the_place_and_another_team_takes_it(field: worlds.Field) -> None:
    phone = field.phone
    await phone.send(phone.op("recusal.declare", {"ground": "与负责人有亲属关系"}))
    assert await field.state() == "recused"
    path, headers = f"/api/v1/visits/{field.visit}/assignments", await boss(field)

    async def assign(*inspectors: UUID) -> httpx.Response:
        team = [{"inspector": str(one), "lead": n == 0} for n, one in enumerate(inspectors)]
        return await field.http.post(path, json={"team": team, "reason": "递补"}, headers=headers)

    alone = await assign(field.inspectors[2])
    assert (alone.status_code, alone.json()["code"]) == (409, "visit.team_too_small")
    unknown = await assign(field.inspectors[2], new_id())
    assert (unknown.status_code, unknown.json()["code"]) == (404, "thing.absent")
    await field.owner.execute(
        "update inspector set licence_until = '2026-01-01' where id = $1", field.inspectors[2]
    )
    lapsed = await assign(*field.inspectors[1:])
    assert (lapsed.status_code, lapsed.json()["code"]) == (409, "visit.certificate_expired")
    await field.owner.execute("update inspector set licence_until = '2027-01-01'")
    assert await field.state() == "recused"
    done = await assign(*field.inspectors[1:])
    assert (done.status_code, done.json()) == (201, {"epoch": 2})
    assert await field.state() == "assigned"


async def test_a_lapsed_licence_is_told_when_it_is_shown(field: worlds.Field) -> None:
    await field.owner.execute("update inspector set licence_until = '2026-03-01'")
    shown = await worlds.signed(field.phone, *field.inspectors[:2])
    assert shown[0]["outcome"]["flags"] == ["licence_lapsed"]


async def test_a_roll_call_proves_the_fewest_absent(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await desk.take("institutions", *[worlds.sheets.an_institution()])
    training_class = await worlds.a_class(desk)
    field = await worlds.a_field(
        desk, client, owner, kind="class_session", sheet="CV", training_class=training_class
    )
    phone, roster = field.phone, field.phone.task["roster"]
    marks = [
        {"trainee": one["id"], "state": "absent" if n < 2 else "present"}
        for n, one in enumerate(roster["trainees"][:6])
    ]
    body = {
        "training_class": str(training_class),
        "roster": roster["sha256"],
        "marks": marks,
        "strangers": 1,
    }
    await phone.send(claim(phone, [], []))
    assert "rollcall:" in await missing(field)
    stranger = [*marks[:1], {"trainee": str(new_id()), "state": "present"}]
    results = await phone.send(
        phone.op("rollcall.record", body),
        phone.op("rollcall.record", body | {"marks": marks + marks[:1]}),
        phone.op("rollcall.record", body | {"marks": stranger}),
        phone.op("rollcall.record", body | {"training_class": str(new_id())}),
        phone.op("rollcall.record", body | {"roster": "00" * 32}),
    )
    said = results[0]["outcome"]["data"]
    assert said == {"roster": 12, "called": 6, "absent": 2, "at_least_absent": 2, "full": False}
    assert [one["outcome"].get("code") for one in results[1:4]] == [
        "rollcall.called_twice",
        "rollcall.not_on_roster",
        "rollcall.other_class",
    ]
    assert results[4]["outcome"]["flags"] == ["roster_changed"]
    assert await owner.fetchval("select count(*) from rollcall_mark") == 12
    assert "rollcall:" not in await missing(field)


async def test_events_are_kept_as_signed(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    place = {"st": "ok", "crs": "gcj02", "n": 3, "lat": 1, "lon": 2, "acc_cm": 900}
    results = await phone.send(
        phone.op("visit.checkin", {"loc": place, "chal": phone.task["challenge"]}),
        phone.op("visit.checkin", {"loc": {"st": "off", "crs": "?", "n": 0}, "chal": "x.y"}),
        phone.op("party.statement", {"role": "负责人", "text": "无异议"}),
        phone.op("slip.issue", {"slips": [{"id": str(new_id()), "code_sha256": "ab" * 32}]}),
        phone.op("contributor.list", {"dev": str(new_id()), "items": [shot.listed]}),
        phone.op(
            "interview.record",
            {"role": "trainee", "formal": False, "questions": [{"q": "几人", "a": "三十"}]},
        ),
        phone.op(
            "document.copy",
            {
                "title": "签到表",
                "holder": "教务处",
                "pages": 2,
                "compared": True,
                "evidence": [shot.id],
            },
        ),
    )
    flags = [one["outcome"].get("flags", []) for one in results]
    assert flags[:2] == [[], ["challenge_invalid", "no_position"]]
    assert [one["result"] for one in results] == ["applied"] * 6 + ["blocked"]
    await phone.send(phone.op("evidence.declare", shot.body))
    answer = await field.http.get(
        f"/api/v1/visits/{field.visit}/timeline", headers=await boss(field)
    )
    whats = [one["what"] for one in answer.json()["moments"]]
    assert whats.count("visit.checkin") == 2
    assert "document.copy" in whats
    assert "evidence.declare" in whats


async def test_visits_are_paged_by_key_within_the_region(field: worlds.Field) -> None:
    for _ in range(5):
        field.clock.tick(seconds=1)
        await worlds.a_visit(field.desk, field.institution, [])
    headers, seen = await boss(field), []
    after = ""
    while True:
        page = (await field.http.get(f"/api/v1/visits?limit=2{after}", headers=headers)).json()
        if not page["visits"]:
            break
        seen += [one["id"] for one in page["visits"]]
        after = f"&after={seen[-1]}"
    assert len(seen) == 6
    assert seen == sorted(seen, reverse=True)
    drawn = await field.http.get("/api/v1/visits?state=drawn", headers=headers)
    assert len(drawn.json()["visits"]) == 5
    stranger = await world.a_person(field.clock(), "supervisor", region=world.SHANXI)
    foreign = await world.signed_in(field.http, stranger)
    assert (await field.http.get("/api/v1/visits", headers=foreign)).json() == {"visits": []}
    one = await field.http.get(f"/api/v1/visits/{field.visit}", headers=foreign)
    assert (one.status_code, one.json()["code"]) == (404, "thing.absent")
