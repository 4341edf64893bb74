"""Several pieces of evidence in one call: addresses for their bytes, and that these are there."""

from typing import Annotated
from uuid import UUID

from litestar.params import JSONBody
from msgspec import Meta, Struct

from backend.api.evidence import UploadOut
from backend.api.proofs import PROVEN
from backend.api.routes import post
from backend.services import pieces
from backend.services.act import Act
from backend.services.pieces import Standing
from backend.services.uploads import Lanes
from backend.settings import Settings
from media.bucket import Bucket
from media.spool import Spool


class PiecesIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces of the caller's own, declared before."""

    ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=20)]


class UploadsOut(Struct, frozen=True):
    """In the order that was asked for."""

    uploads: tuple[UploadOut, ...]


class StandingsOut(Struct, frozen=True):
    """In the order that was asked for."""

    pieces: tuple[Standing, ...]


@post("/api/v1/evidence/urls", action="evidence.upload", status_code=200, dependencies=PROVEN)
async def urls(
    data: JSONBody[PiecesIn], proven: Act, bucket: Bucket, settings: Settings
) -> UploadsOut:
    """An address for each awaited piece, pinned to length, type and hash, for 15 minutes."""
    lanes = Lanes(settings.host, settings.lanes)
    found = await pieces.addresses(data.ids, lanes=lanes, act=proven, bucket=bucket)
    return UploadsOut(tuple(UploadOut.of(one) for one in found))


@post("/api/v1/evidence/complete", action="evidence.upload", status_code=200, dependencies=PROVEN)
async def complete(
    data: JSONBody[PiecesIn], proven: Act, bucket: Bucket, spool: Spool
) -> StandingsOut:
    """Say that the bytes are there; each is looked for by itself, then verified. Repeatable."""
    return StandingsOut(
        tuple(await pieces.arrived(data.ids, act=proven, bucket=bucket, spool=spool))
    )


HANDLERS = [urls, complete]
