"""Classes 班次 with their schedules and rosters, and the published inspection items 抽查事项."""

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.lists import shelf, total
from backend.pages.routes import get
from backend.pages.words import language_of
from backend.services import classes, directories, policy
from backend.services.act import Act

LIMIT = 50
STATUSES: tuple[classes.Status, ...] = ("planned", "running", "ended", "cancelled")
After = Annotated[UUID | None, QueryParameter(name="after")]
Text = Annotated[str, QueryParameter(max_length=40, pattern=r"^[^\x00]*$")]


@get("/desk/classes", action="directories.browse")
async def page(
    request: Asked,
    act: Act,
    status: Text = "",
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    after: After = None,
) -> Response[str]:
    """Classes, newest first, with the institution that holds each."""
    standing = next((one for one in STATUSES if one == status), None)
    found = await classes.classes(
        act=act, after=after, limit=LIMIT, institution=institution, status=standing
    )
    narrowed = (standing, institution)
    whole = await total("classes", found, *narrowed, limit=LIMIT, after=after, act=act)
    language = language_of(request)
    chosen = {"status": status, "institution": institution}
    shown = {
        "rows": found,
        "statuses": STATUSES,
        "institution": institution,
        "institutions": await directories.names((one.institution for one in found), act=act),
        "shelf": shelf("/desk/classes", found, chosen, limit=LIMIT, after=after, total=whole),
        "occupation": partial(names.occupation, language=language),
        "level": partial(names.level, language=language),
        "exports": policy.allowed("directories.export", act.by.roles, signed_in=True),
    }
    return desk(request, act, "desk/classes.html", shown, here="classes")


@get("/desk/classes/{class_id:uuid}", action="directories.browse")
async def one(class_id: FromPath[UUID], request: Asked, act: Act) -> Response[str]:
    """One class: its schedule and its roster."""
    language = language_of(request)
    it = await classes.training_class(class_id, act=act)
    shown = {
        "it": it,
        "institution": (await directories.names([it.institution], act=act)).get(it.institution),
        "sessions": await classes.sessions(class_id, act=act),
        "roster": await classes.roster(class_id, act=act),
        "place": partial(names.place, language=language),
        "occupation": partial(names.occupation, language=language),
        "level": partial(names.level, language=language),
    }
    return desk(request, act, "desk/class.html", shown, here="classes")


@get("/desk/items", action="directories.browse")
async def items(request: Asked, act: Act, after: After = None) -> Response[str]:
    """What the office has published that it inspects."""
    found = await directories.items(act=act, after=after, limit=LIMIT)
    whole = await total("items", found, limit=LIMIT, after=after, act=act)
    shown = {
        "rows": found,
        "place": partial(names.place, language=language_of(request)),
        "shelf": shelf("/desk/items", found, {}, limit=LIMIT, after=after, total=whole),
        "exports": policy.allowed("directories.export", act.by.roles, signed_in=True),
    }
    return desk(request, act, "desk/items.html", shown, here="items")


HANDLERS = [page, one, items]
