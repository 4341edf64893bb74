"""Phones 设备: who has which, approving one by a code to scan, revoking a lost one."""

import base64
import io
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import segno
from litestar import Response
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from backend.clock import token
from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import devices, people, policy
from backend.services.act import Act

LIMIT = 50
SCALE = 6
BEIJING = ZoneInfo("Asia/Shanghai")


class RevokeForm(Struct, frozen=True):
    """``since`` is when the phone may first have been in other hands, in Beijing."""

    since: Annotated[str, Meta(max_length=32)] | None = None

    @property
    def instant(self) -> datetime | None:
        """The same with its zone; raises msgspec.ValidationError for what is no instant."""
        try:
            at = datetime.fromisoformat(self.since) if self.since else None
        except ValueError:
            raise msgspec.ValidationError("Invalid datetime - at `$.since`") from None
        return at and at.replace(tzinfo=BEIJING)


async def _list(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    after: UUID | None = None,
    ended: bool = False,
) -> Response[Any]:
    found = await people.phones(act=act, after=after, ended=ended, limit=LIMIT)
    chosen = {"ended": "true" if ended else ""}
    shown = {
        "rows": found,
        "ended": ended,
        "revokes": policy.allowed("devices.revoke", act.by.roles, signed_in=True),
        "filled": filled,
        "shelf": shelf("/desk/phones", found, chosen, limit=LIMIT, after=after),
        "place": partial(names.place, language=language_of(request)),
    }
    return desk(request, act, "desk/phones.html", shown, here="phones", status=status)


@get("/desk/phones", action="accounts.read")
async def page(
    request: Asked,
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    ended: Annotated[bool, QueryParameter(name="ended")] = False,
) -> Response[Any]:
    """Enrolled phones; ``ended`` shows revoked ones too."""
    return await _list(request, act, after=after, ended=ended)


@post("/desk/people/{account:uuid}/enrolment", action="devices.approve")
async def approve(account: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Approve the enrolment of one phone: a code to scan, shown once, good for ten minutes."""
    code = base64.urlsafe_b64encode(token()).rstrip(b"=").decode()
    person = await people.view(account, act=act)
    until = await devices.approve(account, code, act=act)
    picture = io.BytesIO()
    segno.make(code, error="m").save(
        picture, kind="svg", scale=SCALE, xmldecl=False, svgns=True, svgclass="qr", lineclass=None
    )
    shown = {
        "it": person.person,
        "code": code,
        "until": until,
        "picture": picture.getvalue().decode(),
    }
    return desk(request, act, "desk/enrolment.html", shown, here="people")


@post("/desk/phones/{device_id:uuid}/revocation", action="devices.revoke")
async def revoke(device_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Revoke a phone's key; what it still sends is kept apart, never dropped."""

    async def deed(form: RevokeForm) -> Done:
        await devices.revoke(device_id, compromised_since=form.instant, act=act)
        return Done("/desk/phones", "admin.revoked")

    return await submitted(request, RevokeForm, deed, partial(_list, request, act))


HANDLERS = [page, approve, revoke]
