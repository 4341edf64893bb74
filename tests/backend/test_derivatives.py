"""Copies of evidence: what is made of an original, who is shown what, and what never counts."""

import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from PIL import Image

from backend.piccolo_conf import DB
from backend.services import exhibits
from media import stills
from media.bucket import Bucket, Room
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.media import samples
from tests.phone import Capture

BOXES = [{"x": 10, "y": 10, "w": 200, "h": 100}]


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


@pytest.fixture
async def shot(field: worlds.Field, work: Work) -> Capture:
    """A verified photo of 640 by 480 with EXIF."""
    capture = field.phone.capture(samples.a_jpeg(exif=samples.phone_tags()))
    phone = field.phone
    await phone.send(phone.op("evidence.declare", capture.body))
    await phone.upload(capture)
    await phone.complete(capture)
    await work.drain()
    return capture


@pytest.fixture
async def boss(field: worlds.Field, client: httpx.AsyncClient) -> dict[str, str]:
    return await world.signed_in(client, field.desk.who)


@pytest.fixture
async def theirs(field: worlds.Field, client: httpx.AsyncClient) -> dict[str, str]:
    """A user of the institution."""
    user = await world.a_person(field.clock(), "institution_user", institution=field.institution)
    return await world.signed_in(client, user)


def opened(raw: bytes) -> Image.Image:
    with Image.open(io.BytesIO(raw), formats=["JPEG"]) as picture:
        picture.load()
        return picture.convert("RGB")


async def redacted(
    client: httpx.AsyncClient, shot: Capture, headers: dict[str, str], boxes: Any = None
) -> httpx.Response:
    return await client.post(
        f"/api/v1/evidence/{shot.id}/redactions",
        json={"boxes": boxes or BOXES, "reason": "遮盖学员面部"},
        headers=headers,
    )


async def test_a_blackened_copy_has_its_recipe_parent_and_entry(
    field: worlds.Field,
    shot: Capture,
    boss: dict[str, str],
    client: httpx.AsyncClient,
    s3: Bucket,
) -> None:
    made = await redacted(client, shot, boss)
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["parent_sha256"] == shot.sha256
    assert told["recipe"]["params"] == {"fill": "#000000", "boxes": BOXES, "quality": 90}
    assert told["made_by"] == str(field.desk.who.person.id)
    entry = await field.owner.fetchrow(
        "select encode(leaf, 'hex') as leaf, body from aud.entry"
        " where body ->> 'verb' = 'evidence.redacted'"
    )
    body = json.loads(entry["body"])
    assert entry["leaf"] == told["leaf"]
    assert (body["before_sha"], body["after_sha"]) == (shot.sha256, told["sha256"])
    key = f"{world.SHANDONG}/{shot.id}/redacted-{told['sha256']}.jpg"
    raw = s3.fetch(Room.DERIVATIVES, key, limit=10**7)
    assert sha256(raw).hexdigest() == told["sha256"]
    assert stills.beyond_picture(raw) == ()
    assert max(opened(raw).getpixel((100, 60))) <= 3
    again = await redacted(client, shot, boss)
    assert again.json() == told
    other = await redacted(client, shot, boss, [BOXES[0] | {"w": 300}])
    assert (other.json()["variant"], told["variant"]) == (1, 0)
    held = await field.owner.fetchrow("select * from evidence where id = $1", UUID(shot.id))
    original = s3.rehash(Room.ORIGINALS, held["object_key"], held["version_id"])
    assert original.sha256 == shot.sha256


async def test_a_look_is_stamped_logged_and_kept_nowhere(
    field: worlds.Field, shot: Capture, boss: dict[str, str], client: httpx.AsyncClient
) -> None:
    path = f"/api/v1/evidence/{shot.id}/preview"
    seen = await client.get(path, headers=boss)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert stills.beyond_picture(seen.content) == ()
    plain = await field.owner.fetchval("select count(*) from derivative")
    assert plain == 2
    assert await field.entries("evidence.viewed") == 1
    other = await world.a_person(field.clock(), "approver", region=world.SHANDONG)
    theirs = await client.get(path, headers=await world.signed_in(client, other))
    assert theirs.content != seen.content
    unstamped = await client.get(f"/api/v1/evidence/{shot.id}/files/preview", headers=boss)
    assert unstamped.status_code in {404, 422}


async def test_an_annotation_is_numbered_and_its_words_stand_beside_it(
    shot: Capture, boss: dict[str, str], client: httpx.AsyncClient
) -> None:
    body = {
        "boxes": [{"x": 30, "y": 30, "w": 90, "h": 90}],
        "arrows": [{"from_x": 300, "from_y": 300, "to_x": 200, "to_y": 200}],
        "notes": ["未悬挂资质", "灭火器过期"],
    }
    path = f"/api/v1/evidence/{shot.id}/annotations"
    made = await client.post(path, json=body, headers=boss)
    assert made.status_code == 201, made.text
    assert made.json()["recipe"]["params"]["notes"] == body["notes"]
    listed = await client.get(f"/api/v1/evidence/{shot.id}/derivatives", headers=boss)
    kinds = [one["kind"] for one in listed.json()["derivatives"]]
    assert kinds == ["annotated", "preview", "thumb"]
    file = await client.get(
        f"/api/v1/evidence/{shot.id}/files/annotated", headers=boss, follow_redirects=False
    )
    assert file.status_code == 303


async def test_an_institution_is_shown_the_blackened_copy_alone(
    field: worlds.Field,
    shot: Capture,
    boss: dict[str, str],
    theirs: dict[str, str],
    client: httpx.AsyncClient,
) -> None:
    base = f"/api/v1/evidence/{shot.id}"
    act = field.desk.act
    async with DB.transaction(act.by.scope):
        await exhibits.disclose([UUID(shot.id)], act=act)
    before = opened((await client.get(f"{base}/preview", headers=theirs)).content)
    everything = [{"x": 0, "y": 0, "w": 640, "h": 480}]
    assert (await redacted(client, shot, boss, everything)).status_code == 201
    after = opened((await client.get(f"{base}/preview", headers=theirs)).content)
    assert sum(before.resize((1, 1)).getpixel((0, 0))) > 150
    assert sum(after.resize((1, 1)).getpixel((0, 0))) < 90
    for file in ("original", "thumb"):
        refused = await client.get(f"{base}/files/{file}", headers=theirs, follow_redirects=False)
        assert (refused.status_code, refused.json()["code"]) == (403, "evidence.shown_redacted")
    allowed = await client.get(f"{base}/files/redacted", headers=theirs, follow_redirects=False)
    assert allowed.status_code == 303
    listed = await client.get(f"{base}/derivatives", headers=theirs)
    assert [one["kind"] for one in listed.json()["derivatives"]] == ["redacted"]
    office = await client.get(f"{base}/files/original", headers=boss, follow_redirects=False)
    assert office.status_code == 303
    denied = await redacted(client, shot, theirs)
    assert (denied.status_code, denied.json()["code"]) == (403, "person.denied")


async def test_a_derivative_satisfies_no_requirement(
    field: worlds.Field, shot: Capture, boss: dict[str, str], client: httpx.AsyncClient
) -> None:
    made = (await redacted(client, shot, boss)).json()
    phone = field.phone
    await phone.send(phone.op("visit.start", {}))
    answers = [worlds.an_answer()]
    copy = {"id": shot.id, "sha256": made["sha256"]}
    alone = {"id": made["id"], "sha256": made["sha256"]}
    await worlds.submitted(field, [], answers)
    for listed in (copy, alone):
        await field.owner.execute("update claim set items = $1", json.dumps([listed]))
        missing = await field.owner.fetch(
            "select what, id from visit_missing($1) where what = 'evidence'", field.visit
        )
        assert [tuple(one) for one in missing] == [("evidence", listed["id"])]


async def test_marks_outside_and_what_is_no_picture_are_refused(
    field: worlds.Field,
    shot: Capture,
    boss: dict[str, str],
    client: httpx.AsyncClient,
    work: Work,
) -> None:
    outside = await redacted(client, shot, boss, [{"x": 600, "y": 10, "w": 50, "h": 50}])
    assert (outside.status_code, outside.json()["code"]) == (422, "media.mark_outside")
    phone = field.phone
    paper = phone.capture(samples.a_pdf(), mime="application/pdf")
    await phone.send(phone.op("evidence.declare", paper.body))
    early = await redacted(client, paper, boss)
    assert (early.status_code, early.json()["code"]) == (409, "evidence.no_picture")
    await phone.upload(paper)
    await phone.complete(paper)
    await work.drain()
    assert (await redacted(client, paper, boss)).json()["code"] == "evidence.no_picture"
    look = await client.get(f"/api/v1/evidence/{paper.id}/preview", headers=boss)
    assert (look.status_code, look.json()["code"]) == (409, "evidence.no_file")
    assert await field.entries("evidence.redacted") == 0


async def test_somebody_elses_picture_is_not_there(
    field: worlds.Field, shot: Capture, client: httpx.AsyncClient
) -> None:
    stranger = await world.signed_in(
        client, await world.a_person(field.clock(), "supervisor", region=world.SHANXI)
    )
    assert (await redacted(client, shot, stranger)).status_code == 404
    for path in ("preview", "derivatives", "files/redacted"):
        found = await client.get(f"/api/v1/evidence/{shot.id}/{path}", headers=stranger)
        assert (found.status_code, found.json()["code"]) == (404, "thing.absent")
