"""The audit log 审计日志: an entry is written in the transaction of its effect, or not at all."""

from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from media import canon, merkle

INSERT = "insert into aud.entry (region, leaf, body) values ($1, $2, $3) returning id"


class Entry(msgspec.Struct, frozen=True):
    """An entry ready to be written: its leaf hash (32 bytes) and its canonical body."""

    leaf: bytes
    body: str


def compose(  # noqa: PLR0913 - who, what, to which object, with which digests
    act: Act,
    verb: str,
    object_type: str,
    object_id: UUID | str,
    *,
    region: int,
    title: str = "",
    rev: int = 0,
    reason: str = "",
    before_sha256: str = "",
    after_sha256: str = "",
) -> Entry:
    """Spell one entry, for a caller that writes it in the statement of its effect.

    Titles and names are snapshots, so an old entry stays byte-identical after a renaming.
    Source: evidence spec §8.
    """
    body: dict[str, Any] = {
        "v": 1,
        "t": int(act.at.timestamp() * 1000),
        "region": region,
        "actor": {
            "id": str(act.by.id),
            "name_snapshot": act.by.name,
            "role": ",".join(sorted(act.by.roles)),
        },
        "verb": verb,
        "object": {"type": object_type, "id": str(object_id), "rev": rev, "title_snapshot": title},
        "before_sha": before_sha256,
        "after_sha": after_sha256,
        "reason": reason,
        "req_id": act.request_id,
        "ip_trunc": act.ip,
    }
    if act.by.device:
        body["device"] = str(act.by.device)
    if act.op_id:
        body["op_id"] = str(act.op_id)
    raw = canon.encode(body)
    return Entry(merkle.leaf_hash(raw), raw.decode())


async def record(  # noqa: PLR0913 - who, what, to which object, with which digests
    act: Act,
    verb: str,
    object_type: str,
    object_id: UUID | str,
    *,
    region: int,
    title: str = "",
    rev: int = 0,
    reason: str = "",
    before_sha256: str = "",
    after_sha256: str = "",
) -> int:
    """Write one entry and return its id; ``region`` is the office it belongs to."""
    entry = compose(
        act,
        verb,
        object_type,
        object_id,
        region=region,
        title=title,
        rev=rev,
        reason=reason,
        before_sha256=before_sha256,
        after_sha256=after_sha256,
    )
    written: int = await DB.connection.fetchval(INSERT, region, entry.leaf, entry.body)
    return written
