"""The log's halts and the recovery by two administrators of different roles 三员."""

from typing import Annotated

from litestar.params import JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import recovery
from backend.services.act import Act
from backend.services.recovery import Recovery
from backend.settings import Settings

Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


class RecoveryIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/log/recoveries", action="log.recover")
async def history() -> tuple[Recovery, ...]:
    """All halts of the signing, newest first; one without ``approved_at`` still stands."""
    return await recovery.history()


@post("/api/v1/log/recoveries/proposal", action="log.recover", status_code=200)
async def propose(data: JSONBody[RecoveryIn], act: Act) -> Recovery:
    """Propose to let the log go on, with a reason."""
    return await recovery.propose(data.reason, act=act)


@post("/api/v1/log/recoveries/approval", action="log.recover", status_code=200)
async def approve(act: Act, settings: Settings) -> Recovery:
    """Let the log go on under a new origin epoch: another person of another administrator role."""
    return await recovery.approve(act=act, base=settings.log_origin)


HANDLERS = [history, propose, approve]
