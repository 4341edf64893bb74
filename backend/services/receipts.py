"""Receipts 回执 as stored: what a phone checks before it frees a single byte."""

from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from media import base64url

OF_DEVICE = """
select id, evidence, body, signature from receipt where dev = $1 and id > $2 order by id limit $3
"""
# Asked through the evidence, whose policy knows what an institution may see.
OF_EVIDENCE = """
select r.id, r.evidence, r.body, r.signature from evidence e join receipt r on r.evidence = e.id
where e.id = $1
"""


class ReceiptRecord(msgspec.Struct, frozen=True):
    """A receipt's exact bytes as text, its signature, and its number for ``after``."""

    number: int
    evidence: UUID
    receipt: str
    signature: str


def _record(row: Any) -> ReceiptRecord:  # noqa: ANN401 - a row of asyncpg
    signature = base64url.encode(bytes(row["signature"]))
    return ReceiptRecord(row["id"], row["evidence"], bytes(row["body"]).decode(), signature)


async def of_device(after: int, *, act: Act, limit: int = 200) -> tuple[ReceiptRecord, ...]:
    """Receipts of the caller's device that came after number ``after``.

    Source: evidence spec 3, 5.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF_DEVICE, act.by.device, after, limit)
    return tuple(_record(row) for row in rows)


async def of_evidence(evidence_id: UUID, *, act: Act) -> ReceiptRecord:
    """The receipt of one piece; raises Absent while there is none."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(OF_EVIDENCE, evidence_id)
    if row is None:
        raise Absent
    return _record(row)
