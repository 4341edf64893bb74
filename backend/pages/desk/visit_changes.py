"""What goes otherwise than drawn: withdrawal, recusal, refilled teams, lost captures and phones.

The page stands beside the visit's own, and opens with its hour: before it nobody is told.
"""

from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.clock import token
from backend.keyring import Keyring
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, files, submitted
from backend.pages.routes import get, post
from backend.services import gaps, holdings, names, policy, recusals, visit_lists, withdrawals
from backend.services.act import Act
from backend.services.draw_events import Clerk
from backend.services.errors import Absent
from backend.services.records.draw_events import (
    NewRecusal,
    NewWithdrawal,
    RecusalCause,
    Withdrawal,
    WithdrawalRate,
    WithdrawReason,
)
from backend.services.records.draws import Hex64
from backend.services.records.plans import Name, Reason
from backend.services.visit_lists import VisitRecord
from inspection_plans.library import Library

REASONS: tuple[str, ...] = get_args(WithdrawReason)
CAUSES: tuple[str, ...] = get_args(RecusalCause)
Why = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
# deed → the action that the policy asks for
DEEDS = {
    "withdraw": "draws.run",
    "confirm": "draws.void",
    "recuse": "visits.recuse",
    "decide": "visits.approve",
    "refill": "visits.assign",
    "propose": "visits.review",
    "approve": "visits.approve",
}


class WithdrawForm(Struct, frozen=True):
    """The proof by its digest, or as the file ``proof`` that is digested and not kept."""

    reason: WithdrawReason
    paper: Name
    evidence_sha256: Hex64 | None = None


class RefusalForm(Struct, frozen=True):
    reason: Reason


class RecusalForm(Struct, frozen=True):
    inspector: UUID
    cause: RecusalCause
    ground: Reason


class DecisionForm(Struct, frozen=True):
    grant: Literal["yes", "no"]
    reason: Reason


class WhyForm(Struct, frozen=True):
    reason: Why


async def _drawn(
    visit: VisitRecord, act: Act
) -> tuple[tuple[Withdrawal, ...], WithdrawalRate | None]:
    """The withdrawals of a drawn visit, and how many its draw has had."""
    if visit.draw is None:
        return (), None
    found = await withdrawals.withdrawals(visit.draw, act=act)
    rates = await withdrawals.rates(act=act, draw=visit.draw)
    return tuple(one for one in found if one.visit == visit.id), next(iter(rates), None)


async def _replacement(withdrawn: tuple[Withdrawal, ...], act: Act) -> VisitRecord | None:
    """The reserve's visit; before its hour it is told to nobody, not even by its number."""
    ident = next((one.replacement for one in withdrawn if one.replacement), None)
    if ident is None:
        return None
    try:
        return await visit_lists.get(ident, act=act)
    except Absent:
        return None


async def _shown(
    visit_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    view = await visit_lists.view(visit_id, act=act)
    visit = view.visit
    withdrawn, rate = await _drawn(visit, act)
    asked = await recusals.recusals(visit_id, act=act)
    lost = await gaps.of_visit(visit_id, act=act)
    people: list[UUID | None] = [visit.institution, lost.proposed_by, lost.approved_by]
    people += [who for one in withdrawn for who in (one.proposed_by, one.decided_by)]
    people += [who for one in asked for who in (one.inspector, one.asked_by, one.decided_by)]
    people += [who for one in lost.closings for who in (one.proposed_by, one.closed_by)]
    values = {
        "visit": visit,
        "team": [m for m in view.team if m.epoch == visit.epoch and m.state == "active"],
        "recused": [m for m in view.team if m.state == "recused"],
        "withdrawals": withdrawn,
        "rate": rate,
        "replacement": await _replacement(withdrawn, act),
        "recusals": asked,
        "gaps": lost,
        "closings": {one.dev: one for one in lost.closings},
        "phones": await holdings.of_visit(visit_id, act=act),
        "reasons": REASONS,
        "causes": CAUSES,
        "begun": visit.started_at is not None,
        "names": await names.of(people, act=act),
        "may": {
            deed: policy.allowed(action, act.by.roles, signed_in=True)
            for deed, action in DEEDS.items()
        },
        "filled": filled,
    }
    return desk(request, act, "desk/visit_changes.html", values, here="visits", status=status)


@get("/desk/visits/{visit_id:uuid}/changes", action="visits.read")
async def page(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """What was asked for and decided about a visit, and the forms for more."""
    return await _shown(visit_id, request, act)


async def _digest(request: Asked) -> str:
    """SHA-256 of the file that was sent; raises msgspec.ValidationError where there is none."""
    given = await files(request, "proof")
    if not given:
        raise msgspec.ValidationError("Object missing required field `evidence_sha256`")
    return sha256(await given[0].read()).hexdigest()


def _back(visit_id: UUID, said: str, part: str = "") -> Done:
    return Done(f"/desk/visits/{visit_id}/changes{part}", f"changes.{said}")


@post("/desk/visits/{visit_id:uuid}/withdrawal", action="draws.run")
async def withdraw(
    visit_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Propose to withdraw the drawn object."""

    async def deed(form: WithdrawForm) -> Done:
        digest = form.evidence_sha256 or await _digest(request)
        new = NewWithdrawal(reason=form.reason, paper=form.paper, evidence_sha256=digest)
        await withdrawals.propose(visit_id, new, clerk=Clerk(act, keys, token))
        return _back(visit_id, "withdrawal_proposed")

    return await submitted(request, WithdrawForm, deed, partial(_shown, visit_id, request, act))


@post(
    "/desk/visits/{visit_id:uuid}/withdrawal/{withdrawal_id:uuid}/confirmation",
    action="draws.void",
)
async def confirm(
    visit_id: FromPath[UUID],
    withdrawal_id: FromPath[UUID],
    request: Asked,
    act: Act,
    keys: Keyring,
) -> Response[Any]:
    """Confirm somebody else's proposal: the reserve takes the place."""

    async def deed(_form: NothingForm) -> Done:
        await withdrawals.confirm(withdrawal_id, clerk=Clerk(act, keys, token))
        return _back(visit_id, "withdrawal_confirmed")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/withdrawal/{withdrawal_id:uuid}/refusal", action="draws.void")
async def refuse(
    visit_id: FromPath[UUID], withdrawal_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Refuse a proposal; the visit goes on."""

    async def deed(form: RefusalForm) -> Done:
        await withdrawals.refuse(withdrawal_id, form.reason, act=act)
        return _back(visit_id, "withdrawal_refused")

    return await submitted(request, RefusalForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/recusals", action="visits.recuse")
async def recuse(
    visit_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Ask to release one inspector of the team."""

    async def deed(form: RecusalForm) -> Done:
        new = NewRecusal(inspector=form.inspector, cause=form.cause, ground=form.ground)
        one = await recusals.ask(visit_id, new, clerk=Clerk(act, keys, token))
        return _back(visit_id, f"recusal_{one.state}", "#recusals")

    return await submitted(request, RecusalForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/recusals/{request_id:uuid}", action="visits.approve")
async def decide(
    visit_id: FromPath[UUID],
    request_id: FromPath[UUID],
    request: Asked,
    act: Act,
    keys: Keyring,
) -> Response[Any]:
    """Decide a request beyond the automatic ones."""

    async def deed(form: DecisionForm) -> Done:
        one = await recusals.decide(
            request_id,
            grant=form.grant == "yes",
            reason=form.reason,
            clerk=Clerk(act, keys, token),
        )
        return _back(visit_id, f"recusal_{one.state}", "#recusals")

    return await submitted(request, DecisionForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/refill", action="visits.assign")
async def refill(
    visit_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Draw whoever replaces inspectors that recused themselves on their phones."""

    async def deed(_form: NothingForm) -> Done:
        await recusals.refill(visit_id, clerk=Clerk(act, keys, token))
        return _back(visit_id, "refilled", "#recusals")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/gap", action="visits.review")
async def name_gap(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Propose to conclude without captures that were lost."""

    async def deed(form: WhyForm) -> Done:
        await gaps.propose_gap(visit_id, form.reason, act=act)
        return _back(visit_id, "gap_proposed", "#gap")

    return await submitted(request, WhyForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/gap/approval", action="visits.approve")
async def approve_gap(visit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Conclude with the gap that somebody else proposed."""

    async def deed(_form: NothingForm) -> Done:
        await gaps.approve_gap(visit_id, act=act)
        return _back(visit_id, "gap_approved", "#gap")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


@post("/desk/visits/{visit_id:uuid}/devices/{device:uuid}/closing", action="visits.review")
async def give_up(
    visit_id: FromPath[UUID], device: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Propose to go on without the claim of a lost phone."""

    async def deed(form: WhyForm) -> Done:
        await gaps.propose_closing(visit_id, device, form.reason, act=act)
        return _back(visit_id, "device_proposed", "#gap")

    return await submitted(request, WhyForm, deed, partial(_shown, visit_id, request, act))


@post(
    "/desk/visits/{visit_id:uuid}/devices/{device:uuid}/closing/approval",
    action="visits.approve",
)
async def close_device(
    visit_id: FromPath[UUID], device: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Close the claim of a phone as the second person."""

    async def deed(_form: NothingForm) -> Done:
        await gaps.close_device(visit_id, device, act=act, rules=rules)
        return _back(visit_id, "device_closed", "#gap")

    return await submitted(request, NothingForm, deed, partial(_shown, visit_id, request, act))


HANDLERS = [
    page,
    withdraw,
    confirm,
    refuse,
    recuse,
    decide,
    refill,
    name_gap,
    approve_gap,
    give_up,
    close_device,
]
