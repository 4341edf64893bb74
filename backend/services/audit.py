"""The audit log 审计日志: an entry is written in the transaction of its effect, or not at all."""

from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act
from media import canon, merkle

INSERT = "insert into aud.entry (region, leaf, body) values ($1, $2, $3) returning id"


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
    """Write one entry and return its id; ``region`` is the office it belongs to.

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
    entry: int = await DB.connection.fetchval(INSERT, region, merkle.leaf_hash(raw), raw.decode())
    return entry
