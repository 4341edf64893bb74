"""Signals of real visits: computed, told, judged; late facts, other offices, and who sees none."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from PIL import Image, ImageOps

from backend.clock import new_id
from backend.jobs import schedule
from backend.piccolo_conf import DB
from backend.services.signals import pictures, reading, rosters, run, wording
from inspection_plans.signals.visit import KINDS
from media import likeness
from tests import casework, world
from tests import field as worlds
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture, Phone
from tests.signals import scenes

SETTLED = 11  # seconds after which ordered signals are computed
HERE = {"st": "ok", "crs": "wgs84", "n": 4, "lat": 375_000_000, "lon": 1_221_000_000}


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def taken(phone: Phone, raw: bytes, **changes: Any) -> Capture:
    """One picture of the current task, declared, sent and said to be complete."""
    shot = phone.capture(raw, **changes)
    declared = await phone.send(phone.op("evidence.declare", shot.body))
    assert declared[0]["result"] == "applied", declared
    assert (await phone.upload(shot)).status_code == 200
    assert (await phone.complete(shot)).status_code == 200
    return shot


async def settled(field: worlds.Field, work: Work) -> None:
    """Everything verified, and ordered signals computed."""
    await work.drain()
    field.clock.tick(seconds=SETTLED)
    await work.drain()


async def another_visit(field: worlds.Field, **changes: Any) -> UUID:
    """A second visit of the same team, whose task the recorder has fetched."""
    field.clock.tick(minutes=1)
    visit = await worlds.a_visit(field.desk, field.institution, field.inspectors[:2], **changes)
    await field.phone.fetch_task(visit)
    return visit


async def told(field: worlds.Field, visit: UUID, *, gone: bool = False) -> dict[str, Any]:
    """What a reviewer is told of a visit, by kind."""
    found = await reading.of_visit(visit, act=field.desk.act)
    return {one.kind: one for one in found if gone or one.gone_at is None}


def a_copy(picture: Image.Image) -> bytes:
    return scenes.jpeg(ImageOps.mirror(picture).resize((400, 300)), 60)


async def test_a_picture_used_again_is_told_at_the_later_visit(
    field: worlds.Field, work: Work
) -> None:
    room = scenes.scene(2)
    original = scenes.jpeg(room)
    first = await taken(field.phone, original)
    await settled(field, work)
    visit = await another_visit(field)
    same = await taken(field.phone, original, item="TI-02")
    edited = await taken(field.phone, a_copy(room), item="TI-03")
    await taken(field.phone, scenes.jpeg(scenes.scene(2, 5)), item="TI-04")
    before = await field.owner.fetch("select id, state from visit order by id")
    await settled(field, work)
    found = await told(field, visit)
    assert set(found) == {"edited_reuse", "exact_reuse"}
    assert found["exact_reuse"].evidence == (UUID(same.id),)
    assert found["edited_reuse"].evidence == (UUID(edited.id),)
    assert [one.id for one in found["edited_reuse"].elsewhere] == [UUID(first.id)]
    assert found["edited_reuse"].strength == "strong"
    assert "镜像" in found["edited_reuse"].words["zh"].why
    assert await told(field, field.visit) == {}
    assert await field.owner.fetch("select id, state from visit order by id") == before


async def test_an_older_picture_that_comes_late_is_told_all_the_same(
    field: worlds.Field, work: Work
) -> None:
    """The visit of the copy is computed anew when the original arrives."""
    original = scenes.jpeg(scenes.scene(7))
    shot = field.phone.capture(original)
    body = field.phone.op("evidence.declare", shot.body)
    visit = await another_visit(field)
    await taken(field.phone, original, item="TI-02")
    await settled(field, work)
    assert await told(field, visit) == {}
    await field.phone.send(body)
    await field.phone.upload(shot)
    await field.phone.complete(shot)
    await settled(field, work)
    await settled(field, work)
    assert set(await told(field, visit)) == {"exact_reuse"}


async def test_the_same_facts_again_change_nothing(field: worlds.Field, work: Work) -> None:
    original = scenes.jpeg(scenes.scene(1))
    await taken(field.phone, original)
    visit = await another_visit(field)
    await taken(field.phone, original)
    await settled(field, work)
    kept = await field.owner.fetch("select * from signal order by id")
    assert len(kept) == 1
    field.clock.tick(minutes=5)
    act = work.context.act(world.SHANDONG)
    for occasion in (visit, field.visit, visit):
        await run.compute(occasion, act=act, keys=work.context.keys)
    assert await field.owner.fetch("select * from signal order by id") == kept
    assert await field.entries("signal.raised") == 1
    assert await field.entries("signal.changed") == 0


async def test_a_gap_is_told_when_the_phone_has_nothing_left_and_goes_when_it_closes(
    field: worlds.Field, work: Work
) -> None:
    phone = field.phone
    await taken(phone, scenes.jpeg(scenes.scene(1)))
    missing = phone.capture(scenes.jpeg(scenes.scene(2)))
    body = phone.op("evidence.declare", missing.body)
    await taken(phone, scenes.jpeg(scenes.scene(3)))
    await settled(field, work)
    assert await told(field, field.visit) == {}, "it may still come"
    day = field.clock()
    field.clock.tick(hours=80)
    await work.drain()
    field.clock.set(day)  # the phone's sign-in would be over otherwise
    found = (await told(field, field.visit))["chain_gap"]
    assert (found.strength, found.facts) == ("strong", {"count": 1, "first": 2, "last": 2})
    await phone.send(body)
    assert await run.sweep(regions=work.context.regions, at=field.clock()) >= 1
    await settled(field, work)
    assert await told(field, field.visit) == {}
    gone = (await told(field, field.visit, gone=True))["chain_gap"]
    assert gone.gone_at is not None


async def test_late_operations_are_found_by_the_timer(field: worlds.Field, work: Work) -> None:
    phone, place = field.phone, {"loc": HERE | {"acc_cm": 900, "age_ms": 100}}
    await field.owner.execute(
        "update institution set lat_e7 = 376000000, lon_e7 = 1221000000, crs = 'wgs84'"
    )
    arrived = place | {"chal": phone.task["challenge"]}
    assert (await phone.send(phone.op("visit.checkin", arrived)))[0]["result"] == "applied"
    assert await field.owner.fetchval("select count(*) from task where kind like 'signals%'") == 0
    await schedule.tick(work.context)
    await settled(field, work)
    found = (await told(field, field.visit))["geofence"]
    assert found.facts["metres"] in range(11_000, 11_300)
    assert "11" in found.words["en"].why


async def a_signal(field: worlds.Field, work: Work) -> tuple[UUID, UUID]:
    """A visit with one signal, and the signal."""
    original = scenes.jpeg(scenes.scene(1))
    await taken(field.phone, original)
    visit = await another_visit(field)
    await taken(field.phone, original)
    await settled(field, work)
    return visit, (await told(field, visit))["exact_reuse"].id


async def test_a_reviewer_judges_with_a_reason(field: worlds.Field, work: Work) -> None:
    visit, signal = await a_signal(field, work)
    headers = await world.signed_in(field.http, field.desk.who)
    path = f"/api/v1/signals/{signal}/verdicts"
    for wrong in ({"verdict": "confirmed", "reason": ""}, {"verdict": "guilty", "reason": "x"}):
        assert (await field.http.post(path, json=wrong, headers=headers)).status_code == 422
    said = {"verdict": "explained", "reason": "同一公示栏的同一张照片误传"}
    answer = await field.http.post(path, json=said, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["standing"] == "judged"
    assert await field.entries("signal.explained") == 1
    said = {"verdict": "confirmed", "reason": "复核后认定为重复使用"}
    await field.http.post(path, json=said, headers=headers)
    listed = (await field.http.get(f"/api/v1/visits/{visit}/signals", headers=headers)).json()
    assert [one["verdict"]["verdict"] for one in listed["signals"]] == ["confirmed"]
    assert await field.owner.fetchval("select count(*) from signal_verdict") == 2
    since = {"since": "2026-01-01T00:00:00Z"}
    counted = await field.http.get("/api/v1/signals/overview", params=since, headers=headers)
    kind = next(one for one in counted.json()["kinds"] if one["kind"] == "exact_reuse")
    assert (kind["signals"], kind["open"], kind["confirmed"]) == (1, 0, 1)
    assert counted.json()["institutions"][0]["strong"] == 1
    page = await field.http.get("/api/v1/signals", params={"standing": "open"}, headers=headers)
    assert page.json()["signals"] == []
    page = await field.http.get("/api/v1/signals", params={"kind": "exact_reuse"}, headers=headers)
    assert [one["id"] for one in page.json()["signals"]] == [str(signal)]


async def test_a_verdict_on_facts_that_moved_on_is_asked_for_again(
    field: worlds.Field, work: Work
) -> None:
    visit, signal = await a_signal(field, work)
    headers = await world.signed_in(field.http, field.desk.who)
    said = {"verdict": "explained", "reason": "误传"}
    path = f"/api/v1/signals/{signal}/verdicts"
    await field.http.post(path, json=said, headers=headers)
    third = await another_visit(field)
    await taken(field.phone, scenes.jpeg(scenes.scene(1)))
    await settled(field, work)
    assert set(await told(field, third)) == {"exact_reuse"}
    assert (await told(field, visit))["exact_reuse"].standing == "judged"
    field.clock.tick(minutes=1)
    await field.owner.execute("update signal set facts = '{\"count\": 9}' where id = $1", signal)
    await run.compute(visit, act=work.context.act(world.SHANDONG), keys=work.context.keys)
    assert (await told(field, visit))["exact_reuse"].standing == "changed"


async def test_inspectors_institutions_and_the_team_see_no_signal(
    field: worlds.Field, work: Work
) -> None:
    visit, signal = await a_signal(field, work)
    paths = (
        f"/api/v1/visits/{visit}/signals",
        f"/api/v1/signals/{signal}",
        "/api/v1/signals",
        "/api/v1/signals/overview?since=2026-01-01T00:00:00Z",
        f"/api/v1/visits/{visit}/recounts",
        "/api/v1/recounts",
    )
    at = field.clock()
    owner = await world.a_person(at, "institution_user", institution=field.institution)
    inside = await world.signed_in(field.http, owner)
    for headers in (field.phone.headers, inside):
        statuses = [(await field.http.get(path, headers=headers)).status_code for path in paths]
        assert statuses == [403] * len(paths)
    both = await world.a_person(at, "supervisor")
    await field.owner.execute(
        "update inspector set account = $1 where id = $2", both.person.id, field.inspectors[1]
    )
    headers = await world.signed_in(field.http, both)
    mine = await field.http.get(paths[0], headers=headers)
    assert (mine.status_code, mine.json()["signals"]) == (200, [])
    assert (await field.http.get(paths[1], headers=headers)).status_code == 404
    judged = await field.http.post(
        f"/api/v1/signals/{signal}/verdicts",
        json={"verdict": "unfounded", "reason": "x"},
        headers=headers,
    )
    assert judged.status_code == 404
    approver = await world.signed_in(field.http, await world.a_person(at, "approver"))
    assert (await field.http.get(paths[1], headers=approver)).status_code == 200
    refused = await field.http.post(
        f"/api/v1/signals/{signal}/verdicts",
        json={"verdict": "unfounded", "reason": "x"},
        headers=approver,
    )
    assert refused.status_code == 403


async def test_what_lies_in_another_office_is_told_as_its_province(
    field: worlds.Field, work: Work
) -> None:
    visit, _ = await a_signal(field, work)
    await field.owner.execute("update evidence set region = 140100 where visit = $1", field.visit)
    await field.owner.execute("update visit set region = 140100 where id = $1", field.visit)
    field.clock.tick(minutes=1)
    await field.owner.execute("update signal set facts = '{}'")
    await run.compute(visit, act=work.context.act(world.SHANDONG), keys=work.context.keys)
    (other,) = (await told(field, visit))["exact_reuse"].elsewhere
    assert (other.province, other.id, other.visit, other.code) == (140_000, None, None, None)
    city = await world.a_person(field.clock(), "supervisor", region=world.JINAN)
    assert await reading.page(reading.Wanted(), act=city.act(field.clock())) == ()


async def test_rosters_of_two_classes_at_once_are_held_to_each_other(
    field: worlds.Field, work: Work
) -> None:
    desk = field.desk
    await desk.take("institutions", *(sheets.an_institution(n) for n in (2, 3)))
    await desk.take("classes", *(sheets.a_class(n) for n in (1, 2, 3)))
    for number in (1, 2):
        rows = [sheets.a_trainee(number, n) for n in range(1, 11)]
        await desk.take("rosters", *rows)
    strangers = [
        sheets.a_trainee(3, n) | {"name": f"另外{n}", "id_tail": f"9{n:02}X"} for n in range(1, 11)
    ]
    await desk.take("rosters", *strangers)
    await work.drain()
    act, keys = work.context.act(100_000), work.context.keys
    assert await rosters.compare(None, act=act, keys=keys) == 3
    assert await rosters.compare(None, act=act, keys=keys) == 0
    page = await reading.page(reading.Wanted(kind="roster_reuse"), act=desk.act)
    assert len(page) == 2
    assert {one.facts["percent"] for one in page} == {100}
    names = await field.owner.fetchval("select names from roster_index limit 1")
    assert len(names) == 10
    renamed = [sheets.a_trainee(2, n) | {"name": f"改名{n}"} for n in range(1, 11)]
    await desk.take("rosters", *renamed)
    assert await rosters.compare(None, act=act, keys=keys) == 1
    assert await reading.page(reading.Wanted(kind="roster_reuse"), act=desk.act) == ()


async def test_the_index_finds_what_a_full_look_finds(field: worlds.Field, work: Work) -> None:
    seen = {}
    for place in range(3):
        shot = await taken(field.phone, scenes.jpeg(scenes.scene(place)), item="TI-02")
        seen[shot.id] = scenes.scene(place)
    await settled(field, work)
    for known, picture in seen.items():
        turned = scenes.hashed(picture.transpose(Image.Transpose.ROTATE_270))
        async with DB.transaction(work.context.act(world.SHANDONG).by.scope):
            found = await pictures.near(turned, occasion=UUID(int=1), sha256="")
        assert [str(one.id) for one in found] == [known]
        assert likeness.distances(turned, found[0].look).p <= 2


async def test_a_reply_with_a_picture_from_a_visit_is_told_at_the_notice(
    field: worlds.Field, work: Work
) -> None:
    """A photograph of what was rectified may not be the one of what was wrong."""
    room = scenes.scene(4)
    shot = await taken(field.phone, scenes.jpeg(room))
    await settled(field, work)
    field.clock.tick(minutes=1)
    matter = await casework.a_matter(field.owner, field.clock())
    notice = await casework.served(matter, field.clock())
    headers = await world.signed_in(field.http, matter.user)
    raw = a_copy(room)
    piece = {"id": str(new_id()), "sha256": sha256(raw).hexdigest()}
    piece |= {"size": len(raw), "mime": "image/jpeg"}
    announced = f"/api/v1/notices/{notice.id}/evidence"
    assert (await field.http.post(announced, json=piece, headers=headers)).status_code == 201
    base = f"/api/v1/evidence/{piece['id']}"
    url = (await field.http.post(f"{base}/urls", headers=headers)).json()["urls"][0]
    async with httpx.AsyncClient() as store:
        assert (await store.put(url["url"], content=raw, headers=url["headers"])).is_success
    await field.http.post(f"{base}/complete", headers=headers)
    await settled(field, work)
    (found,) = await reading.of_notice(notice.id, act=field.desk.act)
    assert (found.kind, found.visit, found.notice) == ("edited_reuse", None, notice.id)
    assert [one.id for one in found.elsewhere] == [UUID(shot.id)]
    path = f"/api/v1/notices/{notice.id}/signals"
    assert (await field.http.get(path, headers=headers)).status_code == 403
    assert (await field.http.get(base, headers=headers)).json().get("signals") is None


def test_every_signal_has_its_words() -> None:
    named = {name.split(".")[0] for name in wording.texts().signals}
    assert named == {*KINDS, rosters.KIND}
    for texts in wording.texts().signals.values():
        assert set(texts) == {"zh", "en"}
