"""Instalments are reminded of in their time, once a step, until they are paid."""

from datetime import date, timedelta

import asyncpg
import pytest

from backend.services import clock_stops, instalment_reminders, recoveries
from backend.services.accounts import on_day
from backend.services.clock_stops import NewStop
from backend.services.records.case_steps import Part, Payment, Recovery
from inspection_plans.loader import load
from inspection_plans.stops import Ground, Whose
from tests import world
from tests.backend.test_case_deeds import REMEDIES, Trial, a_cheat
from tests.conftest import StillClock, Work

pytestmark = pytest.mark.usefixtures("app")


async def ordered(trial: Trial) -> Recovery:
    """Two parts, one in thirty days and one in sixty."""
    await trial.ready("recovery")
    days = [trial.today + timedelta(days=30 * n) for n in (1, 2)]
    wanted = Recovery(
        amount_fen=150_000,
        payee="财政专户",
        text="追缴补贴",
        remedies=REMEDIES,
        instalments=tuple(Part(due_on=day, amount_fen=75_000) for day in days),
    )
    await recoveries.order(trial.case.id, wanted, rules=load(), act=trial.act("approver"))
    return wanted


async def mornings(clock: StillClock, count: int) -> list[tuple[date, str, date]]:
    """Look every morning, twice; what was given: on which day, which step, of which due day."""
    given = []
    for _ in range(count):
        act = await world.the_product(clock())
        told = await instalment_reminders.run(act=act)
        assert await instalment_reminders.run(act=act) == ()
        given += [(one.on_day, one.step.value, one.due_on) for one in told]
        clock.tick(days=1)
    return given


async def test_each_instalment_is_reminded_of_until_it_is_paid(
    owner: asyncpg.Connection, clock: StillClock, work: Work
) -> None:
    trial = await a_cheat(owner, clock)
    wanted = await ordered(trial)
    first, second = (one.due_on for one in wanted.instalments)
    assert (first, second) == (date(2026, 4, 1), date(2026, 5, 1))
    assert await mornings(clock, 34) == [
        (date(2026, 3, 27), "three", first),
        (date(2026, 3, 31), "one", first),
        (date(2026, 4, 2), "overdue", first),
    ]
    (recovery,) = await recoveries.of(trial.case.id, act=trial.act("author"))
    paid = Payment(
        recovery=recovery.id, amount_fen=75_000, paid_on=on_day(clock()), reference="回单1"
    )
    await recoveries.pay(trial.case.id, paid, act=trial.act("author"))
    late = await mornings(clock, 40)
    assert [(step, due_on) for _, step, due_on in late] == [
        ("three", second),
        ("one", second),
        ("overdue", second),
    ]
    found = await instalment_reminders.of(trial.case.id, act=trial.act("author"))
    assert len(found) == 6
    entries = await owner.fetchval(
        "select count(*) from aud.entry where body ->> 'verb' = 'case.instalment_reminded'"
    )
    assert entries == 6
    await work.drain()
    heard = await owner.fetch(
        "select subject, count(*) as n from message where account = $1 group by 1 order by 1",
        trial.matter.user.person.id,
    )
    assert [tuple(row) for row in heard] == [("recovery.due", 4), ("recovery.overdue", 2)]


async def test_nobody_is_asked_to_pay_while_a_stay_stands(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    await ordered(trial)
    stay = NewStop(
        whose=Whose.PARTY,
        ground=Ground.STAY,
        first_on=on_day(clock()),
        reason="复议中止执行",
        paper="通知书1",
    )
    await clock_stops.begin_case(trial.case.id, stay, act=trial.act("author"))
    assert await mornings(clock, 34) == []
