"""What happens after a result: each event sealed in the public log, opened at the disclosure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import drawrows
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.frames import Token
from backend.services.records.draws import DrawRecord
from inspection_plans.draw.sealing import seal
from inspection_plans.errors import Family

SALT_BYTES = 32
ADD = """
insert into draw_event (draw, number, region, kind, body, salt, digest, recorded_by, recorded_at)
select $1, count(*), $2, $3, $4, $5, $6, $7, $8 from draw_event where draw = $1
returning number
"""
ALL = "select * from draw_event where draw = $1 order by number"


class EventsClosed(ServiceRefusal):
    """The draw has no result yet, or its record is published: no event follows."""

    code = "draw.events_closed"
    family = Family.CONFLICT


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the office sees it before the disclosure: its kind, no target."""

    number: int
    kind: str
    digest: str
    recorded_by: UUID
    recorded_at: datetime
    opened_at: datetime | None


class Clerk(msgspec.Struct, frozen=True):
    """What writing an event takes: whose deed, the server's keys, unguessable bytes."""

    act: Act
    keys: Keyring
    token: Token


def check_open(draw: DrawRecord) -> None:
    """Check that events of a draw are still written. Raises: EventsClosed."""
    if draw.state != "drawn" or draw.origin != "here":
        raise EventsClosed(state=draw.state)


async def write(
    draw: DrawRecord, kind: str, body: Mapping[str, Any], *, clerk: Clerk
) -> DrawRecord:
    """Write one event inside the running transaction: its digest is public, its target is not.

    Source: draw.md sections 3.6, 8 and 9.
    """
    salt = clerk.token(SALT_BYTES).hex()
    whole = {"draw": draw.code, "attempt": draw.attempt, **body}
    digest = seal(draw.alg, kind, whole, salt)
    act = clerk.act
    number = await DB.connection.fetchval(
        ADD, draw.id, draw.region, kind, dict(body), salt, digest, act.by.id, act.at
    )
    entry = {"number": number, "kind": kind, "digest": digest}
    draw = await drawrows.note(draw, "sealed", entry, act=act)
    await drawrows.sign_as_operator(draw, keys=clerk.keys, act=act)
    await drawrows.record(draw, f"event_{kind}", act=act)
    return draw


async def bodies(draw_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    """Kind and content of every event so far, in their order."""
    return [(row["kind"], row["body"]) for row in await DB.connection.fetch(ALL, draw_id)]


async def open_all(draw: DrawRecord, *, act: Act) -> DrawRecord:
    """Write every sealed event out, in order; each names what it was sealed as."""
    for row in await DB.connection.fetch(ALL, draw.id):
        opened = {**row["body"], "opens": row["number"], "salt": row["salt"]}
        draw = await drawrows.note(draw, row["kind"], opened, act=act)
    await DB.connection.execute(
        "update draw_event set opened_at = $2 where draw = $1", draw.id, act.at
    )
    return draw


async def events(draw_id: UUID, *, act: Act) -> tuple[Event, ...]:
    """The events of a draw, without their targets."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ALL, draw_id)
    fields = Event.__struct_fields__
    return tuple(Event(**{name: row[name] for name in fields}) for row in rows)
