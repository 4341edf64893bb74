"""Consents to electronic service 送达地址确认书 of an institution: recorded, withdrawn."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.institutions import shown
from backend.pages.forms import Asked, Done, NothingForm, sent, submitted
from backend.pages.routes import post
from backend.services import consents
from backend.services.act import Act
from backend.services.consents import NewConsent


class WithdrawalForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


def _back(institution: UUID, said: str) -> Done:
    return Done(f"/desk/institutions/{institution}#consents", f"consent.{said}")


@post("/desk/institutions/{institution_id:uuid}/consents", action="notices.serve")
async def record(institution_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record a signed confirmation."""

    async def deed(_form: NothingForm) -> Done:
        new = msgspec.convert(await sent(request), NewConsent, strict=False)
        await consents.record(institution_id, new, act=act)
        return _back(institution_id, "recorded")

    again = partial(shown, institution_id, request, act)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/institutions/{institution_id:uuid}/consents/withdrawal", action="notices.serve")
async def withdraw(institution_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record that the standing one was withdrawn."""

    async def deed(form: WithdrawalForm) -> Done:
        await consents.withdraw(institution_id, reason=form.reason, act=act)
        return _back(institution_id, "withdrawn")

    again = partial(shown, institution_id, request, act)
    return await submitted(request, WithdrawalForm, deed, again)


HANDLERS = [record, withdraw]
