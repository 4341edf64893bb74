"""Long work 后台工作: everything that runs or ran, how far it is, where it is found again."""

from datetime import datetime
from typing import Annotated, get_args

from litestar import Response
from litestar.params import QueryParameter

from backend.pages.desk.frame import desk
from backend.pages.desk.names import directory
from backend.pages.forms import Asked
from backend.pages.routes import get
from backend.pages.words import Language, language_of, say
from backend.services import listings, works
from backend.services.act import Act
from backend.services.texts import wording, wordings
from backend.services.works import Kind, Work

LIMIT = 50
KINDS: tuple[Kind, ...] = get_args(Kind)
WHERE = {
    "import": "/desk/imports/{}",
    "simulation": "/desk/simulations/{}",
    "draw": "/desk/draws/{}",
    "export": "/desk/exports",
    "dossier": "/desk/bundles",
}


def _told(fault: str | None, language: Language) -> str:
    """What a fault means: a refusal's code in words, anything else as it was kept."""
    if fault is None or fault not in wordings():
        return fault or ""
    return wording(fault, language).title


def _title(work: Work, language: Language) -> str:
    """What the work is, in words: its row begins with the code of a directory, list or reader."""
    code, _, rest = work.title.partition(" · ")
    if work.kind == "import":
        return f"{directory(code, language)} · {rest}"
    if work.kind == "export":
        named = listings.texts().lists[code]
        form = say(f"exports.form.{rest}", language)
        return f"{named.en if language == 'en' else named.zh} · {form}"
    if work.kind == "dossier":
        return f"{say(f'works.audience.{code}', language)} · {rest}"
    return work.title


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
    language = language_of(request)
    last = min((one.ordered_at for one in found), default=None)
    shown = {
        "rows": [
            (
                one,
                WHERE[one.kind].format(one.id) if one.kind in WHERE else "",
                _title(one, language),
                _told(one.fault, language),
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
