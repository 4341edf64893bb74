"""An office steps aside for an institution 整机关回避: decided by another office, ended by it."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.institutions import shown
from backend.pages.forms import Asked, Done, submitted
from backend.pages.routes import post
from backend.services import office_recusals
from backend.services.act import Act
from backend.services.office_recusals import Line, NewOfficeRecusal, Text


class AsideForm(Struct, frozen=True):
    office: UUID
    ground: Text
    paper: Line


class EndForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


def _back(institution: UUID, said: str) -> Done:
    return Done(f"/desk/institutions/{institution}#aside", f"aside.{said}")


@post("/desk/institutions/{institution_id:uuid}/office-recusals", action="offices.recuse")
async def decide(institution_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record that an office below steps aside for the institution."""

    async def deed(form: AsideForm) -> Done:
        new = NewOfficeRecusal(
            office=form.office, institution=institution_id, ground=form.ground, paper=form.paper
        )
        await office_recusals.decide(new, act=act)
        return _back(institution_id, "decided")

    again = partial(shown, institution_id, request, act)
    return await submitted(request, AsideForm, deed, again)


@post(
    "/desk/institutions/{institution_id:uuid}/office-recusals/{recusal_id:uuid}/end",
    action="offices.recuse",
)
async def end(
    institution_id: FromPath[UUID], recusal_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """The ground is gone: the office takes part again."""

    async def deed(form: EndForm) -> Done:
        await office_recusals.end(recusal_id, reason=form.reason, act=act)
        return _back(institution_id, "ended")

    return await submitted(request, EndForm, deed, partial(shown, institution_id, request, act))


HANDLERS = [decide, end]
