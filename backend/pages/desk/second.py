"""What waits for a second person 待第二人决定: one list, each leads to where it is decided."""

from typing import Any

from litestar import Response

from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.lists import shelf
from backend.pages.routes import get
from backend.services import names, second_looks
from backend.services.act import Act

LIMIT = 200
# kind → where it is decided; the id of what it is about stands between the two.
WHERE: dict[second_looks.Kind, tuple[str, str]] = {
    "withdrawal": ("/desk/visits/", "/changes#withdrawal"),
    "recusal": ("/desk/visits/", "/changes#recusals"),
    "gap": ("/desk/visits/", "/changes#gap"),
    "device": ("/desk/visits/", "/changes#gap"),
    "exclusion": ("/desk/plans/", "#exclusions"),
    "external": ("/desk/plans/", "/external"),
    "custody": ("/desk/evidence/", "#custody"),
}


@get("/desk/second", action="visits.read")
async def page(request: Asked, act: Act) -> Response[Any]:
    """Proposals that this person's roles may decide, the oldest first."""
    rows = await second_looks.page(act=act, limit=LIMIT)
    values = {
        "rows": rows,
        "where": WHERE,
        "names": await names.of([row.proposed_by for row in rows], act=act),
        "shelf": shelf("/desk/second", rows, {}, limit=LIMIT + 1),
    }
    return desk(request, act, "desk/second.html", values, here="second")


HANDLERS = [page]
