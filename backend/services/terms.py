"""Terms 期限: settings by place, and due days in working days with their basis."""

from datetime import date
from typing import Any

import msgspec

from inspection_plans import policy
from inspection_plans.loader import jurisdiction_of, load_calendar
from inspection_plans.workdays import Unit

RECTIFY = "days_to_rectify"
STATE_CASE = "days_to_state_case"
PUBLISH = "days_to_publish"
KEEP_PUBLIC = "publication_years"
REFUSALS = "replies_before_second_order"


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One term as it is kept and shown: trigger, rule, basis, due day.

    ``provisional``: a year without a published holiday table was needed.
    """

    trigger: date
    amount: int
    unit: str
    setting: str
    basis_zh: str
    basis_en: str
    due_on: date
    provisional: bool


def check(name: str, amount: int, region: int) -> None:
    """Refuse a term outside its bounds; raises OutOfBounds ("policy.out_of_bounds")."""
    policy.override(name, jurisdiction_of(region), amount)


def standard(name: str, region: int) -> int:
    """The amount a setting gives where nobody chose another."""
    return policy.number(name, jurisdiction_of(region))


def term(
    name: str, *, trigger: date, region: int, amount: int | None = None, duty: bool = True
) -> Term:
    """The term counted from the day after ``trigger``; ``amount`` defaults to the setting's.

    ``duty``: a duty to act rolls to the next working day, validity does not.
    Source: casework 3.
    """
    rule = policy.policy(name, jurisdiction_of(region))
    amount = standard(name, region) if amount is None else amount
    unit = Unit(rule.unit.value)
    due = load_calendar().due(trigger, amount, unit, duty=duty)
    return Term(
        trigger=trigger,
        amount=amount,
        unit=unit.value,
        setting=name,
        basis_zh=rule.basis.zh,
        basis_en=rule.basis.en,
        due_on=due.on,
        provisional=due.provisional,
    )


def stored(kept: dict[str, Term]) -> dict[str, Any]:
    """The JSON form of named terms, as rows keep it."""
    form: dict[str, Any] = msgspec.to_builtins(kept)
    return form


def restored(kept: dict[str, Any] | None, name: str) -> Term | None:
    """One named term out of a row's JSON."""
    return msgspec.convert(kept[name], Term) if kept else None


def days_left(due_on: date, today: date) -> int:
    """Working days left, the due day included; negative once it is over."""
    return load_calendar().working_days_between(today, due_on)
