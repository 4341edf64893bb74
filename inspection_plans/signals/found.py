"""What a rule answers: a signal with its strength, its score and the facts that explain it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

from inspection_plans.records import Record

Fact = int | str


class Strength(StrEnum):
    """How much a signal says by itself."""

    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


# The score begins where its strength begins, and grows with what lies beyond the threshold.
BEGINS = {Strength.STRONG: 75, Strength.MODERATE: 45, Strength.WEAK: 15}
SPAN = 25
FULL_AT = 4  # as many times the threshold beyond it


class Other(Record, frozen=True, kw_only=True):
    """Something elsewhere that belongs to a signal: evidence, a visit, a class."""

    noun: Literal["evidence", "visit", "training_class"]
    id: str


class Found(Record, frozen=True, kw_only=True):
    """疑点 of one ``kind`` about one ``subject``; the pair says whether two are the same signal.

    ``evidence`` are the ids of pieces to look at, ``others`` what belongs to it elsewhere;
    ``facts`` fill the sentence that explains it.
    """

    kind: str
    subject: str
    strength: Strength
    score: int
    facts: Mapping[str, Fact]
    evidence: tuple[str, ...] = ()
    others: tuple[Other, ...] = ()


def pieces(ids: Iterable[str]) -> tuple[Other, ...]:
    """Evidence from elsewhere."""
    return tuple(Other(noun="evidence", id=one) for one in ids)


def score(strength: Strength, beyond: int, limit: int) -> int:
    """0 to 100: where the strength begins, and up to 25 more for what lies ``beyond`` a limit."""
    whole = FULL_AT * max(limit, 1)
    return BEGINS[strength] + SPAN * min(max(beyond, 0), whole) // whole
