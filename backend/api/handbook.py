"""What a phone looks up on site: the handbook of a place, and what slips said."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from backend.api.routes import get
from backend.services import handbook, slips
from backend.services.act import Act
from backend.services.handbook import Handbook
from backend.services.slips import SlipCounts
from inspection_plans.loader import load_rulebook
from inspection_plans.vocabulary import Jurisdiction

Place = Annotated[str, QueryParameter(name="place", pattern=r"^(national|CN-[0-9]{2,6})\Z")]


@get("/api/v1/handbook", action="rules.read", sync_to_thread=True)
def read(place: Place, on: Annotated[date, QueryParameter(name="on")]) -> Handbook:
    """Clauses in force, words of advertisements and questions of a place on a day."""
    return handbook.of(Jurisdiction(place), on, load_rulebook())


@get("/api/v1/visits/{visit:uuid}/slips", action="slips.read")
async def counts(visit: FromPath[UUID], act: Act) -> SlipCounts:
    """How many one-time slips were answered; what they say only from enough answers on."""
    return await slips.counts(visit, act=act)


HANDLERS = [read, counts]
