"""Files that were made to be fetched end: exports of lists and evidence bundles are deleted.

The row with its digest stays, and the log says when the file went; a document is no export.
"""

import asyncio
from datetime import timedelta

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from media.bucket import Bucket

BUNDLES_KEPT = timedelta(days=30)
MOST = 100
DUE = """
select 'export_order' as noun, id, region, object_key from export_order
  where deleted_at is null and object_key is not null and expires_at <= $1
union all
select 'dossier', id, region, object_key from dossier
  where deleted_at is null and object_key is not null and ended_at <= $2
limit $3
"""
GONE = {
    "export_order": "update export_order set deleted_at = $2 where id = $1 and deleted_at is null"
    " returning id",
    "dossier": "update dossier set deleted_at = $2 where id = $1 and deleted_at is null"
    " returning id",
}


async def sweep(*, act: Act, bucket: Bucket) -> int:
    """Delete files whose time has come; how many.

    The store first, the row after: an interruption in between deletes what is gone already.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(DUE, act.at, act.at - BUNDLES_KEPT, MOST)
    for row in rows:
        await asyncio.to_thread(bucket.remove, row["object_key"])
        async with DB.transaction(act.by.scope):
            if await DB.connection.fetchval(GONE[row["noun"]], row["id"], act.at):
                verb = "listing.deleted" if row["noun"] == "export_order" else "dossier.deleted"
                await audit.record(act, verb, row["noun"], row["id"], region=row["region"])
    return len(rows)
