"""Cosignatures of witnesses 见证: taken in when they verify, given out with their head.

Source: evidence spec 8 (anchor d). Whose key is believed is the operator's setting, not a row:
a superuser of the database could add a row.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.errors import ServiceRefusal
from backend.services.log_proofs import NoSuchSize
from inspection_plans.errors import Family
from media import checkpoint, cosignature
from media.cosignature import Vkey

SEQ = Scope(role="seq")
PUBLIC = Scope(role="public")
NOTE = "select note from aud.checkpoint where size = $1"
KEEP = """
insert into aud.cosignature (size, name, line, signed_at, received_at)
values ($1, $2, $3, $4, $5) on conflict (size, name) do nothing
"""
ANCHORS = """
select note, created_at, anchored_at, stamped_at, authority, tsr,
  array(select line from aud.cosignature c where c.size = h.size order by name) as lines
from aud.checkpoint h where size = $1
"""


class UnknownWitness(ServiceRefusal):
    """A cosignature by a name for which the operator has set no key."""

    code = "log.unknown_witness"
    family = Family.DENIED


class HeadAnchors(msgspec.Struct, frozen=True):
    """A head with everything that fixes it outside the database; None is "not yet".

    ``note`` ends with the cosignature lines of witnesses; ``tsr`` is base64 of the raw reply over
    the note without them.
    """

    size: int
    note: str
    signed_at: datetime
    anchored_at: datetime | None
    stamped_at: datetime | None
    authority: str | None
    tsr: str | None
    witnesses: int


async def keep(size: int, line: str, *, witnesses: Sequence[str], at: datetime) -> None:
    """Keep a witness's line over the head of ``size``; repeating it changes nothing.

    Raises: NoSuchSize, UnknownWitness ("log.…"), NoteInvalid ("checkpoint.invalid").
    """
    name, _ = checkpoint.signature(line)
    known = {one.name: one for one in map(Vkey.read, witnesses)}
    if name not in known:
        raise UnknownWitness(name=name)
    async with DB.transaction(SEQ):
        note = await DB.connection.fetchval(NOTE, size)
        if note is None:
            raise NoSuchSize(field="size", size=size)
        signed_at = datetime.fromtimestamp(cosignature.cosigned(note, line, by=known[name]), UTC)
        await DB.connection.execute(KEEP, size, name, line, signed_at, at)


async def anchors_of(size: int) -> HeadAnchors:
    """The head of ``size`` with its anchors. Raises: NoSuchSize ("log.no_such_size")."""
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(ANCHORS, size)
    if row is None:
        raise NoSuchSize(field="size", size=size)
    reply = row["tsr"]
    return HeadAnchors(
        size=size,
        note=row["note"] + "".join(f"{line}\n" for line in row["lines"]),
        signed_at=row["created_at"],
        anchored_at=row["anchored_at"],
        stamped_at=row["stamped_at"],
        authority=row["authority"],
        tsr=None if reply is None else base64.b64encode(reply).decode(),
        witnesses=len(row["lines"]),
    )
