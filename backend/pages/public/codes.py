"""What a problem document's ``type`` leads to: the words of its code."""

from typing import Any

from litestar import Request, Response
from litestar.params import FromPath

from backend.pages.problems import explain
from backend.pages.routes import get
from backend.services.errors import Absent
from backend.services.texts import wordings


@get("/problems/{code:str}", action="public.read")
async def meaning(code: FromPath[str], request: Request[Any, Any, Any]) -> Response[str]:
    """The title and the next step of a code."""
    if code not in wordings():
        raise Absent
    return explain(request, code, status=200)


HANDLERS = [meaning]
