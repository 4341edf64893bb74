"""What anybody may read of draws: pages of attempts, and the log of an office's year."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import PathParameter, QueryParameter

from backend.api.etags import conditional
from backend.api.routes import get
from backend.services import disclosure
from backend.services.accounts import on_day
from backend.services.records.draws import PageLine, PlannedDraw


def _today(state: State) -> date:
    return on_day(state.clock())


@get("/api/v1/public/draws", action="public.read")
async def page(
    state: State,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[PageLine, ...]:
    """All attempts, newest first; a disclosure that is late says so by itself."""
    return await disclosure.pages(today=_today(state), after=after, limit=limit)


@get("/api/v1/public/draws/{code:str}", action="public.read")
async def one(
    request: Request[Any, Any, Any],
    code: Annotated[str, PathParameter(max_length=64, pattern=r"^[0-9A-Za-z-]+$")],
    attempt: Annotated[int | None, QueryParameter(ge=1, le=1000)] = None,
) -> Response[bytes | None]:
    """One draw: digests and counts, and the full record once disclosed; the latest attempt."""
    found = await disclosure.page(code, attempt=attempt)
    return conditional(request, found.body, f'"{found.etag}"')


@get("/api/v1/public/draw-logs/{region:int}/{year:int}", action="public.read")
async def log(
    region: Annotated[int, PathParameter(ge=100_000, le=999_999)],
    year: Annotated[int, PathParameter(ge=2021, le=2100)],
) -> list[dict[str, Any]]:
    """The chained log of an office's draws in a year, from its first entry."""
    return await disclosure.log(region, year)


@get("/api/v1/public/draw-years/{region:int}/{year:int}", action="public.read")
async def planned(
    state: State,
    region: Annotated[int, PathParameter(ge=100_000, le=999_999)],
    year: Annotated[int, PathParameter(ge=2021, le=2100)],
) -> tuple[PlannedDraw, ...]:
    """The draws announced for an office's year and what became of each; omitted ones show."""
    return await disclosure.planned(region, year, today=_today(state))


HANDLERS = [page, one, log, planned]
