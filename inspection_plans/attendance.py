"""出勤: what a roll-call proves, exactly."""

from math import comb
from typing import ClassVar

from inspection_plans.errors import RuleRefusal

# One-sided 95 %: a number of absentees is ruled out when its tail is at most one in twenty.
_ONE_IN = 20


class CountsDisagree(RuleRefusal):
    """More absent than called, more called than on the roster, or a negative number."""

    code: ClassVar[str] = "attendance.counts_disagree"


def at_least_absent(roster: int, called: int, absent: int) -> int:
    """Fewest absentees a partial roll-call 点名 leaves possible, one-sided 95 %, hypergeometric.

    Shapes: persons, 0 <= absent <= called <= roster. 40, 12, 3 -> 4. A full call gives
    ``absent`` itself. Integers only: tails are compared by cross-multiplication.
    Raises: CountsDisagree ("attendance.counts_disagree").
    Source: national-2021-71/6.2/evaluation-mechanism (培训出勤率).
    """
    if not 0 <= absent <= called <= roster:
        raise CountsDisagree(field="absent", roster=roster, called=called, absent=absent)
    low, high = absent, roster - (called - absent)
    while low < high:
        # The tail grows with the number of absentees, so the first one not ruled out is found
        # by halving.
        middle = (low + high) // 2
        if _ruled_out(roster, called, absent, middle):
            low = middle + 1
        else:
            high = middle
    return low


def _ruled_out(roster: int, called: int, absent: int, total: int) -> bool:
    """Say whether seeing ``absent`` or more is too rare if ``total`` were absent."""
    tail = sum(
        comb(total, seen) * comb(roster - total, called - seen)
        for seen in range(absent, min(called, total) + 1)
    )
    return _ONE_IN * tail <= comb(roster, called)
