"""Draws made on another platform 外部抽取: entered, looked at, confirmed by a second person."""

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.routes import get, post
from backend.services import externals, names, plans, policy
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.externals import External, NewExternal
from backend.services.records.plans import Name

# A kind as people write it in a sheet, beside the code itself.
KINDS = {"培训": "training", "评价": "evaluation"}
LEAST = 5  # credit code, kind, day, and a team of two


class ExternalForm(Struct, frozen=True):
    """``visits`` one a line: credit code, kind, day, then the staff codes with the lead first."""

    platform: Name
    reference: Name
    drawn_on: date
    visits: Annotated[str, Meta(min_length=1, max_length=200_000)]


def _visits(typed: str) -> list[dict[str, object]]:
    """The visits as typed; raises msgspec.ValidationError for the field."""
    found: list[dict[str, object]] = []
    for line in typed.splitlines():
        cells = line.replace(",", " ").replace("，", " ").split()
        if not cells:
            continue
        if len(cells) < LEAST:
            raise msgspec.ValidationError("a visit is five cells or more - at `$.visits`")
        code, kind, on_date, *team = cells
        found.append(
            {
                "credit_code": code,
                "kind": KINDS.get(kind, kind),
                "on_date": on_date,
                "team": team,
            }
        )
    return found


async def _entered(plan_id: UUID, act: Act) -> External | None:
    """What was entered for a plan, if anything was."""
    try:
        return await externals.external(plan_id, act=act)
    except Absent:
        return None


async def _shown(
    plan_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    plan = await plans.plan(plan_id, act=act)
    found = await _entered(plan_id, act)

    def may(action: str) -> bool:
        return policy.allowed(action, act.by.roles, signed_in=True)

    waits = plan.state == "approved" and (found is None or found.confirmed_by is None)
    values = {
        "plan": plan,
        "found": found,
        "enters": waits and may("draws.run"),
        "confirms": waits and found is not None and may("plans.approve"),
        "today": on_day(act.at),
        "names": await names.of([found.entered_by, found.confirmed_by] if found else [], act=act),
        "filled": filled,
    }
    return desk(request, act, "desk/external.html", values, here="plans", status=status)


@get("/desk/plans/{plan_id:uuid}/external", action="draws.read")
async def page(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """What another platform drew for a plan, confirmed or not."""
    return await _shown(plan_id, request, act)


@post("/desk/plans/{plan_id:uuid}/external", action="draws.run")
async def enter(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Enter the result; until it is confirmed it may be entered anew."""

    async def deed(form: ExternalForm) -> Done:
        plain = {
            "platform": form.platform,
            "reference": form.reference,
            "drawn_on": form.drawn_on.isoformat(),
            "visits": _visits(form.visits),
        }
        try:
            new = msgspec.convert(plain, NewExternal)
        except msgspec.ValidationError:
            # The path within the list says nothing to whoever typed lines.
            raise msgspec.ValidationError("a line does not fit - at `$.visits`") from None
        await externals.enter(plan_id, new, act=act)
        return Done(f"/desk/plans/{plan_id}/external", "external.entered")

    return await submitted(request, ExternalForm, deed, partial(_shown, plan_id, request, act))


@post("/desk/plans/{plan_id:uuid}/external/confirmation", action="plans.approve")
async def confirm(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Confirm as the second person: visits are made, and everywhere it says "unverifiable"."""

    async def deed(_form: NothingForm) -> Done:
        found = await externals.confirm(plan_id, act=act)
        return Done(f"/desk/draws/{found.id}", "external.confirmed")

    return await submitted(request, NothingForm, deed, partial(_shown, plan_id, request, act))


HANDLERS = [page, enter, confirm]
