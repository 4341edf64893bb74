"""A rolled-back log does not sign: what halts it, and the two persons who let it go on.

Source: evidence spec 8 (rollback), 12.2 (two persons of different 三员 roles). A tree that is
smaller than a head once published, or another tree than that head's, would sign a second history
under the first one's name. Writes go on; the signing waits for a recovery, and goes on under a new
origin epoch, which an entry of the log itself announces.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act, Person
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family
from media import checkpoint

VERB = "log.recovered"
PUBLIC = Scope(role="public")
Source = Literal["memory", "bucket", "backup"]

STANDING = """
select exists (select from aud.recovery where approved_at is null) as halted,
  (select origin from aud.recovery where approved_at is not null order by id desc limit 1)
    as origin,
  array(select r.entry from aud.recovery r join aud.entry e on e.id = r.entry
    where e.tree_index is null) as announced
"""
ROOT = "select root from aud.checkpoint where size = $1"
HALT = """
insert into aud.recovery (cause, size, known_from, known_origin, known_size, known_root, halted_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict ((true)) where approved_at is null do nothing
"""
COLUMNS = """
id, cause, size, known_from, known_origin, known_size, encode(known_root, 'hex') as known_root,
halted_at, proposed_by, proposed_role, proposed_at, reason, approved_by, approved_role,
approved_at, origin
"""
ALL = f"select {COLUMNS} from aud.recovery order by id desc limit 100"  # noqa: S608 - a constant
OPEN = f"select {COLUMNS} from aud.recovery where approved_at is null for no key update"  # noqa: S608
READ_OPEN = OPEN.removesuffix(" for no key update")
PROPOSE = """
update aud.recovery set proposed_by = $2, proposed_role = $3, proposed_at = $4, reason = $5
where id = $1
"""
APPROVE = """
update aud.recovery set approved_by = $2, approved_role = $3, approved_at = $4, origin = $5,
  entry = $6 where id = $1
"""


class NotHalted(ServiceRefusal):
    """The log signs; there is nothing to recover from."""

    code = "recovery.not_halted"
    family = Family.CONFLICT


class NotProposed(ServiceRefusal):
    """The first of two administrators has not proposed the recovery with a reason yet."""

    code = "recovery.not_proposed"
    family = Family.CONFLICT


class SameAdministrator(ServiceRefusal):
    """A recovery takes two persons of different administrator roles 三员."""

    code = "recovery.same_administrator"
    family = Family.DENIED


class Known(msgspec.Struct, frozen=True):
    """A head that was published once, and who remembers it; ``root`` is 32 bytes."""

    origin: str
    size: int
    root: bytes
    source: Source


class Standing(msgspec.Struct, frozen=True):
    """Whether signing is halted, under which origin it goes on, entries that announce that."""

    halted: bool
    origin: str
    announced: tuple[int, ...]


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """One halt: ``size`` entries were there, ``known_size`` were published; who ended it."""

    id: int
    cause: str
    size: int
    known_from: str
    known_origin: str | None
    known_size: int | None
    known_root: str | None
    halted_at: datetime
    proposed_by: UUID | None
    proposed_role: str | None
    proposed_at: datetime | None
    reason: str | None
    approved_by: UUID | None
    approved_role: str | None
    approved_at: datetime | None
    origin: str | None


class Epochs:
    """Under which origin a head must be signed, as the log's own entries say.

    A head that covers an announcement is of its epoch or a later one; no table is believed.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.turns: list[tuple[int, str]] = []

    def meet(self, place: int, body: Mapping[str, Any]) -> bool:
        """Read the entry at ``place``; False when it announces what is no later epoch."""
        if body.get("verb") != VERB:
            return True
        origin = str(body.get("object", {}).get("id", ""))
        if not checkpoint.of_log(origin, self.base) or origin <= self.of_head(place):
            return False
        self.turns.append((place, origin))
        return True

    def of_head(self, size: int) -> str:
        """The origin of a head over the first ``size`` entries."""
        origins = [origin for place, origin in self.turns if place < size]
        return origins[-1] if origins else self.base


async def standing(base: str) -> Standing:
    """How the log stands, inside the sequencer's transaction; ``base`` is its first origin."""
    row = await DB.connection.fetchrow(STANDING)
    return Standing(row["halted"], row["origin"] or base, tuple(row["announced"]))


async def rolled_back(known: Known, *, size: int, origin: str, at: datetime) -> bool:
    """Whether the tree of ``size`` lacks a published head; then the halt is written down.

    Heads of an earlier epoch are settled by the recovery that ended it. Inside the sequencer's
    transaction.  Source: evidence spec 8 (rollback).
    """
    cause = await _cause(known, size, origin)
    if cause is not None:
        await halt(cause, size, known, at=at)
    return cause is not None


async def _cause(known: Known, size: int, origin: str) -> str | None:
    if known.origin < origin:
        return None
    if known.origin > origin or size < known.size:
        return "behind"
    root = await DB.connection.fetchval(ROOT, known.size)
    return None if root is not None and bytes(root) == known.root else "forked"


async def halt(cause: str, size: int, known: Known | None, *, at: datetime) -> None:
    """Stop the signing, once; in the transaction of the caller, who may insert."""
    seen = (None, None, None) if known is None else (known.origin, known.size, known.root)
    source = "backup" if known is None else known.source
    await DB.connection.execute(HALT, cause, size, source, *seen, at)


async def halted() -> Recovery | None:
    """The halt that nobody has ended, or None while the log signs."""
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(READ_OPEN)
    return None if row is None else Recovery(**dict(row))


async def history() -> tuple[Recovery, ...]:
    """All halts, newest first, at most a hundred."""
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(ALL)
    return tuple(Recovery(**dict(row)) for row in rows)


def _role(person: Person) -> str:
    """The one administrator role 三员 of a person; raises Denied ("person.denied")."""
    policy.require(person, "log.recover")
    (role,) = person.roles & policy.ADMINS
    return role


async def _open() -> Any:  # noqa: ANN401 - a row of asyncpg
    row = await DB.connection.fetchrow(OPEN)
    if row is None:
        raise NotHalted
    return row


async def propose(reason: str, *, act: Act) -> Recovery:
    """Propose to let the log go on, with a reason; a later proposal takes the place of it.

    Raises: Denied, NotHalted ("recovery.not_halted").
    """
    role = _role(act.by)
    async with DB.transaction(act.by.scope):
        row = await _open()
        await DB.connection.execute(PROPOSE, row["id"], act.by.id, role, act.at, reason)
        await audit.record(
            act,
            "log.recovery_proposed",
            "log",
            str(row["id"]),
            region=act.by.region,
            reason=reason,
        )
        return Recovery(**dict(await _open()))


async def approve(*, act: Act, base: str) -> Recovery:
    """A second person of another administrator role lets the log go on under a new epoch.

    The entry names the new origin, both persons' reason, the head that is lost and the one kept;
    the sequencer places it before anything else.
    Raises: Denied, NotHalted, NotProposed, SameAdministrator ("recovery.…").
    Source: evidence spec 8 (rollback), 12.2.
    """
    role = _role(act.by)
    async with DB.transaction(act.by.scope):
        row = await _open()
        if row["proposed_by"] is None:
            raise NotProposed
        if row["proposed_by"] == act.by.id or row["proposed_role"] == role:
            raise SameAdministrator(role=role)
        origin = checkpoint.epoch(base, act.at)
        kept = await DB.connection.fetchval(ROOT, row["size"])
        entry = await audit.record(
            act,
            VERB,
            "log",
            origin,
            region=act.by.region,
            title=f"{row['proposed_by']} {row['proposed_role']}",
            reason=row["reason"],
            before_sha256=row["known_root"] or "",
            after_sha256=bytes(kept).hex() if kept else "",
        )
        await DB.connection.execute(APPROVE, row["id"], act.by.id, role, act.at, origin, entry)
    done = {"approved_by": act.by.id, "approved_role": role, "approved_at": act.at}
    return Recovery(**(dict(row) | done | {"origin": origin}))
