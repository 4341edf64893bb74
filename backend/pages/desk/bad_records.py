"""The register of bad records 不良信息记录: who is barred until when, and taking one back."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.services import bad_records, names, policy
from backend.services.act import Act

LIMIT = 50


class EndForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


async def _shown(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    institution: UUID | None = None,
    after: UUID | None = None,
) -> Response[Any]:
    rows = await bad_records.page(act=act, institution=institution, after=after, limit=LIMIT)
    chosen = {"institution": institution}
    whole = await total("bad_records", rows, institution, limit=LIMIT, after=after, act=act)
    values = {
        "rows": rows,
        "names": await names.of([row.institution for row in rows], act=act),
        "ends": policy.allowed("cases.propose", act.by.roles, signed_in=True),
        "filled": filled,
        "shelf": shelf("/desk/bad-records", rows, chosen, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/bad_records.html", values, here="bad_records", status=status)


@get("/desk/bad-records", action="cases.read")
async def page(
    request: Asked,
    act: Act,
    institution: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Bad records of the scope, newest first."""
    return await _shown(request, act, institution=institution, after=after)


@post("/desk/bad-records/{bad_record_id:uuid}/end", action="cases.propose")
async def end(bad_record_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Take one back before its day, as another person than who entered it."""

    async def deed(form: EndForm) -> Done:
        await bad_records.end(bad_record_id, reason=form.reason, act=act)
        return Done("/desk/bad-records", "bad_record.ended")

    return await submitted(request, EndForm, deed, partial(_shown, request, act))


HANDLERS = [page, end]
