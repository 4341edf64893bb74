"""The restore drill: played on real servers, backed up, lost, restored, proved, healed."""

import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from backend.commands import backup, office, restore
from backend.embedded.supervisor import start
from backend.keyring import open_keyring
from backend.services import recovery
from backend.services.backups import checking
from backend.services.log_proofs import log_verify
from backend.settings import Settings
from media import base64url, receipt
from media.bucket import Bucket, Room
from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.backend.elsewhere import an_app, own_pools
from tests.bench import bench_backup
from tests.conftest import StillClock, Work, superuser
from tests.phone import Capture, Phone

ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that the servers' user can reach."""
    place = Path(tempfile.mkdtemp(prefix="mingcha 备份 "))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def put(phone: Phone, capture: Capture) -> None:
    """Uploaded and completed; one that is there already is completed only."""
    assert (await phone.upload(capture)).status_code in (200, 412)
    done = await phone.complete(capture)
    assert done.status_code == 200, done.text


async def receipts(phone: Phone) -> dict[str, dict[str, Any]]:
    """The phone's receipts by evidence."""
    got = (await phone.get("/api/v1/devices/me/receipts"))["receipts"]
    return {one["evidence"]: one for one in got}


async def taken(settings: Settings, root: Path) -> checking.Set:
    with own_pools():
        return await backup.back_up(settings, root)


def moved(data: Path, source: Path, keys: Path) -> Namespace:
    """What the command line says to restore."""
    return Namespace(data=data, source=source, set=None, keys=keys, keys_file=None, port=8000)


async def test_lost_restored_proved_and_healed(
    field: worlds.Field, work: Work, settings: Settings, shelf: Path
) -> None:
    phone, base = field.phone, settings.log_origin
    admins = [await world.a_person(field.clock(), one) for one in ("sysadmin", "secadmin")]
    shots = [phone.capture(worlds.a_jpeg(seed)) for seed in (1, 2, 3)]
    answers = [worlds.an_answer()]
    await phone.send(phone.op("visit.start", {}), phone.op("answer.set", {"answers": answers}))
    await phone.send(phone.op("evidence.declare", shots[0].body))
    await put(phone, shots[0])
    await work.drain()
    first = await taken(settings, shelf)
    await phone.send(*(phone.op("evidence.declare", one.body) for one in shots[1:]))
    await put(phone, shots[1])
    await work.drain()
    await worlds.signed(phone, *field.inspectors[:2])
    second = await taken(settings, shelf)
    assert second.manifest.previous == first.name
    assert second.manifest.damaged == ()
    assert second.manifest.pending > 0
    room = second.manifest.rooms[Room.ORIGINALS]
    assert (room.objects - room.new_objects, room.new_objects) == (
        first.manifest.rooms[Room.ORIGINALS].objects,
        1,
    )
    known = phone.seq
    late = [
        phone.op(
            "visit.finalize",
            {
                "items": [one.listed for one in shots],
                "answers_sha": worlds.answers_sha(answers),
            },
        )
    ]
    await phone.send(*late)
    await put(phone, shots[2])
    await work.drain()
    assert await field.state() == "complete"
    lost = await field.owner.fetchval("select max(size) from aud.checkpoint")

    args = moved(shelf / "office", shelf, settings.keys)
    found = restore.prepared(args)
    assert office.unfinished(args.data)
    with start(args.data / "servers", origin=ORIGIN) as running:
        made = office.settings_of(running, args.data, ORIGIN)
        made = msgspec.structs.replace(made, log_origin=base, duties=())
        with own_pools():
            report = await restore.bring_back(found, made)
        assert report.pending == second.manifest.pending
        assert report.objects == sum(one.objects for one in second.manifest.rooms.values())
        old = await asyncpg.connect(superuser(running))
        async with an_app(made, field.clock) as (app, http):
            there = worlds.Field(
                field.desk, http, old, field.institution, field.inspectors, [phone], field.visit
            )
            phone.http, phone.nonce = http, ""
            await healed(there, Work(app.state.jobs), late, known, shots)
            assert (await http.get("/api/v1/health")).json()["log"] == "halted"
            await let_go_on(http, admins, Work(app.state.jobs))
            await proved(there, made, shots)
        await old.close()
    assert lost > second.manifest.head_size


async def healed(
    there: worlds.Field, work: Work, late: list[bytes], known: int, shots: list[Capture]
) -> None:
    """The phone is ahead of the cursor: it sends again what the office has lost."""
    phone = there.phone
    cursor = await phone.get(f"/api/v1/devices/me/cursor?inst_epoch={phone.inst_epoch}")
    assert cursor["max_contiguous"] == known
    assert phone.seq == known + len(late)
    again = await phone.send(*late)
    assert [one["result"] for one in again] == ["applied"]
    await put(phone, shots[2])
    await work.drain()
    states = await there.owner.fetch("select state from evidence order by seq")
    assert [one["state"] for one in states] == ["sealed", "sealed", "verified"]
    assert await there.state() == "complete"
    assert set(await receipts(phone)) == {shots[0].id, shots[1].id}


async def let_go_on(http: httpx.AsyncClient, admins: list[world.Login], work: Work) -> None:
    """Two administrators recover the log."""
    first, other = [await world.signed_in(http, one) for one in admins]
    path = "/api/v1/log/recoveries/"
    body = {"reason": "演练：自备份恢复"}
    assert (await http.post(f"{path}proposal", json=body, headers=first)).status_code == 200
    assert (await http.post(f"{path}approval", headers=other)).status_code == 200
    await work.drain()
    assert (await http.get("/api/v1/health")).json()["log"] == "signing"


async def proved(there: worlds.Field, made: Settings, shots: list[Capture]) -> None:
    """Every hash, every receipt of both epochs, the whole log, every lock."""
    keys, store = open_keyring(made.keys), Bucket.of(made.store)
    log = receipt.Log(made.log_origin, keys.log.public)
    held = await receipts(there.phone)
    assert set(held) == {one.id for one in shots}
    origins = set()
    for shot in shots:
        one = held[shot.id]
        signed = receipt.SignedReceipt(one["receipt"].encode(), base64url.decode(one["signature"]))
        said = receipt.verify(signed, public=keys.server.public, log=log)
        assert (said.state, said.sha256) == ("sealed", shot.sha256)
        assert said.checkpoint is not None
        origins.add(said.checkpoint.partition("\n")[0])
        row = await there.owner.fetchrow(
            "select object_key, version_id from evidence where id = $1", UUID(shot.id)
        )
        place = (Room.ORIGINALS, row["object_key"], row["version_id"])
        assert store.rehash(*place).sha256 == shot.sha256
        lock = store.facts(*place).lock
        assert lock.hold
        assert lock.until is not None
        assert lock.until > there.clock()
    assert len(origins) == 2
    report = await log_verify(origin=made.log_origin, public=keys.log.public)
    assert report.faults == ()
    (halt,) = await recovery.history()
    assert (halt.cause, halt.known_from) == ("restored", "backup")
    assert (
        await there.owner.fetchval("select count(*) from aud.entry where tree_index is null") == 0
    )


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_thousand_pieces_are_back_within_a_quarter_of_an_hour() -> None:
    """Backed up, then restored with every hash, lock and entry proved: goal 31, the RTO."""
    with own_pools():
        figures = bench_backup.run()
    sys.stdout.write("".join(f"{one}\n" for one in figures))
    assert [one.name for one in figures if one.word == "MISS"] == []
