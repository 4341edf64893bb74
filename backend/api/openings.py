"""An institution asks after its own rows of a disclosed frame; an office asks for one."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from backend.api.routes import get
from backend.keyring import Keyring
from backend.services import openings
from backend.services.act import Act
from backend.services.openings import Opening


@get("/api/v1/draws/{draw_id:uuid}/opening", action="draws.opening")
async def own(
    draw_id: FromPath[UUID],
    act: Act,
    keys: Keyring,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
) -> Opening:
    """Was I in the frame, with what weight, under which threshold? Nobody else is opened."""
    return await openings.own(draw_id, institution, act=act, keys=keys)


HANDLERS = [own]
