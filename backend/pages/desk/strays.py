"""What went astray and waits for a person: doubts, refused operations, unsent items, alarms."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.datastructures import State
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import (
    dead_letters,
    device_alarms,
    doubts,
    holdings,
    names,
    policy,
    reapplications,
    rulings,
    upkeep,
)
from backend.services.act import Act
from backend.services.deeds import Tools
from backend.services.texts import wordings

LIMIT = 50
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]


class ReasonForm(Struct, frozen=True):
    reason: Reason


class DecisionForm(Struct, frozen=True):
    decision: Literal["adopted", "attached", "voided"]
    reason: Reason


class LetterForm(Struct, frozen=True):
    """``again`` carries the operation out under today's rules; ``close`` leaves it refused."""

    what: Literal["again", "close"]
    reason: Reason


def _tools(state: State) -> Tools:
    return Tools(state.keyring, state.jobs.rules)


async def _shown(
    request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    waiting = await doubts.waiting(act=act, limit=LIMIT)
    letters = await dead_letters.page(act=act, limit=LIMIT, state="open")
    lost = await upkeep.lost(scope=act.by.scope, limit=LIMIT)
    language = language_of(request)
    texts = wordings()
    ids = [*(a.visit for a in waiting), *(b.visit for b in letters), *(c.visit for c in lost)]
    values = {
        "doubts": waiting,
        "letters": letters,
        "why": {one.code: texts[one.code][language].title for one in letters if one.code in texts},
        "phones": await holdings.behind(act=act, overdue_only=True, limit=LIMIT),
        "alarms": await device_alarms.page(act=act, limit=LIMIT, settled=False),
        "lost": lost,
        "names": await names.of(ids, act=act),
        "may": policy.allowed("visits.review", act.by.roles, signed_in=True),
        "filled": filled,
    }
    return desk(request, act, "desk/strays.html", values, here="strays", status=status)


@get("/desk/strays", action="visits.read")
async def page(request: Asked, act: Act) -> Response[Any]:
    """Everything that did not go its way by itself."""
    return await _shown(request, act)


@post("/desk/strays/doubts/{visit_id:uuid}/{op_id:uuid}", action="visits.review")
async def decide(
    visit_id: FromPath[UUID], op_id: FromPath[UUID], request: Asked, act: Act, state: State
) -> Response[Any]:
    """Adopt, attach or void an operation in doubt."""

    async def deed(form: DecisionForm) -> Done:
        await rulings.decide(
            visit_id, [op_id], form.decision, form.reason, act=act, tools=_tools(state)
        )
        return Done("/desk/strays", "stray.decided")

    return await submitted(request, DecisionForm, deed, partial(_shown, request, act))


@post("/desk/strays/letters/{letter_id:uuid}", action="visits.review")
async def settle_letter(
    letter_id: FromPath[UUID], request: Asked, act: Act, state: State
) -> Response[Any]:
    """Carry a refused operation out again, or close it."""

    async def deed(form: LetterForm) -> Done:
        if form.what == "again":
            await reapplications.reapply(letter_id, form.reason, act=act, tools=_tools(state))
        else:
            await dead_letters.close(letter_id, form.reason, act=act)
        return Done("/desk/strays", "stray.decided")

    return await submitted(request, LetterForm, deed, partial(_shown, request, act))


@post("/desk/strays/alarms/{alarm_id:uuid}", action="visits.review")
async def settle_alarm(alarm_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Say what came of an alarm about a phone."""

    async def deed(form: ReasonForm) -> Done:
        await device_alarms.settle(alarm_id, form.reason, act=act)
        return Done("/desk/strays", "stray.decided")

    return await submitted(request, ReasonForm, deed, partial(_shown, request, act))


HANDLERS = [page, decide, settle_letter, settle_alarm]
