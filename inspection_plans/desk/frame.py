"""The frame of desk rules: how a rule is declared, what it may ask, and what it answers."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from inspection_plans import filings
from inspection_plans.deadlines import Deadline
from inspection_plans.desk.rules import MISSING, DeskRule, Saying, Verdict, spoken
from inspection_plans.desk.view import View
from inspection_plans.filings import Register
from inspection_plans.filings.words import Filed, Side
from inspection_plans.records import plain
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import (
    Bilingual,
    Clause,
    ClauseId,
    Jurisdiction,
    ParameterValue,
    Setting,
)

R = TypeVar("R", bound=Filed)
Route = Callable[[View, Any], Iterable[Filed]]
_SUBJECTS: Mapping[Side, str] = {
    "training": "training_institution",
    "evaluation": "evaluation_institution",
}
_Standing = tuple[tuple[Clause, ...], tuple[ClauseId, ...]]
_NONE: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule says of one object; ``on`` is the day by whose clauses it was judged."""

    rule: DeskRule
    outcome: str
    about: str
    on: date
    inputs: Mapping[str, object]
    clauses: tuple[ClauseId, ...]

    @property
    def saying(self) -> Saying:
        """The words of the outcome."""
        return MISSING if self.outcome == "missing" else self.rule.says[self.outcome]

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        return self.saying.verdict

    def written(self, words: Mapping[str, Bilingual]) -> dict[str, Any]:
        """Write it as JSON values, with its explanation in both languages.

        ``words``: how the words of the filings are called in a sentence.
        """
        inputs = plain(self.inputs)
        return {
            "rule": self.rule.id,
            "name": {"zh": self.rule.zh, "en": self.rule.en},
            "severity": self.rule.severity.value,
            "verdict": self.verdict.value,
            "outcome": self.outcome,
            "object": self.about,
            "on": self.on.isoformat(),
            "inputs": inputs,
            "explanation": spoken(self.saying, inputs, words),
            "clauses": list(self.clauses),
        }


Results = Iterator[Result | None]


def _binds(clause: Clause, side: Side | None) -> bool:
    bound = {other for other in _SUBJECTS if _SUBJECTS[other] in clause.subject}
    return side is None or not bound or side in bound


class At:
    """One rule at one place on one day: what its judgement may ask, and how it answers."""

    def __init__(
        self, rules: Rulebook, rule: DeskRule, view: View, jurisdiction: Jurisdiction, as_of: date
    ) -> None:
        self.view = view
        self.as_of = as_of
        self.jurisdiction = jurisdiction
        self.rule = rule
        self.rules = rules
        packs = rules.library.packs.values()
        # Between two of these days nothing starts and nothing ends.
        self._ends = {pack.valid_until for pack in packs if pack.valid_until}
        self._changes = sorted({pack.valid_from for pack in packs} | self._ends)
        # What was counted with, to be shown as its basis.
        self.counted: dict[str, tuple[Setting, ...]] = {}
        self._cited: dict[tuple[object, ...], _Standing] = {}

    def in_force(
        self, on: date, concept: str | None = None, side: Side | None = None
    ) -> tuple[Clause, ...]:
        """Return the rule's clauses in force on a day, of one concept, or not of the other side.

        A clause that binds evaluation institutions alone says nothing of a training class.
        """
        return self._standing(on, concept, side)[0]

    def clauses(
        self, on: date, concept: str | None = None, side: Side | None = None
    ) -> tuple[ClauseId, ...]:
        """Return the ids of ``in_force``."""
        return self._standing(on, concept, side)[1]

    def _standing(self, on: date, concept: str | None, side: Side | None) -> _Standing:
        key = (bisect_right(self._changes, on), on in self._ends and on, concept, side)
        found = self._cited.get(key)
        if found is None:
            wanted = frozenset(self.rule.clauses)
            in_force = tuple(
                clause
                for clause in self.rules.library.effective_set(self.jurisdiction, on)
                if clause.id in wanted
                and concept in (None, clause.concept)
                and _binds(clause, side)
            )
            found = self._cited[key] = in_force, tuple(clause.id for clause in in_force)
        return found

    def parameters(
        self, name: str, on: date, concept: str | None = None
    ) -> list[tuple[ClauseId, ParameterValue]]:
        """Return what the rule's clauses in force give under a name, with each clause."""
        return [
            (clause.id, value)
            for clause in self.in_force(on, concept)
            if (value := clause.parameters.get(name)) is not None
        ]

    def deadline(
        self, concept: str, start: date, *, on: date | None = None, chosen: str | None = None
    ) -> Deadline | None:
        """Return a term of the place; None where no clause in force gives one."""
        clock = self.rules.clock
        found = clock.deadline(concept, self.jurisdiction, start, on=on, chosen=chosen)
        if found is not None:
            self.counted[concept] = found.settings
        return found

    def setting(self, name: str) -> Setting:
        """Return a setting of the place; the rule's pack must name it."""
        if name not in self.rule.settings:
            raise KeyError(f"{self.rule.id} does not name the setting {name}")
        return self.rules.setting(name, self.jurisdiction)

    def number(self, name: str) -> int:
        """Return a setting that is a whole number."""
        value = self.setting(name).value
        if not isinstance(value, int):
            raise TypeError(f"the setting {name} is no whole number")
        return value

    def say(
        self,
        outcome: str,
        one: Filed,
        on: date,
        inputs: Mapping[str, object] = _NONE,
        *,
        clauses: Iterable[ClauseId] | None = None,
        part: str | None = None,
    ) -> Result | None:
        """Answer with an outcome of the rule; nothing where no clause of it is in force.

        ``part`` tells several objects of one row apart, such as the years of an entry.
        """
        cited = self.clauses(on) if clauses is None else tuple(clauses)
        if not cited:
            return None
        label = filings.label(one)
        named = label if part is None else f"{label}/{part}"
        return Result(self.rule, outcome, named, on, inputs, cited)

    def missing(
        self,
        one: Filed,
        on: date,
        *what: str,
        clauses: Iterable[ClauseId] | None = None,
        part: str | None = None,
    ) -> Result | None:
        """Answer that something is not known, by register or by register and field."""
        return self.say("missing", one, on, {"missing": what}, clauses=clauses, part=part)

    def lacking(self, *wanted: Register) -> list[str]:
        """Name those of the registers that were not given."""
        return [filings.registers()[one] for one in wanted if not self.view.known(one)]


@dataclass(frozen=True)
class Check:
    """One judgement of a rule over one register, and the way back from what it reads."""

    rule: str
    over: Register
    reads: Mapping[Register, Route]
    judge: Callable[[At, Any], Results]

    @property
    def name(self) -> str:
        """Tells the judgements of one rule apart."""
        return f"{self.rule}.{self.judge.__name__}"


@dataclass(frozen=True)
class Via:
    """The way back over equal fields; ``of`` None is the key of the changed row."""

    field: str
    of: str | None

    def route(self, over: Register) -> Route:
        """Make the way back to one register."""

        def back(view: View, row: Filed) -> Iterable[Filed]:
            value = filings.key_of(row) if self.of is None else getattr(row, self.of)
            if self.field == filings.key_field(over):
                found = view.one(over, value)
                return () if found is None else (found,)
            return view.many(over, self.field, value)

        return back


def via(field: str, of: str | None = None) -> Via:
    """Rows whose ``field`` is the changed row's key, or its field ``of``."""
    return Via(field, of)


class _Everywhere:
    """Every row of the judged register."""


everywhere = _Everywhere()
_CHECKS: list[Check] = []


def check(
    rule: str, *, over: type[R], reads: Mapping[Register, Via | Route | _Everywhere] | None = None
) -> Callable[[Callable[[At, R], Results]], Callable[[At, R], Results]]:
    """Declare a judgement; see the package's docstring."""

    def route(way: Via | Route | _Everywhere) -> Route:
        if isinstance(way, Via):
            return way.route(over)
        if isinstance(way, _Everywhere):
            return lambda view, _row: view.all(over)
        return way

    def declare(judge: Callable[[At, R], Results]) -> Callable[[At, R], Results]:
        ways = {register: route(way) for register, way in (reads or {}).items()}
        _CHECKS.append(Check(rule, over, ways, judge))
        return judge

    return declare


def declared() -> tuple[Check, ...]:
    """Return the judgements declared so far."""
    return tuple(_CHECKS)
