"""Evidence: addresses to send it to, what became of it, and files by a short logged redirect."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from backend.api.proofs import PROVEN
from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import exhibits, intake, receipts, uploads
from backend.services.act import Act
from backend.services.exhibits import EvidenceRecord, File
from backend.services.intake import Intake
from backend.services.receipts import ReceiptRecord
from backend.services.uploads import Addresses, Lanes, NewPart
from backend.settings import Settings
from media.bucket import Bucket
from media.spool import Spool


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
    def of(cls, where: Addresses) -> "UploadOut":
        urls = tuple(UrlOut(n, put.method, put.url, dict(put.headers)) for n, put in where.puts)
        return cls(where.id, where.state, urls)


class PartsIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of a piece above 5 MiB that the sender wants addresses for; none means all in one."""

    parts: Annotated[tuple[NewPart, ...], Meta(max_length=20)] = ()


@post(
    "/api/v1/evidence/{evidence_id:uuid}/urls",
    action="evidence.upload",
    status_code=200,
    dependencies=PROVEN,
)
async def urls(
    evidence_id: FromPath[UUID],
    proven: Act,
    bucket: Bucket,
    settings: Settings,
    data: JSONBody[PartsIn | None] = None,
) -> UploadOut:
    """Addresses pinned to length, type and hash, for 15 minutes: one, or one a missing part."""
    wanted = (data or PartsIn()).parts
    return UploadOut.of(
        await uploads.urls(
            evidence_id,
            wanted,
            lanes=Lanes(settings.host, settings.lanes),
            act=proven,
            bucket=bucket,
        )
    )


@post(
    "/api/v1/evidence/{evidence_id:uuid}/complete",
    action="evidence.upload",
    status_code=200,
    dependencies=PROVEN,
)
async def complete(
    evidence_id: FromPath[UUID], proven: Act, bucket: Bucket, spool: Spool
) -> UploadOut:
    """Say that the bytes are there; they are looked for, then hashed and examined. Repeatable."""
    done = await uploads.complete(evidence_id, act=proven, bucket=bucket, spool=spool)
    return UploadOut(done.id, done.state, ())


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
