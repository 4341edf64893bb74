"""Refused operations 死信, kept whole; a supervisor applies each again, or closes it."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

BURY = """
insert into dead_letter (id, op_id, region, visit, code, envelope, envelope_sha256, state,
  created_at) values ($1, $2, $3, $4, $5, $6, $7, 'open', $8)
on conflict (envelope_sha256) do nothing returning id
"""
PAGE = """
select d.* from unnest($1::int[]) as r (code) cross join lateral (
  select id, op_id, region, visit, code, envelope, state, reason, created_at, closed_at,
    tried_at, tried_code
  from dead_letter where region = r.code and ($2::uuid is null or id < $2)
    and ($3::text is null or state = $3) order by id desc limit $4) d
order by d.id desc limit $4
"""
ONE = "select op_id, region, state, code, envelope from dead_letter where id = $1"
LOCK = ONE + " for no key update"
CLOSE = """
update dead_letter set state = 'closed', reason = $2, closed_by = $3, closed_at = $4 where id = $1
"""


APPLY = """
update dead_letter set state = 'applied', reason = $2, closed_by = $3, closed_at = $4
where id = $1
"""
TRIED = "update dead_letter set tried_at = $2, tried_by = $3, tried_code = $4 where id = $1"


class LetterClosed(ServiceRefusal):
    """It was applied or closed already."""

    code = "op.letter_closed"
    family = Family.CONFLICT


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused operation as it was sent, with the code of its refusal.

    ``tried_code`` is why it was refused once more when somebody applied it again.
    """

    id: UUID
    op_id: UUID | None
    region: int
    visit: UUID | None
    code: str
    envelope: str
    state: str
    reason: str | None
    created_at: datetime
    closed_at: datetime | None
    tried_at: datetime | None
    tried_code: str | None


async def bury(
    raw: bytes, code: str, *, act: Act, op_id: UUID | None, visit: UUID | None = None
) -> bool:
    """Keep a refused operation, in the caller's transaction; False when these bytes are there."""
    kept = await DB.connection.fetchval(
        BURY,
        act.new_id(),
        op_id,
        act.by.region,
        visit,
        code,
        raw,
        sha256(raw).digest(),
        act.at,
    )
    return kept is not None


async def page(
    *, act: Act, after: UUID | None = None, limit: int = 100, state: str | None = None
) -> tuple[DeadLetter, ...]:
    """Refused operations of the caller's regions, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, act.by.regions, after, state, limit)
    return tuple(
        DeadLetter(**(dict(row) | {"envelope": bytes(row["envelope"]).decode(errors="replace")}))
        for row in rows
    )


async def lock(letter_id: UUID) -> dict[str, Any]:
    """An open letter's row for a change, in the caller's transaction; raises as ``open_one``."""
    return await open_one(letter_id, LOCK)


async def open_one(letter_id: UUID, question: str = ONE) -> dict[str, Any]:
    """An open letter's row, in the caller's transaction.

    Raises: Absent, LetterClosed ("op.letter_closed").
    """
    row = await DB.connection.fetchrow(question, letter_id)
    if row is None:
        raise Absent
    if row["state"] != "open":
        raise LetterClosed(state=row["state"])
    return dict(row)


async def close(letter_id: UUID, reason: str, *, act: Act) -> None:
    """Close with a reason; raises Absent, LetterClosed ("op.letter_closed").

    Source: evidence spec 3 (dead letters).
    """
    async with DB.transaction(act.by.scope):
        row = await lock(letter_id)
        await DB.connection.execute(CLOSE, letter_id, reason, act.by.id, act.at)
        await _record("op.letter_closed", letter_id, row, act, reason)


async def applied(letter_id: UUID, row: dict[str, Any], reason: str, *, act: Act) -> None:
    """Note that a letter had its effect after all, in the transaction of that effect."""
    await DB.connection.execute(APPLY, letter_id, reason, act.by.id, act.at)
    await _record("op.letter_applied", letter_id, row, act, reason)


async def tried(letter_id: UUID, code: str, *, act: Act) -> UUID | None:
    """Note that a letter was refused once more; it stays open. The operation's id, if it has one.

    Raises: Absent, LetterClosed ("op.letter_closed").
    """
    async with DB.transaction(act.by.scope):
        row = await lock(letter_id)
        await DB.connection.execute(TRIED, letter_id, act.at, act.by.id, code)
        await _record("op.letter_tried", letter_id, row, act, code)
    found: UUID | None = row["op_id"]
    return found


async def _record(verb: str, letter_id: UUID, row: dict[str, Any], act: Act, reason: str) -> None:
    await audit.record(
        act,
        verb,
        "dead_letter",
        letter_id,
        region=row["region"],
        title=row["code"],
        reason=reason,
    )
