"""Exports of lists 数据导出: ordered with filters, written in the background, found for a week."""

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import listings
from backend.services.act import Act
from backend.services.listings import Filters, Form, NewExport, Word
from media.bucket import Bucket

LIMIT = 50


class OrderForm(Struct, frozen=True):
    """What is wanted, in which form, narrowed by what."""

    list: Annotated[str, Meta(min_length=1, max_length=60)]
    form: Form
    region: Annotated[int, Meta(ge=100_000, le=999_999)] | None = None
    institution: UUID | None = None
    state: Word | None = None
    kind: Word | None = None
    severity: Word | None = None
    year: Annotated[int, Meta(ge=1900, le=2999)] | None = None
    search: Annotated[str, Meta(max_length=100)] | None = None
    since: date | None = None
    until: date | None = None

    def narrowed(self) -> Filters:
        """The filters alone."""
        given = {name: getattr(self, name) for name in Filters.__struct_fields__}
        return Filters(**given)


async def _list(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    after: UUID | None = None,
) -> Response[Any]:
    found = await listings.page(act=act, after=after, limit=LIMIT)
    language = language_of(request)
    shown = {
        "rows": found,
        "offered": listings.offered(act.by),
        "forms": listings.FORMS,
        "regions": [(code, names.place(code, language)) for code in names.below(act.by.regions)],
        "going": any(one.progress == "running" for one in found),
        "filled": filled,
        "shelf": shelf("/desk/exports", found, {}, limit=LIMIT, after=after),
    }
    return desk(request, act, "desk/exports.html", shown, here="exports", status=status)


@get("/desk/exports", action="exports.desk")
async def page(
    request: Asked,
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[Any]:
    """Every list one may have, and one's own exports of the last days."""
    return await _list(request, act, after=after)


@post("/desk/exports", action="exports.desk")
async def order(request: Asked, act: Act) -> Response[Any]:
    """Order an export."""

    async def deed(form: OrderForm) -> Done:
        new = NewExport(list=form.list, form=form.form, filters=form.narrowed())
        await listings.order(new, act=act)
        return Done("/desk/exports", "exports.ordered")

    return await submitted(request, OrderForm, deed, partial(_list, request, act))


@post("/desk/exports/{export_id:uuid}/cancellation", action="exports.desk")
async def cancel(export_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """End one that is being written."""

    async def deed(_form: NothingForm) -> Done:
        await listings.cancel(export_id, act=act)
        return Done("/desk/exports", "exports.cancelled")

    return await submitted(request, NothingForm, deed, partial(_list, request, act))


@get("/desk/exports/{export_id:uuid}/file", action="exports.desk")
async def file(export_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the file, good for 60 seconds; the fetch is logged."""
    url = await listings.link(export_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [page, order, cancel, file]
