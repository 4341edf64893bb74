"""Versions of the directories: what was true on a day, and what each change changed."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, PathParameter, QueryParameter

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.routes import get
from backend.services import revisions, versions
from backend.services.act import Act
from backend.services.records.directories import Version
from backend.services.records.plans import Change

LIMIT = 20
Kind = Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z_]+$")]
HERE = {
    "inspector": "inspectors",
    "relations": "inspectors",
    "inspection_item": "items",
} | dict.fromkeys(("training_class", "schedule", "roster"), "classes")


def _steps(found: tuple[Version, ...]) -> list[tuple[Version, tuple[Change, ...] | None]]:
    """Each version with what it changed; None for the first of all, or the last on the page."""
    older = [*found[1:], None]
    return [
        (one, revisions.compare(before.payload, one.payload) if before else None)
        for one, before in zip(found, older, strict=True)
    ]


@get("/desk/versions/{kind:str}/{subject:uuid}", action="directories.browse")
async def page(
    kind: Kind,
    subject: FromPath[UUID],
    request: Asked,
    act: Act,
    before: Annotated[int | None, QueryParameter(name="before", ge=1, le=2**31 - 1)] = None,
    on: Annotated[date | None, QueryParameter(name="on")] = None,
) -> Response[str]:
    """The versions of one thing, newest first; ``on`` shows what was true at the end of a day."""
    # One more than is shown, so that the last one can be compared, too.
    found = await versions.versions(kind, subject, act=act, before=before, limit=LIMIT + 1)
    shown = {
        "kind": kind,
        "subject": subject,
        "steps": _steps(found)[:LIMIT],
        "older": found[LIMIT - 1].rev if len(found) > LIMIT else None,
        "on": on,
        "then": await versions.on_day(kind, subject, on, act=act) if on else None,
    }
    here = HERE.get(kind, "institutions")
    return desk(request, act, "desk/versions.html", shown, here=here)


HANDLERS = [page]
