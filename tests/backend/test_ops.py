"""Operations: exactly once, whatever is sent twice, altered, out of order or not a phone's."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.api import proofs
from backend.clock import new_id
from media import ops
from media.canon import encode
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.phone import Phone, batch


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


def answers(phone: Phone, *items: str, **changes: Any) -> bytes:
    return phone.op(
        "answer.set", {"answers": [worlds.an_answer(item) for item in items]}, **changes
    )


async def test_an_operation_has_its_effect_once(field: worlds.Field) -> None:
    phone = field.phone
    sent = answers(phone, "TI-11", "TI-12")
    first = await phone.send(sent)
    assert first[0]["result"] == "applied"
    before, entries = await field.held(), await field.entries("answer.set")
    again = await phone.send(sent, sent)
    assert [one["result"] for one in again] == ["duplicate", "duplicate"]
    assert [json.dumps(one["outcome"]) for one in again] == [json.dumps(first[0]["outcome"])] * 2
    assert (await field.held(), await field.entries("answer.set")) == (before, entries)
    assert before["answer"] == 2
    stored = await field.owner.fetchval("select envelope from op")
    assert bytes(stored) == sent


async def test_twice_at_once_is_once(field: worlds.Field) -> None:
    phone = field.phone
    sent = answers(phone, "TI-11")
    told = await asyncio.gather(*(phone.send(sent) for _ in range(6)))
    words = sorted(one[0]["result"] for one in told)
    assert words == ["applied", *["duplicate"] * 5]
    assert len({json.dumps(one[0]["outcome"]) for one in told}) == 1
    assert (await field.held())["op"] == 1


async def test_another_operation_under_a_used_id_is_an_alarm(field: worlds.Field) -> None:
    phone, op_id = field.phone, str(new_id())
    assert (await phone.send(answers(phone, "TI-11", op_id=op_id)))[0]["result"] == "applied"
    before = await field.held()
    other = await phone.send(answers(phone, "TI-12", op_id=op_id))
    assert other == [{"op_id": op_id, "result": "conflict_digest"}]
    assert await field.held() == before
    assert await field.entries("op.conflict_digest") == 1


async def test_a_number_used_twice_is_refused_and_kept(field: worlds.Field) -> None:
    phone = field.phone
    await phone.send(answers(phone, "TI-11"))
    before = await field.held()
    other = (await phone.send(answers(phone, "TI-12", seq=phone.seq)))[0]
    assert (other["result"], other["outcome"]["code"]) == ("rejected", "op.seq_reused")
    assert await field.held() == before
    assert await field.owner.fetchval("select code from dead_letter") == "op.seq_reused"


def altered(phone: Phone) -> bytes:
    return answers(phone, "TI-11").replace(b'"yes"', b'"no"')


def redigested(phone: Phone) -> bytes:
    """Body and digest altered together; the signature stands in the way."""
    sent = ops.parse(altered(phone))
    digest = ops.sha256(sent.body).hexdigest()
    fields = json.loads(altered(phone)) | {"digest": digest}
    return encode(fields)


def spaced(phone: Phone) -> bytes:
    return answers(phone, "TI-11").replace(b'"kind":', b'"kind": ')


def doubled(phone: Phone) -> bytes:
    return answers(phone, "TI-11").replace(b'"kind":', b'"kind":"visit.start","kind":')


def foreign(phone: Phone) -> bytes:
    return answers(phone, "TI-11", dev=str(new_id()))


def unknown_field(phone: Phone) -> bytes:
    return answers(phone, "TI-11").replace(b'"kind":', b'"jind":"x","kind":')


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (altered, "op.digest_mismatch"),
        (redigested, "signature.invalid"),
        (spaced, "not_canonical"),
        (doubled, "not_canonical"),
        (foreign, "op.foreign_device"),
        (unknown_field, "op.malformed"),
    ],
)
async def test_what_is_not_authentic_leaves_the_true_operations_place_free(
    field: worlds.Field, make: Callable[[Phone], bytes], code: str
) -> None:
    phone = field.phone
    before = await field.held()
    bad = make(phone)
    result = (await phone.send(bad))[0]
    assert (result["result"], result["outcome"]["code"]) == ("rejected", code)
    assert await field.held() == before
    await phone.send(bad)
    letters = await field.owner.fetch("select code, envelope from dead_letter")
    assert [(one["code"], bytes(one["envelope"])) for one in letters] == [(code, bad)]
    assert (await phone.send(answers(phone, "TI-11")))[0]["result"] == "applied"


async def test_a_refused_operation_holds_nothing_back_and_is_told_again(
    field: worlds.Field,
) -> None:
    phone = field.phone
    bad = (
        phone.op("visit.dance", {}),
        phone.op("answer.set", {"answers": [{"item": "TI-99", "value": {"result": "yes"}}]}),
        phone.op("answer.set", {"answers": [worlds.an_answer(value="maybe")]}),
        phone.op("answer.set", {"answers": [worlds.an_answer("TI-11"), worlds.an_answer()]}),
        phone.op("answer.set", {"answers": [worlds.an_answer(value="na")]}),
        phone.op("visit.start", {"extra": 1}),
        phone.op("visit.start", {"visit": str(new_id())}),
        phone.op("signature.record", {"role": "refusal", "over": "ab" * 32}),
    )
    good = phone.op("visit.start", {})
    results = await phone.send(*bad, good)
    codes = [one["outcome"].get("code") for one in results[:-1]]
    assert codes == [
        "op.kind_unknown",
        "checklist.unknown_item",
        "checklist.wrong_answer",
        "checklist.answered_twice",
        "checklist.reason_missing",
        "op.body_invalid",
        "thing.absent",
        "visit.signature_incomplete",
    ]
    assert results[-1]["result"] == "applied"
    held = await field.held()
    assert (held["answer"], held["visit_event"], held["op"]) == (0, 1, len(bad) + 1)
    again = await phone.send(*bad)
    assert [one["result"] for one in again] == ["duplicate"] * len(bad)
    assert [one["outcome"] for one in again] == [one["outcome"] for one in results[:-1]]


async def test_order_does_not_matter(field: worlds.Field) -> None:
    phone = field.phone
    start = phone.op("visit.start", {})
    early = answers(phone, "TI-11")
    late = phone.op("answer.set", {"answers": [worlds.an_answer("TI-11", "no")]})
    for one in (late, early, start):
        assert (await phone.send(one))[0]["result"] == "applied"
    verdict = await field.owner.fetchval("select verdict from answer")
    assert verdict == "fail"
    assert await field.state() == "started"


async def test_two_phones_stand_beside_each_other(
    field: worlds.Field, client: httpx.AsyncClient
) -> None:
    one, other = field.phones
    await one.send(answers(one, "TI-11"))
    await other.send(other.op("answer.set", {"answers": [worlds.an_answer("TI-11", "no")]}))
    boss = await world.signed_in(client, field.desk.who)
    found = await client.get(f"/api/v1/visits/{field.visit}/answers", headers=boss)
    verdicts = {row["dev"]: row["verdict"] for row in found.json()["answers"]}
    assert verdicts == {str(one.dev): "pass", str(other.dev): "fail"}


async def test_another_regions_visit_is_like_one_that_never_was(
    field: worlds.Field, desk: Desk
) -> None:
    phone = field.phone
    stranger = await worlds.a_visit(desk, field.institution, field.inspectors[2:])
    results = await phone.send(
        phone.op("visit.start", {"visit": str(stranger)}),
        phone.op("visit.start", {"visit": str(new_id())}),
    )
    assert results[0]["outcome"] == results[1]["outcome"]
    assert results[0]["outcome"]["code"] == "thing.absent"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "op.batch_malformed"),
        (b"{", 400, "op.batch_malformed"),
        (b'{"ops":[]}', 400, "op.batch_malformed"),
        (b'{"ops":[1],"more":1}', 400, "op.batch_malformed"),
        (b'{"ops":[' + b",".join([b"1"] * 101) + b"]}", 400, "op.batch_malformed"),
        (b'{"ops":["' + b"x" * (1 << 20) + b'"]}', 413, "request.too_large"),
    ],
)
async def test_a_batch_that_cannot_be_read_changes_nothing(
    field: worlds.Field, body: bytes, status: int, code: str
) -> None:
    before = await field.held()
    answer = await field.phone.post("/api/v1/ops", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await field.held() == before


async def test_elements_that_are_no_operations_are_told_in_their_line(
    field: worlds.Field,
) -> None:
    good = field.phone.op("visit.start", {})
    results = await field.phone.send(b"1", b"{}", good)
    assert [one["result"] for one in results] == ["rejected", "rejected", "applied"]
    assert [one["op_id"] for one in results[:2]] == ["", ""]


async def test_a_call_without_its_proof_is_refused(field: worlds.Field) -> None:
    phone, before = field.phone, await field.held()
    body = batch(phone.op("visit.start", {}))
    missing = await phone.http.post("/api/v1/ops", content=body, headers=phone.headers)
    assert (missing.status_code, missing.json()["code"]) == (403, "device.proof_missing")
    proof = (await phone.post("/api/v1/ops", body)).request.headers["device-proof"]
    held = await field.held()
    for path, sent in (("/api/v1/ops", body + b" "), ("/api/v1/devices/me/heartbeat", body)):
        other = await phone.post(path, sent, **{"Device-Proof": proof})
        assert (other.status_code, other.json()["code"]) == (403, "device.proof_invalid")
    phone.nonce = "never.ours"
    stale = await phone.post("/api/v1/ops", body)
    assert (stale.status_code, stale.json()["code"]) == (403, "device.proof_stale")
    assert (held["op"], await field.held()) == (before["op"] + 1, held)


async def test_a_nonce_lives_twelve_hours(field: worlds.Field, clock: StillClock) -> None:
    phone = field.phone
    clock.tick(hours=11, minutes=59)
    who = field.owner
    await who.execute("update access_token set expires_at = expires_at + interval '2 days'")
    assert (await phone.send(phone.op("visit.start", {})))[0]["result"] == "applied"
    clock.tick(minutes=2)
    late = await phone.post("/api/v1/ops", batch(phone.op("visit.start", {})))
    assert (late.status_code, late.json()["code"]) == (403, "device.proof_stale")


async def test_a_phone_that_hurries_is_asked_to_wait(
    field: worlds.Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PACE", proofs.Pace(per_second=1, burst=2))
    codes = [
        (await field.phone.post("/api/v1/devices/me/heartbeat", b"{}")).status_code
        for _ in range(3)
    ]
    assert codes == [422, 422, 429]
    field.clock.tick(seconds=1)
    beat = b'{"pending_count":3,"pending_bytes":9,"oldest_pending_at":"2026-03-01T00:00:00Z"}'
    assert (await field.phone.post("/api/v1/devices/me/heartbeat", beat)).status_code == 204
    kept = await field.owner.fetchval(
        "select heartbeat ->> 'pending_count' from device where id = $1", field.phone.dev
    )
    assert kept == "3"


async def test_the_cursor_names_holes_and_what_is_due(field: worlds.Field) -> None:
    phone = field.phone
    shot = phone.capture(worlds.a_jpeg())
    lines = [phone.op("visit.start", {}) for _ in range(7)]
    claim = phone.op("visit.finalize", {"items": [shot.listed], "answers_sha": "00" * 32})
    await phone.send(lines[0], lines[1], lines[4], claim)
    path = f"/api/v1/devices/me/cursor?inst_epoch={phone.inst_epoch}"
    assert await phone.get(path) == {
        "max_contiguous": 2,
        "highest": 8,
        "holes": [{"first": 3, "last": 4}, {"first": 6, "last": 7}],
        "expected_items": [shot.id],
    }
    other = await phone.get("/api/v1/devices/me/cursor?inst_epoch=" + "00" * 8)
    assert (other["max_contiguous"], other["holes"]) == (0, [])


async def test_an_office_person_has_no_phone(
    field: worlds.Field, client: httpx.AsyncClient
) -> None:
    boss = await world.signed_in(client, field.desk.who)
    denied = await client.post("/api/v1/ops", json={"ops": [1]}, headers=boss)
    assert (denied.status_code, denied.json()["code"]) == (403, "person.denied")
    nobody = await client.post("/api/v1/ops", json={"ops": [1]})
    assert nobody.status_code == 401


async def test_a_dead_letter_is_closed_with_a_reason(
    field: worlds.Field, client: httpx.AsyncClient
) -> None:
    await field.phone.send(field.phone.op("visit.dance", {}))
    boss = await world.signed_in(client, field.desk.who)
    letters = (await client.get("/api/v1/dead-letters?state=open", headers=boss)).json()["letters"]
    assert [one["code"] for one in letters] == ["op.kind_unknown"]
    path = f"/api/v1/dead-letters/{UUID(letters[0]['id'])}/closing"
    assert (await client.post(path, json={"reason": ""}, headers=boss)).status_code == 422
    assert (await client.post(path, json={"reason": "已说明"}, headers=boss)).status_code == 204
    again = await client.post(path, json={"reason": "再次"}, headers=boss)
    assert (again.status_code, again.json()["code"]) == (409, "op.letter_closed")


async def test_the_bodies_are_published(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/schema/openapi.json")).json()
    request = schema["paths"]["/api/v1/ops"]["post"]["requestBody"]
    kinds = request["content"]["application/json"]["schema"]["properties"]["ops"]["items"]
    titles = {one["title"] for one in kinds["oneOf"]}
    assert len(titles) == 18
    declare = next(one for one in kinds["oneOf"] if one["title"] == "evidence.declare")
    manifest = declare["properties"]["body"]["properties"]["manifest"]
    assert "anchor" in manifest["properties"]["t"]["properties"]
