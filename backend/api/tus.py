"""The weak-link lane: tus 1.0 with creation, checksum, termination and expiration.

A gateway that lets only GET and POST pass is served by ``X-HTTP-Method-Override`` over POST.
Source: evidence spec 4.2.
"""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import UUID

from litestar import Request, Response, head
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, HeaderParameter

from backend.api.problems import docs
from backend.api.proofs import PROVEN
from backend.api.routes import REFUSALS, delete, patch, post, route
from backend.services import uploads
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.uploadrows import Progress
from backend.settings import Settings
from inspection_plans.errors import Family
from media.bucket import Bucket
from media.spool import Spool

VERSION = "1.0.0"
CHUNK_BYTES = 1 << 20
LARGEST = 5 << 30
DIGESTS = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
KIND = "application/offset+octet-stream"
TUS = docs(410, 412, 460, 507)
COMMON = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
Length = Annotated[int, HeaderParameter(name="Upload-Length", ge=0, le=LARGEST)]
Metadata = Annotated[str, HeaderParameter(name="Upload-Metadata", max_length=2000)]
Override = Annotated[str, HeaderParameter(name="X-HTTP-Method-Override", max_length=10)]
Anything = Request[Any, Any, Any]


class Call(NamedTuple):
    """One call about one upload, whichever way its verb came."""

    upload: UUID
    request: Anything
    act: Act
    bucket: Bucket
    spool: Spool


Verb = Callable[[Call], Awaitable[Response[None]]]


class OtherVersion(ServiceRefusal):
    """The call does not speak tus 1.0.0."""

    code: ClassVar[str] = "upload.tus_version"


class NotBytes(ServiceRefusal):
    """A chunk comes as application/offset+octet-stream."""

    code: ClassVar[str] = "upload.chunk_type"


class ChunkBroken(ServiceRefusal):
    """The chunk's bytes do not have the checksum that came with them; it was dropped."""

    code: ClassVar[str] = "upload.chunk_broken"


class ChecksumUnknown(ServiceRefusal):
    """The checksum has no form or algorithm that is known here."""

    code: ClassVar[str] = "upload.checksum_unknown"
    family: ClassVar[Family] = Family.MALFORMED


class NoEvidence(ServiceRefusal):
    """The metadata name no evidence id."""

    code: ClassVar[str] = "upload.no_evidence"
    family: ClassVar[Family] = Family.MALFORMED


class VerbUnknown(ServiceRefusal):
    """The override is none of PATCH, HEAD and DELETE."""

    code: ClassVar[str] = "upload.verb_unknown"
    family: ClassVar[Family] = Family.MALFORMED


def _speaks(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: whoever calls speaks our version of the protocol."""
    if connection.headers.get("tus-resumable") != VERSION:
        raise OtherVersion(field="Tus-Resumable", versions=VERSION)


def _evidence(metadata: str) -> UUID:
    """The evidence id of ``Upload-Metadata: evidence <base64>, …``."""
    pairs = [pair.strip().partition(" ") for pair in metadata.split(",")]
    try:
        text = next(value for name, _, value in pairs if name == "evidence")
        return UUID(base64.b64decode(text, validate=True).decode())
    except (StopIteration, ValueError):
        raise NoEvidence(field="Upload-Metadata") from None


def _check(data: bytes, checksum: str | None) -> None:
    """Hold a chunk against its checksum, when one came."""
    name, _, text = (checksum or "sha256 ").partition(" ")
    if name not in DIGESTS:
        raise ChecksumUnknown(field="Upload-Checksum", algorithms=sorted(DIGESTS))
    try:
        given = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ChecksumUnknown(field="Upload-Checksum") from None
    if checksum and DIGESTS[name](data).digest() != given:
        raise ChunkBroken(field="Upload-Checksum")


def _told(progress: Progress, status: int, **more: str) -> Response[None]:
    headers = {
        **COMMON,
        "Upload-Offset": str(progress.offset),
        "Upload-Length": str(progress.size),
        "Upload-Expires": format_datetime(progress.expires_at, usegmt=True),
        **more,
    }
    return Response(None, status_code=status, headers=headers)


@route(
    "/api/v1/uploads",
    http_method="OPTIONS",
    action="public.read",
    status_code=204,
    sync_to_thread=False,
    include_in_schema=False,  # an answer of the protocol, without a body to describe
)
def options() -> Response[None]:
    """What the lane can do."""
    headers = {
        **COMMON,
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,checksum,termination,expiration",
        "Tus-Max-Size": str(LARGEST),
        "Tus-Checksum-Algorithm": ",".join(DIGESTS),
    }
    return Response(None, status_code=204, headers=headers)


GUARDED: dict[str, Any] = {
    "action": "evidence.upload",
    "guards": [_speaks],
    "dependencies": PROVEN,
    "responses": REFUSALS | TUS,
    "request_max_body_size": CHUNK_BYTES,
}


@post("/api/v1/uploads", status_code=201, **GUARDED)
async def create(
    proven: Act, settings: Settings, length: Length, metadata: Metadata
) -> Response[None]:
    """Open the upload of a declared piece; the same piece again is the same upload."""
    opened = await uploads.open_upload(_evidence(metadata), length, host=settings.host, act=proven)
    return _told(opened, 201, Location=f"{settings.origin}/api/v1/uploads/{opened.id}")


async def _offset(call: Call) -> Response[None]:
    return _told(await uploads.progress(call.upload, act=call.act, bucket=call.bucket), 200)


async def _chunk(call: Call) -> Response[None]:
    headers = call.request.headers
    if headers.get("content-type", "").partition(";")[0].strip() != KIND:
        raise NotBytes(field="Content-Type", expected=KIND)
    if not headers.get("upload-offset", "").isdecimal():
        raise uploads.WrongOffset(field="Upload-Offset")
    data = await call.request.body()
    _check(data, headers.get("upload-checksum"))
    at = int(headers["upload-offset"])
    return _told(await uploads.append(call.upload, at, data, act=call.act, spool=call.spool), 204)


async def _end(call: Call) -> Response[None]:
    await uploads.end(call.upload, act=call.act, bucket=call.bucket, spool=call.spool)
    return Response(None, status_code=204, headers=COMMON)


VERBS: dict[str, Verb] = {
    "HEAD": _offset,
    "PATCH": _chunk,
    "DELETE": _end,
}


def _meant(verb: str) -> Verb:
    """What an override stands for. Raises: VerbUnknown ("upload.verb_unknown")."""
    if verb not in VERBS:
        raise VerbUnknown(field="X-HTTP-Method-Override", verbs=sorted(VERBS))
    return VERBS[verb]


@head("/api/v1/uploads/{upload_id:uuid}", **GUARDED)
async def offset(
    upload_id: FromPath[UUID], request: Anything, proven: Act, bucket: Bucket, spool: Spool
) -> Response[None]:
    """How far it is, the parts of the direct lane included."""
    return await _offset(Call(upload_id, request, proven, bucket, spool))


@patch("/api/v1/uploads/{upload_id:uuid}", status_code=204, **GUARDED)
async def chunk(
    upload_id: FromPath[UUID], request: Anything, proven: Act, bucket: Bucket, spool: Spool
) -> Response[None]:
    """Take the next bytes (Upload-Offset, Upload-Checksum): hashed, on the disk, then promised."""
    return await _chunk(Call(upload_id, request, proven, bucket, spool))


@delete("/api/v1/uploads/{upload_id:uuid}", status_code=204, **GUARDED)
async def terminate(
    upload_id: FromPath[UUID], request: Anything, proven: Act, bucket: Bucket, spool: Spool
) -> Response[None]:
    """Give the upload up; the piece stays declared and awaited."""
    return await _end(Call(upload_id, request, proven, bucket, spool))


@post("/api/v1/uploads/{upload_id:uuid}", status_code=200, **GUARDED)
async def overridden(
    upload_id: FromPath[UUID],
    request: Anything,
    proven: Act,
    bucket: Bucket,
    spool: Spool,
    verb: Override,
) -> Response[None]:
    """PATCH, HEAD or DELETE through a gateway that lets only GET and POST pass."""
    return await _meant(verb)(Call(upload_id, request, proven, bucket, spool))


HANDLERS = [options, create, offset, chunk, terminate, overridden]
