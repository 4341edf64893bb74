"""Derivatives 派生件 that people order and look at: blackened, annotated, stamped with the viewer.

An original is read and never written; a derivative is no evidence of its own.
Source: evidence spec 7, 12.3 (display).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import audit, exhibits, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.stored import LOCK, ROW
from inspection_plans.errors import Family
from media import kinds, renderings
from media.bucket import Bucket, HashMismatch, Room
from media.darkroom import Darkroom
from media.renderings import Arrow, Box, Order

VERSION = 1
FILL = "#000000"
STAMPED_MAX_BYTES = 60_000_000
Note = Annotated[str, Meta(min_length=1, max_length=200)]

SAME = """
select id from derivative where evidence = $1 and kind = $2 and recipe = $3::jsonb limit 1
"""
KEEP = """
insert into derivative (id, region, institution, evidence, kind, parent_sha256, sha256, size,
  object_key, recipe, created_at, variant, made_by, entry)
select $1, e.region, e.institution, e.id, $3, e.sha256, $4, $5, $6, $7, $8,
  coalesce((select max(variant) + 1 from derivative where evidence = e.id and kind = $3), 0),
  $9, $10
from evidence e where e.id = $2
"""
RECORDS = """
select d.id, d.evidence, d.kind, d.variant, d.parent_sha256, d.sha256, d.size, d.recipe,
  d.made_by, d.created_at, encode(a.leaf, 'hex') as leaf
from derivative d left join aud.entry a on a.id = d.entry
"""
ONE = RECORDS + "where d.id = $1"
OF_EVIDENCE = RECORDS + "where d.evidence = $1 order by d.kind, d.variant"


class NoPicture(ServiceRefusal):
    """Copies are made of pictures that are verified."""

    code = "evidence.no_picture"
    family = Family.CONFLICT


class Studio(msgspec.Struct, frozen=True):
    """What copies are made with: the store, and a decoder that uploads do not wait for."""

    bucket: Bucket
    darkroom: Darkroom


class DerivativeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One derivative: of which original, how, by whom; ``leaf`` is the hash of its entry."""

    id: UUID
    evidence: UUID
    kind: Literal["thumb", "preview", "redacted", "annotated", "transcode"]
    variant: int
    parent_sha256: str
    sha256: str
    size: int
    recipe: dict[str, Any]
    made_by: UUID | None
    created_at: datetime
    leaf: str | None


async def redact(
    evidence_id: UUID, boxes: Sequence[Box], reason: str, *, act: Act, studio: Studio
) -> DerivativeRecord:
    """Make a copy with rectangles filled black; the same rectangles again are the same copy.

    Raises: Absent, Denied, NoPicture ("evidence.no_picture"), MarkOutside, those of ``darkroom``.
    Source: evidence spec 7 (redaction is solid fill), 12.3.
    """
    params = {"fill": FILL, "boxes": msgspec.to_builtins(boxes)}
    order = Order("redacted", tuple(boxes))
    return await _ordered(evidence_id, order, params, reason, act=act, studio=studio)


async def annotate(
    evidence_id: UUID,
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    notes: Sequence[str],
    *,
    act: Act,
    studio: Studio,
) -> DerivativeRecord:
    """Make a copy with outlines and arrows, numbered; their notes stand in the recipe.

    Raises: those of ``redact``.
    """
    params = {
        "boxes": msgspec.to_builtins(boxes),
        "arrows": msgspec.to_builtins(arrows),
        "notes": list(notes),
    }
    order = Order("annotated", tuple(boxes), tuple(arrows))
    return await _ordered(evidence_id, order, params, "", act=act, studio=studio)


async def _ordered(
    evidence_id: UUID,
    order: Order,
    params: dict[str, Any],
    reason: str,
    *,
    act: Act,
    studio: Studio,
) -> DerivativeRecord:
    policy.require(act.by, "evidence.derive")
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ROW, evidence_id)
    _picture(row, order)
    made = await asyncio.to_thread(_made, row, order, studio)
    recipe = {
        "name": order.kind,
        "ver": VERSION,
        "params": params | {"quality": made.quality},
        "lib": made.lib,
    }
    digest = sha256(made.picture).hexdigest()
    key = f"{row['region']}/{evidence_id}/{order.kind}-{digest}.jpg"
    await asyncio.to_thread(studio.bucket.put, Room.DERIVATIVES, key, made.picture, "image/jpeg")
    async with DB.transaction(act.by.scope):
        await DB.connection.fetchrow(LOCK, evidence_id)
        same = await DB.connection.fetchval(SAME, evidence_id, order.kind, recipe)
        if same is not None:
            return _record(await DB.connection.fetchrow(ONE, same))
        entry = await audit.record(
            act,
            f"evidence.{order.kind}",
            "evidence",
            evidence_id,
            region=row["region"],
            reason=reason,
            before_sha256=row["sha256"],
            after_sha256=digest,
        )
        new, size = act.new_id(), len(made.picture)
        values = (order.kind, digest, size, key, recipe, act.at, act.by.id, entry)
        await DB.connection.execute(KEEP, new, evidence_id, *values)
        return _record(await DB.connection.fetchrow(ONE, new))


def _picture(row: Any, order: Order) -> None:  # noqa: ANN401 - a row of asyncpg or None
    """Refuse what is no verified picture, and marks that do not lie on it."""
    if row is None:
        raise Absent
    if row["verified_at"] is None or kinds.KINDS[row["mime"]].group != "image":
        raise NoPicture(state=row["state"], mime=row["mime"])
    renderings.check(order, width=row["facts"]["width"], height=row["facts"]["height"])


def _made(row: Any, order: Order, studio: Studio) -> Any:  # noqa: ANN401 - a row; Rendered
    """Render the original, once its bytes are the ones that were signed; blocks."""
    raw = studio.bucket.fetch(
        Room.ORIGINALS, row["object_key"], limit=row["size"], version=row["version_id"]
    )
    found = sha256(raw).hexdigest()
    if found != row["sha256"]:
        raise HashMismatch(expected=row["sha256"], found=found)
    return studio.darkroom.render(row["mime"], raw, order)


def _record(row: Any) -> DerivativeRecord:  # noqa: ANN401 - a row of asyncpg
    return msgspec.convert(dict(row), DerivativeRecord)


async def of_evidence(evidence_id: UUID, *, act: Act) -> tuple[DerivativeRecord, ...]:
    """All derivatives of one piece that the caller may see; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        shown = await exhibits.shown(evidence_id, act=act)
        rows = await DB.connection.fetch(OF_EVIDENCE, evidence_id)
    found = tuple(_record(row) for row in rows)
    return tuple(one for one in found if one.kind in shown.kinds)


async def look(evidence_id: UUID, *, act: Act, studio: Studio) -> bytes:
    """A preview stamped all over with who looks and when, for this look alone; JPEG.

    An institution is shown the blackened copy of an office's picture where there is one.
    Raises: Absent, NotKept ("evidence.no_file"), StoreUnavailable, ImagingUnavailable.
    Source: evidence spec 12.3 (preview watermarked with viewer id).
    """
    async with DB.transaction(act.by.scope):
        shown = await exhibits.shown(evidence_id, act=act)
        key = shown.preview_key
        if shown.verified_at is None or key is None:
            raise exhibits.NotKept(state=shown.state, file="preview")
        await audit.record(
            act,
            "evidence.viewed",
            "evidence",
            evidence_id,
            region=shown.region,
            title="preview",
            after_sha256=shown.sha256,
        )
    stamp = f"{act.by.id} {act.at:%Y-%m-%d %H:%MZ}"
    return await asyncio.to_thread(_stamped, key, stamp, studio)


def _stamped(key: str, stamp: str, studio: Studio) -> bytes:
    raw = studio.bucket.fetch(Room.DERIVATIVES, key, limit=STAMPED_MAX_BYTES)
    order = Order("watermarked", stamp=stamp)
    return studio.darkroom.render("image/jpeg", raw, order).picture
