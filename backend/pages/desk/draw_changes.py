"""After a draw: its withdrawals against the ceiling, further inspectors, a further sending."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.clock import token
from backend.keyring import Keyring
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.routes import get, post
from backend.services import (
    directories,
    draws,
    names,
    policy,
    sendings,
    supplements,
    withdrawals,
)
from backend.services.act import Act
from backend.services.draw_events import Clerk, events

MOST = 200


class StaffForm(Struct, frozen=True):
    """The inspectors to be added, by id."""

    inspectors: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MOST)]


async def _shown(
    draw_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    ceremony = await draws.draw(draw_id, act=act)
    found = await withdrawals.withdrawals(draw_id, act=act)
    runs = policy.allowed("draws.run", act.by.roles, signed_in=True)
    open_now = ceremony.draw.state == "drawn" and ceremony.draw.origin == "here"
    people: list[UUID | None] = [one.proposed_by for one in found]
    people += [one.decided_by for one in found] + [one.visit for one in found]
    values = {
        "it": ceremony.draw,
        "outcome": ceremony.outcome,
        "rate": next(iter(await withdrawals.rates(act=act, draw=draw_id)), None),
        "withdrawals": found,
        "events": await events(draw_id, act=act),
        "people": await directories.inspectors(act=act, limit=MOST) if runs and open_now else (),
        "runs": runs and open_now,
        "names": await names.of(people, act=act),
        "filled": filled,
    }
    return desk(request, act, "desk/draw_changes.html", values, here="draws", status=status)


@get("/desk/draws/{draw_id:uuid}/changes", action="draws.read")
async def page(draw_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """What happened after the draw; a withdrawal is named once its visit's hour has come."""
    return await _shown(draw_id, request, act)


@post("/desk/draws/{draw_id:uuid}/inspectors", action="draws.run")
async def supplement(
    draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Add inspectors to the draw's frame; open places are filled by the seed."""

    async def deed(form: StaffForm) -> Done:
        done = await supplements.add(draw_id, form.inspectors, clerk=Clerk(act, keys, token))
        facts = {
            "added": str(done.added),
            "filled": str(done.filled),
            "left": str(done.still_open),
        }
        return Done(f"/desk/draws/{draw_id}/changes", "changes.supplemented", facts)

    return await submitted(request, StaffForm, deed, partial(_shown, draw_id, request, act))


@post("/desk/draws/{draw_id:uuid}/sending", action="draws.run")
async def send(draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Open a further attempt that only sends; the institutions stand."""

    async def deed(_form: NothingForm) -> Done:
        found = await sendings.freeze(draw_id, clerk=Clerk(act, keys, token))
        return Done(f"/desk/draws/{found.id}", "room.frozen")

    return await submitted(request, NothingForm, deed, partial(_shown, draw_id, request, act))


HANDLERS = [page, supplement, send]
