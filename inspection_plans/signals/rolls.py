"""Signals of persons: heads that do not agree with the roll, rosters that repeat.

Source: evidence spec 10; national-2021-71/6.2/evaluation-mechanism (培训出勤率).
"""

from collections.abc import Mapping
from datetime import date

from inspection_plans.records import Record
from inspection_plans.signals.found import Found, Other, Strength, score
from inspection_plans.signals.limits import Limits

PERCENT = 100


def heads(
    subject: str, counts: Mapping[str, int], evidence: tuple[str, ...], limits: Limits
) -> Found | None:
    """Counts of the same people differ: called, seen, signed in, counted again without knowing.

    ``counts`` by the name of who counted; two are needed. More than the larger of some persons
    and a share of the higher count.
    """
    if len(counts) < 2:  # noqa: PLR2004 - a difference needs two
        return None
    names = sorted(counts)
    high = max(names, key=lambda name: counts[name])
    low = min(names, key=lambda name: counts[name])
    apart = counts[high] - counts[low]
    share = limits.heads_percent * counts[high]
    if apart <= limits.heads_least or PERCENT * apart <= share:
        return None
    return Found(
        kind="heads",
        subject=subject,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, PERCENT * apart - share, max(share, PERCENT)),
        facts={
            "high": high,
            "high_count": counts[high],
            "low": low,
            "low_count": counts[low],
            "apart": apart,
        },
        evidence=evidence,
    )


class Roster(Record, frozen=True, kw_only=True):
    """A class's roster without its names: how many, when, in which province."""

    training_class: str
    size: int
    starts_on: date
    ends_on: date
    province: int


def roster_reuse(one: Roster, other: Roster, common: int, limits: Limits) -> Found | None:
    """Most of a roster stands on another one that ran at the same time, or in another province.

    A cohort that goes on to its next class in one province is nothing; 联盟 hint.
    """
    overlap = one.starts_on <= other.ends_on and other.starts_on <= one.ends_on
    abroad = one.province != other.province
    smaller = min(one.size, other.size)
    if not (overlap or abroad) or common < limits.roster_least:
        return None
    beyond = PERCENT * common - limits.roster_percent * smaller
    if beyond < 0:
        return None
    return Found(
        kind="roster_reuse",
        subject=other.training_class,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, 4 * beyond, PERCENT * smaller),
        facts={
            "common": common,
            "size": smaller,
            "percent": PERCENT * common // smaller,
            "what": "both" if overlap and abroad else "overlap" if overlap else "provinces",
        },
        others=(Other(noun="training_class", id=other.training_class),),
    )
