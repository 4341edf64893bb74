"""The audit log 审计日志 at the desk: its checks, its entries, and letting a halted log go on."""

from functools import partial
from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import audit_entries, log_history, log_proofs, log_words, people, recovery
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.sequencer import Head
from backend.settings import Settings

LIMIT = 50


class ReasonForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


async def _head() -> Head | None:
    """The newest signed head; an empty log has none."""
    try:
        return await log_proofs.newest()
    except Absent:
        return None


async def _shown(
    request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    history = await recovery.history()
    halt = next((one for one in history if one.approved_at is None), None)
    who = [one for each in history for one in (each.proposed_by, each.approved_by)]
    role = next(iter(sorted(act.by.roles)), "")
    shown = {
        "head": await _head(),
        "checks": await log_history.checks(),
        "ordered": await log_history.ordered(),
        "say": partial(log_words.fault, language=language_of(request)),
        "orders": "auditadmin" in act.by.roles,
        "halt": halt,
        "history": history,
        "people": await people.names(who, act=act),
        "approves": halt is not None
        and halt.proposed_by not in (None, act.by.id)
        and halt.proposed_role != role,
        "filled": filled,
    }
    return desk(request, act, "desk/audit_log.html", shown, here="audit_log", status=status)


@get("/desk/log", action="upkeep.read")
async def page(request: Asked, act: Act) -> Response[Any]:
    """The newest head, every kept check, and whether the log signs."""
    return await _shown(request, act)


@post("/desk/log/check", action="log.check")
async def check(request: Asked, act: Act) -> Response[Any]:
    """Ask for a check of the whole log now."""

    async def deed(_form: NothingForm) -> Done:
        await log_history.order(act=act)
        return Done("/desk/log", "admin.check_ordered")

    return await submitted(request, NothingForm, deed, partial(_shown, request, act))


@post("/desk/log/proposal", action="log.recover")
async def propose(request: Asked, act: Act) -> Response[Any]:
    """Propose to let a halted log go on, with a reason."""

    async def deed(form: ReasonForm) -> Done:
        await recovery.propose(form.reason, act=act)
        return Done("/desk/log", "admin.recovery_proposed")

    return await submitted(request, ReasonForm, deed, partial(_shown, request, act))


@post("/desk/log/approval", action="log.recover")
async def approve(request: Asked, act: Act, settings: Settings) -> Response[Any]:
    """Let the log go on: another person of another administrator role."""

    async def deed(_form: NothingForm) -> Done:
        await recovery.approve(act=act, base=settings.log_origin)
        return Done("/desk/log", "admin.recovered")

    return await submitted(request, NothingForm, deed, partial(_shown, request, act))


@get("/desk/log/entries", action="audit.read")
async def entries(
    request: Asked,
    act: Act,
    before: Annotated[int | None, QueryParameter(name="before", ge=1, le=1 << 62)] = None,
) -> Response[str]:
    """Entries of the caller's regions, newest first."""
    found = await audit_entries.page(act=act, before=before, limit=LIMIT)
    shown = {"rows": found, "older": found[-1].id if len(found) == LIMIT else None}
    return desk(request, act, "desk/audit_entries.html", shown, here="audit_log")


HANDLERS = [page, check, propose, approve, entries]
