"""The audit log's heads and proofs, for everybody; its entries are for the auditors alone."""

from typing import Annotated

from litestar.params import QueryParameter

from backend.api.routes import get
from backend.services import log_proofs
from backend.services.log_proofs import Consistency, Inclusion
from backend.services.sequencer import Head

Size = Annotated[int, QueryParameter(ge=1, le=2**53 - 1)]
Leaf = Annotated[str, QueryParameter(pattern=r"^[0-9a-f]{64}\Z")]


@get("/api/v1/log/checkpoint", action="log.read")
async def checkpoint() -> Head:
    """The newest signed head; 404 while the log is empty."""
    return await log_proofs.newest()


@get("/api/v1/log/proof/inclusion", action="log.read")
async def inclusion(leaf: Leaf, size: Size) -> Inclusion:
    """The way from an entry's leaf hash to the head of ``size``."""
    return await log_proofs.inclusion(leaf, size)


@get("/api/v1/log/proof/consistency", action="log.read")
async def consistency(old: Size, new: Size) -> Consistency:
    """The proof that the head of ``new`` extends the head of ``old``."""
    return await log_proofs.consistency(old, new)


HANDLERS = [checkpoint, inclusion, consistency]
