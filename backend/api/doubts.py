"""What a person decides about operations: in doubt, refused, contradicting; and about phones."""

from typing import Annotated
from uuid import UUID

from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import (
    choices,
    decisions,
    device_alarms,
    doubts,
    holdings,
    reapplications,
    rulings,
)
from backend.services.act import Act
from backend.services.choices import Disagreement
from backend.services.decisions import Outcome
from backend.services.deeds import Tools
from backend.services.device_alarms import DeviceAlarm
from backend.services.doubts import Doubt
from backend.services.holdings import Behind, Holder
from backend.services.op_kinds import Told
from backend.services.rulings import Decision, Ruled
from inspection_plans.library import Library

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]
Item = Annotated[str, Meta(pattern=r"^[A-Z]{2}-[0-9]{2}\Z")]
Ops = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=400)]


class DoubtsOut(Struct, frozen=True):
    doubts: tuple[Doubt, ...]


class DecisionIn(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of these operations; the order given does not matter."""

    ops: Ops
    decision: Decision
    reason: Reason


class ApprovalIn(Struct, frozen=True, forbid_unknown_fields=True):
    ops: Ops


class ReasonIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class OutcomeIn(Struct, frozen=True, forbid_unknown_fields=True):
    outcome: Outcome
    reason: Reason


class StateOut(Struct, frozen=True):
    state: str


class DisagreementsOut(Struct, frozen=True):
    disagreements: tuple[Disagreement, ...]


class ChoiceIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``keep`` names the device whose answer counts; none means both."""

    item: Item
    keep: UUID | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""


class HoldersOut(Struct, frozen=True):
    holders: tuple[Holder, ...]


class BehindOut(Struct, frozen=True):
    devices: tuple[Behind, ...]


class AlarmsOut(Struct, frozen=True):
    """Newest first; the last id is the next ``after``."""

    alarms: tuple[DeviceAlarm, ...]


def _tools(state: State) -> Tools:
    return Tools(state.keyring, state.jobs.rules)


@get("/api/v1/doubts", action="visits.read")
async def waiting(act: Act, after: FromQuery[UUID | None] = None, limit: Limit = 100) -> DoubtsOut:
    """Operations that wait for a decision, newest first; the last id is the next ``after``."""
    return DoubtsOut(await doubts.waiting(act=act, after=after, limit=limit))


@get("/api/v1/visits/{visit_id:uuid}/doubts", action="visits.read")
async def of_visit(visit_id: FromPath[UUID], act: Act) -> DoubtsOut:
    """Everything of a visit that is or was in doubt, with what became of it."""
    return DoubtsOut(await doubts.of_visit(visit_id, act=act))


@post("/api/v1/visits/{visit_id:uuid}/doubts/decision", action="visits.review", status_code=200)
async def decide(
    visit_id: FromPath[UUID], data: JSONBody[DecisionIn], act: Act, state: State
) -> Ruled:
    """Adopt, attach or void operations in doubt; a revoked key's are proposed only."""
    return await rulings.decide(
        visit_id, data.ops, data.decision, data.reason, act=act, tools=_tools(state)
    )


@post("/api/v1/visits/{visit_id:uuid}/doubts/approval", action="visits.approve", status_code=200)
async def approve(
    visit_id: FromPath[UUID], data: JSONBody[ApprovalIn], act: Act, state: State
) -> Ruled:
    """A second person adopts what was proposed."""
    return await rulings.approve(visit_id, data.ops, act=act, tools=_tools(state))


@post("/api/v1/visits/{visit_id:uuid}/decision", action="visits.review", status_code=200)
async def settle(visit_id: FromPath[UUID], data: JSONBody[OutcomeIn], act: Act) -> StateOut:
    """Decide how a visit stands that needs a decision."""
    return StateOut(await decisions.decide(visit_id, data.outcome, data.reason, act=act))


@post("/api/v1/dead-letters/{letter_id:uuid}/application", action="visits.review", status_code=200)
async def reapply(
    letter_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act, state: State
) -> Told:
    """Carry out a refused operation again, under today's rules; refused again, it stays open."""
    return await reapplications.reapply(letter_id, data.reason, act=act, tools=_tools(state))


@get("/api/v1/visits/{visit_id:uuid}/disagreements", action="visits.read")
async def disagreements(visit_id: FromPath[UUID], act: Act) -> DisagreementsOut:
    """Items on which devices disagree; both count unless a choice stands."""
    return DisagreementsOut(await choices.of_visit(visit_id, act=act))


@post("/api/v1/visits/{visit_id:uuid}/disagreements", action="visits.review", status_code=204)
async def choose(
    visit_id: FromPath[UUID], data: JSONBody[ChoiceIn], act: Act, rules: Library
) -> None:
    """Say whose answer counts, or both."""
    await choices.choose(visit_id, data.item, data.keep, data.reason, act=act, rules=rules)


@get("/api/v1/visits/{visit_id:uuid}/holders", action="visits.read")
async def holders(visit_id: FromPath[UUID], act: Act) -> HoldersOut:
    """Who holds unsent items of a visit."""
    return HoldersOut(await holdings.of_visit(visit_id, act=act))


@get("/api/v1/devices", action="visits.read")
async def behind(act: Act, overdue: FromQuery[bool] = False, limit: Limit = 100) -> BehindOut:
    """Phones with unsent items, the oldest first; only those past the warning when ``overdue``."""
    return BehindOut(await holdings.behind(act=act, overdue_only=overdue, limit=limit))


@get("/api/v1/devices/alarms", action="visits.read")
async def alarms(
    act: Act,
    after: FromQuery[UUID | None] = None,
    limit: Limit = 100,
    settled: FromQuery[bool] = False,
) -> AlarmsOut:
    """Phones that were wiped, or sent two things under one id or number."""
    found = await device_alarms.page(act=act, after=after, limit=limit, settled=settled)
    return AlarmsOut(found)


@post("/api/v1/devices/alarms/{alarm_id:uuid}/settling", action="visits.review", status_code=204)
async def settle_alarm(alarm_id: FromPath[UUID], data: JSONBody[ReasonIn], act: Act) -> None:
    """Say what came of an alarm."""
    await device_alarms.settle(alarm_id, data.reason, act=act)


HANDLERS = [
    waiting,
    of_visit,
    decide,
    approve,
    settle,
    reapply,
    disagreements,
    choose,
    holders,
    behind,
    alarms,
    settle_alarm,
]
