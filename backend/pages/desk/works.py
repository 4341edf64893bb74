"""Long work 后台工作: everything that runs or ran, how far it is, where it is found again."""

from datetime import datetime
from typing import Annotated, get_args

from litestar import Response
from litestar.params import QueryParameter

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.routes import get
from backend.pages.words import Language, language_of
from backend.services import works
from backend.services.act import Act
from backend.services.texts import wording, wordings
from backend.services.works import Kind

LIMIT = 50
KINDS: tuple[Kind, ...] = get_args(Kind)
WHERE = {
    "import": "/desk/imports/{}",
    "simulation": "/desk/simulations/{}",
    "draw": "/desk/draws/{}",
    "export": "/desk/exports",
}


def _told(fault: str | None, language: Language) -> str:
    """What a fault means: a refusal's code in words, anything else as it was kept."""
    if fault is None or fault not in wordings():
        return fault or ""
    return wording(fault, language).title


@get("/desk/works", action="works.read")
async def page(
    request: Asked,
    act: Act,
    kind: Annotated[str, QueryParameter(max_length=20)] = "",
    before: Annotated[datetime | None, QueryParameter(name="before")] = None,
) -> Response[str]:
    """What still runs first, then the newest."""
    wanted = next((one for one in KINDS if one == kind), None)
    found = await works.page(act=act, kind=wanted, before=before, limit=LIMIT)
    last = min((one.ordered_at for one in found), default=None)
    shown = {
        "rows": [
            (
                one,
                WHERE[one.kind].format(one.id) if one.kind in WHERE else "",
                _told(one.fault, language_of(request)),
            )
            for one in found
        ],
        "kinds": KINDS,
        "kind": kind,
        "going": any(one.ended_at is None for one in found),
        "older": last.isoformat() if last and len(found) == LIMIT else None,
    }
    return desk(request, act, "desk/works.html", shown, here="works")


HANDLERS = [page]
