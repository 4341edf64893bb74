"""One piece of evidence: looked at by a stamped preview, with what its file and capture say."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Filled
from backend.pages.routes import get
from backend.services import custody_acts, derivatives, exhibits, names, places, policy
from backend.services.act import Act
from backend.services.custody_acts import CustodyAct, Kind
from backend.services.derivatives import Studio
from backend.services.exhibits import EvidenceRecord, File
from inspection_plans.states import TRANSITIONS, Noun
from media.bucket import Bucket

# Made for this look alone: nothing keeps it, nothing in it runs.
ALONE = {
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def _beside(
    piece: EvidenceRecord, all_of: tuple[EvidenceRecord, ...]
) -> tuple[EvidenceRecord | None, EvidenceRecord | None]:
    """The pieces before and after it in its visit."""
    place = [one.id for one in all_of].index(piece.id)
    before = all_of[place - 1] if place else None
    after = all_of[place + 1] if place + 1 < len(all_of) else None
    return before, after


def _kinds(piece: EvidenceRecord, acts: tuple[CustodyAct, ...]) -> tuple[Kind, ...]:
    """The acts that may be proposed on a piece as it stands; the service decides again."""
    open_now = {one.kind for one in acts if one.state == "proposed"}
    may: dict[Kind, bool] = {
        "admit": piece.state == "quarantined",
        "void": "void" in TRANSITIONS[Noun.EVIDENCE].get(piece.state, {}),
        "unlock": piece.sealed_at is not None,
    }
    return tuple(kind for kind, there in may.items() if there and kind not in open_now)


async def shown(
    evidence_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    """The page of a piece; acts on it show it again with what was typed."""
    piece = await exhibits.one(evidence_id, act=act)
    all_of = await exhibits.of_visit(piece.visit, act=act) if piece.visit else (piece,)
    where = await places.of_visit(piece.visit, act=act) if piece.visit else None
    before, after = _beside(piece, all_of)
    facts = piece.facts or {}
    acts = await custody_acts.of_evidence(evidence_id, act=act)
    who = [person for one in acts for person in (one.proposed_by, one.decided_by)]
    values = {
        "piece": piece,
        "before": before,
        "after": after,
        "many": len(all_of),
        "nth": [one.id for one in all_of].index(piece.id) + 1,
        "exif": facts.get("exif") or {},
        "pixels": f"{facts['width']} × {facts['height']}" if "width" in facts else "",
        "spot": next((s for s in where.spots if s.evidence == piece.id), None) if where else None,
        "filed": where.filed if where else False,
        "names": await names.of([piece.visit, *who], act=act),
        "acts": acts,
        "kinds": _kinds(piece, acts),
        "proposes": policy.allowed("evidence.propose", act.by.roles, signed_in=True),
        "decides": policy.allowed("evidence.decide", act.by.roles, signed_in=True),
        "filled": filled,
        "picture": piece.mime.startswith("image/") and piece.verified_at is not None,
    }
    return desk(request, act, "desk/evidence.html", values, here="visits", status=status)


@get("/desk/evidence/{evidence_id:uuid}", action="evidence.acts")
async def one(evidence_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """The piece large, its facts beside it, the next one a key away."""
    return await shown(evidence_id, request, act)


@get("/desk/evidence/{evidence_id:uuid}/preview", action="evidence.acts")
async def preview(
    evidence_id: FromPath[UUID], act: Act, bucket: Bucket, state: State
) -> Response[bytes]:
    """The preview stamped with who looks; the look is logged."""
    studio = Studio(bucket, state.darkroom)
    raw = await derivatives.look(evidence_id, act=act, studio=studio)
    return Response(raw, media_type="image/jpeg", headers=ALONE)


@get("/desk/evidence/{evidence_id:uuid}/files/{file:str}", action="evidence.acts")
async def file(
    evidence_id: FromPath[UUID], file: FromPath[File], act: Act, bucket: Bucket
) -> Redirect:
    """A redirect to the original or a copy, good for 60 seconds; the look is logged."""
    url = await exhibits.link(evidence_id, file, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [one, preview, file]
