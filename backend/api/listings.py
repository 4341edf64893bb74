"""Exports of lists: what may be had, ordered, watched, cancelled, fetched."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect

from backend.api.routes import get, post
from backend.services import listings
from backend.services.act import Act
from backend.services.listings import Export, NewExport, Offered
from media.bucket import Bucket


@get("/api/v1/exports/lists", action="exports.own")
async def offered(act: Act) -> tuple[Offered, ...]:
    """The lists the caller may export, in which forms, narrowed by what."""
    return listings.offered(act.by)


@post("/api/v1/exports", action="exports.own", status_code=201)
async def order(data: JSONBody[NewExport], act: Act) -> Export:
    """Order an export; it is written in the background and found again for seven days."""
    return await listings.order(data, act=act)


@get("/api/v1/exports", action="exports.own")
async def page(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Export, ...]:
    """The caller's exports, newest first."""
    return await listings.page(act=act, after=after, limit=limit)


@get("/api/v1/exports/{export_id:uuid}", action="exports.own")
async def one(export_id: FromPath[UUID], act: Act) -> Export:
    """How far it is, and its SHA-256 once it is done."""
    return await listings.get(export_id, act=act)


@post("/api/v1/exports/{export_id:uuid}/cancellation", action="exports.own", status_code=200)
async def cancel(export_id: FromPath[UUID], act: Act) -> Export:
    """End one that is being written."""
    return await listings.cancel(export_id, act=act)


@get("/api/v1/exports/{export_id:uuid}/file", action="exports.own", status_code=303)
async def file(export_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the file, good for 60 seconds; the fetch is logged."""
    url = await listings.link(export_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [offered, order, page, one, cancel, file]
