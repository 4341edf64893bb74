"""提醒: which reminder of a term is due today; never two on one day, none a second time."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum

from inspection_plans.workdays import Calendar

_SOON = {"three": 3, "one": 1}  # working days left; the steps of the specification, not of a law


class Step(StrEnum):
    """The steps of one term, in their order."""

    SERVED = "served"
    HALF = "half"
    THREE = "three"
    ONE = "one"
    OVERDUE = "overdue"


def due(
    *, served_on: date, due_on: date, today: date, sent: Collection[Step], calendar: Calendar
) -> Step | None:
    """Return the one step to remind of today: the latest that has come and was not sent.

    What was missed while nothing ran is not made up for: only the latest step is told. ``sent``
    are the steps sent for this due day; a granted extension starts a new row of them.
    Source: casework 4 (at service, half term, 3 working days, 1 working day, overdue).
    """
    come = [step for step in Step if _come(step, served_on, due_on, today, calendar)]
    return _latest(come, sent)


def of_instalment(
    *, due_on: date, today: date, sent: Collection[Step], calendar: Calendar
) -> Step | None:
    """Return the one step of an unpaid instalment 分期 to remind of today, as ``due`` does.

    An instalment is not served and has no half: 3 working days, 1 working day, overdue.
    Source: casework 4 (reminders), 5 (recovery order with instalments).
    """
    steps = (Step.THREE, Step.ONE, Step.OVERDUE)
    come = [step for step in steps if _come(step, date.min, due_on, today, calendar)]
    return _latest(come, sent)


def _latest(come: Sequence[Step], sent: Collection[Step]) -> Step | None:
    if not come or come[-1] in sent or _later(sent, come[-1]):
        return None
    return come[-1]


def _later(sent: Collection[Step], step: Step) -> bool:
    """Whether a later step was sent already; a term moved back does not remind again."""
    order = list(Step)
    return any(order.index(one) > order.index(step) for one in sent)


def _come(step: Step, served_on: date, due_on: date, today: date, calendar: Calendar) -> bool:
    left = calendar.working_days_between(today, due_on)
    match step:
        case Step.SERVED:
            return served_on <= today
        case Step.HALF:
            return today >= served_on + timedelta(days=((due_on - served_on).days + 1) // 2)
        case Step.OVERDUE:
            return today > due_on
        case _:
            return served_on < today and left <= _SOON[step.value]
