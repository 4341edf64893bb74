"""Terms 期限: settings by place, and due days in working days with their basis."""

from datetime import date
from typing import Any, ClassVar

import msgspec

from backend.services.errors import ServiceRefusal
from inspection_plans.bounds import within
from inspection_plans.errors import Family
from inspection_plans.jurisdictions import lineage
from inspection_plans.loader import jurisdiction_of, load_calendar, load_settings
from inspection_plans.vocabulary import Setting
from inspection_plans.workdays import Unit

RECTIFY = "days_to_rectify"
STATE_CASE = "days_to_state_case"
PUBLISH = "days_to_publish"
KEEP_PUBLIC = "publication_years"
REFUSALS = "replies_before_second_order"
# A setting's unit is a phrase that starts with one of these.
UNITS = {
    "calendar days": Unit.DAY,
    "working days": Unit.WORKING_DAY,
    "months": Unit.MONTH,
    "years": Unit.YEAR,
}


class DaysOutOfBounds(ServiceRefusal):
    """The term lies outside what the setting allows; ``facts`` hold the bounds."""

    code: ClassVar[str] = "notice.days_out_of_bounds"
    family: ClassVar[Family] = Family.INVALID


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


def setting(name: str, region: int) -> Setting:
    """The setting of the nearest place that has one; the nation has them all."""
    found = load_settings()
    places = lineage(jurisdiction_of(region))
    return next(found[name, place] for place in places if (name, place) in found)


def check(name: str, amount: int, region: int) -> None:
    """Refuse a term outside its bounds; raises DaysOutOfBounds ("notice.days_out_of_bounds")."""
    rule = setting(name, region)
    if not within(rule, amount):
        raise DaysOutOfBounds(
            field="days", days=amount, min=rule.bounds.min, max=rule.bounds.max, setting=name
        )


def standard(name: str, region: int) -> int:
    """The amount a setting gives where nobody chose another."""
    value = setting(name, region).value
    return int(value or 0)


def term(
    name: str, *, trigger: date, region: int, amount: int | None = None, duty: bool = True
) -> Term:
    """The term counted from the day after ``trigger``; ``amount`` defaults to the setting's.

    ``duty``: a duty to act rolls to the next working day, validity does not.
    Source: casework 3.
    """
    rule = setting(name, region)
    amount = int(rule.value or 0) if amount is None else amount
    unit = next(unit for phrase, unit in UNITS.items() if rule.unit.startswith(phrase))
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
