"""Documents: issued, read, handed over, voided, fetched; their templates; what anybody may ask."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.api.routes import get, post, put
from backend.clock import token
from backend.services import documents
from backend.services.act import Act
from backend.services.documents import (
    Document,
    Line,
    Received,
    Refused,
    issuing,
    marks,
    templates,
)
from backend.services.documents.issuing import Stamp
from backend.services.documents.templates import Kind, Template
from backend.settings import Settings
from media.bucket import Bucket

Reason = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"\S")]


class IssueIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind, and the id of what it is about (visit, operation, notice, reply, step, case, …)."""

    kind: Annotated[str, Meta(max_length=40)]
    matter: UUID


class HandIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Handed over: received by whom, or refused to sign before which witness, why and when."""

    at: datetime
    receiver: Line | None = None
    title: Line | None = None
    reason: Line | None = None
    witness: Line | None = None
    witness_title: Line | None = None


class VoidIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the document is void."""

    reason: Reason


class TemplateIn(Struct, frozen=True, forbid_unknown_fields=True):
    """An office's own text of a kind; ``rev`` is the version it started from, 0 the product's."""

    body: Annotated[str, Meta(min_length=1, max_length=templates.LARGEST)]
    rev: Annotated[int, Meta(ge=0)]
    note: Reason


@get("/api/v1/document-kinds", action="documents.read")
async def kinds() -> dict[str, Kind]:
    """Every kind of document."""
    return templates.kinds()


@post("/api/v1/documents", action="documents.issue", status_code=201)
async def issue(data: JSONBody[IssueIn], act: Act, settings: Settings) -> Document:
    """Issue a document; its file is set in the background."""
    stamp = Stamp(secret=token(marks.CODE_BYTES), origin=settings.origin)
    return await issuing.issue(data.kind, data.matter, act=act, stamp=stamp)


@get("/api/v1/documents", action="documents.read")
async def page(
    act: Act,
    matter: Annotated[UUID | None, QueryParameter(name="matter")] = None,
    kind: Annotated[str | None, QueryParameter(name="kind", max_length=40)] = None,
    standing: Annotated[Literal["issued", "void"] | None, QueryParameter(name="standing")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Document, ...]:
    """Documents of the caller's scope, newest first."""
    return await documents.page(
        act=act, matter=matter, kind=kind, standing=standing, after=after, limit=limit
    )


@get("/api/v1/documents/{document_id:uuid}", action="documents.read")
async def one(document_id: FromPath[UUID], act: Act) -> Document:
    """One document, and its file's SHA-256 once it is set."""
    return await documents.get(document_id, act=act)


@get("/api/v1/documents/{document_id:uuid}/file", action="documents.read", status_code=303)
async def file(document_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the PDF, good for 60 seconds; the fetch is logged."""
    url = await documents.link(document_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


@post("/api/v1/documents/{document_id:uuid}/hand-over", action="documents.issue", status_code=200)
async def hand_over(document_id: FromPath[UUID], data: JSONBody[HandIn], act: Act) -> Document:
    """Record that the party has it, or refused to sign before a witness."""
    return await documents.hand_over(document_id, _how(data), act=act)


def _how(data: HandIn) -> Received | Refused:
    """Which of the two it was. Raises: HandUnclear."""
    refused = data.reason and data.witness and data.witness_title
    if refused and not data.receiver and not data.title:
        return Refused(
            reason=data.reason or "",
            witness=data.witness or "",
            witness_title=data.witness_title or "",
            at=data.at,
        )
    if data.receiver and data.title and not data.reason and not data.witness:
        return Received(receiver=data.receiver, title=data.title, at=data.at)
    raise documents.HandUnclear


@post("/api/v1/documents/{document_id:uuid}/void", action="documents.void", status_code=200)
async def void(document_id: FromPath[UUID], data: JSONBody[VoidIn], act: Act) -> Document:
    """Void it; the number stays, and its public page says so."""
    return await documents.void(document_id, reason=data.reason, act=act)


@post("/api/v1/documents/{document_id:uuid}/print", action="documents.issue", status_code=202)
async def print_again(document_id: FromPath[UUID], act: Act) -> Document:
    """Have the file set again; the bytes are the same."""
    return await documents.print_again(document_id, act=act)


@get("/api/v1/document-templates/{kind:str}", action="documents.read")
async def template(
    kind: Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z_]+$")], act: Act
) -> Template:
    """What the caller's office prints a kind with, and its earlier versions."""
    return await templates.current(kind, act=act)


@put("/api/v1/document-templates/{kind:str}", action="documents.template")
async def save_template(
    kind: Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z_]+$")],
    data: JSONBody[TemplateIn],
    act: Act,
) -> Template:
    """Give the caller's office its own text; it must compile with the kind's example."""
    return await templates.save(kind, data.body, rev=data.rev, note=data.note, act=act)


HANDLERS = [
    kinds,
    issue,
    page,
    one,
    file,
    hand_over,
    void,
    print_again,
    template,
    save_template,
]
