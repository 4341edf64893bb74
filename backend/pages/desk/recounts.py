"""Blind recounts 盲数: pictures to be counted by somebody who does not know the number."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.routes import get, post
from backend.services import recounts
from backend.services.act import Act
from media.bucket import Bucket


class CountForm(Struct, frozen=True):
    heads: Annotated[int, Meta(ge=0, le=10_000)]
    note: Annotated[str, Meta(max_length=400)] | None = None


async def _shown(
    request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    values = {"asked": await recounts.to_count(act=act), "filled": filled}
    return desk(request, act, "desk/recounts.html", values, here="recounts", status=status)


@get("/desk/recounts", action="recounts.count")
async def page(request: Asked, act: Act) -> Response[Any]:
    """Pictures that this person may count, the oldest order first."""
    return await _shown(request, act)


@get("/desk/recounts/{recount_id:uuid}/picture", action="recounts.count")
async def picture(recount_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """The picture under a name that tells nothing; the look is logged."""
    url = await recounts.picture(recount_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


@post("/desk/recounts/{recount_id:uuid}", action="recounts.count")
async def count(recount_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Give the number of heads, once."""

    async def deed(form: CountForm) -> Done:
        await recounts.count(recount_id, form.heads, form.note, act=act)
        return Done("/desk/recounts", "recount.counted")

    return await submitted(request, CountForm, deed, partial(_shown, request, act))


HANDLERS = [page, picture, count]
