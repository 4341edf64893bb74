"""Evidence bundles: ordered, watched, cancelled, fetched by a short logged redirect."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import dossiers
from backend.services.act import Act
from backend.services.dossiers import Audience, Dossier, NewDossier
from media.bucket import Bucket


class OrderIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of ``visit`` and ``case_id``; ``witness`` is who watched the extraction."""

    purpose: Annotated[str, Meta(min_length=1, max_length=400, pattern=r"\S")]
    visit: UUID | None = None
    case_id: UUID | None = None
    audience: Audience = "office"
    witness: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")] | None = None


@post("/api/v1/dossiers", action="dossiers.order", status_code=201)
async def order(data: JSONBody[OrderIn], act: Act) -> Dossier:
    """Order a bundle of a visit or a case; it is made in the background and found again."""
    new = NewDossier(
        visit=data.visit,
        case_id=data.case_id,
        purpose=data.purpose,
        audience=data.audience,
        witness=data.witness,
    )
    return await dossiers.order(new, act=act)


@get("/api/v1/dossiers", action="dossiers.read")
async def page(
    act: Act,
    visit: Annotated[UUID | None, QueryParameter(name="visit")] = None,
    case_id: Annotated[UUID | None, QueryParameter(name="case_id")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Dossier, ...]:
    """Bundles of the caller's scope, newest first."""
    return await dossiers.page(act=act, visit=visit, case_id=case_id, after=after, limit=limit)


@get("/api/v1/dossiers/{dossier_id:uuid}", action="dossiers.read")
async def one(dossier_id: FromPath[UUID], act: Act) -> Dossier:
    """How far it is, and its SHA-256 once it is done."""
    return await dossiers.dossier(dossier_id, act=act)


@post("/api/v1/dossiers/{dossier_id:uuid}/cancellation", action="dossiers.order", status_code=200)
async def cancel(dossier_id: FromPath[UUID], act: Act) -> Dossier:
    """End one that is being made."""
    return await dossiers.cancel(dossier_id, act=act)


@get("/api/v1/dossiers/{dossier_id:uuid}/file", action="dossiers.read", status_code=303)
async def file(dossier_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the ZIP, good for 60 seconds; the fetch is logged."""
    url = await dossiers.link(dossier_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [order, page, one, cancel, file]
