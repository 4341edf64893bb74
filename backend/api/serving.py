"""Service of papers: consents to electronic service, attempts, the next way, once more."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import consents, service_proofs
from backend.services.act import Act
from backend.services.consents import Consent, Ladder, NewAttempt, NewConsent
from backend.services.service_proofs import AnyWay, Proof


class WithdrawalIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


class AgainIn(Struct, frozen=True, forbid_unknown_fields=True):
    service: AnyWay


@get("/api/v1/institutions/{institution_id:uuid}/service-consents", action="notices.read")
async def of(institution_id: FromPath[UUID], act: Act) -> tuple[Consent, ...]:
    """Confirmations of addresses for electronic service, the newest first."""
    return await consents.of(institution_id, act=act)


@post("/api/v1/institutions/{institution_id:uuid}/service-consents", action="notices.serve")
async def record(institution_id: FromPath[UUID], data: JSONBody[NewConsent], act: Act) -> Consent:
    """Record a signed confirmation."""
    return await consents.record(institution_id, data, act=act)


@post(
    "/api/v1/institutions/{institution_id:uuid}/service-consents/withdrawal",
    action="notices.serve",
    status_code=200,
)
async def withdraw(
    institution_id: FromPath[UUID], data: JSONBody[WithdrawalIn], act: Act
) -> Consent:
    """Record that the standing one was withdrawn."""
    return await consents.withdraw(institution_id, reason=data.reason, act=act)


@get("/api/v1/notices/{notice_id:uuid}/service/next", action="notices.serve")
async def next_way(notice_id: FromPath[UUID], act: Act) -> Ladder:
    """How to serve it next, and why; what was tried."""
    return await consents.next_way(notice_id, act=act)


@post("/api/v1/notices/{notice_id:uuid}/service/attempts", action="notices.serve")
async def attempt(notice_id: FromPath[UUID], data: JSONBody[NewAttempt], act: Act) -> Ladder:
    """Record an attempt that failed."""
    return await consents.attempt(notice_id, data, act=act)


@post("/api/v1/notices/{notice_id:uuid}/service/again", action="notices.serve")
async def again(notice_id: FromPath[UUID], data: JSONBody[AgainIn], act: Act) -> Proof:
    """Record that a served paper was handed over another way too; no clock moves."""
    return await service_proofs.hand_over_again(notice_id, data.service, act=act)


HANDLERS = [of, record, withdraw, next_way, attempt, again]
