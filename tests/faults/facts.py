"""What a server holds of one schedule, read behind the policies and out of the store itself."""

import asyncio
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg

from media.bucket import Bucket, Room, StoreAbsent

Row = dict[str, Any]
OF_VISIT = {
    "visit": "id",
    "op": "visit",
    "answer": "visit",
    "visit_event": "visit",
    "evidence": "visit",
    "claim": "visit",
    "assignment": "visit",
    "rollcall": "visit",
}
RECEIPTS = (
    "select r.* from receipt r join evidence e on e.id = r.evidence where e.visit = any ($1)"
)
LETTERS = """
select d.* from dead_letter d where d.op_id = any ($1) or d.visit = any ($2)
"""
ENTRIES = "select id, leaf, body, tree_index from aud.entry where id > $1 order by id"
OPEN_TASKS = """
select kind, payload, attempts, last_error from task where done_at is null and run_at <= $1
"""
PENDING = "select count(*) from aud.entry where tree_index is null"


@dataclass(frozen=True)
class Facts:
    """Rows by table; ``blobs`` are hash and size of originals, None where there is none."""

    tables: dict[str, list[Row]]
    receipts: list[Row]
    letters: list[Row]
    entries: list[Row]
    devices: dict[UUID, Row]
    open_tasks: list[Row]
    pending: int
    blobs: dict[str, tuple[str, int] | None]

    def of(self, table: str, **wanted: Any) -> list[Row]:
        """The rows of a table whose columns have these values."""
        return [
            row
            for row in self.tables[table]
            if all(row[name] == value for name, value in wanted.items())
        ]

    def about(self, object_id: object, *verbs: str) -> list[Row]:
        """Audit entries about one object, oldest first."""
        wanted = str(object_id)
        return [
            one
            for one in self.entries
            if one["body"]["object"]["id"] == wanted and one["body"]["verb"] in verbs
        ]


async def collect(
    owner: asyncpg.Connection,
    bucket: Bucket,
    *,
    visits: Collection[str],
    devices: Collection[UUID],
    op_ids: Collection[UUID],
    since: int,
    at: datetime,
) -> Facts:
    """Read everything about these visits and devices, the log after entry ``since``, work due."""
    tables = {
        table: _rows(
            await owner.fetch(f"select * from {table} where {column} = any ($1)", visits)  # noqa: S608 - ours
        )
        for table, column in OF_VISIT.items()
    }
    known = await owner.fetch("select * from device where id = any ($1)", devices)
    return Facts(
        tables=tables,
        receipts=_rows(await owner.fetch(RECEIPTS, visits)),
        letters=_rows(await owner.fetch(LETTERS, op_ids, visits)),
        entries=_rows(await owner.fetch(ENTRIES, since)),
        devices={row["id"]: dict(row) for row in known},
        open_tasks=_rows(await owner.fetch(OPEN_TASKS, at)),
        pending=await owner.fetchval(PENDING),
        blobs=await asyncio.to_thread(_blobs, bucket, tables["evidence"]),
    )


def _blobs(bucket: Bucket, rows: Iterable[Row]) -> dict[str, tuple[str, int] | None]:
    """Hash what the store gives back for every piece that is said to be proved."""
    return {
        str(row["id"]): _hashed(bucket, row["object_key"])
        for row in rows
        if row["state"] in ("verified", "sealed")
    }


def _hashed(bucket: Bucket, key: str) -> tuple[str, int] | None:
    try:
        raw = b"".join(bucket.stream(Room.ORIGINALS, key))
    except StoreAbsent:
        return None
    return sha256(raw).hexdigest(), len(raw)


def _rows(found: Iterable[Any]) -> list[Row]:
    rows = [dict(row) for row in found]
    for row in rows:
        for name in ("body", "items", "payload"):
            if isinstance(row.get(name), str):
                row[name] = json.loads(row[name])
    return rows
