"""Files of a reply that come with a form: announced, signed for, sent by the weak-link lane."""

import asyncio
from hashlib import sha256
from typing import IO
from uuid import UUID

from backend.keyring import Keyring
from backend.services import intake, uploads
from backend.services.act import Act
from backend.services.intake import Intake
from backend.settings import Settings
from media.spool import Spool

SLICE_BYTES = 1 << 20


def _measured(source: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and length of a file, read from its beginning in slices."""
    source.seek(0)
    state, size = sha256(), 0
    while part := source.read(SLICE_BYTES):
        state.update(part)
        size += len(part)
    source.seek(0)
    return state.hexdigest(), size


async def attach(
    notice_id: UUID,
    source: IO[bytes],
    mime: str,
    *,
    act: Act,
    keys: Keyring,
    settings: Settings,
    spool: Spool,
) -> UUID:
    """Take one file of a reply in: the same intake record, spool and examination as any upload.

    The last byte orders its way to the store, where it is hashed and examined as ever.
    Raises: what ``intake.take``, ``uploads.open_upload`` and ``uploads.append`` raise.
    Source: casework 4 (evidence through the same upload lanes).
    """
    digest, size = await asyncio.to_thread(_measured, source)
    piece = Intake(id=act.new_id(), sha256=digest, size=size, mime=mime)
    await intake.take(notice_id, piece, act=act, keys=keys)
    await uploads.open_upload(piece.id, size, host=settings.host, act=act)
    offset = 0
    while part := await asyncio.to_thread(source.read, SLICE_BYTES):
        await uploads.append(piece.id, offset, part, act=act, spool=spool)
        offset += len(part)
    return piece.id
