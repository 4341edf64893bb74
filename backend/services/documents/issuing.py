"""Issuing a document: its facts are fixed, its number is taken, its code is given, in one act."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.db.tables.documents import Document as Row
from backend.piccolo_conf import DB
from backend.services import audit, numbers, tasks
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.documents import (
    KIND,
    QUEUE,
    Document,
    common,
    held,
    marks,
    of_case,
    of_notice,
    of_visit,
    serving,
    templates,
)
from backend.services.documents.common import Gathered
from backend.services.documents.templates import kind_of
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

HEAD = """
select size, encode(root, 'hex') as root from aud.checkpoint order by size desc limit 1
"""
TAKEN = """
select id from document where kind = $1 and matter_id = $2 and standing = 'issued'
"""
Gather = Callable[..., Awaitable[Gathered]]
BY_MATTER: dict[str, Gather] = {
    "visit": of_visit.gather,
    "event": of_visit.gather_event,
    "notice": of_notice.gather,
    "reply": of_notice.gather_reply,
    "step": of_case.gather_step,
    "case": of_case.gather,
    "publication": of_case.gather_publication,
}


class NoOffice(ServiceRefusal):
    """Only an office issues documents; the account belongs to none."""

    code = "document.no_office"
    family = Family.GATE


class AlreadyIssued(ServiceRefusal):
    """This document exists; void it first to issue another."""

    code = "document.already_issued"
    family = Family.CONFLICT


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge gives a document: 16 random bytes for its code, the address it is under."""

    secret: bytes
    origin: str


class _New(msgspec.Struct, frozen=True, kw_only=True):
    ident: UUID
    kind: str
    matter: UUID
    office: UUID
    number: str
    code: str
    facts: bytes
    by: UUID | None


async def issue(
    kind: str, matter: UUID, *, act: Act, stamp: Stamp, by: UUID | None = None
) -> Document:
    """Issue a document about a matter; it is set in the background.

    ``by`` is whose deed called for it when the product issues it by itself.

    Raises: KindUnknown, Absent, NoOffice, AlreadyIssued ("document.already_issued").
    Source: casework 2 (number at issue, in the same transaction).
    """
    described = kind_of(kind)
    async with DB.transaction(act.by.scope):
        gathered = await BY_MATTER[described.matter](kind, matter, act=act)
        if gathered.office is None or act.by.institution is not None:
            raise NoOffice
        if await DB.connection.fetchval(TAKEN, kind, matter):
            raise AlreadyIssued
        number = gathered.number
        if number is None:
            number = (await numbers.take(gathered.office, described.series or kind, act=act)).text
        code = marks.code(stamp.secret)
        footer = await _footer(number, code, office=gathered.office, act=act, origin=stamp.origin)
        full = {**gathered.facts, **footer, "title": described.title}
        new = _New(
            ident=act.new_id(),
            kind=kind,
            matter=matter,
            office=gathered.office,
            number=number,
            code=code,
            facts=msgspec.json.encode(full, order="sorted"),
            by=by if act.by.kind == "system" else act.by.id,
        )
        await _keep(new, gathered, act=act)
        if described.matter == "notice":
            await serving.with_notice(matter, act=act)
        return await held(new.ident, act=act)


async def _footer(
    number: str, code: str, *, office: UUID, act: Act, origin: str
) -> dict[str, Any]:
    """What every document says of itself: number, day, issuer, public address, the log's head."""
    head = await DB.connection.fetchrow(HEAD)
    url = marks.ADDRESS.format(origin=origin, code=code)
    return {
        "number": number,
        "code": code,
        "url": url,
        "qr": marks.qr(url),
        "issued_on": on_day(act.at).isoformat(),
        "issuer": await common.issuer(office),
        "log": {"size": head["size"], "root": head["root"]} if head else {"size": 0, "root": ""},
    }


async def _keep(new: _New, gathered: Gathered, *, act: Act) -> None:
    """Write the row with its entry and its task."""
    digest = sha256(new.facts).hexdigest()
    await Row.insert(
        Row(
            {
                Row.id: new.ident,
                Row.region: gathered.region,
                Row.institution: gathered.institution,
                Row.office: new.office,
                Row.kind: new.kind,
                Row.matter: kind_of(new.kind).matter,
                Row.matter_id: new.matter,
                Row.number: new.number,
                Row.code: new.code,
                Row.standing: "issued",
                Row.facts: new.facts,
                Row.facts_sha256: digest,
                Row.source: await templates.used(new.office, new.kind, act=act),
                Row.issued_by: new.by,
                Row.issued_at: act.at,
                Row.issued_on: on_day(act.at),
            }
        )
    )
    await audit.record(
        act,
        "document.issued",
        "document",
        new.ident,
        region=gathered.region,
        title=new.number,
        after_sha256=digest,
    )
    ident = str(new.ident)
    await tasks.enqueue(
        KIND, {"document": ident}, region=gathered.region, at=act.at, dedupe=ident, queue=QUEUE
    )
