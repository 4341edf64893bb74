"""Sealed transport end to end: what a thief of the wire cannot read, the worker opens."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.keyring import open_keyring
from media import base64url, keys, sealing
from media.bucket import Bucket, Room, StoreAbsent
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.media import samples
from tests.phone import Capture, Phone

KEY = bytes(range(32))


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def the_key(client: httpx.AsyncClient) -> bytes:
    """The server's key as a phone learns it."""
    answer = await client.get("/api/v1/keys")
    assert answer.status_code == 200, answer.text
    told = answer.json()["transport"]
    spki = base64url.decode(told["spki"])
    assert (told["kid"], told["alg"]) == (keys.key_id(spki), sealing.ALGORITHM)
    return spki


def sealed(capture: Capture, spki: bytes, *, once: bytes = b"\x05" * 32) -> bytes:
    """Seal a capture as the outbox does; its declaration names the wire's bytes."""
    blob = UUID(capture.id)
    wire = sealing.seal(capture.raw, blob, KEY)
    capture.body["transport"] = {
        "enc": "a256gcm",
        "sha256": sha256(wire).hexdigest(),
        "size": len(wire),
        "wrapped_key": sealing.wrap(KEY, blob, spki, once=once),
    }
    return wire


async def declared(phone: Phone, capture: Capture) -> dict[str, Any]:
    told = (await phone.send(phone.op("evidence.declare", capture.body)))[0]
    return {"result": told["result"]} | told.get("outcome", {})


async def row(field: worlds.Field, capture: Capture) -> dict[str, Any]:
    found = await field.owner.fetchrow("select * from evidence where id = $1", UUID(capture.id))
    return dict(found) | {"facts": json.loads(found["facts"] or "{}")}


async def test_a_sealed_photo_becomes_the_original_of_the_shutter(
    field: worlds.Field, client: httpx.AsyncClient, work: Work, s3: Bucket
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    wire = sealed(shot, await the_key(client))
    assert (await declared(phone, shot))["result"] == "applied"
    assert (await phone.upload(shot, shot.raw)).status_code == 403
    assert (await phone.upload(shot, wire)).status_code == 200
    assert (await phone.complete(shot)).json()["state"] == "received"
    before = await row(field, shot)
    assert s3.fetch(Room.QUARANTINE, before["object_key"], limit=9999) == wire
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["sha256"]) == ("sealed", shot.sha256)
    assert s3.rehash(Room.ORIGINALS, held["object_key"]).sha256 == shot.sha256
    assert s3.lock_of(held["object_key"], held["version_id"]).hold
    assert (held["lock_mode"], held["facts"]["scan"]["state"]) == ("governance", "not_scanned")
    with pytest.raises(StoreAbsent):
        s3.head(Room.ORIGINALS, before["object_key"])


async def test_a_sealed_film_comes_in_parts_by_the_weak_lane(
    field: worlds.Field, client: httpx.AsyncClient, work: Work
) -> None:

    film = samples.box(b"ftyp", b"isom", bytes(4)) + samples.box(
        b"mdat", Random(3).randbytes(6_000_000)
    )
    film += samples.a_movie()[samples.a_movie().index(b"moov") - 4 :]
    phone = field.phone
    shot = phone.capture(film, mime="video/mp4")
    wire = sealed(shot, await the_key(client))
    assert (await declared(phone, shot))["result"] == "applied"
    tus = {"Tus-Resumable": "1.0.0"}
    meta = {"Upload-Metadata": f"evidence {_b64(shot.id)}", "Upload-Length": str(len(wire))}
    opened = await phone.call("POST", "/api/v1/uploads", b"", tus | meta)
    assert opened.status_code == 201, opened.text
    for at in range(0, len(wire), 1 << 20):
        headers = tus | {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(at),
        }
        field.clock.tick(seconds=1)
        path = f"/api/v1/uploads/{shot.id}"
        sent = await phone.call("PATCH", path, wire[at : at + (1 << 20)], headers)
        assert sent.status_code == 204, sent.text
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("sealed", None)
    assert held["facts"]["movie"]["width"] == 1280


def _b64(text: str) -> str:
    return base64url.base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda wire: bytes([wire[0] ^ 1]) + wire[1:], "seal.altered"),
        (lambda wire: wire[:-1] + bytes([wire[-1] ^ 128]), "seal.altered"),
    ],
)
async def test_an_altered_wire_is_quarantined(
    field: worlds.Field, client: httpx.AsyncClient, work: Work, change: Any, code: str
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    wire = change(sealed(shot, await the_key(client)))
    shot.body["transport"]["sha256"] = sha256(wire).hexdigest()
    await declared(phone, shot)
    assert (await phone.upload(shot, wire)).status_code == 200
    await phone.complete(shot)
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("quarantined", code)
    assert held["facts"]["refusal"] == {"reason": "chunk", "chunk": 0}
    assert await field.entries("evidence.quarantined") == 1


async def test_chunks_in_another_order_are_quarantined(
    field: worlds.Field, client: httpx.AsyncClient, work: Work
) -> None:
    raw = Random(9).randbytes(2 * sealing.CHUNK_BYTES)
    phone, shot = field.phone, field.phone.capture(raw, mime="application/pdf")
    wire = sealed(shot, await the_key(client))
    half = sealing.TEXT_BYTES
    swapped = wire[half:] + wire[:half]
    shot.body["transport"]["sha256"] = sha256(swapped).hexdigest()
    await declared(phone, shot)
    assert (await phone.upload(shot, swapped)).status_code == 200
    await phone.complete(shot)
    await work.drain()
    assert (await row(field, shot))["reason"] == "seal.altered"


async def test_another_original_than_the_manifest_says_is_quarantined(
    field: worlds.Field, client: httpx.AsyncClient, work: Work, s3: Bucket
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    other = Capture(shot.id, shot.raw[:-1] + b"\0", shot.body)
    wire = sealed(other, await the_key(client))
    await declared(phone, shot)
    assert (await phone.upload(shot, wire)).status_code == 200
    await phone.complete(shot)
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("quarantined", "media.hash_mismatch")
    with pytest.raises(StoreAbsent):
        s3.head(Room.ORIGINALS, f"{held['region']}/{shot.id}/{shot.sha256}")


async def test_what_was_sealed_for_another_server_is_kept_and_said(
    field: worlds.Field, work: Work
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    foreign = keys.TransportKey.from_seed(b"\x01" * 32)
    wire = sealed(shot, foreign.spki)
    assert (await declared(phone, shot))["result"] == "applied"
    await phone.upload(shot, wire)
    await phone.complete(shot)
    await work.drain()
    held = await row(field, shot)
    assert (held["reason"], held["facts"]["refusal"]) == (
        "seal.key_unknown",
        {"kid": foreign.kid},
    )


@pytest.mark.parametrize(
    "change",
    [
        {"size": 5},
        {"wrapped_key": None},
        {"enc": "none"},
    ],
)
async def test_a_transport_that_contradicts_itself_is_refused(
    field: worlds.Field, client: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    shot = field.phone.capture(worlds.a_jpeg())
    sealed(shot, await the_key(client))
    said = shot.body["transport"] | change
    shot.body["transport"] = {name: value for name, value in said.items() if value is not None}
    outcome = await declared(field.phone, shot)
    assert (outcome["result"], outcome["code"]) == ("rejected", "evidence.transport_mismatch")


def test_a_retired_key_still_opens(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = open_keyring(folder)
    blob = UUID(int=7)
    wrapped = sealing.wrap(KEY, blob, first.transport.spki, once=b"\x02" * 32)
    (folder / "transport.seed").rename(folder / "transport-2026.seed")
    later = open_keyring(folder)
    assert later.transport.kid != first.transport.kid
    assert sealing.unwrap(wrapped, blob, later.transports) == KEY


async def test_a_sealed_piece_that_was_lost_comes_again_the_same_way(
    field: worlds.Field, client: httpx.AsyncClient, work: Work, s3: Bucket
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    wire = sealed(shot, await the_key(client))
    await declared(phone, shot)
    await phone.upload(shot, wire)
    await phone.complete(shot)
    await work.drain()
    before = await row(field, shot)
    await field.owner.execute("update evidence set state = 'missing'")
    url = (await phone.post(f"/api/v1/evidence/{shot.id}/urls")).json()["urls"][0]
    assert url["headers"]["content-type"] == "application/octet-stream"
    assert (await phone.upload(shot, wire)).status_code == 412  # quarantine still has it
    assert (await phone.complete(shot)).json()["state"] == "received"
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["object_key"]) == ("sealed", before["object_key"])
    assert s3.rehash(Room.ORIGINALS, held["object_key"]).sha256 == shot.sha256


async def test_bytes_that_vanish_before_they_are_proved_are_awaited_again(
    field: worlds.Field, client: httpx.AsyncClient, work: Work
) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    wire = sealed(shot, await the_key(client))
    await declared(phone, shot)
    await phone.upload(shot, wire)
    await phone.complete(shot)
    await field.owner.execute("update evidence set version_id = '0'")
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("missing", "store.absent")
    assert await field.entries("evidence.lost") == 1
    assert (await phone.complete(shot)).json()["state"] == "received"
    await work.drain()
    assert (await row(field, shot))["state"] == "sealed"
