"""Evidence from the shutter to the signed receipt; and what is no evidence."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import assignments, devices, exhibits
from backend.services.visits import NewAssignment
from backend.settings import Settings
from media import base64url, canon, keys, receipt
from media.bucket import Bucket, Room, StoreAbsent
from tests import casework, world
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture, Phone


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def row(field: worlds.Field, capture: Capture) -> dict[str, Any]:
    found = await field.owner.fetchrow("select * from evidence where id = $1", UUID(capture.id))
    return dict(found)


async def sent(phone: Phone, capture: Capture, raw: bytes | None = None) -> None:
    """Declared, put and completed."""
    declared = await phone.send(phone.op("evidence.declare", capture.body))
    assert declared[0]["result"] == "applied", declared
    put = await phone.upload(capture, raw)
    assert put.status_code == 200, put.text
    done = await phone.complete(capture)
    assert (done.status_code, done.json()["state"]) == (200, "received"), done.text


async def declared(phone: Phone, capture: Capture) -> dict[str, Any]:
    """The outcome of one declaration."""
    result = (await phone.send(phone.op("evidence.declare", capture.body)))[0]
    return {"result": result["result"]} | result.get("outcome", {})


async def test_from_the_shutter_to_the_receipt(
    field: worlds.Field, work: Work, settings: Settings
) -> None:
    phone = field.phone
    await phone.send(phone.op("visit.start", {}))
    shot = phone.capture(worlds.a_jpeg())
    results = await worlds.submitted(field, [shot], [worlds.an_answer()])
    assert [one["result"] for one in results] == ["applied"] * 3, results
    assert results[-1]["outcome"]["data"] == {"waiting": 1, "items": 1}
    await worlds.signed(phone, *field.inspectors[:2])
    assert (await phone.upload(shot)).status_code == 200
    done = await asyncio.gather(*(phone.complete(shot) for _ in range(4)))
    assert [one.json()["state"] for one in done] == ["received"] * 4
    assert await field.entries("evidence.received") == 1
    assert await field.state() == "submitted"
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["sha256"]) == ("sealed", shot.sha256)
    assert await field.state() == "complete"
    kinds = await field.owner.fetch("select kind from derivative order by kind")
    assert [one["kind"] for one in kinds] == ["preview", "thumb"]
    got = (await phone.get("/api/v1/devices/me/receipts"))["receipts"]
    signed = receipt.SignedReceipt(
        got[0]["receipt"].encode(), base64url.decode(got[0]["signature"])
    )
    ring = open_keyring(settings.keys)
    log = receipt.Log(settings.log_origin, ring.log.public)
    proved = receipt.verify(signed, public=ring.server.public, log=log)
    assert (proved.state, proved.sha256, proved.id) == ("sealed", shot.sha256, shot.id)
    later = await phone.get(f"/api/v1/devices/me/receipts?after={got[0]['number']}")
    assert later == {"receipts": []}


async def test_the_original_is_the_bytes_of_the_shutter_and_every_look_is_logged(
    field: worlds.Field, work: Work, client: httpx.AsyncClient
) -> None:
    shot = field.phone.capture(worlds.a_jpeg(2))
    await sent(field.phone, shot)
    boss = await world.signed_in(client, field.desk.who)
    path = f"/api/v1/evidence/{shot.id}/files/original"
    early = await client.get(path, headers=boss)
    assert (early.status_code, early.json()["code"]) == (409, "evidence.no_file")
    await work.drain()
    answer = await client.get(path, headers=boss, follow_redirects=False)
    assert answer.status_code == 303
    async with httpx.AsyncClient() as store:
        file = await store.get(answer.headers["location"])
    assert sha256(file.content).hexdigest() == shot.sha256
    assert file.headers["content-disposition"].startswith("attachment")
    assert await field.entries("evidence.viewed") == 1
    stranger = await world.signed_in(
        client, await world.a_person(field.clock(), "supervisor", region=world.SHANXI)
    )
    foreign = await client.get(path, headers=stranger)
    never = await client.get(f"/api/v1/evidence/{field.visit}/files/original", headers=stranger)
    assert foreign.status_code == never.status_code == 404
    assert foreign.json()["code"] == never.json()["code"] == "thing.absent"


@pytest.mark.parametrize(
    ("raw", "mime", "code"),
    [
        (b"GIF89a" + bytes(40), "image/jpeg", "media.type_mismatch"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "media.type_mismatch"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "image/jpeg", "media."),
        (b"%PDF-1.7 no more", "application/pdf", "media."),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_quarantined(
    field: worlds.Field, work: Work, raw: bytes, mime: str, code: str
) -> None:
    shot = field.phone.capture(raw, mime=mime)
    await sent(field.phone, shot)
    await work.drain()
    held = await row(field, shot)
    assert held["state"] == "quarantined"
    assert held["reason"].startswith(code)
    assert await field.entries("evidence.quarantined") == 1
    assert await field.owner.fetchval("select count(*) from receipt") == 0


@pytest.mark.parametrize(
    ("media", "code"),
    [
        ({"size": 10_000_000_000}, "media.too_large"),
        ({"mime": "image/svg+xml"}, "media.type_refused"),
        ({"mime": "image/heic"}, "media.decoder_missing"),
    ],
)
async def test_what_may_not_come_is_refused_before_a_byte(
    field: worlds.Field, media: dict[str, Any], code: str
) -> None:
    before = await field.held()
    shot = field.phone.capture(worlds.a_jpeg(), media=media)
    outcome = await declared(field.phone, shot)
    assert (outcome["result"], outcome["code"]) == ("rejected", code)
    after = await field.held()
    assert after == before | {"op": before["op"] + 1}


async def test_an_empty_file_is_no_manifest(field: worlds.Field) -> None:
    shot = field.phone.capture(b"")
    outcome = await declared(field.phone, shot)
    assert (outcome["result"], outcome["code"]) == ("rejected", "op.body_invalid")
    assert await field.owner.fetchval("select count(*) from evidence") == 0


async def test_the_address_takes_the_declared_bytes_once_and_no_others(
    field: worlds.Field,
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg(3))
    await phone.send(phone.op("evidence.declare", shot.body))
    early = await phone.complete(shot)
    assert (early.status_code, early.json()["code"]) == (409, "upload.not_there")
    assert (await phone.upload(shot, shot.raw[:-1])).status_code == 403
    altered = shot.raw[:-1] + bytes([shot.raw[-1] ^ 1])
    assert (await phone.upload(shot, altered)).status_code == 400
    assert (await phone.complete(shot)).status_code == 409
    assert (await phone.upload(shot)).status_code == 200
    assert (await phone.upload(shot)).status_code == 412
    assert (await phone.complete(shot)).json() == {
        "id": shot.id,
        "state": "received",
        "urls": [],
    }
    again = await phone.post(f"/api/v1/evidence/{shot.id}/urls")
    assert again.json()["urls"] == []


async def test_other_bytes_in_the_store_never_become_an_original(
    field: worlds.Field, work: Work, s3: Bucket
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg(3))
    await phone.send(phone.op("evidence.declare", shot.body))
    key = (await row(field, shot))["object_key"]
    s3.put(Room.QUARANTINE, key, shot.raw[:-3] + b"\0" + shot.raw[-2:], "image/jpeg")
    assert (await phone.complete(shot)).json()["state"] == "received"
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("quarantined", "media.hash_mismatch")
    with pytest.raises(StoreAbsent):
        s3.head(Room.ORIGINALS, key)


async def test_a_clock_two_years_off_is_told_and_the_time_is_the_servers(
    field: worlds.Field,
) -> None:
    phone = field.phone
    years = 2 * 366 * 86_400_000
    shot = phone.capture(worlds.a_jpeg(), t={"wall": phone.now_ms - years})
    outcome = await declared(phone, shot)
    assert (outcome["result"], outcome["flags"]) == ("applied", ["clock_off"])
    held = await row(field, shot)
    assert abs((held["captured_at"] - field.clock()).total_seconds()) < 1
    ahead = phone.op("visit.start", {"at": phone.now_ms + years})
    result = (await phone.send(ahead))[0]
    assert (result["result"], result["outcome"]["flags"]) == ("applied", ["clock_ahead"])


async def test_a_removed_capture_shows(field: worlds.Field) -> None:
    phone = field.phone
    first, second, third = (phone.capture(worlds.a_jpeg(n)) for n in (1, 2, 3))
    assert "flags" not in await declared(phone, third)
    assert "flags" not in await declared(phone, first)
    forged = phone.capture(worlds.a_jpeg(4), seq=2, prev="11" * 32)
    assert (await declared(phone, forged))["flags"] == ["prev_mismatch"]
    outcome = await declared(phone, second)
    assert outcome["flags"] == ["seq_reused"]


async def test_a_signature_of_somebody_else_is_refused_and_an_unknown_key_is_kept(
    field: worlds.Field, work: Work
) -> None:
    phone = field.phone
    shot = phone.capture(worlds.a_jpeg())
    body = shot.body | {"sig": phone.capture(worlds.a_jpeg(2)).body["sig"]}
    result = (await phone.send(phone.op("evidence.declare", body)))[0]
    assert (result["result"], result["outcome"]["code"]) == ("rejected", "signature.invalid")
    other = phone.capture(worlds.a_jpeg(5), kid="0123456789abcdef")
    await sent(phone, other)
    assert (await row(field, other))["flags"] == ["unknown_key"]
    await work.drain()
    held = await row(field, other)
    assert (held["state"], held["reason"]) == ("quarantined", "unknown_key")


async def test_an_upload_under_a_revoked_key_is_quarantined(
    field: worlds.Field, work: Work
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    await phone.send(phone.op("evidence.declare", shot.body))
    await phone.upload(shot)
    await devices.revoke(phone.dev, act=field.desk.act, compromised_since=field.clock())
    assert (await phone.complete(shot)).status_code == 200  # the token lives 3 s more
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("quarantined", "revoked_key")


async def test_after_a_reassignment_the_old_phone_is_heard_and_moves_nothing(
    field: worlds.Field,
) -> None:
    phone = field.phone
    team = tuple(
        NewAssignment(inspector, place, lead=place == 1)
        for place, inspector in enumerate(field.inspectors[1:], start=1)
    )
    epoch = await assignments.reassign(field.visit, team, "调休", act=field.desk.act)
    assert epoch == 2
    started = (await phone.send(phone.op("visit.start", {})))[0]
    assert started["outcome"]["flags"] == ["stale_assignment"]
    assert await field.state() == "opened"
    outcome = await declared(phone, phone.capture(worlds.a_jpeg()))
    assert outcome["flags"] == ["stale_assignment"]
    assert (await phone.get("/api/v1/tasks"))["gone"] == [str(field.visit)]


async def test_withdrawal_waits_for_its_declaration(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    early = phone.op("evidence.withdraw", {"evidence": shot.id, "reason": "误拍"})
    result = (await phone.send(early))[0]
    assert (result["result"], result["outcome"]["needs"]) == ("blocked", [shot.id])
    assert (await declared(phone, shot))["result"] == "applied"
    assert (await row(field, shot))["state"] == "withdrawn"
    again = (await phone.send(early))[0]
    assert (again["result"], again["outcome"]["result"]) == ("duplicate", "applied")


async def test_somebody_elses_piece_is_not_there(field: worlds.Field) -> None:
    shot = field.phone.capture(worlds.a_jpeg())
    await field.phone.send(field.phone.op("evidence.declare", shot.body))
    other = field.phones[1]
    foreign = await other.post(f"/api/v1/evidence/{shot.id}/urls")
    never = await other.post(f"/api/v1/evidence/{field.visit}/urls")
    assert foreign.status_code == never.status_code == 404
    assert foreign.json()["code"] == never.json()["code"] == "thing.absent"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"transport": {"enc": "none", "sha256": "00" * 32, "size": 9}}, "transport_mismatch"),
        ({"visit": str(new_id())}, "other_visit"),
        ({"org": str(new_id())}, "other_visit"),
        ({"dev": str(new_id())}, "other_visit"),
    ],
)
async def test_a_manifest_of_something_else_is_refused(
    field: worlds.Field, change: dict[str, Any], code: str
) -> None:
    manifest = {key: value for key, value in change.items() if key != "transport"}
    shot = field.phone.capture(worlds.a_jpeg(), **manifest)
    transport = {key: value for key, value in change.items() if key == "transport"}
    body = shot.body | transport
    result = (await field.phone.send(field.phone.op("evidence.declare", body)))[0]
    assert result["outcome"]["code"] == f"evidence.{code}"
    assert await field.owner.fetchval("select count(*) from evidence") == 0


async def test_a_capture_id_is_used_once(field: worlds.Field) -> None:
    first = field.phone.capture(worlds.a_jpeg())
    assert (await declared(field.phone, first))["result"] == "applied"
    other = field.phone.capture(worlds.a_jpeg(2), id=first.id)
    assert (await declared(field.phone, other))["code"] == "evidence.id_taken"
    assert (await row(field, first))["sha256"] == first.sha256


async def test_a_device_sends_five_gigabytes_a_day(field: worlds.Field) -> None:
    phone, shots = field.phone, [field.phone.capture(worlds.a_jpeg(n)) for n in (1, 2)]
    await phone.send(*(phone.op("evidence.declare", shot.body) for shot in shots))
    await field.owner.execute(
        "update evidence set state = 'received', size = 5000000000 - $2 where id = $1",
        UUID(shots[0].id),
        len(shots[1].raw) - 1,
    )
    full = await phone.post(f"/api/v1/evidence/{shots[1].id}/urls")
    assert (full.status_code, full.json()["code"]) == (429, "upload.quota")
    assert (await row(field, shots[1]))["state"] == "declared"
    await field.owner.execute(
        "update evidence set declared_at = declared_at - interval '1 day' where id = $1",
        UUID(shots[0].id),
    )
    assert (await phone.post(f"/api/v1/evidence/{shots[1].id}/urls")).status_code == 200


async def test_evidence_for_a_recused_visit_needs_a_decision(field: worlds.Field) -> None:
    recused, other = field.phones
    await recused.send(recused.op("recusal.declare", {"ground": "亲属"}))
    assert await field.state() == "recused"
    await declared(recused, recused.capture(worlds.a_jpeg()))
    assert await field.state() == "recused"
    await declared(other, other.capture(worlds.a_jpeg(2)))
    assert await field.state() == "needs_decision"


async def test_an_institution_sees_what_was_disclosed_to_it(
    field: worlds.Field, work: Work, client: httpx.AsyncClient
) -> None:
    shot = field.phone.capture(worlds.a_jpeg())
    await sent(field.phone, shot)
    await work.drain()
    user = await world.a_person(field.clock(), "institution_user", institution=field.institution)
    theirs = await world.signed_in(client, user)
    path = f"/api/v1/evidence/{shot.id}"
    assert (await client.get(path, headers=theirs)).status_code == 404
    assert (await client.get(f"{path}/preview", headers=theirs)).status_code == 404
    act = field.desk.act
    async with DB.transaction(act.by.scope):
        await exhibits.disclose([UUID(shot.id)], act=act)
    assert (await client.get(path, headers=theirs)).json()["sha256"] == shot.sha256
    assert (await client.get(f"{path}/preview", headers=theirs)).status_code == 200
    answer = await client.get(f"{path}/files/thumb", headers=theirs, follow_redirects=False)
    assert answer.status_code == 303
    assert (await client.get(f"{path}/receipt", headers=theirs)).status_code == 404


async def test_a_reply_brings_its_files_by_a_signed_intake(
    clock: StillClock,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    work: Work,
    settings: Settings,
) -> None:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    headers = await world.signed_in(client, matter.user)
    raw = worlds.a_jpeg(9)
    piece = {
        "id": str(new_id()),
        "sha256": sha256(raw).hexdigest(),
        "size": len(raw),
        "mime": "image/jpeg",
    }
    path = f"/api/v1/notices/{notice.id}/evidence"
    for wrong, code in (({"size": 0}, "media.empty"), ({"mime": "a/b"}, "media.type_refused")):
        bad = await client.post(path, json=piece | wrong, headers=headers)
        assert (bad.status_code, bad.json()["code"]) == (422, code)
    taken = await client.post(path, json=piece, headers=headers)
    assert (taken.status_code, taken.json()["channel"]) == (201, "portal"), taken.text
    assert (await client.post(path, json=piece, headers=headers)).json() == taken.json()
    other = await client.post(path, json=piece | {"size": 5}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "evidence.intake_taken")
    held = await owner.fetchrow("select * from evidence where id = $1", UUID(piece["id"]))
    public = open_keyring(settings.keys).server.public
    keys.verify_server_tagged(public, keys.Tag.RECEIPT, held["manifest"], held["signature"])
    assert canon.canonical(held["manifest"])["typ"] == "mingcha.intake/1"
    base = f"/api/v1/evidence/{piece['id']}"
    url = (await client.post(f"{base}/urls", headers=headers)).json()["urls"][0]
    async with httpx.AsyncClient() as store:
        assert (await store.put(url["url"], content=raw, headers=url["headers"])).is_success
    assert (await client.post(f"{base}/complete", headers=headers)).json()["state"] == "received"
    await work.drain()
    assert (await client.get(base, headers=headers)).json()["state"] == "sealed"
    got = (await client.get(f"{base}/receipt", headers=headers)).json()
    assert canon.canonical(got["receipt"].encode())["state"] == "sealed"
    stranger = await casework.a_matter(owner, clock(), office=matter.office)
    foreign = await world.signed_in(client, stranger.user)
    assert (await client.post(path, json=piece, headers=foreign)).status_code == 404
    assert (await client.get(base, headers=foreign)).status_code == 404
