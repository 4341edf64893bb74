"""Inspectors with enrolled phones and visits to be made, by the services, and their requests."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import sheet_versions, visits
from backend.services.visits import NewAssignment, NewVisit
from inspection_plans import loader
from inspection_plans.library import Library
from inspection_plans.sheets import Item, Sheet
from media import canon, ops
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.bench.rig import Request, Stand
from tests.field import a_phone, undemanding
from tests.inspection_plans.test_checklist import good_answer
from tests.phone import Capture, Phone, answers_sha, batch

SHEET, ANSWERS, CAPTURES = "TI", 60, 2
INSTITUTIONS = 20
# A phone may make 20 calls a second: enough phones that the pace is nobody's limit here.
PHONES = 24
# Every tenth answer carries words of its own, so that it is judged anew and not remembered.
REMARK_EVERY = 10

# The bytes of a visit's n-th capture.
Picture = Callable[[str, int], bytes]


def words(visit: str, n: int) -> bytes:
    """Bytes enough to be declared; nobody sends them."""
    return f"{visit} {n}".encode() * 8


def widen(library: Library, day: date) -> Sheet:
    """The sheet of the day with 60 items: the longest real one has 34, so items come twice."""
    real = undemanding(library.sheet(SHEET, loader.jurisdiction_of(world.SHANDONG), day))
    codes = [f"{SHEET}-{number:02d}" for number in range(1, ANSWERS + 1)]
    plain = [dataclasses.replace(item, relevant=None, constraints=()) for item in real.items]
    items = tuple(
        dataclasses.replace(plain[n % len(plain)], code=code) for n, code in enumerate(codes)
    )
    return dataclasses.replace(real, items=items)


@dataclass(frozen=True)
class Submission:
    """One visit's batch of four operations as a phone sends it, and what it is made of."""

    visit: UUID
    phone: Phone
    answers: list[dict[str, Any]]
    captures: list[Capture]
    operations: list[bytes]
    request: Request


@dataclass
class Crew:
    """Phones with their tasks; the visits of ``spare`` are nobody's request."""

    desk: Desk
    phones: list[Phone]
    tasks: list[tuple[Phone, dict[str, Any]]]
    spare: list[UUID]
    items: list[Item]
    supervisor: tuple[tuple[bytes, bytes], ...]

    def submissions(self, count: int, picture: Picture = words) -> list[Submission]:
        """The next ``count`` visits, each in one batch, spelled and signed."""
        taken, self.tasks = self.tasks[:count], self.tasks[count:]
        return [self._submission(phone, task, picture) for phone, task in taken]

    def _submission(self, phone: Phone, task: dict[str, Any], picture: Picture) -> Submission:
        phone.task = task
        answers = list(self._answers(task))
        captures = [
            phone.capture(picture(task["visit"], n), item=f"{SHEET}-{n:02d}")
            for n in range(1, CAPTURES + 1)
        ]
        claim = {"items": [one.listed for one in captures], "answers_sha": answers_sha(answers)}
        operations = [
            phone.op("answer.set", {"answers": answers}),
            *(phone.op("evidence.declare", one.body) for one in captures),
            phone.op("visit.finalize", claim),
        ]
        request = proven(phone, "/api/v1/ops", batch(*operations))
        return Submission(UUID(task["visit"]), phone, answers, captures, operations, request)

    def _answers(self, task: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for number, item in enumerate(self.items):
            given = good_answer(item)
            answer = {"item": item.code, "value": msgspec.to_builtins(given.value)}
            if number % REMARK_EVERY == 0:
                answer["reason"] = f"现场核对材料后记录，{task['code']} 第 {number} 项"
            yield answer


def proven(phone: Phone, path: str, body: bytes) -> Request:
    """A POST with token and Device-Proof."""
    proof = ops.build_proof(
        phone.key, method="POST", path=path, body=body, nonce=phone.nonce, jti=str(new_id())
    )
    headers = {"Content-Type": "application/json", "Device-Proof": proof} | phone.headers
    return Request("POST", path, wire(headers), body)


def wire(headers: dict[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Headers as ASGI has them."""
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


async def a_crew(stand: Stand, owner: asyncpg.Connection, *, to_submit: int, spare: int) -> Crew:
    """A supervisor, institutions, inspectors with phones, and visits they have fetched."""
    rules, at = loader.load(), stand.clock()
    wide = widen(rules, at.date())
    office = await world.an_office(at)
    who = await world.a_person(at, "supervisor", office=office)
    desk = Desk(who, stand.clock, rules, owner)  # type: ignore[arg-type]  # real time, not a still one
    await desk.take("institutions", *(sheets.an_institution(n + 1) for n in range(INSTITUTIONS)))
    await desk.take("inspectors", *(sheets.an_inspector(n + 1) for n in range(PHONES)))
    inspectors = [r["id"] for r in await owner.fetch("select id from inspector order by id")]
    transport = httpx.ASGITransport(app=stand.app)  # type: ignore[arg-type]  # ASGI's own dicts
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        phones = [await a_phone(desk, http, one) for one in inspectors]
        made = await _visits(desk, owner, inspectors, to_submit + spare, wide)
        tasks = [task for phone in phones for task in await _tasks(phone, set(made[:to_submit]))]
        headers = await world.signed_in(http, who)
    tasks.sort(key=lambda pair: pair[1]["visit"])
    return Crew(desk, phones, tasks, made[to_submit:], list(wide.items), wire(headers))


async def _visits(
    desk: Desk, owner: asyncpg.Connection, inspectors: list[UUID], count: int, wide: Sheet
) -> list[UUID]:
    institutions = [r["id"] for r in await owner.fetch("select id from institution order by id")]
    place, now = loader.jurisdiction_of(world.SHANDONG), desk.clock()
    rows = [
        NewVisit(
            id=new_id(),
            region=world.SHANDONG,
            institution=institutions[n % len(institutions)],
            code=f"BENCH-{n:06d}",
            kind="training_site",
            unannounced=True,
            selection="random",
            sheet=SHEET,
            sheet_digest=wide.version,
            jurisdiction=place,
            on_date=now.date(),
            sealed_until=now - timedelta(minutes=1),
            team=tuple(
                NewAssignment(inspectors[(n + step) % len(inspectors)], step + 1, step == 0)
                for step in range(2)
            ),
        )
        for n in range(count)
    ]
    async with DB.transaction(desk.act.by.scope):
        await sheet_versions.keep([wide], act=desk.act)
        await visits.create(rows, act=desk.act)
    return [row.id for row in rows]


async def _tasks(phone: Phone, wanted: set[UUID]) -> list[tuple[Phone, dict[str, Any]]]:
    """The tasks in which this phone is the recorder, with time token and challenge."""
    bundle = await phone.get("/api/v1/tasks")
    phone.nonce = (await phone.get("/api/v1/time"))["token"]
    mine = str(phone.inspector)
    return [
        (phone, task)
        for task in bundle["tasks"]
        if UUID(task["visit"]) in wanted and task["team"][0]["inspector"] == mine
    ]


def spelled(value: object) -> str:
    """Canonical text of one answer, as its row keeps it."""
    return canon.encode(value).decode()  # type: ignore[arg-type]  # always an object here
