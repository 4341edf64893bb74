"""Shares of a whole: a pass, the offline share, the indicators, what a roll-call proves."""

from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import Any

from inspection_plans import attendance, indicators
from inspection_plans.ask.questions import (
    Answer,
    Decimal,
    Handler,
    Natural,
    Placed,
    Question,
    basis,
    cited,
    why,
)
from inspection_plans.ask.refusals import MissingField, UnknownField, UnknownWord, WrongField
from inspection_plans.attendance import CountsDisagree, Lesson, LessonMinutes, Minutes, Persons
from inspection_plans.figures import Indicator
from inspection_plans.indicators import ShareVerdict
from inspection_plans.records import plain
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import NATIONAL, JurisdictionCode


class PassAsked(Question, frozen=True, kw_only=True):
    """合格: two scores as exact decimals; null is a missing score."""

    theory: Decimal | None
    ability: Decimal | None
    jurisdiction: JurisdictionCode = NATIONAL
    on: date | None = None


class OfflineShareAsked(Placed, frozen=True, kw_only=True):
    """线下课时占比: delivered minutes, offline and in all."""

    offline_minutes: Natural
    total_minutes: Natural
    on: date | None = None


class IndicatorAsked(Question, frozen=True, kw_only=True):
    """指标: its two numbers under its own names, or as ``numerator`` and ``denominator``."""

    name: str
    numerator: Natural | None = None
    denominator: Natural | None = None
    attended: Natural | None = None
    due: Natural | None = None
    passed: Natural | None = None
    sat: Natural | None = None
    employed_or_started: Natural | None = None
    employed: Natural | None = None
    trained: Natural | None = None
    jurisdiction: JurisdictionCode = NATIONAL
    on: date | None = None


class AttendanceAsked(Question, frozen=True, kw_only=True):
    """出勤核对: the counts of one lesson, as ``Lesson`` has them."""

    roster: Persons
    called: Persons = 0
    absent: Persons = 0
    heads: Persons | None = None
    strangers: Persons = 0
    signed: Persons | None = None
    signed_absent: Persons = 0
    minutes: LessonMinutes | None = None
    claimed_minutes: Minutes | None = None
    jurisdiction: JurisdictionCode = NATIONAL
    on: date | None = None


def passed(question: PassAsked, rules: Rulebook) -> Answer:
    """Answer whether both examinations are passed; nothing is rounded.

    Source: national-2021-71/3.6/pass-score; clause register K35.
    """
    clauses = rules.in_force(question.jurisdiction, question.on)
    found = indicators.passed(clauses, theory=question.theory, ability=question.ability)
    return {"pass": found, **cited(clauses, "pass_score")}


def offline_share(question: OfflineShareAsked, rules: Rulebook) -> Answer:
    """Answer with the verdict, cross-multiplied where a paper gives a share.

    Source: heilongjiang-2023-13/3.1.3/offline-60; clause register K10.
    """
    offline, total = question.offline_minutes, question.total_minutes
    if offline > total:
        raise WrongField("more offline minutes than minutes in all", field="offline_minutes")
    clauses = rules.in_force(question.jurisdiction, question.on)
    verdict, ids = indicators.offline_share(clauses, offline=offline, total=total)
    found: Answer = {
        "verdict": verdict,
        "value": indicators.share(offline, total).value,
        "clauses": list(ids),
        "basis": [],
    }
    if verdict is ShareVerdict.NOT_COMPUTABLE:
        return found | why(rules, "no_minutes" if total == 0 else "no_mode_rule")
    return found


def indicator(question: IndicatorAsked, rules: Rulebook) -> Answer:
    """Answer with both counts and the share, under its definition; no paper has a threshold.

    Source: national-2021-71/6.2/evaluation-mechanism; clause register K30.
    """
    known = rules.figures.indicators
    if question.name not in known:
        raise UnknownWord(f"no such indicator; there are {', '.join(known)}", field="name")
    meant = known[question.name]
    numerator, denominator = _counts(question, meant)
    if numerator > denominator:
        raise WrongField("the part is larger than the whole", field=meant.numerator.field)
    clauses = rules.in_force(question.jurisdiction, question.on)
    grounds = cited(clauses, meant.concept)
    found = indicators.share(numerator, denominator)
    answer: Answer = {
        "numerator": numerator,
        "denominator": denominator,
        "value": found.value if grounds["clauses"] else None,
        "definition": {"zh": meant.zh, "en": meant.en},
        **grounds,
    }
    if not grounds["clauses"]:
        return answer | why(rules, "no_such_share")
    threshold = f"{question.name}_threshold"
    if any(name == threshold for name, _ in rules.settings):
        answer["basis"] = basis([rules.setting(threshold, question.jurisdiction)])
    return answer if found.value is not None else answer | why(rules, "no_whole")


def _counts(question: IndicatorAsked, meant: Indicator) -> tuple[int, int]:
    """Return both numbers; each is said once, and nothing of another indicator is."""
    own = {"numerator": meant.numerator.field, "denominator": meant.denominator.field}
    allowed = {*own, *own.values()}
    told = ("attended", "due", "passed", "sat", "employed_or_started", "employed", "trained")
    for field in told:
        if getattr(question, field) is not None and field not in allowed:
            raise UnknownField(f"{question.name} is not counted by this", field=field)
    numbers = []
    for general, particular in own.items():
        given = [getattr(question, general), getattr(question, particular)]
        said = [number for number in given if number is not None]
        if not said:
            raise MissingField(f"{question.name} is counted by this", field=particular)
        if len(said) > 1:
            raise UnknownField(f"{general} is said as {particular} already", field=general)
        numbers += said
    return numbers[0], numbers[1]


def rollcall(question: AttendanceAsked, rules: Rulebook) -> Answer:
    """Answer with what the roll-call proves and every contradiction of the counts.

    Source: national-2021-71/6.2/evaluation-mechanism, national-2021-71/6.3/fraud.
    """
    setting = rules.setting("roll_call_confidence", question.jurisdiction)
    confidence = Fraction(str(setting.value))
    lesson = Lesson(**{one.name: getattr(question, one.name) for one in fields(Lesson)})
    try:
        found = attendance.reconcile(lesson, confidence=confidence)
        least = attendance.at_least_absent(
            question.roster, question.called, question.absent, confidence=confidence
        )
    except CountsDisagree as wrong:
        raise WrongField(f"the counts disagree: {wrong.facts}", field=wrong.field) from None
    full = question.called == question.roster
    numbers = {
        "roster": question.roster,
        "called": question.called,
        "absent": question.absent,
        "least": least,
        "confidence": setting.value,
    }
    clauses = rules.in_force(question.jurisdiction, question.on)
    said = rules.figures.say("roll_call_full" if full else "roll_call_partial", numbers)
    return {
        "at_least_absent": least,
        "certainly_absent": question.absent,
        "full": full,
        "explanation": plain(said),
        "discrepancies": [
            {
                "code": one.code,
                "certain": one.certain,
                "numbers": one.numbers,
                "explanation": plain(rules.figures.say(one.code, one.numbers)),
            }
            for one in found
        ],
        **cited(clauses, "attendance", "evaluation_mechanism", *(["fraud"] if found else [])),
        "basis": [] if full else basis([setting]),
    }


HANDLERS: dict[str, Handler[Any]] = {
    "pass": Handler(PassAsked, passed),
    "offline_share": Handler(OfflineShareAsked, offline_share),
    "indicator": Handler(IndicatorAsked, indicator),
    "attendance": Handler(AttendanceAsked, rollcall),
}
