"""A phone's tasks with their rosters: all 500 at first, and what changed since."""

import time
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
import uvloop

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import sheet_versions, visits
from backend.services.visits import NewAssignment, NewVisit
from inspection_plans import loader
from inspection_plans.sheets import Sheet
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.bench import rig
from tests.bench.crew import wire
from tests.bench.figures import Figure, median
from tests.bench.rig import Request, Stand
from tests.field import a_phone
from tests.phone import Phone

TASKS, ROSTER, ROUNDS, CHANGED = 500, 40, 5, 10
SHEET = "CV"
CLASSES = """
insert into training_class (id, region, institution, code, title, occupation, level, mode,
  venue_region, venue, teacher, starts_on, ends_on, status, created_at)
select (lpad(to_hex(1700000000000 + n), 12, '0') || '71008000000000000000')::uuid, 370000, $1,
  'S' || n, '虚构班' || n, 'big-data', 'junior', 'offline', 371000, '虚构路', '虚构教师',
  '2026-01-01', '2026-12-31', 'running', now() from generate_series(1, $2::int) n
returning id
"""
TRAINEES = """
insert into trainee (id, region, institution, training_class, roster_no, name, id_tail)
select (lpad(to_hex(1700000000000 + row_number() over (order by c, n)), 12, '0')
    || '72008000000000000000')::uuid, 370000, $1, c, n, '虚构学员' || n, lpad(n::text, 4, '0')
from unnest($2::uuid[]) c, generate_series(1, $3::int) n
"""
MOVE = "update visit set on_date = on_date + 1 where id = any ($1)"
ENROL = "update trainee set name = name || '甲' where training_class = any ($1)"


def run() -> list[Figure]:
    """First and later syncs of five inspectors with 500 tasks each, on servers of its own."""

    async def measure() -> list[Figure]:
        async with rig.stand(running) as stand:
            return await _measure(stand)

    with rig.servers() as running:
        return uvloop.run(measure())


async def _measure(stand: Stand) -> list[Figure]:
    owner = await stand.owner()
    phones, mine, classes = await _world(stand, owner)
    times: dict[str, list[float]] = {"first": [], "idle": [], "moved": [], "rosters": []}
    size = 0
    for number, phone in enumerate(phones):
        took, body = await _sync(stand, phone, "0")
        times["first"].append(took)
        size, cursor = len(body), msgspec.json.decode(body)["cursor"]
        times["idle"].append((await _sync(stand, phone, cursor))[0])
        await owner.execute(MOVE, mine[number][:CHANGED])
        took, body = await _sync(stand, phone, cursor)
        times["moved"].append(took)
        cursor = _told(body)
        await owner.execute(ENROL, classes[:CHANGED])
        took, body = await _sync(stand, phone, cursor)
        times["rosters"].append(took)
        _told(body)
    await owner.close()
    tasks = f"{TASKS} tasks with rosters of {ROSTER}"
    return [
        median(f"sync: first, {tasks}", times["first"], "s", target=2.0),
        median(f"sync: later, {CHANGED} tasks changed", times["moved"], "s", target=0.2),
        median(f"sync: later, {CHANGED} rosters changed", times["rosters"], "s", target=0.2),
        median("sync: later, nothing changed", times["idle"], "s", target=0.2),
        Figure("sync: size of the first", size / 1e6, "MB"),
    ]


def _told(body: bytes) -> str:
    """The cursor of an answer that told what changed; anything else is a fault of the bench."""
    bundle = msgspec.json.decode(body)
    if len(bundle["tasks"]) != CHANGED:
        raise RuntimeError(f"{len(bundle['tasks'])} tasks, not {CHANGED}")
    cursor: str = bundle["cursor"]
    return cursor


async def _sync(stand: Stand, phone: Phone, since: str) -> tuple[float, bytes]:
    request = Request("GET", "/api/v1/tasks", wire(phone.headers), query=f"since={since}".encode())
    began = time.perf_counter()
    body = await stand.call(request)
    return time.perf_counter() - began, body


async def _world(
    stand: Stand, owner: asyncpg.Connection
) -> tuple[list[Phone], list[list[UUID]], list[UUID]]:
    """Inspectors with phones, their visits in order, and the classes these are about."""
    rules, at = loader.load(), stand.clock()
    who = await world.a_person(at, "supervisor", office=await world.an_office(at))
    desk = Desk(who, stand.clock, rules, owner)  # type: ignore[arg-type]  # real time
    await desk.take("institutions", sheets.an_institution())
    await desk.take("inspectors", *(sheets.an_inspector(n + 1) for n in range(ROUNDS)))
    institution = await desk.id_of("institution")
    classes = [row["id"] for row in await owner.fetch(CLASSES, institution, TASKS)]
    await owner.execute(TRAINEES, institution, classes, ROSTER)
    rows = await owner.fetch("select id from inspector order by id")
    transport = httpx.ASGITransport(app=stand.app)  # type: ignore[arg-type]  # ASGI's own dicts
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        phones = [await a_phone(desk, http, row["id"]) for row in rows]
    place, day = loader.jurisdiction_of(world.SHANDONG), at.date()
    sheet = loader.applied_sheet(SHEET, place, day)[0]
    mine = [await _visits(desk, institution, one.inspector, classes, sheet) for one in phones]
    await owner.execute("vacuum (analyze)")
    return phones, mine, classes


async def _visits(
    desk: Desk, institution: UUID, inspector: UUID, classes: list[UUID], sheet: Sheet
) -> list[UUID]:
    now = desk.clock()
    rows = [
        NewVisit(
            id=new_id(),
            region=world.SHANDONG,
            institution=institution,
            code=f"SYNC-{inspector.hex[-6:]}-{number:04d}",
            kind="class_session",
            unannounced=True,
            selection="random",
            sheet=SHEET,
            sheet_digest=sheet.version,
            jurisdiction=loader.jurisdiction_of(world.SHANDONG),
            on_date=now.date(),
            sealed_until=now - timedelta(minutes=1),
            team=(NewAssignment(inspector, 1, lead=True),),
            training_class=training_class,
        )
        for number, training_class in enumerate(classes)
    ]
    async with DB.transaction(desk.act.by.scope):
        await sheet_versions.keep([sheet], act=desk.act)
        await visits.create(rows, act=desk.act)
    return [row.id for row in rows]
