"""Exports of lists: what the orderer may see, in four forms, flat in memory, ended in time."""

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from python_calamine import CalamineWorkbook

from backend import jobs
from backend.db.queries.listings import LISTINGS
from backend.services import listings
from backend.services.errors import Absent, Denied
from backend.services.listings import Filters, NewExport, expiry, running, writer
from backend.services.occurrences import NATION
from media.bucket import Bucket
from media.rooms import Room, StoreAbsent
from tests import casework, world
from tests.casework import Matter
from tests.conftest import StillClock, Work

SPITEFUL = '=HYPERLINK(1),"x"\r\n＝2'


@pytest.fixture
async def matter(app: Litestar, owner: asyncpg.Connection, clock: StillClock) -> Matter:  # noqa: ARG001
    return await casework.a_matter(owner, clock())


async def written(work: Work) -> None:
    while await jobs.lister.once(work.context):
        pass


async def file_of(owner: asyncpg.Connection, s3: Bucket, ident: UUID) -> bytes:
    row = await owner.fetchrow("select * from export_order where id = $1", ident)
    assert (row["progress"], row["fault"]) == ("done", None)
    raw = s3.fetch(Room.EXPORTS, row["object_key"], limit=200_000_000)
    assert (sha256(raw).hexdigest(), len(raw)) == (row["sha256"], row["size"])
    return raw


async def exported(
    who: world.Login,
    clock: StillClock,
    work: Work,
    s3: Bucket,
    owner: asyncpg.Connection,
    name: str,
    form: Any,
    **filters: Any,
) -> bytes:
    new = NewExport(list=name, form=form, filters=Filters(**filters))
    made = await listings.order(new, act=who.act(clock()))
    await written(work)
    return await file_of(owner, s3, made.id)


def table(raw: bytes) -> list[list[str]]:
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


async def test_every_list_is_written_in_every_form(
    matter: Matter, clock: StillClock, work: Work, s3: Bucket, owner: asyncpg.Connection
) -> None:
    await casework.served(matter, clock())
    await work.drain()
    roles = ("supervisor", "approver", "legal", "publisher", "integrator")
    who = await world.a_person(clock(), *roles, region=world.SHANDONG)
    audit = await world.a_person(clock(), "auditadmin", region=world.SHANDONG)
    await owner.execute("update institution set lat_e7 = 1, lon_e7 = 2, crs = 'wgs84'")
    offered = {one.name: one for p in (who, audit) for one in listings.offered(p.person)}
    assert set(offered) == set(LISTINGS)
    made = [
        await listings.order(NewExport(list=one.name, form=form), act=p.act(clock.tick(minutes=3)))
        for p in (who, audit)
        for one in listings.offered(p.person)
        for form in ("csv", "geojson")
    ]
    assert {one.forms for one in offered.values()} == {listings.FORMS}
    await written(work)
    filled, located = {}, {}
    for one in made:
        raw = await file_of(owner, s3, one.id)
        if one.form == "csv":
            filled[one.list] = len(table(raw)) - 1
        else:
            features = json.loads(raw)["features"]
            located[one.list] = sum(feature["geometry"] is not None for feature in features)
            assert len(features) >= filled[one.list]
    assert filled["notices"] == filled["findings"] == filled["visits"] == 1
    assert located["notices"] == located["findings"] == located["visits"] == 1
    assert filled["audit"] > 5 > located["audit"] == 0
    assert filled["people"] > 2


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
async def test_nothing_in_a_cell_runs(
    matter: Matter,
    clock: StillClock,
    work: Work,
    s3: Bucket,
    owner: asyncpg.Connection,
    form: Any,
) -> None:
    await owner.execute("update finding set detail = $1", SPITEFUL)
    raw = await exported(matter.office.author, clock, work, s3, owner, "findings", form)
    place = [key for key, _ in LISTINGS["findings"].columns].index("detail")
    match form:
        case "csv":
            assert table(raw)[1][place] == "'" + SPITEFUL
        case "xlsx":
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
            assert sheet.to_python()[1][place].replace("_x000D_", "\r") == SPITEFUL
        case _:
            assert json.loads(raw)[0]["detail"] == SPITEFUL


async def test_filters_narrow_and_a_stranger_gets_nothing(
    matter: Matter, clock: StillClock, work: Work, s3: Bucket, owner: asyncpg.Connection
) -> None:
    other = await casework.a_matter(owner, clock(), office=matter.office)
    await casework.served(matter, clock())
    author = matter.office.author

    async def count(who: world.Login, name: str, **filters: Any) -> int:
        raw = await exported(who, clock, work, s3, owner, name, "json", **filters)
        return len(json.loads(raw))

    day = clock().date()
    assert await count(author, "visits") == 2
    assert await count(author, "visits", institution=other.institution) == 1
    assert await count(author, "notices", state="served", region=world.WEIHAI) == 1
    assert await count(author, "notices", state="closed") == 0
    assert await count(author, "visits", kind="training_site") == 2
    assert await count(author, "visits", kind="exam_patrol") == 0
    assert await count(author, "institutions", search="NO SUCH") == 0
    assert await count(author, "visits", since=day, until=day) == 2
    assert await count(author, "visits", since=day + timedelta(days=1)) == 0
    stranger = await world.a_person(clock(), "supervisor", region=world.JINAN)
    assert await count(stranger, "visits") == 0
    await owner.execute(
        "update visit set sealed_until = $2 where id = $1",
        other.visit,
        clock() + timedelta(days=1),
    )
    assert await count(author, "visits") == 1
    # An institution has its own papers, as its pages show them.
    assert await count(matter.user, "notices") == 1
    assert await count(other.user, "notices") == 0


async def test_an_order_is_checked_found_again_cancelled_and_its_owners_alone(
    matter: Matter,
    clock: StillClock,
    work: Work,
    client: httpx.AsyncClient,
) -> None:
    author = matter.office.author
    act = author.act(clock())
    for new, refusal in (
        (NewExport(list="nothing", form="csv"), listings.ListUnknown),
        (
            NewExport(list="catalogue", form="csv", filters=Filters(state="x")),
            listings.FilterUnknown,
        ),
        (NewExport(list="audit", form="csv"), Denied),
    ):
        with pytest.raises(refusal):
            await listings.order(new, act=act)
    headers = await world.signed_in(client, author)
    asked = {"list": "visits", "form": "csv", "filters": {"region": world.WEIHAI}}
    answer = await client.post("/api/v1/exports", json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    path = f"/api/v1/exports/{answer.json()['id']}"
    early = await client.get(f"{path}/file", headers=headers)
    assert early.json()["code"] == "listing.not_there"
    colleague = matter.office.other.act(clock())
    with pytest.raises(Absent):
        await listings.get(UUID(answer.json()["id"]), act=colleague)
    gone = await client.post(f"{path}/cancellation", headers=headers)
    assert gone.json()["progress"] == "cancelled"
    await written(work)
    assert (await client.get(path, headers=headers)).json()["progress"] == "cancelled"
    again = await client.post(f"{path}/cancellation", headers=headers)
    assert again.json()["code"] == "listing.over"
    assert len((await client.get("/api/v1/exports", headers=headers)).json()) == 1


async def test_cancelled_while_it_is_written_nothing_is_left(
    matter: Matter,
    clock: StillClock,
    work: Work,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await owner.execute(
        "insert into visit select (jsonb_populate_record(v, jsonb_build_object('id',"
        " gen_random_uuid(), 'code', 'X-' || n))).* from visit v, generate_series(1, 30) n"
    )
    monkeypatch.setattr(running, "BATCH", 10)
    act = matter.office.author.act(clock())
    made = await listings.order(NewExport(list="visits", form="csv"), act=act)
    holds = 0

    async def hold() -> None:
        nonlocal holds
        holds += 1
        await owner.execute("update export_order set progress = 'cancelled', ended_at = now()")

    tools = running.Tools(bucket=work.context.bucket, clock=clock, hold=hold)
    await running.write(made.id, act=work.context.act(NATION), tools=tools)
    held = await listings.get(made.id, act=act)
    assert (held.progress, held.done_rows, holds) == ("cancelled", 10, 1)


async def test_a_file_ends_after_its_days_and_a_document_never(
    matter: Matter, clock: StillClock, work: Work, s3: Bucket, owner: asyncpg.Connection
) -> None:
    act = matter.office.author.act(clock())
    made = await listings.order(NewExport(list="visits", form="csv"), act=act)
    await written(work)
    key = await owner.fetchval("select object_key from export_order")
    s3.put(Room.EXPORTS, "documents/1/x.pdf", b"paper", "application/pdf")
    clock.tick(days=6)
    assert await expiry.sweep(act=work.context.act(NATION), bucket=s3) == 0
    clock.tick(days=2)
    assert await expiry.sweep(act=work.context.act(NATION), bucket=s3) == 1
    assert await expiry.sweep(act=work.context.act(NATION), bucket=s3) == 0
    with pytest.raises(StoreAbsent):
        s3.head(Room.EXPORTS, key)
    assert s3.head(Room.EXPORTS, "documents/1/x.pdf").size == 5
    held = await listings.get(made.id, act=matter.office.author.act(clock()))
    assert held.deleted_at == clock()
    with pytest.raises(listings.NotThere):
        await listings.link(made.id, act=matter.office.author.act(clock()), bucket=s3)


CELLS = st.one_of(st.none(), st.integers(-(10**18), 10**18), st.text(max_size=20))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_csv_keeps_any_cell_and_no_cell_runs(rows: list[list[Any]]) -> None:
    with TemporaryDirectory() as folder:
        path = f"{folder}/x.csv"
        writer.write_csv(path, {"heads": ["a", "b"]}, iter([rows]))
        with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
            read = list(csv.reader(file))[1:]
    for row, was in zip(read, rows, strict=True):
        for cell, held in zip(row, was, strict=True):
            runs = isinstance(held, str) and held[:1] in writer.ACTIVE and held != ""
            assert cell == ("'" if runs else "") + ("" if held is None else str(held))


def test_texts_name_every_list_and_column() -> None:
    assert set(listings.texts().lists) == set(LISTINGS)
