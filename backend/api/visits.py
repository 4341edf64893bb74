"""Visits for the office: pages, time line, review, reassignment, two-person acts."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import (
    answers,
    assignments,
    dead_letters,
    exhibits,
    gaps,
    visit_lists,
    visit_reviews,
)
from backend.services.act import Act
from backend.services.answers import AnswerRecord
from backend.services.dead_letters import DeadLetter
from backend.services.exhibits import EvidenceRecord
from backend.services.visit_lists import Moment, VisitRecord, VisitView
from backend.services.visits import NewAssignment
from inspection_plans.library import Library

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]
State = Annotated[str | None, QueryParameter(name="state", max_length=40, pattern=r"^[a-z_]+\Z")]


class PageOut(Struct, frozen=True):
    """Newest first; the last id is the next ``after``."""

    visits: tuple[VisitRecord, ...]


class TimelineOut(Struct, frozen=True):
    moments: tuple[Moment, ...]


class AnswersOut(Struct, frozen=True):
    answers: tuple[AnswerRecord, ...]


class EvidenceOut(Struct, frozen=True):
    evidence: tuple[EvidenceRecord, ...]


class ReasonIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class PlaceIn(Struct, frozen=True, forbid_unknown_fields=True):
    inspector: UUID
    lead: bool


class TeamIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The new team in the order of its places."""

    team: Annotated[tuple[PlaceIn, ...], Meta(min_length=1, max_length=8)]
    reason: Reason


class EpochOut(Struct, frozen=True):
    epoch: int


class GapOut(Struct, frozen=True):
    """The captures that are listed and not here."""

    missing: tuple[str, ...]


class LettersOut(Struct, frozen=True):
    letters: tuple[DeadLetter, ...]


@get("/api/v1/visits", action="visits.read")
async def page(
    act: Act,
    after: FromQuery[UUID | None] = None,
    limit: Limit = 100,
    in_state: State = None,
    plan: FromQuery[UUID | None] = None,
    institution: FromQuery[UUID | None] = None,
) -> PageOut:
    """Visits of the caller's regions, newest first."""
    found = await visit_lists.page(
        act=act, after=after, limit=limit, state=in_state, plan=plan, institution=institution
    )
    return PageOut(found)


@get("/api/v1/visits/{visit_id:uuid}", action="visits.read")
async def one(visit_id: FromPath[UUID], act: Act) -> VisitView:
    """One visit with its team and what its record still waits for."""
    return await visit_lists.view(visit_id, act=act)


@get("/api/v1/visits/{visit_id:uuid}/timeline", action="visits.read")
async def timeline(visit_id: FromPath[UUID], act: Act) -> TimelineOut:
    """Everything that reached the server, in the order it did."""
    return TimelineOut(await visit_lists.timeline(visit_id, act=act))


@get("/api/v1/visits/{visit_id:uuid}/answers", action="visits.read")
async def answers_of(visit_id: FromPath[UUID], act: Act) -> AnswersOut:
    """The latest answers of every device; where they disagree both stand."""
    return AnswersOut(await answers.of_visit(visit_id, act=act))


@get("/api/v1/visits/{visit_id:uuid}/evidence", action="visits.read")
async def evidence_of(visit_id: FromPath[UUID], act: Act) -> EvidenceOut:
    """All evidence of a visit, with its flags."""
    return EvidenceOut(await exhibits.of_visit(visit_id, act=act))


@post("/api/v1/visits/{visit_id:uuid}/acceptance", action="visits.review", status_code=204)
async def accept(visit_id: FromPath[UUID], act: Act) -> None:
    """Accept a complete visit."""
    await visit_reviews.accept(visit_id, act=act)


@post("/api/v1/visits/{visit_id:uuid}/return", action="visits.review", status_code=204)
async def send_back(visit_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> None:
    """Return a complete visit to its team."""
    await visit_reviews.send_back(visit_id, data.reason, act=act)


@post("/api/v1/visits/{visit_id:uuid}/conclusion", action="visits.review", status_code=204)
async def conclude(visit_id: FromPath[UUID], act: Act) -> None:
    """Conclude an accepted visit, or one that could not be made (gates G2, G3)."""
    await visit_reviews.conclude(visit_id, act=act)


@post("/api/v1/visits/{visit_id:uuid}/assignments", action="visits.assign", status_code=201)
async def reassign(visit_id: FromPath[UUID], data: JSONBody[TeamIn], act: Act) -> EpochOut:
    """Give the visit to another team under a raised epoch (gate G1)."""
    team = tuple(
        NewAssignment(member.inspector, place, member.lead)
        for place, member in enumerate(data.team, start=1)
    )
    return EpochOut(await assignments.reassign(visit_id, team, data.reason, act=act))


@post("/api/v1/visits/{visit_id:uuid}/gap", action="visits.review", status_code=200)
async def propose_gap(visit_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> GapOut:
    """Propose to conclude without captures that were lost."""
    return GapOut(await gaps.propose_gap(visit_id, data.reason, act=act))


@post("/api/v1/visits/{visit_id:uuid}/gap/approval", action="visits.approve", status_code=204)
async def approve_gap(visit_id: FromPath[UUID], act: Act) -> None:
    """A second person concludes with the gap that was proposed."""
    await gaps.approve_gap(visit_id, act=act)


@post(
    "/api/v1/visits/{visit_id:uuid}/devices/{device:uuid}/closing",
    action="visits.review",
    status_code=204,
)
async def propose_closing(
    visit_id: FromPath[UUID], device: FromPath[UUID], data: JSONBody[ReasonIn], act: Act
) -> None:
    """Propose to go on without the claim of a lost device."""
    await gaps.propose_closing(visit_id, device, data.reason, act=act)


@post(
    "/api/v1/visits/{visit_id:uuid}/devices/{device:uuid}/closing/approval",
    action="visits.approve",
    status_code=204,
)
async def close_device(
    visit_id: FromPath[UUID], device: FromPath[UUID], act: Act, rules: Library
) -> None:
    """A second person closes the device's claim."""
    await gaps.close_device(visit_id, device, act=act, rules=rules)


@get("/api/v1/dead-letters", action="visits.read")
async def letters(
    act: Act,
    after: FromQuery[UUID | None] = None,
    limit: Limit = 100,
    in_state: State = None,
) -> LettersOut:
    """Refused operations, whole, newest first."""
    return LettersOut(await dead_letters.page(act=act, after=after, limit=limit, state=in_state))


@post("/api/v1/dead-letters/{letter_id:uuid}/closing", action="visits.review", status_code=204)
async def close_letter(letter_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> None:
    """Close a refused operation with a reason."""
    await dead_letters.close(letter_id, data.reason, act=act)


HANDLERS = [
    page,
    one,
    timeline,
    answers_of,
    evidence_of,
    accept,
    send_back,
    conclude,
    reassign,
    propose_gap,
    approve_gap,
    propose_closing,
    close_device,
    letters,
    close_letter,
]
