"""Tips for the desk; whoever inspects is refused, whatever other roles they have."""

from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import tip_desk, tip_files, tip_identity
from backend.services.act import Act
from backend.services.tip_desk import Brief, Link, State, Tip, Wanted
from backend.services.tips import Category, Identity
from media.bucket import Bucket

Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=5000, pattern=r"\S")]


class TriageIn(Struct, frozen=True, forbid_unknown_fields=True):
    institution: UUID | None = None
    remark: Annotated[str, Meta(max_length=1000)] = ""


class TextIn(Struct, frozen=True, forbid_unknown_fields=True):
    text: Text


class LinkIn(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Link
    target: UUID


class ReferralIn(Struct, frozen=True, forbid_unknown_fields=True):
    to: Line
    reason: Text


class MatterIn(Struct, frozen=True, forbid_unknown_fields=True):
    title: Line
    tips: Annotated[tuple[UUID, ...], Meta(min_length=2, max_length=200)]


class Matter(Struct, frozen=True):
    """Several tips about one matter."""

    id: UUID


class ReasonIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Text


@get("/api/v1/tips", action="tips.read")
async def page(
    act: Act,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    category: Annotated[Category | None, QueryParameter(name="category")] = None,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    matter: Annotated[UUID | None, QueryParameter(name="matter")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=200)] = 50,
) -> tuple[Brief, ...]:
    """Tips of the scope, newest first."""
    wanted = Wanted(state=standing, category=category, institution=institution, matter=matter)
    return await tip_desk.page(wanted, act=act, after=after, limit=limit)


@get("/api/v1/tips/{tip_id:uuid}", action="tips.read")
async def one(tip_id: FromPath[UUID], act: Act) -> Tip:
    """One tip with messages, files and what was done; that it was read is logged."""
    return await tip_desk.tip(tip_id, act=act)


@get(
    "/api/v1/tips/{tip_id:uuid}/files/{tip_file_id:uuid}",
    action="tips.read",
    media_type="application/octet-stream",
)
async def file(
    tip_id: FromPath[UUID], tip_file_id: FromPath[UUID], act: Act, bucket: Bucket
) -> Response[bytes]:
    """A file as an attachment: of a picture the preview, which carries nothing of its maker."""
    raw, _ = await tip_files.shown(tip_id, tip_file_id, act=act, bucket=bucket)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(raw, media_type="application/octet-stream", headers=headers)


@post("/api/v1/tips/{tip_id:uuid}/triage", action="tips.handle")
async def triage(tip_id: FromPath[UUID], data: JSONBody[TriageIn], act: Act) -> Tip:
    """Take a tip up."""
    return await tip_desk.triage(tip_id, act=act, institution=data.institution, remark=data.remark)


@post("/api/v1/tips/{tip_id:uuid}/answers", action="tips.handle")
async def answer(tip_id: FromPath[UUID], data: JSONBody[TextIn], act: Act) -> Tip:
    """Answer the sender."""
    return await tip_desk.answer(tip_id, data.text, act=act)


@post("/api/v1/tips/{tip_id:uuid}/link", action="tips.handle")
async def link(tip_id: FromPath[UUID], data: JSONBody[LinkIn], act: Act) -> Tip:
    """Link the tip to a directed check, a visit or a case."""
    return await tip_desk.link(tip_id, data.kind, data.target, act=act)


@post("/api/v1/tips/{tip_id:uuid}/referrals", action="tips.handle")
async def refer(tip_id: FromPath[UUID], data: JSONBody[ReferralIn], act: Act) -> Tip:
    """Record that another authority got the matter."""
    return await tip_desk.refer(tip_id, data.to, data.reason, act=act)


@post("/api/v1/tips/{tip_id:uuid}/paraphrase", action="tips.handle")
async def paraphrase(tip_id: FromPath[UUID], data: JSONBody[TextIn], act: Act) -> Tip:
    """Say in other words what may be told of the tip."""
    return await tip_desk.paraphrase(tip_id, data.text, act=act)


@post("/api/v1/tips/{tip_id:uuid}/closing", action="tips.handle")
async def close(tip_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> Tip:
    """Close the tip."""
    return await tip_desk.close(tip_id, data.reason, act=act)


@post("/api/v1/tip-matters", action="tips.handle")
async def group(data: JSONBody[MatterIn], act: Act) -> Matter:
    """Put tips about one matter together."""
    return Matter(await tip_desk.group(data.tips, data.title, act=act))


@post("/api/v1/tips/{tip_id:uuid}/identity-requests", action="tips.handle", status_code=204)
async def ask(tip_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> None:
    """Ask that the sealed identity be opened."""
    await tip_identity.ask(tip_id, data.reason, act=act)


@post("/api/v1/tips/{tip_id:uuid}/identity-approval", action="tips.unseal", status_code=204)
async def approve(tip_id: FromPath[UUID], act: Act) -> None:
    """Let the identity be opened, as the second person."""
    await tip_identity.approve(tip_id, act=act)


@post("/api/v1/tips/{tip_id:uuid}/identity", action="tips.handle")
async def identity(tip_id: FromPath[UUID], act: Act, keys: Keyring) -> Identity:
    """The identity, once, to the person who asked."""
    return await tip_identity.read(tip_id, act=act, box=keys.tips)


HANDLERS = [
    page,
    one,
    file,
    triage,
    answer,
    link,
    refer,
    paraphrase,
    close,
    group,
    ask,
    approve,
    identity,
]
