"""Plans 抽查计划: the list, one with its history and what may be done with it, and each deed."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from backend.clock import token
from backend.keyring import Keyring
from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import (
    directories,
    draws,
    exclusions,
    people,
    plans,
    policy,
    revisions,
    simulations,
)
from backend.services.act import Act
from backend.services.planchecks import level_of
from backend.services.records.plans import PlanRecord, PlanState
from inspection_plans import policy as settings
from inspection_plans import states
from inspection_plans.loader import jurisdiction_of
from inspection_plans.states import Noun
from inspection_plans.vocabulary import Setting

LIMIT = 50
STATES: tuple[PlanState, ...] = (
    "draft",
    "submitted",
    "approved",
    "running",
    "closed",
    "rejected",
    "cancelled",
)
# The fields of a plan that a setting bounds, each with the setting's name.
BOUNDED = {
    "frequency_cap": "frequency_cap",
    "cool_down_days": "cool_down_days",
    "reserve": "reserve_per_stratum",
    "team_size": "team_size",
    "tasks_open_at_hour": "tasks_open_at_hour",
}
After = Annotated[UUID | None, QueryParameter(name="after")]


class ReasonForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=2, max_length=600)]


class YearsForm(Struct, frozen=True):
    years: Annotated[int, Meta(ge=1, le=3000)]


def bounds(region: int) -> dict[str, Setting]:
    """The setting behind each field of the form that has one: default, bounds, basis."""
    place = jurisdiction_of(region)
    return {field: settings.policy(name, place) for field, name in BOUNDED.items()}


@get("/desk/plans", action="plans.read")
async def page(
    request: Asked,
    act: Act,
    standing: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    year: Annotated[str, QueryParameter(max_length=4, pattern=r"^(\d{4})?$")] = "",
    after: After = None,
) -> Response[str]:
    """Plans, newest first."""
    state = next((one for one in STATES if one == standing), None)
    of_year = int(year) if year else None
    found = await plans.plans(act=act, state=state, year=of_year, after=after, limit=LIMIT)
    whole = await total("plans", found, state, of_year, limit=LIMIT, after=after, act=act)
    shown = {
        "rows": found,
        "states": STATES,
        "writes": policy.allowed("plans.write", act.by.roles, signed_in=True),
        "shelf": shelf(
            "/desk/plans",
            found,
            {"state": standing, "year": year},
            limit=LIMIT,
            after=after,
            total=whole,
        ),
    }
    return desk(request, act, "desk/plans.html", shown, here="plans")


def _may(plan: PlanRecord, act: Act) -> dict[str, bool]:
    """What this person may do with the plan as it stands; the services decide again."""
    verbs = {
        "submit": "plans.write",
        "revise": "plans.write",
        "close": "plans.write",
        "approve": "plans.approve",
        "reject": "plans.approve",
        "cancel": "plans.approve",
    }
    may = {
        verb: verb in states.TRANSITIONS[Noun.PLAN].get(plan.state, {})
        and policy.allowed(action, act.by.roles, signed_in=True)
        for verb, action in verbs.items()
    }
    may["approve"] = may["approve"] and act.by.id not in (plan.submitted_by, plan.created_by)
    writes = policy.allowed("plans.write", act.by.roles, signed_in=True)
    may["edit"] = writes and plan.state == "draft"
    may["simulate"] = writes and plan.state in ("draft", "submitted", "approved")
    runs = policy.allowed("draws.run", act.by.roles, signed_in=True)
    due = plan.state in ("approved", "running") and act.at >= plan.fire_at
    may["freeze"] = runs and due and plan.spec.origin == "here"
    before = plan.state in exclusions.BEFORE_FREEZE
    may["exclude"] = writes and before
    may["confirm"] = before and policy.allowed("plans.approve", act.by.roles, signed_in=True)
    return may


async def shown(
    plan_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    """The page of a plan; deeds show it again with what was typed."""
    plan, language = await plans.plan(plan_id, act=act), language_of(request)
    by_hand = await exclusions.exclusions(plan_id, act=act)
    who = [plan.created_by, plan.submitted_by, plan.approved_by]
    who += [one for each in by_hand for one in (each.proposed_by, each.decided_by)]
    values = {
        "it": plan,
        "exclusions": by_hand,
        "institutions": await directories.names([one.institution for one in by_hand], act=act),
        "level": level_of(plan.spec.parties, plan.spec.entropy),
        "history": await revisions.history(plan_id, act=act),
        "simulations": await simulations.simulations(plan_id, act=act),
        "draws": await draws.draws(act=act, plan=plan_id),
        "people": await people.names(who, act=act),
        "may": _may(plan, act),
        "bounds": bounds(plan.region),
        "filled": filled,
        "place": partial(names.place, language=language),
        "occupation": partial(names.occupation, language=language),
    }
    return desk(request, act, "desk/plan.html", values, here="plans", status=status)


@get("/desk/plans/{plan_id:uuid}", action="plans.read")
async def one(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One plan: everything it settles, who moved it, its revisions, simulations and draws."""
    return await shown(plan_id, request, act)


@get("/desk/plans/{plan_id:uuid}/changes", action="plans.read")
async def changes(
    plan_id: FromPath[UUID],
    request: Asked,
    act: Act,
    since: Annotated[int, QueryParameter(ge=1, le=2**31 - 1)],
    until: Annotated[int, QueryParameter(ge=1, le=2**31 - 1)],
) -> Response[str]:
    """What differs between two revisions, field by field."""
    shown = {
        "it": await plans.plan(plan_id, act=act),
        "since": since,
        "until": until,
        "changes": await revisions.changes(plan_id, since, until, act=act),
    }
    return desk(request, act, "desk/plan_changes.html", shown, here="plans")


async def _pressed(
    plan_id: UUID, request: Asked, act: Act, verb: Callable[[], Awaitable[object]], said: str
) -> Response[Any]:
    """A deed without fields."""

    async def deed(_form: NothingForm) -> Done:
        await verb()
        return Done(f"/desk/plans/{plan_id}", f"plans.{said}")

    return await submitted(request, NothingForm, deed, partial(shown, plan_id, request, act))


async def _reasoned(
    plan_id: UUID,
    request: Asked,
    act: Act,
    verb: Callable[[str], Awaitable[object]],
    said: str,
) -> Response[Any]:
    """A deed that needs a reason."""

    async def deed(form: ReasonForm) -> Done:
        await verb(form.reason)
        return Done(f"/desk/plans/{plan_id}", f"plans.{said}")

    return await submitted(request, ReasonForm, deed, partial(shown, plan_id, request, act))


@post("/desk/plans/{plan_id:uuid}/submission", action="plans.write")
async def submit(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Hand a draft to the approver."""
    return await _pressed(
        plan_id, request, act, partial(plans.submit, plan_id, act=act), "submitted"
    )


@post("/desk/plans/{plan_id:uuid}/approval", action="plans.approve")
async def approve(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Approve a plan of somebody else."""
    return await _pressed(
        plan_id, request, act, partial(plans.approve, plan_id, act=act), "approved"
    )


@post("/desk/plans/{plan_id:uuid}/revision", action="plans.write")
async def revise(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Make a rejected plan a draft again."""
    return await _pressed(
        plan_id, request, act, partial(plans.revise, plan_id, act=act), "revised"
    )


@post("/desk/plans/{plan_id:uuid}/closing", action="plans.write")
async def close(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Close a running plan whose draw is disclosed."""
    return await _pressed(plan_id, request, act, partial(plans.close, plan_id, act=act), "closed")


@post("/desk/plans/{plan_id:uuid}/rejection", action="plans.approve")
async def reject(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Send a submitted plan back, saying why."""
    return await _reasoned(
        plan_id, request, act, partial(plans.reject, plan_id, act=act), "rejected"
    )


@post("/desk/plans/{plan_id:uuid}/cancellation", action="plans.approve")
async def cancel(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Give a plan up before its draw has a result, with a public reason."""
    return await _reasoned(
        plan_id, request, act, partial(plans.cancel, plan_id, act=act), "cancelled"
    )


@post("/desk/plans/{plan_id:uuid}/simulations", action="plans.write")
async def simulate(plan_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Order a simulation; it runs in the background and can be left."""

    async def deed(form: YearsForm) -> Done:
        found = await simulations.order(plan_id, form.years, act=act)
        return Done(f"/desk/simulations/{found.id}", "plans.simulated")

    return await submitted(request, YearsForm, deed, partial(shown, plan_id, request, act))


@post("/desk/plans/{plan_id:uuid}/draw", action="draws.run")
async def freeze(
    plan_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Freeze the frames of a due plan and go to its draw room."""

    async def deed(_form: NothingForm) -> Done:
        found = await draws.freeze(plan_id, act=act, keys=keys, token=token)
        return Done(f"/desk/draws/{found.id}", "room.frozen")

    return await submitted(request, NothingForm, deed, partial(shown, plan_id, request, act))


HANDLERS = [
    page,
    one,
    changes,
    submit,
    approve,
    revise,
    close,
    reject,
    cancel,
    simulate,
    freeze,
]
