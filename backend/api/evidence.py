"""Evidence: addresses to send it to, what became of it, and files by a short logged redirect."""

from uuid import UUID

from litestar.params import FromPath, JSONBody
from litestar.response import Redirect
from msgspec import Struct

from backend.api.proofs import PROVEN
from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import evidence, exhibits, intake, receipts
from backend.services.act import Act
from backend.services.evidence import Upload
from backend.services.exhibits import EvidenceRecord, File
from backend.services.intake import Intake
from backend.services.receipts import ReceiptRecord
from media.bucket import Bucket


class UrlOut(Struct, frozen=True):
    """``headers`` are pinned: the sender sets them as they are."""

    n: int
    method: str
    url: str
    headers: dict[str, str]


class UploadOut(Struct, frozen=True):
    """``urls`` is empty once the bytes are there."""

    id: UUID
    state: str
    urls: tuple[UrlOut, ...]

    @classmethod
    def of(cls, upload: Upload) -> "UploadOut":
        put = upload.put
        urls = (UrlOut(1, put.method, put.url, dict(put.headers)),) if put else ()
        return cls(upload.id, upload.state, urls)


@post(
    "/api/v1/evidence/{evidence_id:uuid}/urls",
    action="evidence.upload",
    status_code=200,
    dependencies=PROVEN,
)
async def urls(evidence_id: FromPath[UUID], proven: Act, bucket: Bucket) -> UploadOut:
    """An address pinned to the declared length, type and hash, for 15 minutes and one PUT."""
    return UploadOut.of(await evidence.urls(evidence_id, act=proven, bucket=bucket))


@post(
    "/api/v1/evidence/{evidence_id:uuid}/complete",
    action="evidence.upload",
    status_code=200,
    dependencies=PROVEN,
)
async def complete(evidence_id: FromPath[UUID], proven: Act, bucket: Bucket) -> UploadOut:
    """Say that the bytes are there; they are looked for, then hashed and examined. Repeatable."""
    return UploadOut.of(await evidence.complete(evidence_id, act=proven, bucket=bucket))


@post("/api/v1/notices/{notice_id:uuid}/evidence", action="notices.reply", status_code=201)
async def announce(
    notice_id: FromPath[UUID], data: JSONBody[Intake], act: Act, keys: Keyring
) -> EvidenceRecord:
    """Announce one file of a reply; the server signs what it will receive."""
    return await intake.take(notice_id, data, act=act, keys=keys)


@get("/api/v1/evidence/{evidence_id:uuid}", action="evidence.read")
async def one(evidence_id: FromPath[UUID], act: Act) -> EvidenceRecord:
    """One piece, as far as the caller may see it."""
    return await exhibits.one(evidence_id, act=act)


@get("/api/v1/evidence/{evidence_id:uuid}/files/{file:str}", action="evidence.read")
async def file(
    evidence_id: FromPath[UUID], file: FromPath[File], act: Act, bucket: Bucket
) -> Redirect:
    """A redirect to the original or a preview, good for 60 seconds; the look is logged."""
    url = await exhibits.link(evidence_id, file, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


@get("/api/v1/evidence/{evidence_id:uuid}/receipt", action="evidence.read")
async def receipt(evidence_id: FromPath[UUID], act: Act) -> ReceiptRecord:
    """The signed receipt, once there is one."""
    return await receipts.of_evidence(evidence_id, act=act)


HANDLERS = [urls, complete, announce, one, file, receipt]
