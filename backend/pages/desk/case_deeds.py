"""Further deeds of a case: money paid back, bad records, stays, and who takes no part in it."""

import re
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.pages.desk.cases import shown
from backend.pages.forms import Asked, Done, NothingForm, sent, submitted
from backend.pages.routes import post
from backend.services import bad_records, case_steps, clock_stops, recoveries
from backend.services.act import Act
from backend.services.bad_records import NewBadRecord
from backend.services.clock_stops import NewStop
from backend.services.records.case_steps import (
    Line,
    Part,
    Payment,
    Recovery,
    RecusalRequest,
    Text,
)
from inspection_plans.library import Library
from inspection_plans.stops import Ground, Whose

# Money is typed in yuan, with at most two places: 1200, 1200.5, 1,200.50.
YUAN = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,11})(?:\.(\d{1,2}))?\Z")
Yuan = Annotated[str, Meta(min_length=1, max_length=18)]
Reason = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\S")]


class RecoveryForm(Struct, frozen=True):
    """Amounts as typed, in 元; ``instalments`` one a line: a day and an amount."""

    amount_fen: Yuan
    payee: Line
    instalments: Annotated[str, Meta(min_length=1, max_length=3000)]
    text: Text
    remedies: Text


class PaymentForm(Struct, frozen=True):
    """The amount as typed, in 元; named as the rule names it that may refuse it."""

    recovery: UUID
    amount_fen: Yuan
    paid_on: date
    reference: Line


class RequestForm(Struct, frozen=True):
    account: UUID
    ground: Text
    asked_on: date


class RecusalForm(Struct, frozen=True):
    granted: Literal["yes", "no"]
    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


class EndForm(Struct, frozen=True):
    whose: Whose
    ground: Ground
    last_on: date
    reason: Reason


def fen(typed: str, field: str) -> int:
    """An amount in 分 from what was typed in 元; raises msgspec.ValidationError for the field."""
    found = YUAN.match(typed.strip().replace("，", ","))
    if found is None:
        raise msgspec.ValidationError(f"not an amount - at `$.{field}`")
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))


def instalments(typed: str) -> tuple[Part, ...]:
    """Instalments, one a line; raises msgspec.ValidationError for the field."""
    field = "instalments"
    parts = []
    for line in filter(None, (line.split() for line in typed.splitlines())):
        if len(line) != 2:  # noqa: PLR2004 - a day and an amount
            raise msgspec.ValidationError(f"a day and an amount - at `$.{field}`")
        try:
            due_on = date.fromisoformat(line[0])
        except ValueError:
            raise msgspec.ValidationError(f"not a day - at `$.{field}`") from None
        parts.append(Part(due_on=due_on, amount_fen=fen(line[1], field)))
    return tuple(parts)


def _back(case_id: UUID, said: str, part: str = "") -> Done:
    return Done(f"/desk/cases/{case_id}{part}", f"case.{said}")


@post("/desk/cases/{case_id:uuid}/recoveries", action="cases.propose")
async def recover(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Order that money is paid back, in instalments."""

    async def deed(form: RecoveryForm) -> Done:
        new = msgspec.convert(
            {
                "kind": "recovery",
                "amount_fen": fen(form.amount_fen, "amount_fen"),
                "payee": form.payee,
                "text": form.text,
                "remedies": form.remedies,
                "instalments": msgspec.to_builtins(instalments(form.instalments)),
            },
            Recovery,
        )
        await recoveries.order(case_id, new, rules=rules, act=act)
        return _back(case_id, "recovery_ordered", "#money")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, RecoveryForm, deed, again)


@post("/desk/cases/{case_id:uuid}/payments", action="cases.write")
async def pay(case_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """Record money that came in."""

    async def deed(form: PaymentForm) -> Done:
        new = Payment(
            recovery=form.recovery,
            amount_fen=fen(form.amount_fen, "amount_fen"),
            paid_on=form.paid_on,
            reference=form.reference,
        )
        await recoveries.pay(case_id, new, act=act)
        return _back(case_id, "paid", "#money")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, PaymentForm, deed, again)


@post("/desk/cases/{case_id:uuid}/bad-record", action="cases.propose")
async def enter(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Enter a bad record; it bars new plans and enrolments until its day."""

    async def deed(_form: NothingForm) -> Done:
        new = msgspec.convert(await sent(request), NewBadRecord, strict=False)
        await bad_records.enter(case_id, new, rules=rules, act=act)
        return _back(case_id, "bad_record_entered")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/cases/{case_id:uuid}/stops", action="clocks.stop")
async def stop(case_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """Let the case stand still; a stay suspends what it would carry out."""

    async def deed(_form: NothingForm) -> Done:
        new = msgspec.convert(await sent(request), NewStop, strict=False)
        await clock_stops.begin_case(case_id, new, act=act)
        return _back(case_id, "stopped", "#stops")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/cases/{case_id:uuid}/stops/end", action="clocks.stop")
async def resume(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Let it go on."""

    async def deed(form: EndForm) -> Done:
        await clock_stops.end(
            case_id,
            form.whose,
            form.ground,
            last_on=form.last_on,
            reason=form.reason,
            act=act,
        )
        return _back(case_id, "resumed", "#stops")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, EndForm, deed, again)


@post("/desk/cases/{case_id:uuid}/recusals", action="cases.write")
async def ask(case_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """Record that the party asks a person to take no further part."""

    async def deed(form: RequestForm) -> Done:
        new = RecusalRequest(account=form.account, ground=form.ground, asked_on=form.asked_on)
        await case_steps.record(case_id, new, act=act)
        return _back(case_id, "recusal_asked", "#recusals")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, RequestForm, deed, again)


@post("/desk/cases/{case_id:uuid}/recusals/{step_id:uuid}", action="cases.recuse")
async def decide(
    case_id: FromPath[UUID], step_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Decide whether a person takes no further part."""

    async def deed(form: RecusalForm) -> Done:
        await case_steps.decide_recusal(
            case_id, step_id, granted=form.granted == "yes", reason=form.reason, act=act
        )
        return _back(case_id, "recusal_decided", "#recusals")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, RecusalForm, deed, again)


HANDLERS = [recover, pay, enter, stop, resume, ask, decide]
