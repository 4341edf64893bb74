"""The clock of one rulebook: which terms are in force where, prepared once, and counted."""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from inspection_plans.deadlines import (
    Counting,
    Deadline,
    Each,
    Ends,
    Strictest,
    Term,
    term_of,
    year_end,
)
from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.library import Library
from inspection_plans.settings import Settings, nearest
from inspection_plans.vocabulary import Setting
from inspection_plans.workdays import Calendar, Stop, TermMalformed, Unit

_DAY = timedelta(days=1)
_CALENDAR_YEAR = "calendar_year"
_REMEMBERED = 20_000


class UnknownConcept(RuleRefusal):
    """No term is counted for this concept."""

    code: ClassVar[str] = "deadline.unknown_concept"
    family: ClassVar[Family] = Family.ABSENT


@dataclass(frozen=True, slots=True)
class Rule:
    """One concept at one place under the papers of one time, with the settings it counts by."""

    counting: Counting
    terms: tuple[Term, ...]
    settings: tuple[Setting, ...]
    by_year: bool
    grace: int

    def of(self, chosen: str | None) -> tuple[Term, ...]:
        """Return the terms for what the question chose, such as a medium."""
        return tuple(term for term in self.terms if term.chosen == chosen)


class Clock:
    """法定期限: answers from prepared rules, so that a question costs microseconds."""

    def __init__(self, library: Library, settings: Settings, calendar: Calendar) -> None:
        self._library = library
        self._settings = settings
        self._calendar = calendar
        changes = {pack.valid_from for pack in library.packs.values()}
        changes |= {pack.valid_until for pack in library.packs.values() if pack.valid_until}
        changes |= {day + _DAY for day in changes if day < date.max}
        # Between two of these days nothing starts and nothing ends.
        self._changes = sorted(changes)
        self._rules: dict[tuple[str, str, int], Rule] = {}

    def counting(self, concept: str) -> Counting:
        """Say how a concept is counted.

        Raises: UnknownConcept ("deadline.unknown_concept").
        """
        try:
            return self._library.deadlines[concept]
        except KeyError:
            known = sorted(self._library.deadlines)
            raise UnknownConcept(field="concept", concept=concept, known=known) from None

    def rule(self, concept: str, jurisdiction: str, on: date) -> Rule:
        """Return the terms in force at a place on a day, with the settings they are counted by.

        Raises: UnknownConcept ("deadline.unknown_concept").
        """
        key = (concept, jurisdiction, bisect_right(self._changes, on))
        found = self._rules.get(key)
        if found is None:
            if len(self._rules) >= _REMEMBERED:
                self._rules.clear()
            found = self._rules[key] = self._rule(self.counting(concept), jurisdiction, on)
        return found

    def rule_from(self, concept: str, jurisdiction: str, start: date) -> Rule:
        """Return the terms for something that began on a day: those in force on that day.

        Where a later act is judged (enrolment after leaving school, a second grant) and no paper
        in force then gives a term, the next paper that does decides.
        Raises: UnknownConcept ("deadline.unknown_concept").
        """
        found = self.rule(concept, jurisdiction, start)
        if found.terms or not found.counting.judged_later:
            return found
        later = (self.rule(concept, jurisdiction, day) for day in self._changes if day > start)
        return next((rule for rule in later if rule.terms), found)

    def _rule(self, counting: Counting, jurisdiction: str, on: date) -> Rule:
        terms = [
            term
            for clause in self._library.effective_set(jurisdiction, on)
            if clause.concept == counting.concept
            and (term := term_of(clause, counting)) is not None
        ]
        names = [*filter(None, (counting.window, counting.grace)), *counting.settings]
        settings = {name: nearest(self._settings, name, jurisdiction) for name in names}
        window = settings[counting.window].value if counting.window else None
        grace = settings[counting.grace].value if counting.grace else 0
        return Rule(
            counting,
            tuple(terms),
            tuple(settings.values()),
            by_year=window == _CALENDAR_YEAR,
            grace=grace if isinstance(grace, int) else 0,
        )

    def deadline(
        self,
        concept: str,
        jurisdiction: str,
        start: date,
        *,
        on: date | None = None,
        chosen: str | None = None,
        stops: Collection[Stop] = (),
    ) -> Deadline | None:
        """Return by when, or until when; None where no clause in force gives a term.

        ``start`` is the trigger, or the last day of the quarter or year asked for. The papers in
        force on that day decide, or those of ``on``; see ``rule_from``. ``chosen`` is the medium
        of an archive.
        Raises: UnknownConcept ("deadline.unknown_concept"), TermMalformed ("workdays.bad_term")
        past the last year, StopBroken ("workdays.broken_stop").
        Source: casework section 3; settled point 5 (the strictest is the earliest after rolling).
        """
        if on is None:
            rule = self.rule_from(concept, jurisdiction, start)
        else:
            rule = self.rule(concept, jurisdiction, on)
        return self.count(rule, start, chosen=chosen, stops=stops)

    def count(
        self, rule: Rule, start: date, *, chosen: str | None = None, stops: Collection[Stop] = ()
    ) -> Deadline | None:
        """Count the terms of a rule from a day, as ``deadline`` does."""
        terms = rule.of(chosen) if rule.counting.choose else rule.terms
        if not terms:
            return None
        try:
            each = tuple(self._each(rule, term, start, stops) for term in terms)
            return self._strictest(rule, terms, each)
        except (OverflowError, ValueError):
            raise TermMalformed(field="trigger", trigger=str(start)) from None

    def _each(self, rule: Rule, term: Term, start: date, stops: Collection[Stop]) -> Each:
        ends = rule.counting.ends
        if ends is Ends.SPAN:
            end = start + rule.grace * _DAY
        elif ends is Ends.BY:
            end = start
        elif rule.by_year:
            end = year_end(start.year + term.amount - 1)
        else:
            due = self._calendar.due(
                start, term.amount, term.unit, duty=ends is Ends.DUTY, stops=stops
            )
            return Each(term.clause, due.on, due.arithmetical, due.provisional, term.recipients)
        return Each(term.clause, end, end, provisional=False, recipients=term.recipients)

    def _strictest(self, rule: Rule, terms: tuple[Term, ...], each: tuple[Each, ...]) -> Deadline:
        pick = min if rule.counting.strictest is Strictest.EARLIEST else max
        place = each.index(pick(each, key=_due))
        found, term = each[place], terms[place]
        follows = None
        # A term that is not sure yet may still turn out stricter than the one that is.
        unsure = any(one.provisional and one.arithmetical <= found.due for one in each)
        if rule.counting.ends in (Ends.PERIOD, Ends.SPAN):
            follows = found.due + _DAY
            if term.unit is Unit.WORKING_DAY:
                follows = self._calendar.next_working_day(follows)
                unsure = unsure or not self._calendar.published(follows)
        return Deadline(
            due=found.due,
            arithmetical=found.arithmetical,
            follows=follows,
            provisional=unsure or found.provisional,
            recipients=tuple(dict.fromkeys(name for one in terms for name in one.recipients)),
            each=each,
            settings=rule.settings,
        )


def _due(one: Each) -> date:
    return one.due
