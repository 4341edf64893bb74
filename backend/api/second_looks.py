"""What one person proposed and another has to decide."""

from typing import Annotated

from litestar.params import QueryParameter

from backend.api.routes import get
from backend.services import second_looks
from backend.services.act import Act
from backend.services.second_looks import SecondLook

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/v1/second-looks", action="visits.read")
async def page(act: Act, limit: Limit = 100) -> tuple[SecondLook, ...]:
    """Proposals that the caller's roles may decide, the oldest first."""
    return await second_looks.page(act=act, limit=limit)


HANDLERS = [page]
