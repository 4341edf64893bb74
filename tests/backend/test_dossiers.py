"""Evidence bundles of real visits: ordered, made, fetched, and checked by three programs."""

import asyncio
import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id, token
from backend.services import cases, devices, documents, dossiers, tasks
from backend.services.documents import issuing
from backend.services.documents.issuing import Stamp
from backend.services.dossiers import NewDossier
from backend.services.errors import ServiceRefusal
from media.dossier.program import programs
from media.offline import report
from tests import casework, world
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture

Made = Callable[..., Awaitable[tuple[dict[str, Any], bytes]]]


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


async def finished(work: Work, clock: StillClock) -> None:
    """All background work, bundles included; the log numbers an order before it is read."""
    await work.drain()
    while await exported(work):
        clock.tick(seconds=2)
        await work.drain()


async def exported(work: Work) -> int:
    from backend import jobs  # noqa: PLC0415 - as conftest has it

    return await jobs.exporter.once(work.context)


async def sealed(field: worlds.Field, work: Work, count: int = 2) -> list[Capture]:
    """Pictures of the visit that were sent, verified and sealed."""
    phone, shots = field.phone, []
    await phone.send(phone.op("visit.start", {}))
    for number in range(count):
        shot = phone.capture(worlds.a_jpeg(number + 1))
        await phone.send(phone.op("evidence.declare", shot.body))
        assert (await phone.upload(shot)).status_code == 200
        await phone.complete(shot)
        shots.append(shot)
    await work.drain()
    return shots


@pytest.fixture
def made(field: worlds.Field, work: Work, client: httpx.AsyncClient, clock: StillClock) -> Made:
    """Order over HTTP, let it be made, fetch it."""

    async def make(who: world.Login, **body: Any) -> tuple[dict[str, Any], bytes]:
        headers = await world.signed_in(client, who)
        asked = {"purpose": "案件复核", "visit": str(field.visit)} | body
        answer = await client.post("/api/v1/dossiers", json=asked, headers=headers)
        assert answer.status_code == 201, answer.text
        await finished(work, clock)
        path = f"/api/v1/dossiers/{answer.json()['id']}"
        told = (await client.get(path, headers=headers)).json()
        assert told["state"] == "done", told
        place = await client.get(f"{path}/file", headers=headers, follow_redirects=False)
        assert place.status_code == 303
        assert place.headers["referrer-policy"] == "no-referrer"
        async with httpx.AsyncClient() as store:
            file = await store.get(place.headers["location"])
        assert file.headers["content-disposition"].startswith("attachment")
        return told, file.content

    return make


def read(raw: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(raw))


def lines(folder: Path, raw: bytes, *trust: str) -> list[str]:
    """What the Python verifier says, run alone by a bare interpreter without our packages."""
    file = folder / "bundle.zip"
    file.write_bytes(raw)
    (folder / "verify.py").write_bytes(programs()["verify.py"])
    words = [sys.executable, "-I", str(folder / "verify.py"), str(file), "--lines"]
    words += [word for one in trust for word in ("--trust", one)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    assert done.stderr == ""
    return done.stdout.splitlines()


async def test_a_visits_bundle_is_verified_by_a_stranger(
    field: worlds.Field, made: Made, work: Work, tmp_path: Path
) -> None:
    shots = await sealed(field, work)
    waiting = field.phone.capture(worlds.a_jpeg(77))
    await field.phone.send(field.phone.op("evidence.declare", waiting.body))
    # A directory may hold a name that is no canonical text; a bundle spells it canonically.
    await field.owner.execute("update institution set name = $1", "某 cafe\u0301 培训学校")
    told, raw = await made(field.desk.who, witness="纪检组 王某")
    assert (told["pieces"], told["left_out"], told["size"]) == (2, 1, len(raw))
    assert told["done_bytes"] == told["total_bytes"] > 0
    found = lines(tmp_path, raw)
    assert found[-1] == "verdict verified", found
    assert "check V9 none" in found
    assert sum(line.startswith("item ") and " ok " in line for line in found) == 2
    with read(raw) as bundle:
        assert bundle.testzip() is None
        for shot in shots:
            assert bundle.read(f"originals/{shot.id}.jpg") == shot.raw
        said = json.loads(bundle.read("extraction.json"))
        assert said["witness"] == "纪检组 王某"
        assert said["by"]["role"] == "supervisor"
        assert said["subject"]["institution"] == "某 caf\u00e9 培训学校"
        assert [one["id"] for one in said["left_out"]] == [waiting.id]
        assert "不证明" in bundle.read("README.zh.txt").decode()
        environment = json.loads(bundle.read("environment.json"))
        assert {"time_stamp", "virus_scan", "store_selfcheck"} <= set(environment["skipped"])
        verbs = [row[3] for row in csv.reader(io.StringIO(bundle.read("custody.csv").decode()))]
        assert {"evidence.received", "evidence.verified", "dossier.ordered"} <= set(verbs)
    assert await field.entries("dossier.made") == await field.entries("dossier.fetched") == 1


async def test_the_shell_agrees_on_the_unpacked_folder(
    field: worlds.Field, made: Made, work: Work, tmp_path: Path
) -> None:
    await sealed(field, work, 1)
    _, raw = await made(field.desk.who)
    folder = tmp_path / "unpacked"
    with read(raw) as bundle:
        bundle.extractall(folder)
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", str(folder / "verify.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if not line.startswith("note ")]
    assert (done.returncode, done.stderr, told[-1]) == (3, "", "verdict partial"), told
    same = list(report.lines(report.examine(folder, [])))
    assert [line.replace("V3 ok", "V3 not-checked") for line in same] == told


async def test_a_revoked_key_is_said_with_its_time(
    field: worlds.Field,
    made: Made,
    work: Work,
    clock: StillClock,
    tmp_path: Path,
) -> None:
    """Lost after the visit: the pieces hold. Compromised before it: they do not, admitted or not.

    An earlier loss comes to light later, so the pieces were verified in good faith.
    """
    await sealed(field, work, 1)
    at = clock.tick(minutes=5)
    await devices.revoke(field.phone.dev, act=field.desk.act)
    _, raw = await made(field.desk.who)
    found = lines(tmp_path, raw)
    assert found[-1] == "verdict verified"
    ms = int(at.timestamp() * 1000)
    assert any(f"key=ok,revoked@{ms}" in line for line in found), found
    other = field.phones[1]
    await other.fetch_task(field.visit)
    shot = other.capture(worlds.a_jpeg(9))
    await other.send(other.op("evidence.declare", shot.body))
    await other.upload(shot)
    await other.complete(shot)
    await work.drain()
    at = clock.tick(minutes=5)
    since = at - timedelta(hours=1)
    await devices.revoke(other.dev, act=field.desk.act, compromised_since=since)
    _, raw = await made(field.desk.who)
    found = lines(tmp_path, raw)
    ms = int(at.timestamp() * 1000)
    assert found[-1] == "verdict rejected"
    assert f"fault V5 key.revoked {shot.id} {ms}" in found
    assert f"item {shot.id} revoked" in "\n".join(found)


async def test_an_institution_gets_hashes_of_pictures_not_pictures(
    field: worlds.Field, made: Made, work: Work, tmp_path: Path
) -> None:
    shots = await sealed(field, work, 2)
    await field.owner.execute(
        "update evidence set disclosed = true where id = $1", UUID(shots[0].id)
    )
    await field.owner.execute("update visit set state = 'concluded'")
    user = await world.a_person(
        field.clock(), "institution_user", region=world.SHANDONG, institution=field.institution
    )
    told, raw = await made(user, audience="office")
    assert (told["audience"], told["pieces"]) == ("institution", 1)
    found = lines(tmp_path, raw)
    assert found[-1] == "verdict verified", found
    assert any("original=withheld" in line for line in found)
    with read(raw) as bundle:
        names = bundle.namelist()
        assert not [name for name in names if name.startswith(("originals/",))]
        assert shots[1].id not in "".join(names)
        assert shots[0].sha256 in bundle.read(f"manifests/{shots[0].id}.json").decode()
        assert field.desk.who.person.name not in bundle.read("custody.csv").decode()


async def test_a_bundle_can_be_cancelled_and_ten_an_hour_is_the_most(
    field: worlds.Field, work: Work, clock: StillClock, client: httpx.AsyncClient
) -> None:
    await sealed(field, work, 1)
    act = field.desk.act
    new = NewDossier(visit=field.visit, purpose="试")
    orders = [await dossiers.order(new, act=act) for _ in range(dossiers.HOURLY)]
    with pytest.raises(dossiers.TooOften):
        await dossiers.order(new, act=act)
    ended = await dossiers.cancel(orders[0].id, act=act)
    assert ended.state == "cancelled"
    with pytest.raises(dossiers.Over):
        await dossiers.cancel(orders[0].id, act=act)
    with pytest.raises(dossiers.NotThere):
        await dossiers.link(orders[0].id, act=act, bucket=work.context.bucket)
    await finished(work, clock)
    listed = await dossiers.page(act=act, visit=field.visit)
    assert [one.state for one in listed] == ["done"] * 9 + ["cancelled"]
    clock.tick(hours=2)
    assert (await dossiers.order(new, act=field.desk.act)).state == "running"
    headers = await world.signed_in(
        client, await world.a_person(clock(), "supervisor", region=world.SHANXI)
    )
    for ident in (orders[1].id, new_id()):
        answer = await client.get(f"/api/v1/dossiers/{ident}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "thing.absent")


async def test_a_lost_original_is_named_and_never_silent(
    field: worlds.Field, made: Made, work: Work, tmp_path: Path
) -> None:
    """The object of one row is another's: it does not come as the original it is not."""
    shots = await sealed(field, work, 2)
    key = await field.owner.fetchval(
        "select object_key from evidence where id = $1", UUID(shots[1].id)
    )
    await field.owner.execute(
        "update evidence set object_key = $2, version_id = null where id = $1",
        UUID(shots[0].id),
        key,
    )
    _, raw = await made(field.desk.who)
    with read(raw) as bundle:
        items = {one["id"]: one for one in json.loads(bundle.read("extraction.json"))["items"]}
    assert items[shots[0].id]["withheld"] == "missing_or_altered"
    assert "file" in items[shots[1].id]
    assert lines(tmp_path, raw)[-1] == "verdict verified"


async def test_a_bundle_is_of_one_thing(field: worlds.Field) -> None:
    for new in (
        NewDossier(purpose="试"),
        NewDossier(purpose="试", visit=field.visit, case_id=new_id()),
    ):
        with pytest.raises(dossiers.DossierAboutNothing):
            await dossiers.order(new, act=field.desk.act)
    with pytest.raises(ServiceRefusal) as absent:
        await dossiers.order(NewDossier(purpose="试", visit=new_id()), act=field.desk.act)
    assert absent.value.code == "thing.absent"


async def test_the_programs_and_fingerprints_are_public(
    field: worlds.Field, made: Made, work: Work, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """What the page shows is what a verifier finds in a bundle; programs come as attachments."""
    await sealed(field, work, 1)
    _, raw = await made(field.desk.who)
    page = await client.get("/bundles/check")
    assert page.status_code == 200
    prints = [line.split()[2] for line in lines(tmp_path, raw) if line.startswith("key ")]
    assert "trust ok" in lines(tmp_path, raw, *prints)
    for text in prints:
        assert text in page.text
    for name, content in programs().items():
        answer = await client.get(f"/{name}")
        assert answer.content == content
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert sha256(content).hexdigest() in page.text
        again = await client.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


async def test_a_bundle_whose_maker_died_is_made_by_the_next(
    field: worlds.Field, work: Work, clock: StillClock
) -> None:
    await sealed(field, work, 1)
    act = field.desk.act
    asked = await dossiers.order(NewDossier(visit=field.visit, purpose="试"), act=act)
    await work.drain()
    [lost] = await tasks.claim(dossiers.QUEUE, at=clock(), limit=1)
    assert await exported(work) == 0
    clock.tick(seconds=tasks.LEASE_S + 1)
    await tasks.hold(lost.id, at=clock())
    assert await exported(work) == 0
    clock.tick(seconds=tasks.LEASE_S + 1)
    assert await exported(work) == 1
    done = await dossiers.dossier(asked.id, act=act)
    assert done.state == "done"
    await making_again(work, lost)
    assert await dossiers.dossier(asked.id, act=act) == done


async def making_again(work: Work, task: tasks.Task) -> None:
    """The one that was thought dead comes back: it changes nothing."""
    from backend import jobs  # noqa: PLC0415 - as above

    await jobs.worker.HANDLERS[task.kind](task, work.context)


async def test_a_cases_bundle_holds_what_its_findings_lean_on(
    field: worlds.Field, made: Made, work: Work, clock: StillClock, tmp_path: Path
) -> None:
    shots = await sealed(field, work, 1)
    matter = await casework.a_matter(field.owner, clock())
    grave = await casework.another(field.owner, matter, clock(), "TI_02")
    author = matter.office.author
    case = await cases.open_critical(
        (grave.findings[0].id,), reason="目录外开班", act=author.act(clock())
    )
    await field.owner.execute(
        "update finding set visit = $1 where id = $2", field.visit, grave.findings[0].id
    )
    told, raw = await made(field.desk.who, visit=None, case_id=str(case.id))
    assert (told["case_file"], told["visit"], told["pieces"]) == (str(case.id), None, 1)
    found = lines(tmp_path, raw)
    assert found[-1] == "verdict verified"
    assert any(line.startswith(f"item {shots[0].id} ok") for line in found)
    assert "case_pdf" in skipped(raw)
    stamp = Stamp(secret=token(16), origin="https://mingcha.invalid")
    paper = await issuing.issue("case_index", case.id, act=author.act(clock()), stamp=stamp)
    await set_in_type(work)
    _, raw = await made(field.desk.who, visit=None, case_id=str(case.id))
    assert lines(tmp_path, raw)[-1] == "verdict verified"
    assert "case_pdf" not in skipped(raw)
    with read(raw) as bundle:
        pdf = bundle.read("case.pdf")
        said = json.loads(bundle.read("extraction.json"))["case"]
        entry = json.loads(bundle.read(f"log/{said['entry']}.json"))
    known = await documents.get(paper.id, act=author.act(clock()))
    assert pdf.startswith(b"%PDF-")
    assert sha256(pdf).hexdigest() == known.sha256 == entry["after_sha"]
    assert (said["id"], said["number"]) == (str(paper.id), paper.number)


def skipped(raw: bytes) -> list[str]:
    """What a bundle says that it does without."""
    with read(raw) as bundle:
        found: list[str] = json.loads(bundle.read("environment.json"))["skipped"]
        return found


async def set_in_type(work: Work) -> None:
    """Documents that wait are set, and entered."""
    from backend import jobs  # noqa: PLC0415 - as above

    while await jobs.printer.once(work.context):
        await work.drain()
