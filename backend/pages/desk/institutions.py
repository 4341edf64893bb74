"""Institutions 机构名录: the list with its filters, and one with catalogue, risk and versions."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Filled
from backend.pages.lists import shelf, total
from backend.pages.routes import get
from backend.pages.words import language_of
from backend.services import (
    classes,
    consents,
    directories,
    office_recusals,
    people,
    policy,
    risk,
)
from backend.services.accounts import on_day
from backend.services.act import Act

LIMIT = 50
KINDS = (
    "training",
    "evaluation",
    "unlisted_operator",
    "partner",
    "brand",
    "lender",
    "venue",
    "employer",
)
STATUSES: tuple[directories.Status, ...] = ("active", "suspended", "closed", "moved")
Text = Annotated[str, QueryParameter(max_length=120, pattern=r"^[^\x00]*$")]


def _chosen(value: str, known: tuple[str, ...]) -> str | None:
    """A filter from the address; what is not known filters nothing."""
    return value if value in known else None


@get("/desk/institutions", action="directories.browse")
async def page(
    request: Asked,
    act: Act,
    kind: Text = "",
    status: Text = "",
    search: Text = "",
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[str]:
    """Institutions, newest first."""
    of_kind, text = _chosen(kind, KINDS), search.strip()
    standing = next((one for one in STATUSES if one == status), None)
    found = await directories.institutions(
        act=act, after=after, limit=LIMIT, kind=of_kind, status=standing, search=text
    )
    narrowed = (of_kind, standing, text)
    whole = await total("institutions", found, *narrowed, limit=LIMIT, after=after, act=act)
    chosen = {"kind": kind, "status": status, "search": search}
    shown = {
        "rows": found,
        "kinds": KINDS,
        "statuses": STATUSES,
        "shelf": shelf("/desk/institutions", found, chosen, limit=LIMIT, after=after, total=whole),
        "place": partial(names.place, language=language_of(request)),
        "exports": policy.allowed("directories.export", act.by.roles, signed_in=True),
        "imports": policy.allowed("directories.import", act.by.roles, signed_in=True),
    }
    return desk(request, act, "desk/institutions.html", shown, here="institutions")


async def _grade(institution_id: UUID, act: Act) -> risk.Standing | None:
    """The risk class explained, for whoever may read findings."""
    if not policy.allowed("findings.read", act.by.roles, signed_in=True):
        return None
    return await risk.standing(institution_id, act=act)


async def shown(
    institution_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    """The page of an institution; deeds show it again with what was typed."""
    language = language_of(request)
    said = await consents.of(institution_id, act=act)
    recuses = policy.allowed("offices.recuse", act.by.roles, signed_in=True)
    values = {
        "it": await directories.institution(institution_id, act=act),
        "catalogue": await directories.catalogue(institution_id, act=act),
        "standing": await _grade(institution_id, act),
        "classes": await classes.classes(act=act, institution=institution_id, limit=20),
        "consents": said,
        "consented": any(one.withdrawn_on is None for one in said),
        "aside": await office_recusals.of(institution_id, act=act),
        "recuses": recuses,
        "offices": await people.offices(act=act) if recuses else (),
        "serves": policy.allowed("notices.serve", act.by.roles, signed_in=True),
        "today": on_day(act.at),
        "filled": filled,
        "place": partial(names.place, language=language),
        "occupation": partial(names.occupation, language=language),
        "level": partial(names.level, language=language),
    }
    return desk(request, act, "desk/institution.html", values, here="institutions", status=status)


@get("/desk/institutions/{institution_id:uuid}", action="directories.browse")
async def one(institution_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One institution: what it may do, how it is graded and why, its classes, its consents."""
    return await shown(institution_id, request, act)


HANDLERS = [page, one]
