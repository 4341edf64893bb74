"""Recovery of money: instalments make up the amount, and no fen is lost."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import recoveries
from inspection_plans.recoveries import Instalment, InstalmentsWrong, PaidTooMuch

TODAY = date(2026, 3, 2)
plans = st.lists(st.integers(1, 10**9), min_size=1, max_size=12).map(
    lambda parts: [
        Instalment(TODAY + timedelta(days=30 * n), amount) for n, amount in enumerate(parts, 1)
    ]
)


@given(plans, st.data())
def test_every_fen_paid_is_counted_once_the_earliest_first(
    plan: list[Instalment], data: st.DataObject
) -> None:
    whole = sum(one.amount_fen for one in plan)
    recoveries.check(whole, plan, since=TODAY)
    paid = data.draw(st.integers(0, whole))
    first = data.draw(st.integers(0, paid))
    today = TODAY + timedelta(days=data.draw(st.integers(0, 400)))
    found = recoveries.balance(plan, [first, paid - first], today=today)
    assert (found.paid_fen, found.left_fen) == (paid, whole - paid)
    assert sum(part.paid_fen for part in found.parts) == paid
    open_parts = [part.paid_fen < part.amount_fen for part in found.parts]
    assert open_parts == sorted(open_parts)
    late = [p for p in found.parts if p.paid_fen < p.amount_fen and p.due_on < today]
    assert found.overdue_fen == sum(p.amount_fen - p.paid_fen for p in late)
    with pytest.raises(PaidTooMuch):
        recoveries.balance(plan, [whole, 1], today=today)


@given(plans, st.sampled_from(["amount", "order", "past", "twice"]))
def test_a_plan_that_does_not_add_up_is_refused(plan: list[Instalment], wrong: str) -> None:
    whole, since = sum(one.amount_fen for one in plan), TODAY
    if wrong == "amount":
        whole += 1
    elif wrong == "order":
        plan = [*plan, Instalment(TODAY + timedelta(days=1), 5)]
        whole += 5
    elif wrong == "past":
        since = plan[0].due_on
    else:
        plan, whole = [*plan, plan[-1]], whole + plan[-1].amount_fen
    with pytest.raises(InstalmentsWrong):
        recoveries.check(whole, plan, since=since)
