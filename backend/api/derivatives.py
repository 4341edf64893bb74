"""Copies of evidence: blackened, annotated, and previews stamped with who looks."""

from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import derivatives
from backend.services.act import Act
from backend.services.derivatives import DerivativeRecord, Note, Studio
from media.bucket import Bucket
from media.renderings import MARKS_MAX, Arrow, Box

# Made for this look alone: nothing keeps it, nothing in it runs.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
Boxes = Annotated[tuple[Box, ...], Meta(max_length=MARKS_MAX)]


class RedactionIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Rectangles to fill black, in pixels of the upright original."""

    boxes: Annotated[tuple[Box, ...], Meta(min_length=1, max_length=MARKS_MAX)]
    reason: Annotated[str, Meta(min_length=1, max_length=400)]


class AnnotationIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Outlines and arrows, numbered in this order from 1; a note for each number."""

    notes: Annotated[tuple[Note, ...], Meta(max_length=2 * MARKS_MAX)]
    boxes: Boxes = ()
    arrows: Annotated[tuple[Arrow, ...], Meta(max_length=MARKS_MAX)] = ()


class DerivativesOut(Struct, frozen=True):
    derivatives: tuple[DerivativeRecord, ...]


@post("/api/v1/evidence/{evidence_id:uuid}/redactions", action="evidence.derive", status_code=201)
async def redact(
    evidence_id: FromPath[UUID],
    data: JSONBody[RedactionIn],
    act: Act,
    bucket: Bucket,
    state: State,
) -> DerivativeRecord:
    """Make a blackened copy; the original is untouched."""
    studio = Studio(bucket, state.darkroom)
    return await derivatives.redact(evidence_id, data.boxes, data.reason, act=act, studio=studio)


@post("/api/v1/evidence/{evidence_id:uuid}/annotations", action="evidence.derive", status_code=201)
async def annotate(
    evidence_id: FromPath[UUID],
    data: JSONBody[AnnotationIn],
    act: Act,
    bucket: Bucket,
    state: State,
) -> DerivativeRecord:
    """Make an annotated copy; the original is untouched."""
    studio = Studio(bucket, state.darkroom)
    return await derivatives.annotate(
        evidence_id, data.boxes, data.arrows, data.notes, act=act, studio=studio
    )


@get("/api/v1/evidence/{evidence_id:uuid}/derivatives", action="evidence.read")
async def of_evidence(evidence_id: FromPath[UUID], act: Act) -> DerivativesOut:
    """All copies of one piece that the caller may see, each with its recipe."""
    return DerivativesOut(await derivatives.of_evidence(evidence_id, act=act))


@get(
    "/api/v1/evidence/{evidence_id:uuid}/preview",
    action="evidence.read",
    media_type="image/jpeg",
)
async def preview(
    evidence_id: FromPath[UUID], act: Act, bucket: Bucket, state: State
) -> Response[bytes]:
    """A preview stamped with the caller's id, for this look alone; the look is logged."""
    studio = Studio(bucket, state.darkroom)
    raw = await derivatives.look(evidence_id, act=act, studio=studio)
    return Response(raw, media_type="image/jpeg", headers=HEADERS)


HANDLERS = [redact, annotate, of_evidence, preview]
