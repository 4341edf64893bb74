"""The head of the audit log for everybody 审计日志: whoever keeps it is a witness."""

from typing import Any

from litestar import Request, Response

from backend.pages.render import page
from backend.pages.routes import get
from backend.services import log_checks, log_marks
from backend.services.log_marks import shown


@get("/log", action="public.read")
async def newest(request: Request[Any, Any, Any]) -> Response[Any]:
    """The newest head in words and as a code, its anchors, and the last check of the whole log."""
    values = {"mark": await log_marks.mark(), "check": await log_checks.last(), "shown": shown}
    return page(request, "public/log.html", values)


HANDLERS = [newest]
