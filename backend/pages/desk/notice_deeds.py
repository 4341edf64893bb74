"""What is done with a notice, one form each; every deed carries the revision it was read at."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.notice import shown
from backend.pages.forms import Asked, Done, NothingForm, sent, submitted
from backend.pages.routes import post
from backend.services import (
    approvals,
    cases,
    clock_stops,
    consents,
    reply_decisions,
    reviews,
    service_proofs,
)
from backend.services.act import Act
from backend.services.clock_stops import NewStop
from backend.services.consents import NewAttempt
from backend.services.reply_decisions import NewDecision
from backend.services.reviews import Decision
from backend.services.service_proofs import AnyWay
from inspection_plans.stops import Ground, Whose

Reason = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


class RevForm(Struct, frozen=True):
    rev: int


class ReasonForm(RevForm, frozen=True):
    reason: Reason


class OutcomeForm(RevForm, frozen=True):
    outcome: Literal["accepted", "not_accepted", "reinspection"]
    reason: Annotated[str, Meta(max_length=1000)] = ""


class ReturnForm(RevForm, frozen=True):
    days: Annotated[int, Meta(ge=1, le=365)]


class DecisionForm(Struct, frozen=True):
    granted: Literal["yes", "no"]
    reason: Reason
    due_on: date | None = None


class ResumeForm(Struct, frozen=True):
    whose: Whose
    ground: Ground
    last_on: date
    reason: Reason


def _back(notice_id: UUID, said: str) -> Done:
    return Done(f"/desk/notices/{notice_id}", said)


async def _by_revision(
    notice_id: UUID,
    request: Asked,
    act: Act,
    verb: Callable[..., Awaitable[object]],
    said: str,
) -> Response[Any]:
    """A deed that needs nothing but the revision it was read at."""

    async def deed(form: RevForm) -> Done:
        await verb(notice_id, rev=form.rev, act=act)
        return _back(notice_id, said)

    return await submitted(request, RevForm, deed, partial(shown, notice_id, request, act))


async def _with_reason(
    notice_id: UUID,
    request: Asked,
    act: Act,
    verb: Callable[[UUID, ReasonForm], Awaitable[object]],
    said: str,
) -> Response[Any]:
    """A deed with a reason or opinion."""

    async def deed(form: ReasonForm) -> Done:
        await verb(notice_id, form)
        return _back(notice_id, said)

    return await submitted(request, ReasonForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/legal-review/request", action="notices.write")
async def send_to_legal(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Ask for the legal review."""
    verb = approvals.send_to_legal
    return await _by_revision(notice_id, request, act, verb, "notice.sent_to_legal")


@post("/desk/notices/{notice_id:uuid}/legal-review", action="notices.legal")
async def clear(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """No objection in law, with the opinion."""

    def verb(ident: UUID, form: ReasonForm) -> Awaitable[object]:
        return approvals.clear(ident, rev=form.rev, opinion=form.reason, act=act)

    return await _with_reason(notice_id, request, act, verb, "notice.cleared")


@post("/desk/notices/{notice_id:uuid}/return", action="notices.return")
async def send_back(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Back to its author with the reason."""

    def verb(ident: UUID, form: ReasonForm) -> Awaitable[object]:
        return approvals.send_back(ident, rev=form.rev, reason=form.reason, act=act)

    return await _with_reason(notice_id, request, act, verb, "notice.sent_back")


@post("/desk/notices/{notice_id:uuid}/approval", action="notices.approve")
async def approve(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Another person approves what stands."""
    return await _by_revision(notice_id, request, act, approvals.approve, "notice.approved")


@post("/desk/notices/{notice_id:uuid}/issue", action="notices.serve")
async def issue(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Give it its number."""

    async def deed(_form: NothingForm) -> Done:
        issued = await approvals.issue(notice_id, act=act)
        path = f"/desk/notices/{notice_id}"
        return Done(path, "notice.issued", {"number": issued.number or ""})

    return await submitted(request, NothingForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/service", action="notices.serve")
async def serve(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record how and when it was served; the clocks start the day after."""

    async def deed(_form: NothingForm) -> Done:
        way: AnyWay = msgspec.convert(await sent(request), AnyWay, strict=False)
        await service_proofs.serve(notice_id, way, act=act)
        return _back(notice_id, "notice.served")

    return await submitted(request, NothingForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/service/again", action="notices.serve")
async def serve_again(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record that a served paper was handed over another way too; no clock moves."""

    async def deed(_form: NothingForm) -> Done:
        way: AnyWay = msgspec.convert(await sent(request), AnyWay, strict=False)
        await service_proofs.hand_over_again(notice_id, way, act=act)
        return _back(notice_id, "notice.served_again")

    return await submitted(request, NothingForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/service/attempts", action="notices.serve")
async def attempt(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Record an attempt that failed; the ladder says what comes next."""

    async def deed(_form: NothingForm) -> Done:
        tried = msgspec.convert(await sent(request), NewAttempt, strict=False)
        await consents.attempt(notice_id, tried, act=act)
        return _back(notice_id, "notice.attempted")

    return await submitted(request, NothingForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/review", action="notices.review")
async def begin(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Take it up for review."""
    return await _by_revision(notice_id, request, act, reviews.begin, "notice.under_review")


@post("/desk/notices/{notice_id:uuid}/findings/{finding_id:uuid}", action="notices.review")
async def decide(
    notice_id: FromPath[UUID], finding_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Accept what was done about one finding, refuse it, or have it seen again."""

    async def deed(form: OutcomeForm) -> Done:
        decision = Decision(finding=finding_id, outcome=form.outcome, reason=form.reason)
        await reviews.decide(notice_id, decision, rev=form.rev, act=act)
        return Done(f"/desk/notices/{notice_id}#finding-{finding_id}", "notice.decided")

    return await submitted(request, OutcomeForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/reply-return", action="notices.review")
async def return_reply(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Give what was not accepted back with a new term."""

    async def deed(form: ReturnForm) -> Done:
        await reviews.return_reply(notice_id, rev=form.rev, days=form.days, act=act)
        return _back(notice_id, "notice.reply_returned")

    return await submitted(request, ReturnForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/closing", action="notices.close")
async def close(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Close it: everything was accepted, by others."""
    return await _by_revision(notice_id, request, act, reviews.close, "notice.closed")


@post("/desk/notices/{notice_id:uuid}/void", action="notices.close")
async def void(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Make it void; it keeps its number and says so."""

    def verb(ident: UUID, form: ReasonForm) -> Awaitable[object]:
        return approvals.void(ident, rev=form.rev, reason=form.reason, act=act)

    return await _with_reason(notice_id, request, act, verb, "notice.voided")


@post("/desk/notices/{notice_id:uuid}/case", action="cases.write")
async def escalate(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Open a case from a notice that failed."""

    async def deed(form: ReasonForm) -> Done:
        case = await cases.open_from_notice(notice_id, rev=form.rev, reason=form.reason, act=act)
        return Done(f"/desk/cases/{case.id}", "case.opened")

    return await submitted(request, ReasonForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/replies/{reply_id:uuid}", action="replies.decide")
async def rule(
    notice_id: FromPath[UUID], reply_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Decide a request for more time or an objection."""

    async def deed(form: DecisionForm) -> Done:
        granted = form.granted == "yes"
        new = NewDecision(granted=granted, reason=form.reason, due_on=form.due_on)
        await reply_decisions.decide(notice_id, reply_id, new, act=act)
        return _back(notice_id, "notice.reply_decided")

    return await submitted(request, DecisionForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/stops", action="clocks.stop")
async def stop(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Let one of its clocks stand still."""

    async def deed(_form: NothingForm) -> Done:
        new = msgspec.convert(await sent(request), NewStop, strict=False)
        await clock_stops.begin(notice_id, new, act=act)
        return _back(notice_id, "notice.stopped")

    return await submitted(request, NothingForm, deed, partial(shown, notice_id, request, act))


@post("/desk/notices/{notice_id:uuid}/stops/end", action="clocks.stop")
async def resume(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Let it run on; the due days are counted anew."""

    async def deed(form: ResumeForm) -> Done:
        await clock_stops.end(
            notice_id,
            form.whose,
            form.ground,
            last_on=form.last_on,
            reason=form.reason,
            act=act,
        )
        return _back(notice_id, "notice.resumed")

    return await submitted(request, ResumeForm, deed, partial(shown, notice_id, request, act))


HANDLERS = [
    send_to_legal,
    clear,
    send_back,
    approve,
    issue,
    serve,
    serve_again,
    attempt,
    begin,
    decide,
    return_reply,
    close,
    void,
    escalate,
    rule,
    stop,
    resume,
]
