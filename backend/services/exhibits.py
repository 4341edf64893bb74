"""Evidence as office and institution see it: lists, and files by a short logged address."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media import kinds
from media.bucket import Bucket, Room

File = Literal["original", "thumb", "redacted", "annotated"]
KINDS = frozenset({"thumb", "preview", "redacted", "annotated", "transcode"})

COLUMNS = """
select e.id, e.visit, e.notice, e.item, e.channel, e.sha256, e.size, e.mime, e.source, e.state,
  e.reason, e.flags, e.late, e.disclosed, e.facts, e.captured_at, e.declared_at, e.received_at,
  e.verified_at, e.sealed_at, e.visit is null or exists (
    select from claim c where c.visit = e.visit
      and c.items @> jsonb_build_array(jsonb_build_object('id', e.id, 'sha256', e.sha256)))
    as listed,
  exists (select from claim c where c.visit = e.visit and c.dev <> e.dev
    and c.items @> jsonb_build_array(jsonb_build_object('id', e.id, 'sha256', e.sha256)))
    as contributed,
  exists (select from claim c join visit v on v.id = c.visit where c.visit = e.visit
    and v.state in ('complete', 'accepted', 'concluded', 'concluded_with_gap')) and not exists (
      select from claim c where c.visit = e.visit
        and c.items @> jsonb_build_array(jsonb_build_object('id', e.id, 'sha256', e.sha256)))
    as after_signature
from evidence e
"""
OF_VISIT = COLUMNS + "where e.visit = $1 order by e.id"
# Proved evidence that a case may rest on: of its notice, and of the visits of its findings.
OF_CASE = (
    COLUMNS  # noqa: S608 - our own constants
    + """where e.state in ('verified', 'sealed') and (e.notice = $1
    or e.visit in (select f.visit from finding f where f.id = any ($2))) order by e.id limit $3"""
)
ONE = COLUMNS + "where e.id = $1"
FILE = """
select d.object_key from derivative d where d.evidence = $1 and d.kind = $2
order by d.variant desc limit 1
"""
# The newest blackened copy, and what a preview is made of when there is none.
SHOWN = """
select e.region, e.channel, e.institution, e.sha256, e.mime, e.state, e.verified_at, e.object_key,
  e.version_id,
  (select object_key from derivative where evidence = e.id and kind = 'redacted'
    order by variant desc limit 1) as redacted_key,
  (select object_key from derivative where evidence = e.id and kind = 'preview') as plain_key
from evidence e where e.id = $1
"""
DISCLOSE = """
update evidence set disclosed = true where id = any ($1) and not disclosed returning id, region
"""


class NotKept(ServiceRefusal):
    """The file is not verified, or there is no such derivative of it."""

    code = "evidence.no_file"
    family = Family.CONFLICT


class ShownRedacted(ServiceRefusal):
    """This picture is shown outside the office as its blackened copy alone."""

    code = "evidence.shown_redacted"
    family = Family.DENIED


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller may see of a piece: the kinds of its copies, and the preview's source."""

    region: int
    sha256: str
    mime: str
    state: str
    verified_at: datetime | None
    object_key: str | None
    version_id: str | None
    preview_key: str | None
    kinds: frozenset[str]


class EvidenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """证据: one piece, how it came, how far it is proved. ``listed`` = under somebody's claim.

    ``contributed`` = a colleague's, listed by the recorder by its hash; ``after_signature`` = no
    claim of the signed record lists it: it stands beside the record and is not part of it.
    ``source`` gallery and file are what they say: chosen on the phone, not captured by it.
    """

    id: UUID
    visit: UUID | None
    notice: UUID | None
    item: str | None
    channel: str
    sha256: str
    size: int
    mime: str
    source: str
    state: str
    reason: str | None
    flags: tuple[str, ...]
    late: bool
    disclosed: bool
    listed: bool
    contributed: bool
    after_signature: bool
    facts: dict[str, Any] | None
    captured_at: datetime | None
    declared_at: datetime
    received_at: datetime | None
    verified_at: datetime | None
    sealed_at: datetime | None


def _record(row: Any) -> EvidenceRecord:  # noqa: ANN401 - a row of asyncpg
    return EvidenceRecord(**(dict(row) | {"flags": tuple(row["flags"])}))


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[EvidenceRecord, ...]:
    """All evidence of a visit that the caller may see, in the order of its ids; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from visit where id = $1", visit_id):
            raise Absent
        rows = await DB.connection.fetch(OF_VISIT, visit_id)
    return tuple(_record(row) for row in rows)


async def of_case(
    notice: UUID | None, findings: Collection[UUID], *, act: Act, limit: int = 200
) -> tuple[EvidenceRecord, ...]:
    """Proved evidence of a case's notice and of the visits of its findings, the oldest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF_CASE, notice, list(findings), limit)
    return tuple(_record(row) for row in rows)


async def one(evidence_id: UUID, *, act: Act) -> EvidenceRecord:
    """One piece; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, evidence_id)
    if row is None:
        raise Absent
    return _record(row)


async def shown(evidence_id: UUID, *, act: Act) -> Shown:
    """What the caller may see of a piece, in the caller's transaction; raises Absent.

    An institution sees its own files as they are, and of an office's picture the blackened copy
    alone once there is one.
    Source: evidence spec 7, 12.3 (outside copies are blackened).
    """
    row = await DB.connection.fetchrow(SHOWN, evidence_id)
    if row is None:
        raise Absent
    outside = act.by.kind == "institution" and row["channel"] != "portal"
    hidden = outside and row["redacted_key"] is not None
    return Shown(
        **{name: row[name] for name in ("region", "sha256", "mime", "state", "verified_at")},
        object_key=row["object_key"],
        version_id=row["version_id"],
        preview_key=row["redacted_key"] if hidden else row["plain_key"],
        kinds=frozenset({"redacted"}) if hidden else KINDS | {"original"},
    )


async def link(evidence_id: UUID, file: File, *, act: Act, bucket: Bucket) -> str:
    """An address for one file, good for 60 seconds; every look is an audit entry.

    Raises: Absent, NotKept ("evidence.no_file"), ShownRedacted ("evidence.shown_redacted").
    Source: evidence spec 12.7; 7 (originals only as attachments).
    """
    async with DB.transaction(act.by.scope):
        found = await shown(evidence_id, act=act)
        original = file == "original"
        made = None if original else await DB.connection.fetchval(FILE, evidence_id, file)
        key = found.object_key if original else made
        # A void piece was verified once, and is kept to be looked at.
        if found.verified_at is None or key is None:
            raise NotKept(state=found.state, file=file)
        if file not in found.kinds:
            raise ShownRedacted(field="file", file=file)
        await audit.record(
            act,
            "evidence.viewed",
            "evidence",
            evidence_id,
            region=found.region,
            title=file,
            after_sha256=found.sha256,
        )
    mime = found.mime if original else "image/jpeg"
    address = bucket.presign_get(
        Room.ORIGINALS if original else Room.DERIVATIVES,
        key,
        version=found.version_id if original else None,
        filename=f"{evidence_id}-{file}.{kinds.KINDS[mime].ending}",
        mime=mime,
        now=act.at,
    )
    return address.url


async def disclose(evidence_ids: Sequence[UUID], *, act: Act) -> None:
    """Let the institution see pieces that a served notice cites, in the caller's transaction."""
    for row in await DB.connection.fetch(DISCLOSE, list(evidence_ids)):
        await audit.record(act, "evidence.disclosed", "evidence", row["id"], region=row["region"])
