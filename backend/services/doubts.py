"""Operations in doubt 存疑操作: kept whole, and without effect until a person has decided.

In doubt is what comes from an old assignment, under a revoked key, or for a record that was
signed before. A capture is taken all the same, with its flags.
Source: evidence spec 3 (reassignment, recorder), 0.5.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.deeds import Deed
from backend.services.errors import Absent

Standing = Literal["waiting", "adopted", "attached", "voided"]
NOTE = """
insert into op_doubt (op_id, region, visit, dev, inspector, kind, grounds, standing, raised_at)
values ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8) on conflict (op_id) do nothing
"""
COLUMNS = """
select d.op_id, d.region, d.visit, d.dev, d.inspector, i.name, d.kind, d.grounds, d.standing,
  d.raised_at, d.proposed_by, d.reason, d.decided_by, d.decided_at,
  convert_from(o.envelope, 'UTF8')::jsonb -> 'body' as body
from op_doubt d join op o on o.op_id = d.op_id join inspector i on i.id = d.inspector
"""
OF_VISIT = COLUMNS + "where d.visit = $1 order by d.raised_at, d.dev, o.inst_epoch, o.seq"
WAITING = (
    COLUMNS
    + """
where d.region = any ($1) and d.standing = 'waiting' and ($2::uuid is null or d.op_id < $2)
order by d.op_id desc limit $3
"""
)
THERE = "select true from visit where id = $1 and sealed_until <= $2"


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """One operation in doubt: who signed it, why it is in doubt, what it says, what became of it.

    ``proposed_by`` with a ``reason`` while it waits: a first person proposed to adopt it.
    """

    op_id: UUID
    region: int
    visit: UUID
    dev: UUID
    inspector: UUID
    name: str
    kind: str
    grounds: tuple[str, ...]
    standing: Standing
    raised_at: datetime
    proposed_by: UUID | None
    reason: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    body: dict[str, Any]


async def note(deed: Deed, *grounds: str) -> None:
    """Keep an operation as one in doubt, in the caller's transaction."""
    await DB.connection.execute(
        NOTE,
        deed.op_id,
        deed.site.region,
        deed.site.id,
        deed.dev,
        deed.inspector,
        deed.kind,
        [*deed.doubts, *grounds],
        deed.act.at,
    )


def _record(row: Any) -> Doubt:  # noqa: ANN401 - a row of asyncpg
    return msgspec.convert(dict(row), Doubt, strict=False)


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[Doubt, ...]:
    """Everything of a visit that is or was in doubt, as it came; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval(THERE, visit_id, act.at):
            raise Absent
        rows = await DB.connection.fetch(OF_VISIT, visit_id)
    return tuple(_record(row) for row in rows)


async def waiting(*, act: Act, after: UUID | None = None, limit: int = 100) -> tuple[Doubt, ...]:
    """What waits for a decision in the caller's regions, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(WAITING, act.by.regions, after, limit)
    return tuple(_record(row) for row in rows)
