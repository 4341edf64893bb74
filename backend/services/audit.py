"""The audit log 审计日志: an entry is written in the transaction of its effect, or not at all."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from media import canon, merkle

INSERT = "insert into aud.entry (region, leaf, body) values ($1, $2, $3) returning id"
INSERT_ALL = """
insert into aud.entry (region, leaf, body)
select t.* from unnest($1::int[], $2::bytea[], $3::jsonb[]) as t
"""


class Entry(msgspec.Struct, frozen=True):
    """An entry ready to be written: its leaf hash (32 bytes) and its canonical body."""

    leaf: bytes
    body: str


class Actor(msgspec.Struct, frozen=True):
    """Who acted, as named then."""

    id: str
    name_snapshot: str
    role: str


class Subject(msgspec.Struct, frozen=True):
    """What was acted on, as named then."""

    id: str
    rev: int
    title_snapshot: str
    type: str


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry's body (evidence spec §8); ``t`` in ms."""

    actor: Actor
    after_sha: str
    before_sha: str
    ip_trunc: str
    object: Subject
    reason: str
    region: int
    req_id: str
    t: int
    v: int
    verb: str
    device: str | None = None
    op_id: str | None = None


def holds(body: object, leaf: bytes) -> bool:
    """Whether a stored body is the one that was hashed to ``leaf`` when it was written.

    The compiled spelling is tried first: bytes that hash to the leaf are the bytes of then.
    """
    if not isinstance(body, dict):
        return False
    try:
        if merkle.leaf_hash(msgspec.json.encode(body, order="sorted")) == leaf:
            return True
        return merkle.leaf_hash(canon.encode(body)) == leaf
    except (UnicodeEncodeError, canon.NotCanonical):
        return False


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
    by = act.by
    body = Body(
        actor=Actor(str(by.id), by.name, ",".join(sorted(by.roles))),
        after_sha=after_sha256,
        before_sha=before_sha256,
        ip_trunc=act.ip,
        object=Subject(str(object_id), rev, title, object_type),
        reason=reason,
        region=region,
        req_id=act.request_id,
        t=int(act.at.timestamp() * 1000),
        v=1,
        verb=verb,
        device=str(by.device) if by.device else None,
        op_id=str(act.op_id) if act.op_id else None,
    )
    raw = canon.spell(body)
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


async def record_all(entries: Sequence[tuple[int, Entry]]) -> None:
    """Write composed entries (region, entry) in one statement, in their order."""
    if entries:
        await DB.connection.execute(
            INSERT_ALL,
            [region for region, _ in entries],
            [entry.leaf for _, entry in entries],
            [entry.body for _, entry in entries],
        )
