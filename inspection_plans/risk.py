"""The risk class 信用风险分类 of an institution: a published formula over verified facts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from inspection_plans.records import Meta, Record
from inspection_plans.settings import Settings, UnknownSetting, nearest
from inspection_plans.vocabulary import Jurisdiction, Setting, Severity

_MOST = 10_000


class RiskClass(StrEnum):
    """A is the lowest risk, D the highest."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Fact(Record, frozen=True, kw_only=True):
    """One fact and its day; one that is not verified, or is under appeal, does not count."""

    on: date
    verified: bool
    in_appeal: bool = False


class Breach(Fact, frozen=True, kw_only=True):
    """问题: a finding with its severity; ``on`` is the day of its verification."""

    severity: Severity


class Overdue(Record, frozen=True, kw_only=True):
    """逾期: a rectification not done on its last day; it fades only from the day it was done."""

    due_on: date
    done_on: date | None = None
    in_appeal: bool = False


class Start(Record, frozen=True, kw_only=True):
    """The class a directory was imported with, and when."""

    risk_class: RiskClass
    on: date


class Facts(Record, frozen=True, kw_only=True):
    """What is known of one institution.

    ``clean``: days of concluded visits without a verified finding. ``not_below``: the class held
    while a case is open; the grade cannot fall under it.
    """

    start: Start | None = None
    breaches: Annotated[tuple[Breach, ...], Meta(max_length=_MOST)] = ()
    overdue: Annotated[tuple[Overdue, ...], Meta(max_length=_MOST)] = ()
    obstructions: Annotated[tuple[Fact, ...], Meta(max_length=_MOST)] = ()
    clean: Annotated[tuple[date, ...], Meta(max_length=_MOST)] = ()
    not_below: RiskClass | None = None


@dataclass(frozen=True)
class Factor:
    """因素: ``points`` count to the grade (negative: taken off), after fading and the cap.

    ``given``: facts of this kind; ``counted``: those verified, not under appeal and not faded.
    """

    name: str
    zh: str
    en: str
    given: int
    counted: int
    each: int
    faded: int
    cap: int
    points: int


@dataclass(frozen=True)
class Grade:
    """等级: with every factor that made it, and the settings used."""

    risk_class: RiskClass
    points: int
    factors: tuple[Factor, ...]
    held: bool
    settings: tuple[Setting, ...]


def grade(facts: Facts, policy: Settings, jurisdiction: Jurisdiction, on: date) -> Grade:
    """Grade an institution on a day: whole points, floors of exact sums, no order, no randomness.

    More verified breaches never improve it, and each fact fades evenly to nothing.
    Raises: UnknownSetting ("policy.unknown_setting").
    Source: design, step 10 (feedback); casework spec, cases (no fall while a case is open).
    """
    book = _Book(policy, jurisdiction)
    factors = tuple(_factors(facts, book, on))
    points = max(0, sum(factor.points for factor in factors))
    found = max(
        (each for each in RiskClass if each is RiskClass.A or points >= book.of(f"from_{each}")),
        key=lambda each: each.value,
    )
    held = facts.not_below is not None and facts.not_below.value > found.value
    if held and facts.not_below is not None:
        found = facts.not_below
    return Grade(found, points, factors, held, tuple(book.used.values()))


class _Book:
    """The settings of one place, and which of them were used."""

    def __init__(self, policy: Settings, jurisdiction: Jurisdiction) -> None:
        self._policy = policy
        self._jurisdiction = jurisdiction
        self.used: dict[str, Setting] = {}

    def of(self, name: str) -> int:
        """Return the number of ``risk_<name>``, remembered as used."""
        key = f"risk_{name.lower()}"
        setting = nearest(self._policy, key, self._jurisdiction)
        if not isinstance(setting.value, int):
            raise UnknownSetting(field="name", name=key, jurisdiction=self._jurisdiction)
        self.used[key] = setting
        return setting.value

    def words(self, name: str) -> Setting:
        """Return the setting itself, for its wording."""
        self.of(name)
        return self.used[f"risk_{name.lower()}"]


def _factors(facts: Facts, book: _Book, on: date) -> Iterator[Factor]:
    if facts.start is not None:
        name = f"start_{facts.start.risk_class}"
        yield _factor(name, name, (facts.start.on,), 1, book.of(name), book, on)
    for severity in (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR):
        same = [breach for breach in facts.breaches if breach.severity is severity]
        yield _capped(severity.value, _counting(same), len(same), book, on)
    late = [row for row in facts.overdue if row.due_on < on and not _in_time(row)]
    since = (row.done_on if _done(row, on) else on for row in late if not row.in_appeal)
    yield _capped("overdue", [day for day in since if day], len(facts.overdue), book, on)
    stopped = facts.obstructions
    yield _capped("obstruction", _counting(stopped), len(stopped), book, on)
    yield _capped("clean", facts.clean, len(facts.clean), book, on, sign=-1)


def _in_time(row: Overdue) -> bool:
    return row.done_on is not None and row.done_on <= row.due_on


def _done(row: Overdue, on: date) -> bool:
    """Say whether it was done by the day; what is not yet done counts in full."""
    return row.done_on is not None and row.done_on <= on


def _counting(facts: Iterable[Fact]) -> list[date]:
    """G4: a suspicion never counts, nor what the institution contests while that is open."""
    return [fact.on for fact in facts if fact.verified and not fact.in_appeal]


def _capped(
    name: str, days: Iterable[date], given: int, book: _Book, on: date, *, sign: int = 1
) -> Factor:
    cap = book.of(f"cap_{name}")
    return _factor(name, f"points_{name}", days, given, cap, book, on, sign=sign)


def _factor(  # noqa: PLR0913 - a factor's name, its days and how they count
    name: str,
    setting: str,
    days: Iterable[date],
    given: int,
    cap: int,
    book: _Book,
    on: date,
    *,
    sign: int = 1,
) -> Factor:
    words, each, life = book.words(setting), book.of(setting), book.of("life_days")
    left = [life - (on - day).days for day in days if day <= on]
    left = [days_left for days_left in left if days_left > 0]
    faded = each * sum(left) // life
    points = sign * min(cap, faded)
    return Factor(name, words.zh, words.en, given, len(left), each, faded, cap, points)


def shown(found: Grade) -> Mapping[str, object]:
    """Write a grade as JSON values, every factor with its contribution and its cap."""
    return {
        "risk_class": found.risk_class.value,
        "points": found.points,
        "held": found.held,
        "factors": [
            {name: getattr(factor, name) for name in Factor.__dataclass_fields__}
            for factor in found.factors
        ],
    }
