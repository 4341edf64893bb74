"""The audit log's heads, proofs and anchors, for everybody; its entries are for the auditors."""

from typing import Annotated

from litestar.datastructures import State
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import cosignatures, log_marks, log_proofs
from backend.services.cosignatures import HeadAnchors
from backend.services.log_marks import HeadMark
from backend.services.log_proofs import Consistency, Inclusion
from backend.services.sequencer import Head
from backend.settings import Settings

Size = Annotated[int, QueryParameter(ge=1, le=2**53 - 1)]
Leaf = Annotated[str, QueryParameter(pattern=r"^[0-9a-f]{64}\Z")]


class CosignatureIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A witness's signature line over the head of ``size``."""

    size: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    line: Annotated[str, Meta(min_length=1, max_length=400)]


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


@get("/api/v1/log/mark", action="log.read")
async def mark() -> HeadMark:
    """The newest head as papers carry it: words, a code as SVG; 404 while the log is empty."""
    return await log_marks.newest()


@get("/api/v1/log/anchors", action="log.read")
async def anchors(size: Size) -> HeadAnchors:
    """The head of ``size`` with cosignatures, time stamp and the moment it was locked away."""
    return await cosignatures.anchors_of(size)


@post("/api/v1/log/cosignatures", action="log.cosign", status_code=200)
async def cosign(data: JSONBody[CosignatureIn], settings: Settings, state: State) -> HeadAnchors:
    """Leave a witness's cosignature, which is its own proof; sent again it changes nothing."""
    at = state.clock()
    await cosignatures.keep(data.size, data.line, witnesses=settings.witnesses, at=at)
    return await cosignatures.anchors_of(data.size)


HANDLERS = [checkpoint, inclusion, consistency, mark, anchors, cosign]
