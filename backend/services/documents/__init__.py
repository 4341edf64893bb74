"""Documents 文书: issued with a number, set in the background, handed over, voided, checked.

What a document says is stored as bytes when it is issued, with the template it is set by: setting
it again gives the same file. ``of_visit``, ``of_notice`` and ``of_case`` gather what it says,
``issuing`` fixes it,
``printing`` sets it. Source: casework 2.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.db.engine import Scope
from backend.db.tables.documents import Document as Row
from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.act import Act
from backend.services.documents.templates import kind_of
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media.bucket import Bucket
from media.rooms import Room

KIND = "document.print"
QUEUE = "document"
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
COLUMNS = """id, region, institution, office, kind, matter, matter_id, number, code,
  standing, sha256, size, pages, rendered_at, fault, issued_by, issued_at, issued_on, handed,
  handed_at, void_at, void_reason, void_sha256"""
ONE = f"select {COLUMNS}, object_key, void_key from document where id = $1"  # noqa: S608 - constants
LOCK = f"select {COLUMNS} from document where id = $1 for update"  # noqa: S608 - constants
PAGE = f"""
select {COLUMNS} from document where ($1::uuid is null or matter_id = $1)
  and ($2::text is null or kind = $2) and ($3::text is null or standing = $3)
  and ($4::uuid is null or id < $4) order by id desc limit $5
"""  # noqa: S608 - constants
# What is about one matter: itself, its visit's events, its replies, its case's steps.
ABOUT = f"""
select {COLUMNS} from document where matter_id in (select $1::uuid
  union select op_id from visit_event where visit = $1 union select id from reply where notice = $1
  union select id from case_step where case_file = $1) order by issued_at, id
"""  # noqa: S608 - constants
PUBLIC = "select number, issued_on, sha256, standing from document where code = $1"


class NotPrinted(ServiceRefusal):
    """The file is not there yet."""

    code = "document.not_printed"
    family = Family.CONFLICT


class AlreadyVoid(ServiceRefusal):
    """A void document stays as it is."""

    code = "document.already_void"
    family = Family.CONFLICT


class NotForParty(ServiceRefusal):
    """Documents of this kind stay in the office's file."""

    code = "document.not_for_party"
    family = Family.GATE


class HandUnclear(ServiceRefusal):
    """Handed over is either received by a named person, or refused before a named witness."""

    code = "document.hand_unclear"


class Received(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Handed over and signed for by the receiver."""

    receiver: Line
    title: Line
    at: datetime


class Refused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """拒绝签字: left with the party all the same; the witness, the reason, the time.

    Source: casework 2 (refusal to sign).
    """

    reason: Line
    witness: Line
    witness_title: Line
    at: datetime


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One document; ``sha256`` is the file's, once it is set; ``code`` opens its public page."""

    id: UUID
    region: int
    institution: UUID | None
    office: UUID
    kind: str
    matter: str
    matter_id: UUID
    number: str
    code: str
    standing: Literal["issued", "void"]
    sha256: str | None
    size: int | None
    pages: int | None
    rendered_at: datetime | None
    fault: str | None
    issued_by: UUID | None
    issued_at: datetime
    issued_on: date
    handed: dict[str, Any] | None
    handed_at: datetime | None
    void_at: datetime | None
    void_reason: str | None
    void_sha256: str | None


class PublicDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What anybody may learn with a document's code, and nothing else."""

    number: str
    issued_on: date
    sha256: str | None
    void: bool


def _of(row: Any, *, act: Act) -> Document:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    found = {name: row[name] for name in Document.__struct_fields__}
    if act.by.institution is not None:
        found["issued_by"] = None
    return msgspec.convert(found, Document)


async def held(ident: UUID, *, act: Act) -> Document:
    """One document inside a running transaction. Raises: Absent."""
    return _of(await DB.connection.fetchrow(ONE, ident), act=act)


async def get(ident: UUID, *, act: Act) -> Document:
    """One document. Raises: Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        return await held(ident, act=act)


async def page(
    *,
    act: Act,
    matter: UUID | None = None,
    kind: str | None = None,
    standing: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[Document, ...]:
    """Documents of the caller's scope, newest first; an institution's are those handed over."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, matter, kind, standing, after, limit)
    return tuple(_of(row, act=act) for row in rows)


async def about(matter: UUID, *, act: Act) -> tuple[Document, ...]:
    """The documents about a visit, notice or case, the oldest first; only what one may see."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ABOUT, matter)
    return tuple(_of(row, act=act) for row in rows)


async def _locked(ident: UUID, *, act: Act) -> Document:
    found = _of(await DB.connection.fetchrow(LOCK, ident), act=act)
    if found.standing == "void":
        raise AlreadyVoid
    return found


async def hand_over(ident: UUID, how: Received | Refused, *, act: Act) -> Document:
    """Record that the party has it, or refused to sign before a witness; it sees it from now on.

    Raises: Absent, AlreadyVoid, NotForParty ("document.not_for_party").
    """
    async with DB.transaction(act.by.scope):
        found = await _locked(ident, act=act)
        if not kind_of(found.kind).party or found.institution is None:
            raise NotForParty
        said = {**msgspec.to_builtins(how), "refused": isinstance(how, Refused)}
        await Row.update(
            {Row.handed: said, Row.handed_at: act.at, Row.handed_by: act.by.id}
        ).where(Row.id == ident)
        await audit.record(
            act, "document.handed", "document", ident, region=found.region, title=found.number
        )
        return await held(ident, act=act)


async def void(ident: UUID, *, reason: str, act: Act) -> Document:
    """Void a document: its number stays its own, its page says void, a marked copy is set.

    Raises: Absent, AlreadyVoid ("document.already_void").
    """
    async with DB.transaction(act.by.scope):
        found = await _locked(ident, act=act)
        await Row.update(
            {
                Row.standing: "void",
                Row.void_at: act.at,
                Row.void_by: act.by.id,
                Row.void_reason: reason,
            }
        ).where(Row.id == ident)
        await audit.record(
            act,
            "document.voided",
            "document",
            ident,
            region=found.region,
            title=found.number,
            reason=reason,
        )
        payload, once = {"document": str(ident)}, f"void {ident}"
        await tasks.enqueue(
            KIND, payload, region=found.region, at=act.at, dedupe=once, queue=QUEUE
        )
        return await held(ident, act=act)


async def print_again(ident: UUID, *, act: Act) -> Document:
    """Have it set again, when the file is gone or was never made; the bytes are the same."""
    async with DB.transaction(act.by.scope):
        found = _of(await DB.connection.fetchrow(ONE, ident), act=act)
        await tasks.enqueue(
            KIND,
            {"document": str(ident)},
            region=found.region,
            at=act.at,
            dedupe=str(ident),
            queue=QUEUE,
        )
    return found


async def link(ident: UUID, *, act: Act, bucket: Bucket) -> str:
    """An address for the file, good for 60 seconds; a void one says so across every page.

    Every fetch is an audit entry. Raises: Absent, NotPrinted ("document.not_printed").
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(ONE, ident)
        found = _of(row, act=act)
        key = row["void_key"] if found.standing == "void" else row["object_key"]
        if key is None:
            raise NotPrinted
        await audit.record(
            act, "document.fetched", "document", ident, region=found.region, title=found.number
        )
    name = f"{found.kind}-{found.issued_on:%Y%m%d}-{found.code[:8]}.pdf"
    return bucket.presign_get(
        Room.EXPORTS, key, filename=name, mime="application/pdf", now=act.at
    ).url


async def public(code: str) -> PublicDocument:
    """What a document's code tells anybody. Raises: Absent."""
    async with DB.transaction(Scope(role="public"), readonly=True):
        row = await DB.connection.fetchrow(PUBLIC, code)
    if row is None:
        raise Absent
    return PublicDocument(
        number=row["number"],
        issued_on=row["issued_on"],
        sha256=row["sha256"],
        void=row["standing"] == "void",
    )
