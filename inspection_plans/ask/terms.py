"""By when, or until when: the question ``deadline``."""

from datetime import date
from typing import Annotated, Any

from inspection_plans.ask.questions import Answer, Handler, Placed, basis, counted
from inspection_plans.ask.refusals import MissingField, UnknownField, UnknownWord, WrongField
from inspection_plans.clock import Rule, UnknownConcept
from inspection_plans.deadlines import Asks, Counting, Deadline, Ends, quarter_end, year_end
from inspection_plans.records import Meta
from inspection_plans.rulebook import Rulebook
from inspection_plans.workdays import Stop, StopBroken, TermMalformed

NO_TERM = "no paper in force there and then gives a term for this"


class DeadlineAsked(Placed, frozen=True, kw_only=True):
    """期限: of a concept, from its trigger, its quarter or its year.

    ``on`` asks under the papers of another day than the trigger's; ``stops`` are days on which
    the clock stood still.
    """

    concept: str
    trigger: date | None = None
    quarter: Annotated[str, Meta(pattern=r"[1-9][0-9]{3}Q[1-4]")] | None = None
    year: Annotated[int, Meta(ge=1000, le=9998)] | None = None
    medium: str | None = None
    on: date | None = None
    stops: tuple[Stop, ...] = ()


FIELDS = {Asks.DAY: "trigger", Asks.QUARTER: "quarter", Asks.YEAR: "year"}


def deadline(question: DeadlineAsked, rules: Rulebook) -> Answer:
    """Answer with the strictest last day, what each clause says, and who must be served.

    The papers in force on the trigger's day (the last day of the quarter or year) decide; where
    none of them gives a term, ``due`` is null and ``why`` says so. Only where a later act is
    judged, such as an enrolment, does a paper reach triggers before its first day.
    Source: casework section 3; settled point 5; clause register K01 to K04, K15, K18, K24, K32,
    K33.
    """
    try:
        counting = rules.clock.counting(question.concept)
    except UnknownConcept as unknown:
        known = ", ".join(rules.library.deadlines)
        raise UnknownWord(f"no such term; there are {known}", field="concept") from unknown
    start = _start(question, counting)
    if question.on is None:
        rule = rules.clock.rule_from(question.concept, question.jurisdiction, start)
    else:
        rule = rules.clock.rule(question.concept, question.jurisdiction, question.on)
    _choice(question, rule)
    try:
        found = rules.clock.count(rule, start, chosen=question.medium, stops=question.stops)
    except TermMalformed:
        raise WrongField(
            "the term ends after the last year", field=FIELDS[counting.asks]
        ) from None
    except StopBroken:
        raise WrongField("a stop ends before it starts or is too long", field="stops") from None
    return _told(rule, found)


def _start(question: DeadlineAsked, counting: Counting) -> date:
    """Return the day the term is counted from; only the field of this concept may be given."""
    starts = {
        Asks.DAY: question.trigger,
        Asks.QUARTER: None if question.quarter is None else quarter_end(question.quarter),
        Asks.YEAR: None if question.year is None else year_end(question.year),
    }
    wanted = FIELDS[counting.asks]
    start = starts.pop(counting.asks)
    if start is None:
        raise MissingField(f"counted from: {counting.trigger.en}", field=wanted)
    for other, given in starts.items():
        if given is not None:
            raise UnknownField(f"this term is asked by {wanted}", field=FIELDS[other])
    if question.stops and counting.ends not in (Ends.DUTY, Ends.PERIOD):
        raise UnknownField("the clock of this term cannot stop", field="stops")
    return start


def _choice(question: DeadlineAsked, rule: Rule) -> None:
    if rule.counting.choose is None:
        if question.medium is not None:
            raise UnknownField("this term is the same for every medium", field="medium")
        return
    known = {term.chosen for term in rule.terms}
    if question.medium is None:
        raise MissingField("kept on what?", field="medium")
    if known and question.medium not in known:
        raise UnknownWord(f"there are {sorted(map(str, known))}", field="medium")


def _told(rule: Rule, found: Deadline | None) -> Answer:
    grounds = [counted(rule.counting), *basis(rule.settings)]
    if found is None:
        nothing: Answer = {"due": None, "arithmetical": None, "from": None, "provisional": False}
        return {**nothing, "recipients": [], "each": [], "clauses": [], "why": NO_TERM} | {
            "basis": grounds
        }
    return {
        "due": found.due.isoformat(),
        "arithmetical": found.arithmetical.isoformat(),
        "from": None if found.follows is None else found.follows.isoformat(),
        "provisional": found.provisional,
        "recipients": list(found.recipients),
        "each": [
            {
                "clause": one.clause,
                "due": one.due.isoformat(),
                "arithmetical": one.arithmetical.isoformat(),
                "provisional": one.provisional,
                "recipients": list(one.recipients),
            }
            for one in found.each
        ],
        "clauses": [one.clause for one in found.each],
        "basis": grounds,
    }


HANDLERS: dict[str, Handler[Any]] = {"deadline": Handler(DeadlineAsked, deadline)}
