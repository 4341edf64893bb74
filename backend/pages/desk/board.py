"""The board and the list of visits 检查: by state, place and team; it updates by itself."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromQuery, QueryParameter

from backend.pages.desk.frame import desk
from backend.pages.desk.names import place
from backend.pages.forms import Asked
from backend.pages.lists import shelf, total
from backend.pages.routes import get
from backend.pages.words import language_of, say
from backend.services import boards, names, visit_lists
from backend.services.act import Act
from inspection_plans import states
from inspection_plans.states import Noun

LIMIT = 50
# What an office asks the board: where does it stand, and whose turn is it.
COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("before", ("assigned", "opened")),
    ("on_site", ("started", "returned")),
    ("sent", ("submitted",)),
    ("review", ("complete",)),
    ("decide", ("needs_decision", "recused")),
    ("finish", ("accepted", "unreachable", "closed", "refused")),
)
STATES = states.states(Noun.VISIT)


def _cells(row: boards.Row) -> list[int]:
    return [sum(row.states.get(state, 0) for state in found) for _, found in COLUMNS]


@get("/desk/visits", action="visits.read")
async def visits(
    request: Asked,
    act: Act,
    in_state: Annotated[
        str | None, QueryParameter(name="state", max_length=40, pattern=r"^[a-z_]*\Z")
    ] = None,
    institution: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Counts of what is not over, and the list, newest first."""
    language = language_of(request)
    found = await boards.board(act=act)
    rows = await visit_lists.page(
        act=act, after=after, limit=LIMIT, state=in_state or None, institution=institution
    )
    chosen = {"state": in_state, "institution": institution}
    scope = (list(act.by.regions), act.at, in_state or None, institution)
    whole = await total("visits", rows, *scope, limit=LIMIT, after=after, act=act)
    values = {
        "columns": [key for key, _ in COLUMNS],
        "board": found,
        "places": [(place(code, language), _cells(row)) for code, row in found.places.items()],
        "teams": [(name, _cells(row)) for name, row in found.teams.items()],
        "state_pairs": [(state, say(f"visit.state.{state}", language)) for state in STATES],
        "rows": rows,
        "names": await names.of([row.institution for row in rows], act=act),
        "pending": await visit_lists.pending([row.id for row in rows], act=act),
        "shelf": shelf("/desk/visits", rows, chosen, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/board.html", values, here="visits")


HANDLERS = [visits]
