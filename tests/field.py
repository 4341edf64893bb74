"""A visit to be made: office, institution, two inspectors with enrolled phones, a class."""

import io
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from PIL import Image

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import devices, directories, sheet_versions, visits
from backend.services.visits import NewAssignment, NewVisit
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.sheets import Sheet
from media.keys import DeviceKey
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.phone import Capture, Phone, answers_sha

ROSTER = 12


@dataclass
class Field:
    """One visit with its two phones; the first is the recorder."""

    desk: Desk
    http: httpx.AsyncClient
    owner: asyncpg.Connection
    institution: UUID
    inspectors: list[UUID]
    phones: list[Phone]
    visit: UUID

    @property
    def phone(self) -> Phone:
        return self.phones[0]

    @property
    def clock(self) -> StillClock:
        return self.desk.clock

    async def state(self) -> str:
        """The visit's state, behind the policies."""
        found: str = await self.owner.fetchval("select state from visit where id = $1", self.visit)
        return found

    async def held(self) -> dict[str, int]:
        """How many rows an operation could have left."""
        return {
            table: await self.owner.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours
            for table in ("op", "answer", "visit_event", "evidence", "claim", "rollcall", "task")
        }

    async def entries(self, verb: str) -> int:
        """How many audit entries have this verb."""
        found: int = await self.owner.fetchval(
            "select count(*) from aud.entry where body ->> 'verb' = $1", verb
        )
        return found


async def enrolled(desk: Desk, who: world.Login) -> tuple[DeviceKey, UUID]:
    """A phone of this person, approved by the desk."""
    key, code = DeviceKey.generate(), new_id().hex
    await devices.approve(who.person.id, code, act=desk.act)
    new = devices.NewDevice(spki=key.spki, user_agent="test", platform="test", persisted=True)
    made = await devices.enrol(code, new, act=who.act(desk.clock()))
    return key, made.id


async def a_phone(
    desk: Desk, http: httpx.AsyncClient, inspector: UUID, region: int = world.SHANDONG
) -> Phone:
    """An inspector's account, linked, with an enrolled phone and a token bound to it."""
    who = await world.a_person(desk.clock(), "inspector", region=region)
    await directories.link_account(inspector, who.person.id, act=desk.act)
    key, dev = await enrolled(desk, who)
    headers = await world.signed_in(http, who, device=dev)
    return Phone(http, desk.clock, key, dev, inspector, headers)


def undemanding(sheet: Sheet) -> Sheet:
    """A version of which nothing must be answered or shown, for tests about something else."""
    items = tuple(replace(item, required=False, evidence=()) for item in sheet.items)
    return replace(sheet, items=items)


async def a_visit(desk: Desk, institution: UUID, team: list[UUID], **changes: Any) -> UUID:
    """A visit of today that has just been unsealed, unless ``changes`` say otherwise.

    ``version`` is the sheet it begins with; without one, an undemanding version of today's.
    """
    now = desk.clock()
    place, day = jurisdiction_of(world.SHANDONG), now.date()
    sheet = changes.pop("sheet", "TI")
    version = changes.pop("version", None) or undemanding(applied_sheet(sheet, place, day)[0])
    new = {
        "id": new_id(),
        "region": world.SHANDONG,
        "institution": institution,
        "code": f"V-{next(world.count)}",
        "kind": "training_site",
        "unannounced": True,
        "selection": "random",
        "sheet": sheet,
        "sheet_digest": version.version,
        "jurisdiction": place,
        "on_date": day,
        "sealed_until": now - timedelta(minutes=5),
        "team": tuple(
            NewAssignment(inspector, place, lead=place == 1)
            for place, inspector in enumerate(team, start=1)
        ),
        "chance": "3/40",
    } | changes
    async with DB.transaction(desk.act.by.scope):
        await sheet_versions.keep([version], act=desk.act)
        await visits.create([NewVisit(**new)], act=desk.act)
    found: UUID = new["id"]
    return found


async def a_field(
    desk: Desk, http: httpx.AsyncClient, owner: asyncpg.Connection, **changes: Any
) -> Field:
    """Everything for one visit; the phones have fetched their task."""
    await desk.take("institutions", sheets.an_institution())
    await desk.take("inspectors", *(sheets.an_inspector(n) for n in (1, 2, 3)))
    rows = await owner.fetch("select id from inspector order by staff_code")
    inspectors = [row["id"] for row in rows]
    institution = await desk.id_of("institution")
    phones = [await a_phone(desk, http, inspector) for inspector in inspectors[:2]]
    visit = await a_visit(desk, institution, inspectors[:2], **changes)
    found = Field(desk, http, owner, institution, inspectors, phones, visit)
    for phone in phones:
        await phone.fetch_task(visit)
        phone.nonce = (await phone.get("/api/v1/time"))["token"]
    return found


async def a_class(desk: Desk) -> UUID:
    """A class of the institution with a roster of twelve."""
    await desk.take("classes", sheets.a_class())
    await desk.take("rosters", *(sheets.a_trainee(1, n) for n in range(1, ROSTER + 1)))
    return await desk.id_of("training_class")


def a_jpeg(seed: int = 1, side: int = 64) -> bytes:
    """A small picture that differs by its seed."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (seed % 256, seed * 7 % 256, 90)).save(out, "JPEG")
    return out.getvalue()


def an_answer(item: str = "TI-11", value: str = "yes", **changes: Any) -> dict[str, Any]:
    """One answer to a plain yes-or-no item."""
    return {"item": item, "value": {"result": value}} | changes


async def signed(phone: Phone, *inspectors: UUID) -> list[dict[str, Any]]:
    """Licences shown and everybody's signature, as a record needs them."""
    shown = {"inspectors": [str(one) for one in inspectors], "to": "校长"}
    over = "ab" * 32
    return await phone.send(
        phone.op("certificate.shown", shown),
        *(
            phone.op(
                "signature.record", {"role": "inspector", "inspector": str(one), "over": over}
            )
            for one in inspectors
        ),
        phone.op("signature.record", {"role": "party", "name": "王某", "over": over}),
    )


async def submitted(
    field: Field, captures: list[Capture], answers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The recorder's answers, declarations and claim in one batch."""
    phone = field.phone
    return await phone.send(
        phone.op("answer.set", {"answers": answers}),
        *(phone.op("evidence.declare", capture.body) for capture in captures),
        phone.op(
            "visit.finalize",
            {"items": [one.listed for one in captures], "answers_sha": answers_sha(answers)},
        ),
    )
