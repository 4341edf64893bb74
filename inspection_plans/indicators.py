"""Shares as fields: three indicators, 就业率, a pass, the offline share; exact, never floats."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from inspection_plans import parameters
from inspection_plans.errors import RuleRefusal
from inspection_plans.parameters import BrokenParameter
from inspection_plans.vocabulary import Clause, ClauseId

_PLACES = 4
_PASS, _OFFLINE, _BOTH_MODES = "pass_score", "offline_ratio", "training_hours_content"


class PartExceedsWhole(RuleRefusal):
    """The part counted is larger than the whole, or a number is negative."""

    code: ClassVar[str] = "indicators.part_exceeds_whole"


class ShareVerdict(StrEnum):
    """What a share comes to."""

    OK = "ok"
    FINDING = "finding"
    QUESTION = "question"
    NOT_COMPUTABLE = "not_computable"


@dataclass(frozen=True)
class Share:
    """A part of a whole; ``value`` has at most four decimals, None when there is no whole."""

    numerator: int
    denominator: int
    value: str | None


def share(numerator: int, denominator: int) -> Share:
    """Return a share for showing: four decimals, half up, zeros trimmed; 744 of 800 is "0.93".

    Raises: PartExceedsWhole ("indicators.part_exceeds_whole").
    Source: national-2021-71/6.2/evaluation-mechanism (出勤率, 通过率, 就业创业成功率).
    """
    if not 0 <= numerator <= denominator:
        raise PartExceedsWhole(field="numerator", numerator=numerator, denominator=denominator)
    if denominator == 0:
        return Share(numerator, denominator, None)
    scale = 10**_PLACES
    units, parts = divmod((2 * numerator * scale + denominator) // (2 * denominator), scale)
    text = f"{units}.{parts:0{_PLACES}d}".rstrip("0").removesuffix(".")
    return Share(numerator, denominator, text)


def passed(clauses: Iterable[Clause], *, theory: str | None, ability: str | None) -> bool:
    """Say whether both examinations are passed; scores are exact decimals, None is not passed.

    Every paper in force is asked; one that names no score (Weihai) leaves that to the others.
    Raises: BrokenParameter ("packs.broken_parameter").
    Source: national-2021-71/3.6/pass-score; clause register K35.
    """
    scores = {"theory_min": theory, "ability_min": ability}
    if None in scores.values():
        return False
    return all(_meets(clause, scores) for clause in clauses if clause.concept == _PASS)


def _meets(clause: Clause, scores: dict[str, str | None]) -> bool:
    if clause.parameters.get("combine") != "all":
        raise BrokenParameter(
            field="combine", clause=clause.id, value=clause.parameters.get("combine")
        )
    inclusive = clause.parameters.get("inclusive") is True
    for name, score in scores.items():
        if clause.parameters.get(name) is None or score is None:
            continue
        least, given = parameters.whole(clause, name), Decimal(score)
        if given < least or (given == least and not inclusive):
            return False
    return True


def offline_share(
    clauses: Iterable[Clause], *, offline: int, total: int
) -> tuple[ShareVerdict, tuple[ClauseId, ...]]:
    """Judge the offline part of the delivered minutes, with the clauses it rests on.

    Where a paper gives a share it binds; elsewhere both modes are asked for, so one that is
    missing is a question.
    Raises: PartExceedsWhole ("indicators.part_exceeds_whole").
    Source: heilongjiang-2023-13/3.1.3/offline-60; clause register K10.
    """
    if not 0 <= offline <= total:
        raise PartExceedsWhole(field="offline_minutes", numerator=offline, denominator=total)
    known = tuple(clauses)
    binding = parameters.giving(known, _OFFLINE, "ratio_min")
    cited = binding or tuple(clause for clause in known if clause.concept == _BOTH_MODES)
    return _judged(binding, offline, total, asked=bool(cited)), tuple(one.id for one in cited)


def _judged(binding: tuple[Clause, ...], offline: int, total: int, *, asked: bool) -> ShareVerdict:
    if total == 0 or not asked:
        return ShareVerdict.NOT_COMPUTABLE
    if not binding:
        return ShareVerdict.QUESTION if offline in (0, total) else ShareVerdict.OK
    reached = all(
        parameters.at_least(
            offline,
            total,
            parameters.share(clause, "ratio_min"),
            inclusive=clause.parameters.get("inclusive") is True,
        )
        for clause in binding
    )
    return ShareVerdict.OK if reached else ShareVerdict.FINDING
