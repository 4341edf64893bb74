"""What happens to a drawn plan: withdrawals, recusals, further inspectors, a further sending."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.clock import token
from backend.keyring import Keyring
from backend.services import draw_events, recusals, sendings, supplements, withdrawals
from backend.services.act import Act
from backend.services.draw_events import Clerk, Event
from backend.services.records.draw_events import (
    NewRecusal,
    NewWithdrawal,
    Recusal,
    Staff,
    Supplemented,
    Withdrawal,
    WithdrawalRate,
)
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Entropy, Reason

Sources = Annotated[tuple[Entropy, ...], Meta(max_length=4)]


class RefusalIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class DecisionIn(Struct, frozen=True, forbid_unknown_fields=True):
    grant: bool
    reason: Reason


class SupplementIn(Struct, frozen=True, forbid_unknown_fields=True):
    inspectors: Staff


class SourcesIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Later values of the plan's own sources of chance; empty keeps those of the plan."""

    entropy: Sources = ()


@get("/api/v1/draws/{draw_id:uuid}/events", action="draws.read")
async def events(draw_id: FromPath[UUID], act: Act) -> tuple[Event, ...]:
    """The events of a draw by kind and digest; their targets are told at the disclosure."""
    return await draw_events.events(draw_id, act=act)


@get("/api/v1/draws/{draw_id:uuid}/withdrawals", action="draws.read")
async def withdrawn(draw_id: FromPath[UUID], act: Act) -> tuple[Withdrawal, ...]:
    """The withdrawals of a draw, proposed, confirmed and refused."""
    return await withdrawals.withdrawals(draw_id, act=act)


@get("/api/v1/withdrawal-rates", action="draws.read")
async def rates(
    act: Act, draw: Annotated[UUID | None, QueryParameter(name="draw")] = None
) -> tuple[WithdrawalRate, ...]:
    """How often drawn objects were withdrawn, plan by plan, by whom, and the ceiling."""
    return await withdrawals.rates(act=act, draw=draw)


@post("/api/v1/visits/{visit_id:uuid}/withdrawal", action="draws.run")
async def propose(
    visit_id: FromPath[UUID], data: JSONBody[NewWithdrawal], act: Act, keys: Keyring
) -> Withdrawal:
    """Propose to withdraw a drawn object, with a listed reason and evidence."""
    return await withdrawals.propose(visit_id, data, clerk=Clerk(act, keys, token))


@post("/api/v1/withdrawals/{withdrawal_id:uuid}/confirmation", action="draws.void")
async def confirm(withdrawal_id: FromPath[UUID], act: Act, keys: Keyring) -> Withdrawal:
    """Confirm somebody else's proposal: the first unused reserve takes the place."""
    return await withdrawals.confirm(withdrawal_id, clerk=Clerk(act, keys, token))


@post("/api/v1/withdrawals/{withdrawal_id:uuid}/refusal", action="draws.void")
async def refuse(withdrawal_id: FromPath[UUID], data: JSONBody[RefusalIn], act: Act) -> Withdrawal:
    """Refuse a proposal, saying why; the visit goes on."""
    return await withdrawals.refuse(withdrawal_id, data.reason, act=act)


@get("/api/v1/visits/{visit_id:uuid}/recusals", action="visits.read")
async def asked(visit_id: FromPath[UUID], act: Act) -> tuple[Recusal, ...]:
    """Every request to release an inspector of a visit, and what became of it."""
    return await recusals.recusals(visit_id, act=act)


@post("/api/v1/visits/{visit_id:uuid}/recusals", action="visits.recuse")
async def ask(
    visit_id: FromPath[UUID], data: JSONBody[NewRecusal], act: Act, keys: Keyring
) -> Recusal:
    """Ask to release an inspector; after the visit began it is recorded and refused."""
    return await recusals.ask(visit_id, data, clerk=Clerk(act, keys, token))


@post("/api/v1/recusals/{request_id:uuid}/decision", action="visits.approve")
async def decide(
    request_id: FromPath[UUID], data: JSONBody[DecisionIn], act: Act, keys: Keyring
) -> Recusal:
    """Decide a request beyond the automatic ones, as the head."""
    clerk = Clerk(act, keys, token)
    return await recusals.decide(request_id, grant=data.grant, reason=data.reason, clerk=clerk)


@post("/api/v1/visits/{visit_id:uuid}/refill", action="visits.assign")
async def refill(visit_id: FromPath[UUID], act: Act, keys: Keyring) -> DrawRecord:
    """Draw whoever replaces inspectors that recused themselves on their phones."""
    return await recusals.refill(visit_id, clerk=Clerk(act, keys, token))


@post("/api/v1/draws/{draw_id:uuid}/inspectors", action="draws.run")
async def supplement(
    draw_id: FromPath[UUID], data: JSONBody[SupplementIn], act: Act, keys: Keyring
) -> Supplemented:
    """Add inspectors to a draw's frame, logged; open places are filled by the seed."""
    return await supplements.add(draw_id, data.inspectors, clerk=Clerk(act, keys, token))


@post("/api/v1/draws/{draw_id:uuid}/sending", action="draws.run")
async def send(
    draw_id: FromPath[UUID], data: JSONBody[SourcesIn], act: Act, keys: Keyring
) -> DrawRecord:
    """Open a further attempt that only sends; the institutions stand."""
    return await sendings.freeze(draw_id, clerk=Clerk(act, keys, token), named=data.entropy)


HANDLERS = [
    events,
    withdrawn,
    rates,
    propose,
    confirm,
    refuse,
    asked,
    ask,
    decide,
    refill,
    supplement,
    send,
]
