"""Blind recounts: ordered by a reviewer, counted by somebody who does not know the number."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import recounts
from backend.services.act import Act
from backend.services.recounts import Asked, Recount
from media.bucket import Bucket

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class OrderIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A verified picture of the visit."""

    evidence: UUID


class OrderedOut(Struct, frozen=True):
    id: UUID


class AskedOut(Struct, frozen=True):
    recounts: tuple[Asked, ...]


class RecountsOut(Struct, frozen=True):
    recounts: tuple[Recount, ...]


class CountIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Heads seen in the picture, and what made it hard to count."""

    heads: Annotated[int, Meta(ge=0, le=10_000)]
    note: Annotated[str, Meta(max_length=2000)] | None = None


@post("/api/v1/visits/{visit_id:uuid}/recounts", action="recounts.order", status_code=201)
async def order(visit_id: FromPath[UUID], data: JSONBody[OrderIn], act: Act) -> OrderedOut:
    """Ask that somebody else counts the heads in a picture."""
    return OrderedOut(await recounts.order(visit_id, data.evidence, act=act))


@get("/api/v1/visits/{visit_id:uuid}/recounts", action="signals.read")
async def of_visit(visit_id: FromPath[UUID], act: Act) -> RecountsOut:
    """Recounts of a visit with their numbers, for its reviewer."""
    return RecountsOut(await recounts.of_visit(visit_id, act=act))


@get("/api/v1/recounts", action="recounts.count")
async def to_count(act: Act, limit: Limit = 50) -> AskedOut:
    """Pictures that the caller may count; nothing says where they are from."""
    return AskedOut(await recounts.to_count(act=act, limit=limit))


@get("/api/v1/recounts/{recount_id:uuid}/picture", action="recounts.count")
async def picture(recount_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the picture, good for 60 seconds; the look is logged."""
    url = await recounts.picture(recount_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


@post("/api/v1/recounts/{recount_id:uuid}/count", action="recounts.count", status_code=204)
async def count(recount_id: FromPath[UUID], data: JSONBody[CountIn], act: Act) -> None:
    """Give the number of heads, once."""
    await recounts.count(recount_id, data.heads, data.note, act=act)


HANDLERS = [order, of_visit, to_count, picture, count]
