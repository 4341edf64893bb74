"""Publications: preparing and approving inside, reading for everybody outside."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.etags import conditional
from backend.api.routes import get, post, put
from backend.services import publications
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.publications import Content, Due, Kind, Public, Publication
from inspection_plans.library import Library

Code = Annotated[str, Meta(min_length=1, max_length=40)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\S")]
Reason = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


class FactIn(Struct, frozen=True, forbid_unknown_fields=True):
    finding: UUID
    text: Sentence


class ContentIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    wordings: Annotated[tuple[Code, ...], Meta(max_length=10)] = ()
    facts: Annotated[tuple[FactIn, ...], Meta(max_length=20)] = ()

    def content(self) -> Content:
        return msgspec.convert(self, Content, from_attributes=True)


class PrepareIn(ContentIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: Kind
    subject: UUID


class ReviseIn(ContentIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    digest: Digest


class CorrectIn(ContentIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    reason: Reason


class DigestIn(Struct, frozen=True, forbid_unknown_fields=True):
    digest: Digest


@get("/api/v1/publications", action="publications.read")
async def page(
    act: Act,
    standing: Annotated[
        Literal["prepared", "approved", "published", "corrected", "expired"] | None,
        QueryParameter(name="state"),
    ] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Publication, ...]:
    """Publications of the caller's regions, newest first, drafts included."""
    return await publications.page(act=act, state=standing, after=after, limit=limit)


@get("/api/v1/publications/due", action="publications.read")
async def due(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Due, ...]:
    """Concluded visits whose result is not public yet, each with its due day."""
    return await publications.due(act=act, after=after, limit=limit)


@get("/api/v1/publications/{publication_id:uuid}", action="publications.read")
async def one(publication_id: FromPath[UUID], act: Act) -> Publication:
    """One publication; before it is approved its body is the masked preview."""
    return await publications.get(publication_id, act=act)


@post("/api/v1/publications", action="publications.prepare")
async def prepare(data: JSONBody[PrepareIn], rules: Library, act: Act) -> Publication:
    """Compose the preview of a plan, a draw or a result."""
    content = data.content()
    return await publications.prepare(data.kind, data.subject, content, rules=rules, act=act)


@put("/api/v1/publications/{publication_id:uuid}", action="publications.prepare")
async def revise(
    publication_id: FromPath[UUID], data: JSONBody[ReviseIn], rules: Library, act: Act
) -> Publication:
    """Compose a preview anew that nobody approved yet."""
    content = data.content()
    return await publications.revise(
        publication_id, content, digest=data.digest, rules=rules, act=act
    )


@post(
    "/api/v1/publications/{publication_id:uuid}/approval",
    action="publications.approve",
    status_code=200,
)
async def approve(
    publication_id: FromPath[UUID], data: JSONBody[DigestIn], act: Act
) -> Publication:
    """Another person approves exactly this body."""
    return await publications.approve(publication_id, digest=data.digest, act=act)


@post(
    "/api/v1/publications/{publication_id:uuid}/publishing",
    action="publications.prepare",
    status_code=200,
)
async def publish(publication_id: FromPath[UUID], act: Act) -> Publication:
    """Make an approved publication public."""
    return await publications.publish(publication_id, act=act)


@post("/api/v1/publications/{publication_id:uuid}/correction", action="publications.prepare")
async def correct(
    publication_id: FromPath[UUID], data: JSONBody[CorrectIn], rules: Library, act: Act
) -> Publication:
    """Prepare what shall replace a published one; the public keeps both."""
    content = data.content()
    return await publications.correct(
        publication_id, content, reason=data.reason, rules=rules, act=act
    )


@get("/api/v1/public/publications", action="public.read")
async def public_page(
    request: Request[Any, Any, Any],
    state: State,
    kind: Annotated[Kind | None, QueryParameter(name="kind")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> Response[tuple[Public, ...] | None]:
    """What is public, newest first; with a validator, so that a copy can be kept."""
    today = on_day(state.clock())
    found = await publications.public_page(today=today, kind=kind, after=after, limit=limit)
    return conditional(request, found, publications.etag(found))


@get("/api/v1/public/publications/{publication_id:uuid}", action="public.read")
async def public_one(
    publication_id: FromPath[UUID], request: Request[Any, Any, Any]
) -> Response[Public | None]:
    """One publication, with what it replaced and what replaced it."""
    found = await publications.public_one(publication_id)
    return conditional(request, found, publications.etag((found,)))


HANDLERS = [
    page,
    due,
    one,
    prepare,
    revise,
    approve,
    publish,
    correct,
    public_page,
    public_one,
]
