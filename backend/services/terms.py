"""Terms 期限: settings by place, and due days in working days with their basis."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import msgspec

from backend.services.errors import ServiceRefusal
from inspection_plans import policy
from inspection_plans.loader import jurisdiction_of, load_calendar
from inspection_plans.workdays import Stop, Unit

RECTIFY = "days_to_rectify"
STATE_CASE = "days_to_state_case"
PUBLISH = "days_to_publish"
KEEP_PUBLIC = "publication_years"
REVIEW = "days_to_review_reply"
EXTENSION = "extension_days"
EXTENSIONS = "extensions_per_finding"
ANNOUNCE = "days_of_announcement"
OPEN = "days_to_open"
HEARING = "days_to_request_hearing"
REINSPECT = "days_to_reinspect"
REFUSALS = "replies_before_second_order"


class TooLong(ServiceRefusal):
    """A person may choose a day within the setting's number of days, and no later one."""

    code = "term.too_long"


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


def chosen(name: str, *, trigger: date, days: int, region: int) -> Term:
    """A term of days that a person chose, up to the setting's number; it rolls like any duty.

    Raises: TooLong ("term.too_long").
    """
    most = standard(name, region)
    if not 1 <= days <= most:
        raise TooLong(field="due_on", days=days, most=most)
    return term(name, trigger=trigger, region=region, amount=days)


def recounted(kept: Term, stops: Collection[Stop]) -> Term:
    """The same term counted by today's holiday tables and the stops of its clock.

    Source: casework 3 (stops; provisional terms are counted anew when a table arrives).
    """
    due = load_calendar().due(kept.trigger, kept.amount, Unit(kept.unit), stops=stops)
    return msgspec.structs.replace(kept, due_on=due.on, provisional=due.provisional)


def next_working_day(on: date) -> date:
    """The first working day after a day."""
    return load_calendar().next_working_day(on + timedelta(days=1))


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
