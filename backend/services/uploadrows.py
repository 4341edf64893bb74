"""Uploads as stored: how far each is, and what both lanes know of a piece's parts.

Source: evidence spec 4.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.services.errors import Absent
from media.bucket import Part
from media.spool import SEGMENT_BYTES

IDLE = timedelta(days=7)
HELD = "select * from upload where evidence = $1 for no key update"
# An upload that was ended and opened anew meanwhile has none of the parts of the old one.
STORE = """
update upload set stored = $2, taken = greatest(taken, $2)
where evidence = $1 and state = 'open' and store_upload is not distinct from $3
"""
NAME = """
update upload set store_upload = $2
where evidence = $1 and store_upload is null and state = 'open'
"""
RESET = """
update upload set taken = 0, stored = 0, store_upload = null
where evidence = $1 and state = 'open' and store_upload is not distinct from $2
"""
# A part that was promised is not whole in the store: what lies before it is all there is.
SHRINK = """
update upload set taken = $2, stored = $2
where evidence = $1 and state = 'open' and store_upload is not distinct from $3
"""
TORN = "update upload set taken = stored where evidence = $1 and taken = $2 and state = 'open'"
END = "update upload set state = $2, touched_at = $3 where evidence = $1"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is; ``done`` once every byte is here, whatever becomes of the piece."""

    id: UUID
    offset: int
    size: int
    expires_at: datetime
    done: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One upload as stored."""

    evidence: UUID
    size: int
    taken: int
    stored: int
    store_upload: str | None
    state: Literal["open", "received", "ended", "expired"]
    touched_at: datetime


def row_of(found: Any) -> Row:  # noqa: ANN401 - a driver's row or None
    if found is None:
        raise Absent
    return msgspec.convert(dict(found), Row)


def progress_of(row: Row) -> Progress:
    return Progress(
        id=row.evidence,
        offset=row.taken,
        size=row.size,
        expires_at=row.touched_at + IDLE,
        done=row.taken == row.size,
    )


def length_of(number: int, size: int) -> int:
    """The bytes of part ``number``, from 1, of a piece."""
    return min(SEGMENT_BYTES, size - (number - 1) * SEGMENT_BYTES)


def contiguous(parts: Sequence[Part], size: int) -> int:
    """The bytes from the start that whole parts cover."""
    stored = 0
    for number, part in enumerate(parts, 1):
        if part.number != number or part.size != length_of(number, size):
            break
        stored += part.size
    return stored
