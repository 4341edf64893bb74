"""Writing a plan: every field with its bounds and basis; two people's changes are joined."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import structs

from backend.pages.desk import names, plan_forms
from backend.pages.desk.frame import desk
from backend.pages.desk.plans import bounds
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import occupations, parties, plans, revisions
from backend.services.act import Act
from backend.services.planchecks import FITTING
from inspection_plans.library import Library

WHICH = "plan"
# What a new plan says before anybody typed: the records' own defaults.
FIRST = {
    "objects": ("institution",),
    "kinds": ("training",),
    "mode": ("ratio",),
    "base": ("frame",),
    "unannounced": ("true",),
    "parties": ("operator",),
    "reveal_within_hours": ("48",),
    "disclose_after_days": ("20",),
    "alg": ("sha256",),
    "origin": ("here",),
    "profile": ("full",),
}


async def _around(request: Asked, act: Act, rules: Library, region: int) -> dict[str, object]:
    """What the form offers: settings, sheets, parties, occupations, regions."""
    language = language_of(request)
    known = await parties.parties(act=act)
    sheets = [(code, one.en if language == "en" else one.zh) for code, one in rules.sheets.items()]
    codes = occupations.shipped().occupations
    return {
        "bounds": bounds(region),
        "fitting": {kind: sorted(found) for kind, found in FITTING.items()},
        "sheets": sheets,
        "parties": [one for one in known if one.active and one.code != "operator"],
        "occupations": [(code, names.occupation(code, language)) for code in codes],
        "regions": [(code, names.place(code, language)) for code in names.below(act.by.regions)],
        "sources": plan_forms.SOURCES,
    }


def _of_settings(region: int) -> dict[str, tuple[str, ...]]:
    return {
        field: (str(setting.value),)
        for field, setting in bounds(region).items()
        if setting.value is not None
    }


async def _new(
    request: Asked, act: Act, rules: Library, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    if not filled.values:
        first = {**FIRST, **_of_settings(act.by.region), "year": (str(act.at.year),)}
        filled = Filled(WHICH, first)
    shown = {
        "it": None,
        "joined": None,
        "f": filled,
        "rows": plan_forms.rows(filled.values),
        **await _around(request, act, rules, act.by.region),
    }
    return desk(request, act, "desk/plan_form.html", shown, here="plans", status=status)


@get("/desk/plans/new", action="plans.write")
async def begin(request: Asked, act: Act, rules: Library) -> Response[Any]:
    """The form of a new plan, filled in with the settings of the place."""
    return await _new(request, act, rules)


@post("/desk/plans/new", action="plans.write")
async def create(request: Asked, act: Act, rules: Library) -> Response[Any]:
    """Store a draft; what could not be drawn is refused with the field."""

    async def deed(form: Any) -> Done:  # noqa: ANN401 - a generated Struct
        plan = await plans.create(plan_forms.draft(form), act=act)
        return Done(f"/desk/plans/{plan.id}", "plans.created")

    return await submitted(request, plan_forms.PlanForm, deed, partial(_new, request, act, rules))


async def _editor(
    plan_id: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    """The form of a draft; when somebody saved meanwhile, with both people's changes in it."""
    plan = await plans.plan(plan_id, act=act)
    joined = None
    if not filled.values:
        filled = Filled(WHICH, plan_forms.values(plan))
    elif (rev := filled.value("rev")).isdecimal() and int(rev) != plan.rev:
        base = await revisions.content(plan_id, int(rev), act=act)
        joined = plan_forms.joined(filled.values, base, plan)
        filled = structs.replace(filled, values=joined.values)
    shown = {
        "it": plan,
        "joined": joined,
        "f": filled,
        "rows": plan_forms.rows(filled.values),
        **await _around(request, act, rules, plan.region),
    }
    return desk(request, act, "desk/plan_form.html", shown, here="plans", status=status)


@get("/desk/plans/{plan_id:uuid}/edit", action="plans.write")
async def form(plan_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """The form of a draft as it is stored."""
    return await _editor(plan_id, request, act, rules)


@post("/desk/plans/{plan_id:uuid}/edit", action="plans.write")
async def edit(plan_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """Save a draft; refused, with everything typed still there, when somebody else did first."""

    async def deed(typed: Any) -> Done:  # noqa: ANN401 - a generated Struct
        rev = int(typed.rev) if (typed.rev or "").isdecimal() else 0
        await plans.edit(plan_id, plan_forms.draft(typed), rev=rev, act=act)
        return Done(f"/desk/plans/{plan_id}", "plans.saved")

    return await submitted(
        request, plan_forms.PlanForm, deed, partial(_editor, plan_id, request, act, rules)
    )


HANDLERS = [begin, create, form, edit]
