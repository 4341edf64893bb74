"""Every refusal as RFC 9457 problem+json: stable code, facts, what was kept, what to do."""

from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    ValidationException,
)
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from backend.services.errors import REFUSALS, STATUS, Refusal, passing
from backend.services.texts import Language, wording

MEDIA_TYPE = "application/problem+json"
# Database errors map once; a service turns an expected one into a refusal of its own before.
SQLSTATE = {
    "23505": 409,
    "23503": 409,
    "23514": 422,
    "22021": 400,
    "22P05": 400,
    "40001": 409,
    "40P01": 409,
}
HTTP_CODE = {
    400: "request.malformed",
    401: "person.unknown",
    403: "person.denied",
    404: "request.absent",
    405: "request.method",
    409: "request.conflict",
    413: "request.too_large",
    415: "request.type",
    422: "request.invalid",
    429: "request.limit",
    503: "request.unavailable",
}
# Statuses that a protocol fixes for a refusal, whatever its family: tus 1.0.
PROTOCOL = {
    "upload.expired": 410,
    "upload.tus_version": 412,
    "upload.chunk_type": 415,
    "upload.chunk_broken": 460,
    "upload.spool_full": 507,
}
CHECKSUM_MISMATCH = 460
CUT_OFF = "client disconnected prematurely"  # the framework's own words
RETRY_S = "30"
LATER = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE})
log = structlog.get_logger()


class FieldError(Struct, omit_defaults=True):
    """One wrong field: where it stands and what is wrong with it."""

    key: str = ""
    message: str = ""
    source: str = ""


class Problem(Struct, omit_defaults=True):
    """RFC 9457 with our members: ``code`` is stable, ``todo`` says what to do."""

    type: str
    title: str
    status: int
    code: str
    todo: str = ""
    kept: bool = True
    field: str | None = None
    facts: dict[str, Any] = {}
    errors: list[FieldError] = []
    request_id: str = ""


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase


def docs(*statuses: int) -> dict[int, ResponseSpec]:
    """The documented refusals of a route; every one is a Problem."""
    return {
        status: ResponseSpec(
            Problem,
            media_type=MEDIA_TYPE,
            generate_examples=False,
            description=_phrase(status),
        )
        for status in statuses
    }


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Chinese first; English when the caller asks for it before any Chinese."""
    wanted = request.headers.get("accept-language", "").lower()
    english, chinese = wanted.find("en"), wanted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh"


def _errors(fault: HTTPException) -> list[FieldError]:
    extra = fault.extra if isinstance(fault.extra, list) else []
    return [
        FieldError(str(e.get("key", "")), str(e.get("message", "")), str(e.get("source", "")))
        for e in extra
        if isinstance(e, dict)
    ]


def _of_refusal(refusal: Refusal) -> tuple[int, str]:
    return PROTOCOL.get(refusal.code, STATUS[str(refusal.family)]), refusal.code


def _cut_off(fault: Exception) -> bool:
    """Whether the line broke in mid-body: the answer reaches nobody, and nothing is wrong here."""
    return isinstance(fault, InternalServerException) and fault.detail == CUT_OFF


def problem(request: Request[Any, Any, Any], fault: Exception) -> Response[Problem]:
    """The answer to any exception: a refusal by its code, a fault without its text."""
    facts: dict[str, Any] = {}
    field: str | None = None
    errors: list[FieldError] = []
    headers: dict[str, str] = {}
    if isinstance(fault, REFUSALS):
        status, code = _of_refusal(fault)
        facts, field = dict(fault.facts), fault.field
    elif passing(fault):
        status, code = 503, HTTP_CODE[503]
    elif isinstance(fault, asyncpg.PostgresError):
        status = SQLSTATE.get(fault.sqlstate or "", 500)
        code = HTTP_CODE.get(status, "request.fault")
    elif _cut_off(fault):
        status, code = 400, HTTP_CODE[400]
    elif isinstance(fault, HTTPException):
        status, errors, headers = fault.status_code, _errors(fault), dict(fault.headers or {})
        code = HTTP_CODE.get(status, "request.fault")
        if isinstance(fault, ValidationException):
            status, code = 422, "request.invalid"
    elif isinstance(fault, RecursionError | UnicodeDecodeError):
        # A body nested a thousand deep, or no UTF-8: the decoder gives up without a refusal.
        status, code = 400, HTTP_CODE[400]
    else:
        status, code = 500, "request.fault"
    if status == 500:  # noqa: PLR2004 - the one status that is our fault
        log.error("fault", path=request.url.path, kind=type(fault).__name__, exc_info=fault)
    if status in LATER:
        headers["Retry-After"] = RETRY_S
    words = wording(code, language_of(request))
    body = Problem(
        type=f"/problems/{code}",
        title=words.title,
        status=status,
        code=code,
        todo=words.todo,
        field=field,
        facts=facts,
        errors=errors,
        request_id=getattr(request.state, "request_id", ""),
    )
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)
