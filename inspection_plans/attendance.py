"""出勤: what a roll-call proves, exactly, and where the counts of one lesson contradict it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Annotated, ClassVar

from inspection_plans.errors import RuleRefusal
from inspection_plans.records import Meta, Record

# One-sided: a number of absentees is ruled out when its tail is at most one in twenty.
CONFIDENCE = Fraction(19, 20)

Persons = Annotated[int, Meta(ge=0, le=2000)]
LessonMinutes = Annotated[int, Meta(ge=1, le=1440)]
Minutes = Annotated[int, Meta(ge=0, le=10**9)]


class CountsDisagree(RuleRefusal):
    """More absent than called, more called than on the roster, or a negative number."""

    code: ClassVar[str] = "attendance.counts_disagree"


class Lesson(Record, frozen=True, kw_only=True):
    """What is known of one lesson 课次; a count that nobody took is None.

    ``roster``: persons on the roster 名册; ``called`` and ``absent``: by the roll-call 点名;
    ``heads``: in the room, ``strangers`` of them on no roster; ``signed``: lines of the sign-in
    log 签到, ``signed_absent`` of them of persons called absent; ``minutes``: length of the
    lesson; ``claimed_minutes``: person-minutes that the institution claims for it.
    """

    roster: Persons
    called: Persons = 0
    absent: Persons = 0
    heads: Persons | None = None
    strangers: Persons = 0
    signed: Persons | None = None
    signed_absent: Persons = 0
    minutes: LessonMinutes | None = None
    claimed_minutes: Minutes | None = None


@dataclass(frozen=True)
class Discrepancy:
    """Two counts that cannot both be true, with the numbers; ``certain`` or only at 95 %."""

    code: str
    numbers: dict[str, int]
    certain: bool = True


def at_least_absent(
    roster: int, called: int, absent: int, *, confidence: Fraction = CONFIDENCE
) -> int:
    """Fewest absentees a partial roll-call 点名 leaves possible, one-sided, hypergeometric.

    Shapes: persons, 0 <= absent <= called <= roster. 40, 12, 3 -> 4 at 95 %. A full call gives
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
        if _ruled_out(roster, called, absent, middle, 1 - confidence):
            low = middle + 1
        else:
            high = middle
    return low


def _ruled_out(roster: int, called: int, absent: int, total: int, rare: Fraction) -> bool:
    """Say whether seeing ``absent`` or more is too rare if ``total`` were absent."""
    tail = sum(
        comb(total, seen) * comb(roster - total, called - seen)
        for seen in range(absent, min(called, total) + 1)
    )
    return tail * rare.denominator <= rare.numerator * comb(roster, called)


def reconcile(lesson: Lesson, *, confidence: Fraction = CONFIDENCE) -> tuple[Discrepancy, ...]:
    """Hold roster, roll-call, head count, sign-in log and claimed hours against each other.

    Only what cannot be true together is told; a count that was not taken contradicts nothing.
    Raises: CountsDisagree ("attendance.counts_disagree").
    Source: national-2021-71/6.2/evaluation-mechanism, national-2021-71/6.3/fraud (弄虚作假).
    """
    if lesson.strangers and (lesson.heads is None or lesson.strangers > lesson.heads):
        raise CountsDisagree(field="strangers", heads=lesson.heads, strangers=lesson.strangers)
    if lesson.signed_absent > min(lesson.signed or 0, lesson.absent):
        raise CountsDisagree(
            field="signed_absent",
            signed=lesson.signed,
            absent=lesson.absent,
            signed_absent=lesson.signed_absent,
        )
    least = at_least_absent(lesson.roster, lesson.called, lesson.absent, confidence=confidence)
    return (*_of_heads(lesson), *_of_log(lesson), *_of_hours(lesson, least))


def _of_heads(lesson: Lesson) -> Iterator[Discrepancy]:
    if lesson.heads is None:
        return
    listed = lesson.heads - lesson.strangers
    present = lesson.called - lesson.absent
    if lesson.strangers:
        yield Discrepancy(
            "strangers_in_class", {"heads": lesson.heads, "strangers": lesson.strangers}
        )
    if listed < present:
        yield Discrepancy(
            "answered_but_not_there",
            {"present": present, "heads": listed, "least": present - listed},
        )
    possible = lesson.roster - lesson.absent
    if listed > possible:
        yield Discrepancy(
            "more_heads_than_roster",
            {
                "heads": listed,
                "roster": lesson.roster,
                "absent": lesson.absent,
                "least": listed - possible,
            },
        )


def _of_log(lesson: Lesson) -> Iterator[Discrepancy]:
    signed = lesson.signed
    if signed is None:
        return
    if lesson.signed_absent:
        yield Discrepancy(
            "signed_though_absent", {"absent": lesson.absent, "least": lesson.signed_absent}
        )
    possible = lesson.roster - lesson.absent + lesson.signed_absent
    if signed > possible:
        yield Discrepancy(
            "more_signed_than_possible",
            {
                "signed": signed,
                "roster": lesson.roster,
                "absent": lesson.absent,
                "least": signed - possible,
            },
        )
    if lesson.heads is None:
        return
    listed = lesson.heads - lesson.strangers
    honest = signed - lesson.signed_absent
    if honest > listed:
        yield Discrepancy(
            "more_signed_than_heads", {"signed": signed, "heads": listed, "least": honest - listed}
        )
    if listed > signed:
        yield Discrepancy(
            "there_but_not_signed", {"signed": signed, "heads": listed, "least": listed - signed}
        )


def _of_hours(lesson: Lesson, least: int) -> Iterator[Discrepancy]:
    """Hold the claimed person-minutes against those who can have been there."""
    minutes, claimed = lesson.minutes, lesson.claimed_minutes
    if minutes is None or claimed is None:
        return
    there = lesson.roster - lesson.absent
    if lesson.heads is not None:
        there = min(there, lesson.heads - lesson.strangers)
    likely = min(there, lesson.roster - least)
    for persons, certain in ((there, True), (likely, False)):
        if claimed > persons * minutes:
            yield Discrepancy(
                "hours_exceed_present",
                {
                    "claimed": claimed,
                    "persons": persons,
                    "minutes": minutes,
                    "possible": persons * minutes,
                    "least": claimed - persons * minutes,
                },
                certain,
            )
            return
