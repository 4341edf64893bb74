"""A trainee's one-time slip 问卷条: answered without signing in, script or trace."""

from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from backend.pages.render import link, page
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import slips
from backend.services.questions import questions
from backend.services.slips import SlipAnswer
from backend.services.texts import wording

UNSEEN = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
FORM_BYTES = 4_000
TOKEN = "_csrf_token"  # noqa: S105 - a field's name


async def _shown(
    code: str, request: Request[Any, Any, Any], state: State, *, again: bool = False
) -> Response[Any]:
    slip = await slips.look(code, at=state.clock())
    language = language_of(request)
    asked = [
        (one.code, getattr(one, language), [(o.code, getattr(o, language)) for o in one.options])
        for one in questions().anonymous
    ]
    refused = wording(SlipAnswer.code, language) if again else None
    values = {"code": code, "slip": slip, "asked": asked, "refused": refused}
    status = 422 if again else 200
    return page(request, "public/slip.html", values, status=status, headers=UNSEEN)


@get("/slips/done", action="public.read")
async def done(request: Request[Any, Any, Any]) -> Response[Any]:
    """Thanks; the address says nothing of the slip."""
    return page(request, "public/slip_done.html", {}, headers=UNSEEN)


@get("/slips/{code:str}", action="public.read")
async def form(
    code: FromPath[str], request: Request[Any, Any, Any], state: State
) -> Response[Any]:
    """The questions of a slip that may still be answered."""
    return await _shown(code, request, state)


@post("/slips/{code:str}", action="slips.answer", request_max_body_size=FORM_BYTES)
async def answer(
    code: FromPath[str], request: Request[Any, Any, Any], state: State
) -> Response[Any]:
    """Count the answers; one that says nothing shows the questions again."""
    typed = await request.form()
    chosen = {str(name): str(value) for name, value in typed.items() if name != TOKEN and value}
    try:
        await slips.answer(code, chosen, at=state.clock(), new_id=state.new_id)
    except SlipAnswer:
        return await _shown(code, request, state, again=True)
    return Redirect(link("/slips/done", language_of(request)), status_code=303)


HANDLERS = [done, form, answer]
