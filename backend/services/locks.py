"""What keeps originals in the store: COMPLIANCE once a case is filed, the hold lifted in the end.

Source: evidence spec 5 (buckets), 12.2 (lift a lock), 12.8 (retention).
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.act import Act
from backend.services.stored import LOCK, ROW, record, stored
from inspection_plans import custody, policy
from inspection_plans.vocabulary import NATIONAL
from media.bucket import Bucket

COMPLY = "evidence.comply"
UNLOCK = "evidence.unlock"
# What the case's findings name, everything of their visits, and what came with its notice.
OF_CASE = """
select e.id, e.object_key, e.version_id, e.retain_until from case_file c
join evidence e on e.state in ('verified', 'sealed') and e.lock_mode = 'governance' and (
  e.notice = c.notice or exists (select from finding f
    where f.id = any (c.findings) and (e.id = any (f.evidence) or e.visit = f.visit)))
where c.id = $1 order by e.id
"""
COMPLIED = """
update evidence set lock_mode = 'compliance', retain_until = $2
where id = $1 and lock_mode = 'governance'
"""


async def order(case_id: UUID, *, region: int, act: Act) -> None:
    """Have the originals of a case put under COMPLIANCE; in the transaction that files it."""
    await tasks.enqueue(
        COMPLY, {"case": str(case_id)}, region=region, at=act.at, dedupe=str(case_id)
    )


async def comply(case_id: UUID, *, act: Act, bucket: Bucket) -> int:
    """Put the originals of a case under COMPLIANCE, each with its entry; how many were.

    Safe to repeat. Raises: StoreUnavailable, StoreAbsent.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF_CASE, case_id)
    years = policy.number("evidence_retention_years", NATIONAL)
    until = act.at + timedelta(days=366 * years)
    for row in rows:
        held = await asyncio.to_thread(
            bucket.comply, row["object_key"], row["version_id"], until=until
        )
        async with DB.transaction(act.by.scope):
            piece = await DB.connection.fetchrow(LOCK, row["id"])
            status = await DB.connection.execute(COMPLIED, row["id"], held.until)
            if status != "UPDATE 0":
                await record(stored(piece), "evidence.compliance", act, reason=str(case_id))
    return len(rows)


async def unlock(evidence_id: UUID, *, act: Act, bucket: Bucket) -> None:
    """Take the legal hold off an original whose retention has ended, as two persons decided.

    Its retention in the store is asked as well: the later day counts.
    Raises: StillRetained ("evidence.still_retained"), StoreAbsent, StoreUnavailable.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ROW, evidence_id)
    held = await asyncio.to_thread(bucket.lock_of, row["object_key"], row["version_id"])
    custody.lifting(retain_until=_later(row["retain_until"], held.until), now=act.at)
    await asyncio.to_thread(bucket.lift_hold, row["object_key"], row["version_id"])
    async with DB.transaction(act.by.scope):
        piece = await DB.connection.fetchrow(LOCK, evidence_id)
        await record(stored(piece), "evidence.lock_lifted", act)


def _later(one: Any, other: Any) -> Any:  # noqa: ANN401 - instants or None
    return max((at for at in (one, other) if at is not None), default=None)
