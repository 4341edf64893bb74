"""Search over everything one may see."""

from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.routes import get
from backend.services import policy, search
from backend.services.act import Act

# what → where it is shown
PAGES = {
    "institution": "/desk/institutions/",
    "inspector": "/desk/inspectors/",
    "visit": "/desk/visits/",
    "notice": "/desk/notices/",
    "plan": "/desk/plans/",
    "draw": "/desk/draws/",
}


@get("/desk/search", action="visits.read")
async def found(
    request: Asked,
    act: Act,
    words: Annotated[str, QueryParameter(name="q", max_length=100)] = "",
) -> Response[Any]:
    """What matches, by kind."""
    people = policy.allowed("inspectors.read", act.by.roles, signed_in=True)
    values = {
        "words": words,
        "hits": await search.find(words, people=people, act=act),
        "where": PAGES,
    }
    return desk(request, act, "desk/search.html", values, here="search")


HANDLERS = [found]
