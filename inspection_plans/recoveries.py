"""追回: money to be paid back in instalments, what was paid and what is overdue, in 分 (fen)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal


class InstalmentsWrong(RuleRefusal):
    """The instalments are positive, in the order of their days, and make up the whole amount."""

    code: ClassVar[str] = "recovery.instalments_wrong"


class PaidTooMuch(RuleRefusal):
    """More came in than is left to be paid."""

    code: ClassVar[str] = "recovery.paid_too_much"
    family: ClassVar[Family] = Family.CONFLICT


@dataclass(frozen=True, slots=True)
class Instalment:
    """分期: one part, in fen, and the day it is due."""

    due_on: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment as it stands."""

    due_on: date
    amount_fen: int
    paid_fen: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What was paid and what is left of a recovery; ``overdue_fen`` was due before today."""

    paid_fen: int
    left_fen: int
    overdue_fen: int
    parts: tuple[Part, ...]


def check(amount_fen: int, instalments: Sequence[Instalment], *, since: date) -> None:
    """Hold a plan of instalments against the amount.

    Raises: InstalmentsWrong ("recovery.instalments_wrong").
    Source: heilongjiang-2023-13/5.4/recovery; casework 5 (recovery with instalments).
    """
    days = [one.due_on for one in instalments]
    total = sum(one.amount_fen for one in instalments)
    ordered = days == sorted(set(days)) and all(day > since for day in days)
    if not ordered or total != amount_fen or any(one.amount_fen < 1 for one in instalments):
        raise InstalmentsWrong(field="instalments", amount_fen=amount_fen, total_fen=total)


def balance(instalments: Sequence[Instalment], payments: Sequence[int], *, today: date) -> Balance:
    """Count payments against the instalments, the earliest first.

    Raises: PaidTooMuch ("recovery.paid_too_much").
    """
    whole, paid = sum(one.amount_fen for one in instalments), sum(payments)
    if paid > whole:
        raise PaidTooMuch(field="amount_fen", left_fen=whole - sum(payments[:-1]))
    left, parts = paid, []
    for one in instalments:
        covered = min(left, one.amount_fen)
        left -= covered
        late = covered < one.amount_fen and one.due_on < today
        parts.append(Part(one.due_on, one.amount_fen, covered, late))
    overdue = sum(part.amount_fen - part.paid_fen for part in parts if part.overdue)
    return Balance(paid, whole - paid, overdue, tuple(parts))
