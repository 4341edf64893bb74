"""Refused operations 死信, kept whole; a supervisor closes each with a reason."""

from datetime import datetime
from hashlib import sha256
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
  select id, op_id, region, visit, code, envelope, state, reason, created_at, closed_at
  from dead_letter where region = r.code and ($2::uuid is null or id < $2)
    and ($3::text is null or state = $3) order by id desc limit $4) d
order by d.id desc limit $4
"""
LOCK = "select region, state, code from dead_letter where id = $1 for no key update"
CLOSE = """
update dead_letter set state = 'closed', reason = $2, closed_by = $3, closed_at = $4 where id = $1
"""


class LetterClosed(ServiceRefusal):
    """It was closed already."""

    code = "op.letter_closed"
    family = Family.CONFLICT


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused operation as it was sent, with the code of its refusal."""

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


async def close(letter_id: UUID, reason: str, *, act: Act) -> None:
    """Close with a reason; raises Absent, LetterClosed ("op.letter_closed").

    Source: evidence spec 3 (dead letters).
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, letter_id)
        if row is None:
            raise Absent
        if row["state"] != "open":
            raise LetterClosed(state=row["state"])
        await DB.connection.execute(CLOSE, letter_id, reason, act.by.id, act.at)
        await audit.record(
            act,
            "op.letter_closed",
            "dead_letter",
            letter_id,
            region=row["region"],
            title=row["code"],
            reason=reason,
        )
