"""A notice as its institution reads and answers it: drafts kept at once, receipts when sent."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from backend.keyring import Keyring
from backend.pages import scripts
from backend.pages.forms import EMPTY, Asked, Done, Filled, files, submitted
from backend.pages.portal.frame import portal
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import derivatives, documents, exhibits, notices, own_records, replies
from backend.services.act import Act
from backend.services.attachments import attach
from backend.services.derivatives import Studio
from backend.services.errors import Absent
from backend.services.exhibits import File
from backend.services.notices import Notice
from backend.services.own_records import by_finding
from backend.services.replies import Reply, Words
from backend.settings import Settings
from media.bucket import Bucket
from media.spool import Spool

# One form may bring this much without script; bigger films come through the API's lanes.
FORM_BYTES = 64_000_000
KINDS = ("rectified", "admission", "statement", "objection", "extension")
OPEN = ("served", "answered", "under_review")
WHOLE = "whole"


class AnswerForm(msgspec.Struct, frozen=True):
    """One answer; ``base`` is the version that the writer started from."""

    reply: UUID
    kind: Literal["rectified", "statement", "objection", "extension", "admission"]
    finding: UUID | None = None
    text: Annotated[str, Meta(max_length=20_000)] = ""
    evidence: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()
    base: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | None = None
    wanted_on: date | None = None


class SendForm(msgspec.Struct, frozen=True):
    """The drafts to send, ticked one by one."""

    replies: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]


class Slot(msgspec.Struct, frozen=True):
    """Where one answer is written: to a finding, or to the notice as a whole.

    ``draft`` is what is written so far, ``id`` its id or the one a new draft will get.
    """

    which: str
    finding: UUID | None
    id: UUID
    draft: Reply | None
    sent: tuple[Reply, ...]


def _slot(finding: UUID | None, found: tuple[Reply, ...], act: Act) -> Slot:
    mine = [one for one in found if one.finding == finding]
    draft = next((one for one in mine if one.state == "draft"), None)
    sent = tuple(one for one in mine if one.state == "submitted")
    which = str(finding) if finding else WHOLE
    return Slot(which, finding, draft.id if draft else act.new_id(), draft, sent)


async def _load(notice_id: UUID, act: Act) -> tuple[Notice, tuple[Reply, ...]]:
    notice = await notices.get(notice_id, act=act)
    return notice, await replies.of(notice_id, act=act)


async def _shown(
    notice_id: UUID, request: Asked, act: Act, filled: Filled, status: int
) -> Response[str]:
    notice, found = await _load(notice_id, act)
    pieces = await own_records.pieces(notice_id, act=act)
    slots = {line.finding: _slot(line.finding, found, act) for line in notice.findings}
    values = {
        "notice": notice,
        "open": notice.state in OPEN,
        "slots": slots,
        "whole": _slot(None, found, act),
        "drafts": [one for one in found if one.state == "draft"],
        "sent": [one for one in found if one.state == "submitted"],
        "disclosed": by_finding(pieces),
        "papers": await documents.about(notice_id, act=act),
        "pieces": {piece.id: piece for piece in pieces},
        "kinds": [(kind, say(f"portal.kind.{kind}", language_of(request))) for kind in KINDS],
        "filled": filled,
        "draft_script": scripts.address("portal/draft.js"),
    }
    return portal(request, act, "portal/notice.html", values, here="portal_home", status=status)


@get("/portal/notices/{notice_id:uuid}", action="notices.reply")
async def one(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[str]:
    """The notice, its findings, what was written and sent."""
    return await _shown(notice_id, request, act, EMPTY, 200)


@post(
    "/portal/notices/{notice_id:uuid}/replies",
    action="notices.reply",
    request_max_body_size=FORM_BYTES,
)
async def save(
    notice_id: FromPath[UUID],
    request: Asked,
    act: Act,
    keys: Keyring,
    settings: Settings,
    spool: Spool,
) -> Response[Any]:
    """Keep a draft, then the files that came with it: a refused file never costs words."""

    async def deed(form: AnswerForm) -> Done:
        words = msgspec.convert(form, Words, from_attributes=True)
        kept = await replies.save(notice_id, form.reply, words, base=form.base, act=act)
        for sent in await files(request, "files"):
            piece = await attach(
                notice_id,
                sent.file,
                sent.content_type.partition(";")[0].strip().lower(),
                act=act,
                keys=keys,
                settings=settings,
                spool=spool,
            )
            words = msgspec.structs.replace(words, evidence=(*words.evidence, piece))
            kept = await replies.save(notice_id, form.reply, words, base=kept.digest, act=act)
        return Done(f"/portal/notices/{notice_id}#{form.finding or WHOLE}", "portal.kept")

    return await submitted(request, AnswerForm, deed, partial(_shown, notice_id, request, act))


@post("/portal/notices/{notice_id:uuid}/sending", action="notices.reply")
async def send(
    notice_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Send drafts for good; each gets its receipt."""

    async def deed(form: SendForm) -> Done:
        await replies.send(notice_id, form.replies, key=keys.server, act=act)
        return Done(f"/portal/notices/{notice_id}#receipts", "portal.sent")

    return await submitted(request, SendForm, deed, partial(_shown, notice_id, request, act))


@get("/portal/evidence/{evidence_id:uuid}/preview", action="notices.reply")
async def look(
    evidence_id: FromPath[UUID], act: Act, bucket: Bucket, state: State
) -> Response[bytes]:
    """A picture stamped with who looks and when; the look is logged."""
    raw = await derivatives.look(evidence_id, act=act, studio=Studio(bucket, state.darkroom))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(raw, media_type="image/jpeg", headers=headers)


@get("/portal/evidence/{evidence_id:uuid}/files/{file:str}", action="notices.reply")
async def file(
    evidence_id: FromPath[UUID], file: FromPath[File], act: Act, bucket: Bucket
) -> Redirect:
    """A redirect to a file, good for 60 seconds; the look is logged."""
    url = await exhibits.link(evidence_id, file, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


@get("/portal/receipts/{notice_id:uuid}/{reply_id:uuid}", action="notices.reply")
async def receipt(
    notice_id: FromPath[UUID], reply_id: FromPath[UUID], act: Act
) -> Response[bytes]:
    """The signed receipt as a file to keep."""
    sent = await replies.of(notice_id, act=act)
    found = next((one.receipt for one in sent if one.id == reply_id and one.receipt), None)
    if found is None:
        raise Absent
    headers = {
        "Content-Disposition": f'attachment; filename="receipt-{reply_id}.json"',
        "Cache-Control": "no-store",
    }
    raw = msgspec.json.format(msgspec.json.encode(found), indent=2)
    return Response(raw, media_type="application/json", headers=headers)


HANDLERS = [one, save, send, look, file, receipt]
