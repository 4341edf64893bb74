"""Exclusions by hand 人工排除 on the page of their plan: proposed, confirmed, refused, ended."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.plans import shown
from backend.pages.forms import Asked, Done, NothingForm, submitted
from backend.pages.routes import post
from backend.services import directories, exclusions
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.exclusions import NewExclusion
from backend.services.records.plans import Name, Reason
from inspection_plans.errors import Family


class InstitutionUnknown(ServiceRefusal):
    """Nobody in the directories of these regions has this credit code."""

    code = "page.institution_unknown"
    family = Family.INVALID


class ExclusionForm(Struct, frozen=True):
    credit_code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}\Z")]
    reason: Reason
    paper: Name


class ReasonForm(Struct, frozen=True):
    reason: Reason


def _back(plan_id: UUID, said: str) -> Done:
    return Done(f"/desk/plans/{plan_id}#exclusions", f"exclusion.{said}")


@post("/desk/plans/{plan_id:uuid}/exclusions", action="plans.write")
async def propose(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Propose one, with the paper it rests on."""

    async def deed(form: ExclusionForm) -> Done:
        try:
            found = await directories.institution_by_credit_code(form.credit_code, act=act)
        except Absent:
            raise InstitutionUnknown(field="credit_code") from None
        new = NewExclusion(institution=found.id, reason=form.reason, paper=form.paper)
        await exclusions.propose(plan_id, new, act=act)
        return _back(plan_id, "proposed")

    return await submitted(request, ExclusionForm, deed, partial(shown, plan_id, request, act))


@post(
    "/desk/plans/{plan_id:uuid}/exclusions/{exclusion_id:uuid}/confirmation",
    action="plans.approve",
)
async def confirm(
    plan_id: FromPath[UUID], exclusion_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Sign as the second person."""

    async def deed(_form: NothingForm) -> Done:
        await exclusions.confirm(exclusion_id, act=act)
        return _back(plan_id, "confirmed")

    return await submitted(request, NothingForm, deed, partial(shown, plan_id, request, act))


async def _reasoned(
    plan_id: UUID,
    request: Asked,
    act: Act,
    verb: Callable[[str], Awaitable[object]],
    said: str,
) -> Response[Any]:
    async def deed(form: ReasonForm) -> Done:
        await verb(form.reason)
        return _back(plan_id, said)

    return await submitted(request, ReasonForm, deed, partial(shown, plan_id, request, act))


@post("/desk/plans/{plan_id:uuid}/exclusions/{exclusion_id:uuid}/refusal", action="plans.approve")
async def refuse(
    plan_id: FromPath[UUID], exclusion_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Refuse a proposal, saying why."""
    verb = partial(exclusions.refuse, exclusion_id, act=act)
    return await _reasoned(plan_id, request, act, verb, "refused")


@post("/desk/plans/{plan_id:uuid}/exclusions/{exclusion_id:uuid}/end", action="plans.write")
async def end(
    plan_id: FromPath[UUID], exclusion_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Take one back before the freeze."""
    verb = partial(exclusions.end, exclusion_id, act=act)
    return await _reasoned(plan_id, request, act, verb, "ended")


HANDLERS = [propose, confirm, refuse, end]
