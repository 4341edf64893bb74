"""Clocks of a notice: decisions on requests and objections, stops, reminders, voiding."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import approvals, clock_stops, reinspections, reminders, reply_decisions
from backend.services.act import Act
from backend.services.clock_stops import ClockStop, NewStop
from backend.services.notices import Notice
from backend.services.reinspections import Reinspection
from backend.services.reminders import Reminder
from backend.services.reply_decisions import Asked, Decision, NewDecision
from inspection_plans.stops import Ground, Whose

Reason = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


class EndIn(Struct, frozen=True, forbid_unknown_fields=True):
    whose: Whose
    ground: Ground
    last_on: date
    reason: Reason


class VoidIn(Struct, frozen=True, forbid_unknown_fields=True):
    rev: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    reason: Reason


@get("/api/v1/replies/waiting", action="replies.read")
async def waiting(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[Asked, ...]:
    """Requests for time and objections without a decision, oldest first."""
    return await reply_decisions.waiting(act=act, after=after, limit=limit)


@get("/api/v1/notices/{notice_id:uuid}/decisions", action="notices.read")
async def decisions(notice_id: FromPath[UUID], act: Act) -> tuple[Decision, ...]:
    """What was decided about requests and objections."""
    return await reply_decisions.of(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/replies/{reply_id:uuid}/decision", action="replies.decide")
async def decide(
    notice_id: FromPath[UUID], reply_id: FromPath[UUID], data: JSONBody[NewDecision], act: Act
) -> Decision:
    """Decide a request for time or an objection, by another person than the notice's author."""
    return await reply_decisions.decide(notice_id, reply_id, data, act=act)


@get("/api/v1/notices/{notice_id:uuid}/stops", action="notices.read")
async def stops(notice_id: FromPath[UUID], act: Act) -> tuple[ClockStop, ...]:
    """Intervals in which one of its clocks stood still, and whose."""
    return await clock_stops.of_notice(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/stops", action="clocks.stop")
async def stop(notice_id: FromPath[UUID], data: JSONBody[NewStop], act: Act) -> ClockStop:
    """Let a clock stand still: an objection, a stay or a hearing."""
    return await clock_stops.begin(notice_id, data, act=act)


@post("/api/v1/notices/{notice_id:uuid}/stops/end", action="clocks.stop", status_code=200)
async def resume(notice_id: FromPath[UUID], data: JSONBody[EndIn], act: Act) -> ClockStop:
    """Let it run on; the due days are counted anew."""
    return await clock_stops.end(
        notice_id, data.whose, data.ground, last_on=data.last_on, reason=data.reason, act=act
    )


@get("/api/v1/notices/{notice_id:uuid}/reminders", action="notices.read")
async def reminded(notice_id: FromPath[UUID], act: Act) -> tuple[Reminder, ...]:
    """When the institution was reminded, and of what."""
    return await reminders.of(notice_id, act=act)


@get("/api/v1/notices/{notice_id:uuid}/reinspections", action="notices.review")
async def looked_again(notice_id: FromPath[UUID], act: Act) -> tuple[Reinspection, ...]:
    """Visits that look at its findings again, as far as they are open to be known."""
    return await reinspections.of(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/void", action="notices.close", status_code=200)
async def void(notice_id: FromPath[UUID], data: JSONBody[VoidIn], act: Act) -> Notice:
    """Make an issued notice void; it keeps its number."""
    return await approvals.void(notice_id, rev=data.rev, reason=data.reason, act=act)


HANDLERS = [
    waiting,
    decisions,
    decide,
    stops,
    stop,
    resume,
    reminded,
    looked_again,
    void,
]
