"""Reading the audit log 审计: entries as they were written, newest first, for the auditor."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

PAGE = """
select id, region, body, tree_index from aud.entry
where region = any ($1) and ($2::bigint is null or id < $2) order by id desc limit $3
"""
# The index over the object's id makes this a look-up, however long the log is.
ABOUT = """
select id, region, body, tree_index from aud.entry
where body -> 'object' ->> 'id' = any ($1) and region = any ($2)
  and ($3::bigint is null or id < $3) order by id desc limit $4
"""


class AuditEntry(msgspec.Struct, frozen=True):
    """One entry; ``place`` is its index in the sealed tree, None while it waits."""

    id: int
    region: int
    place: int | None
    body: dict[str, Any]


async def page(*, act: Act, before: int | None = None, limit: int = 100) -> tuple[AuditEntry, ...]:
    """Entries of the caller's regions below ``before``, at most ``limit``."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, list(act.by.regions), before, limit)
    return tuple(
        AuditEntry(row["id"], row["region"], row["tree_index"], row["body"]) for row in rows
    )


async def about(
    things: Collection[UUID], *, act: Act, before: int | None = None, limit: int = 100
) -> tuple[AuditEntry, ...]:
    """Entries about some things of the caller's regions, newest first, below ``before``."""
    wanted = [str(one) for one in things]
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ABOUT, wanted, list(act.by.regions), before, limit)
    return tuple(
        AuditEntry(row["id"], row["region"], row["tree_index"], row["body"]) for row in rows
    )
