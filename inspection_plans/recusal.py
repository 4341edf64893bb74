"""回避: who may not inspect whom; declared relations and work places in, blocked pairs out."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from inspection_plans.workdays import Calendar, Unit


class Ground(StrEnum):
    """Why a pair is blocked; every ground that holds is listed."""

    DECLARED = "declared"
    SAME_UNIT = "same_unit"
    FORMER_EMPLOYER = "former_employer"


@dataclass(frozen=True)
class Relation:
    """A relation an inspector declared: to an institution, until a day or for good."""

    institution: Hashable
    until: date | None = None


@dataclass(frozen=True)
class Employment:
    """A unit an inspector worked for until a day."""

    unit: str
    until: date


@dataclass(frozen=True)
class Inspector:
    """执法检查人员, as far as recusal needs it; ``unit`` is a credit code or any stable name."""

    id: str
    unit: str
    relations: tuple[Relation, ...] = ()
    employments: tuple[Employment, ...] = ()


@dataclass(frozen=True)
class Institution:
    """机构: its own unit, its owners and the units it stands under."""

    id: str
    units: frozenset[str]


@dataclass(frozen=True, order=True)
class Blocked:
    """One blocked pair with its grounds, sorted."""

    inspector: str
    institution: str
    grounds: tuple[Ground, ...]


def blocked(
    inspectors: Iterable[Inspector],
    institutions: Iterable[Institution],
    *,
    on: date,
    cooling_years: int,
    calendar: Calendar,
) -> tuple[Blocked, ...]:
    """Return all blocked pairs on a day, drawn or not, sorted by inspector and institution.

    A former employer is blocked up to and including the day ``cooling_years`` after leaving.
    Source: draw spec 2.3 (rows); gate G1; Administrative Penalty Law, article 43.
    """
    by_unit: Mapping[str, list[str]] = defaultdict(list)
    known: set[Hashable] = set()
    for institution in institutions:
        known.add(institution.id)
        for unit in institution.units:
            by_unit[unit].append(institution.id)
    pairs: dict[tuple[str, str], set[Ground]] = defaultdict(set)
    for inspector in inspectors:
        for relation in inspector.relations:
            lasting = relation.until is None or on <= relation.until
            if lasting and relation.institution in known:
                pairs[inspector.id, str(relation.institution)].add(Ground.DECLARED)
        for place in by_unit.get(inspector.unit, ()):
            pairs[inspector.id, place].add(Ground.SAME_UNIT)
        for job in inspector.employments:
            free_after = calendar.due(job.until, cooling_years, Unit.YEAR, duty=False).on
            if on <= free_after:
                for place in by_unit.get(job.unit, ()):
                    pairs[inspector.id, place].add(Ground.FORMER_EMPLOYER)
    return tuple(
        sorted(Blocked(who, whom, tuple(sorted(why))) for (who, whom), why in pairs.items())
    )
