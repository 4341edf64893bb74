"""A refusal as a page: the same words as in the API, the same status."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Redirect

from backend.pages.render import link, page
from backend.pages.words import language_of
from backend.services.errors import REFUSALS, STATUS
from backend.services.texts import wording

CODES = {
    400: "request.malformed",
    403: "page.form_expired",  # a missing right is a refusal of ours; this is the form's token
    404: "request.absent",
    405: "request.method",
    413: "request.too_large",
    415: "request.type",
}
log = structlog.get_logger()


def of(fault: Exception) -> tuple[int, str]:
    """Status and code of an exception; what is no refusal and no HTTP answer is our fault."""
    if isinstance(fault, REFUSALS):
        return STATUS[str(fault.family)], fault.code
    if isinstance(fault, HTTPException) and fault.status_code in CODES:
        return fault.status_code, CODES[fault.status_code]
    return 500, "request.fault"


def problem(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """The page of a refusal; who is not signed in is asked to."""
    if isinstance(fault, NotAuthorizedException):
        return Redirect(link("/desk/sign-in", language_of(request)), status_code=303)
    status, code = of(fault)
    if code == "request.fault":
        log.error("fault", path=request.url.path, kind=type(fault).__name__, exc_info=fault)
    return explain(request, code, status=status)


def explain(request: Request[Any, Any, Any], code: str, *, status: int) -> Response[str]:
    """What a code means and what to do; raises KeyError for a code that never was."""
    return page(
        request,
        "problem.html",
        {
            "code": code,
            "words": wording(code, language_of(request)),
            "request_id": getattr(request.state, "request_id", ""),
        },
        status=status,
    )
