"""One piece of evidence as the lanes and the worker see its row."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.services import audit
from backend.services.act import Act
from backend.services.bodies import Transport

ROW = "select * from evidence where id = $1"
LOCK = ROW + " for no key update"
# States in which the bytes are still to come.
AWAITED = frozenset({"declared", "uploading", "missing"})
SEALED_MIME = "application/octet-stream"


class Original(msgspec.Struct, frozen=True):
    """The plain original 原件, as its manifest has it."""

    sha256: str
    size: int
    mime: str


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the lanes and the worker need of a row.

    ``sha256``, ``size`` and ``mime`` are of the bytes on the wire, which are the original's own
    unless they are sealed; then ``wrapped_key`` is there, and ``object_key`` is where the sealed
    ones lie, also once the original lies elsewhere.
    """

    id: UUID
    region: int
    institution: UUID
    visit: UUID | None
    channel: str
    dev: UUID | None
    sha256: str
    size: int
    mime: str
    original: Original
    wrapped_key: str | None
    state: str
    flags: tuple[str, ...]
    object_key: str
    version_id: str | None
    captured_at: datetime | None
    received_at: datetime | None


# Fields that are columns of the same name and type.
_COLUMNS = frozenset(Stored.__struct_fields__) - {
    "sha256",
    "size",
    "mime",
    "object_key",
    "original",
    "wrapped_key",
    "flags",
}


def stored(row: Any) -> Stored:  # noqa: ANN401 - a row of asyncpg
    """What the lanes need of one row."""
    wire = msgspec.convert(row["transport"], Transport)
    sealed = wire.wrapped_key is not None
    return Stored(
        **{name: row[name] for name in _COLUMNS},
        sha256=wire.sha256,
        size=wire.size,
        mime=SEALED_MIME if sealed else row["mime"],
        object_key=f"{row['region']}/{row['id']}/{wire.sha256}" if sealed else row["object_key"],
        original=Original(row["sha256"], row["size"], row["mime"]),
        wrapped_key=wire.wrapped_key,
        flags=tuple(row["flags"]),
    )


async def record(found: Stored, verb: str, act: Act, *, reason: str = "") -> int:
    """Write the audit entry of what became of a piece, in the caller's transaction; its id."""
    return await audit.record(
        act,
        verb,
        "evidence",
        found.id,
        region=found.region,
        reason=reason,
        after_sha256=found.original.sha256,
    )
