"""Recovery of money 追缴: ordered with instalments after due process, paid part by part."""

from datetime import date
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import case_steps, consequences, due_process, policy
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.records.case_steps import CaseStep, Payment, Recovery
from inspection_plans import recoveries as rules_of
from inspection_plans import states
from inspection_plans.library import Library
from inspection_plans.recoveries import Balance, Instalment
from inspection_plans.states import Noun

RECOVERY = ("subsidy_recovery",)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """追缴 as it stands: the order, what came in, what is left and what is overdue, in fen."""

    id: UUID
    number: str | None
    payee: str
    amount_fen: int
    balance: Balance


def _instalments(body: Recovery) -> list[Instalment]:
    return [Instalment(part.due_on, part.amount_fen) for part in body.instalments]


def _paid(steps: tuple[CaseStep, ...], recovery: UUID) -> list[int]:
    bodies = (one.body for one in steps)
    return [b.amount_fen for b in bodies if isinstance(b, Payment) and b.recovery == recovery]


def standing(steps: tuple[CaseStep, ...], *, today: date) -> tuple[Standing, ...]:
    """Every recovery of a case as it stands today, the oldest first."""
    return tuple(
        Standing(
            id=one.id,
            number=one.number,
            payee=one.body.payee,
            amount_fen=one.body.amount_fen,
            balance=rules_of.balance(_instalments(one.body), _paid(steps, one.id), today=today),
        )
        for one in steps
        if isinstance(one.body, Recovery)
    )


async def of(case_id: UUID, *, act: Act) -> tuple[Standing, ...]:
    """The recoveries of a case as they stand; raises Absent."""
    return standing(await case_steps.of(case_id, act=act), today=on_day(act.at))


async def order(case_id: UUID, new: Recovery, *, rules: Library, act: Act) -> CaseStep:
    """Order that money is paid back, where the papers of the place say so.

    Source: casework 1 (G5, G6, G7, G12), 5; heilongjiang-2023-13/5.4/recovery. Raises: Absent,
    Denied, Recused, CaseWrongState, InstalmentsWrong, NoneStated and what ``due_process.sound``
    raises.
    """
    policy.require(act.by, "cases.propose")
    async with DB.transaction(act.by.scope):
        case, steps = await case_steps.opened(case_id, act=act)
        states.require(Noun.CASE, case.state, "close")  # the facts hold, and it is not over
        rules_of.check(new.amount_fen, _instalments(new), since=on_day(act.at))
        clauses = await consequences.stated(case.findings, RECOVERY, rules=rules)
        await due_process.sound(case, steps, "recovery", new.remedies, act=act)
        body = msgspec.structs.replace(new, clauses=clauses)
        return await case_steps.append(case, body, act=act, document="recovery")


async def pay(case_id: UUID, new: Payment, *, act: Act) -> CaseStep:
    """Record money that came in for a recovery; the earliest instalments are covered first.

    Raises: Absent, Denied, Recused, CaseWrongState, OutOfTime, PaidTooMuch.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        case, steps = await case_steps.opened(case_id, act=act)
        ordered = next((one for one in steps if one.id == new.recovery), None)
        if ordered is None or not isinstance(ordered.body, Recovery):
            raise Absent(field="recovery")
        today = on_day(act.at)
        case_steps.in_time(case, new.paid_on, today=today)
        paid = [*_paid(steps, ordered.id), new.amount_fen]
        rules_of.balance(_instalments(ordered.body), paid, today=today)
        return await case_steps.append(case, new, act=act)
