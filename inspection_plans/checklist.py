"""Typed answers 检查记录: checked against a sheet and turned into verdicts."""

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Literal

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.records import Mismatch, Record, decode
from inspection_plans.sheets import (
    LARGEST,
    AnyPart,
    Choice,
    Count,
    Item,
    Location,
    Mark,
    MultiChoice,
    Ratio,
    Sample,
    Scale,
    Sheet,
    Text,
    TickRule,
    YesNo,
)
from inspection_plans.vocabulary import Verdict

Skip = Literal["not_applicable", "could_not_check"]
_MOST = 10**12
_LONGEST = 2000
_ANY_LAT = 900_000_000
_ANY_LON = 1_800_000_000


class UnknownItem(RuleRefusal):
    """The sheet has no item of this code."""

    code: ClassVar[str] = "checklist.unknown_item"


class WrongAnswer(RuleRefusal):
    """The value does not have the type of the item; facts name item, part and what is expected."""

    code: ClassVar[str] = "checklist.wrong_answer"


class ReasonMissing(RuleRefusal):
    """Not applicable, could not check, a question or a short sample needs a reason."""

    code: ClassVar[str] = "checklist.reason_missing"


class AnsweredTwice(RuleRefusal):
    """One set of answers holds two answers to one item."""

    code: ClassVar[str] = "checklist.answered_twice"
    family: ClassVar[Family] = Family.CONFLICT


class Answer(Record, frozen=True, kw_only=True):
    """One answer: a value by the names of the item's parts, or ``skip`` instead of a value.

    ``without`` says why evidence the item asks for is not there; it changes no verdict.
    """

    item: str
    value: Mapping[str, Any] | None = None
    skip: Skip | None = None
    reason: str = ""
    without: str = ""


class Judged(Record, frozen=True, kw_only=True):
    """An answer with its verdict; ``failed`` lists part names, or ``part:option`` where ticked."""

    item: str
    verdict: Verdict
    failed: tuple[str, ...] = ()


class _Outcome(Record, frozen=True, kw_only=True):
    """What one part says: verdict None where it has no opinion."""

    verdict: Verdict | None = None
    failed: tuple[str, ...] = ()
    reason_needed: bool = False


_QUESTION = _Outcome(verdict=Verdict.COULD_NOT_CHECK, reason_needed=True)
_PASS = _Outcome(verdict=Verdict.PASS)
_SILENT = _Outcome()


def judge(sheet: Sheet, answer: Answer) -> Judged:
    """Check one answer and derive its verdict.

    A failing part fails the item; else an open question means could_not_check; else the item is
    not applicable when every part with an opinion says so.
    Raises: UnknownItem ("checklist.unknown_item"), WrongAnswer ("checklist.wrong_answer"),
    ReasonMissing ("checklist.reason_missing").
    Source: settled point 3.
    """
    item = sheet.item(answer.item)
    if item is None:
        raise UnknownItem(field="item", item=answer.item)
    if (answer.value is None) == (answer.skip is None):
        raise WrongAnswer(field=item.code, item=item.code, expected="either value or skip")
    outcome = _skipped(answer.skip) if answer.skip else _outcome(item, answer.value or {})
    if outcome.reason_needed and not answer.reason.strip():
        raise ReasonMissing(field=item.code, item=item.code, verdict=outcome.verdict)
    return Judged(item=item.code, verdict=outcome.verdict or Verdict.PASS, failed=outcome.failed)


def judge_all(sheet: Sheet, answers: Collection[Answer]) -> tuple[Judged, ...]:
    """Judge a set of answers, in the order of the sheet.

    Raises: as ``judge``, and AnsweredTwice ("checklist.answered_twice").
    Source: settled point 3.
    """
    judged: dict[str, Judged] = {}
    for answer in answers:
        if answer.item in judged:
            raise AnsweredTwice(field=answer.item, item=answer.item)
        judged[answer.item] = judge(sheet, answer)
    return tuple(judged[item.code] for item in sheet.items if item.code in judged)


def _skipped(skip: Skip) -> _Outcome:
    return _Outcome(verdict=Verdict(skip), reason_needed=True)


def _outcome(item: Item, value: Mapping[str, Any]) -> _Outcome:
    names = [part.name for part in item.answer]
    if sorted(value) != sorted(names):
        raise WrongAnswer(field=item.code, item=item.code, expected=names)
    parts = [_part(item, part, value[part.name]) for part in item.answer]
    verdicts = [part.verdict for part in parts if part.verdict is not None]
    failed = tuple(name for part in parts for name in part.failed)
    needed = any(part.reason_needed for part in parts)
    # A breach is a breach whatever else stayed open, and speaks for itself.
    if Verdict.FAIL in verdicts:
        return _Outcome(verdict=Verdict.FAIL, failed=failed)
    if Verdict.COULD_NOT_CHECK in verdicts:
        return _Outcome(verdict=Verdict.COULD_NOT_CHECK, reason_needed=True)
    if verdicts and set(verdicts) == {Verdict.NOT_APPLICABLE}:
        return _Outcome(verdict=Verdict.NOT_APPLICABLE, reason_needed=True)
    return _Outcome(verdict=Verdict.PASS, reason_needed=needed)


def _part(item: Item, part: AnyPart, value: object) -> _Outcome:  # noqa: PLR0911 - one per type
    where = f"{item.code}.{part.name}"
    match part:
        case YesNo():
            return _yes_no(where, part, value)
        case Choice():
            return _choice(where, part, value)
        case MultiChoice():
            return _multi_choice(where, part, value)
        case Count():
            return _count(where, part, value)
        case Ratio():
            return _ratio(where, part, value)
        case Sample():
            return _sample(where, part, value)
        case _:
            _unjudged(where, part, value)
            return _SILENT


def _unjudged(where: str, part: Scale | Text | Location, value: object) -> None:
    """Check the parts that have no opinion."""
    if isinstance(part, Scale):
        _integer(where, value, part.lowest, part.highest)
    elif isinstance(part, Location):
        _location(where, value)
    elif not isinstance(value, str) or len(value) > _LONGEST:
        raise _wrong(where, "text of at most 2000 characters")


def _wrong(where: str, expected: object) -> WrongAnswer:
    return WrongAnswer(field=where, item=where.partition(".")[0], expected=expected)


def _integer(where: str, value: object, least: int = 0, most: int = _MOST) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(where, {"integer": [least, most]})
    return value


def _object(where: str, value: object, keys: Collection[str]) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or sorted(value) != sorted(keys):
        raise _wrong(where, {"object": sorted(keys)})
    return value


def _yes_no(where: str, part: YesNo, value: object) -> _Outcome:
    if value == "yes":
        return _PASS
    if value == "no":
        return _Outcome(verdict=Verdict.FAIL, failed=(part.name,))
    if value == "na":
        return _Outcome(verdict=Verdict.NOT_APPLICABLE, reason_needed=True)
    raise _wrong(where, ["yes", "no", "na"])


def _choice(where: str, part: Choice, value: object) -> _Outcome:
    marks = {option.code: option.mark for option in part.options}
    if not isinstance(value, str) or value not in marks:
        raise _wrong(where, list(marks))
    if marks[value] is Mark.FAIL:
        return _Outcome(verdict=Verdict.FAIL, failed=(f"{part.name}:{value}",))
    return _QUESTION if marks[value] is Mark.QUESTION else _PASS


def _multi_choice(where: str, part: MultiChoice, value: object) -> _Outcome:
    marks = {option.code: option.mark for option in part.options}
    ticked = [code for code in value if isinstance(code, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(set(ticked)) != len(value) or set(ticked) - set(marks):
        raise _wrong(where, list(marks))
    if part.rule is TickRule.ALL_OF:
        left = [code for code in marks if marks[code] is Mark.REQUIRED and code not in ticked]
        verdict = Verdict.FAIL if left else Verdict.PASS
        return _Outcome(verdict=verdict, failed=tuple(f"{part.name}:{code}" for code in left))
    # Nothing ticked could mean forgotten, and "none" beside a find is a contradiction.
    clean = [code for code in ticked if marks[code] is Mark.PASS]
    if not ticked or (clean and len(ticked) > 1):
        raise _wrong(where, "at least one option; a passing option stands alone")
    found = tuple(f"{part.name}:{code}" for code in ticked if marks[code] is Mark.FAIL)
    return _Outcome(verdict=Verdict.FAIL, failed=found) if found else _PASS


def _count(where: str, part: Count, value: object) -> _Outcome:
    numbers = _object(where, value, [field.name for field in part.fields])
    counted = {name: _integer(f"{where}.{name}", number) for name, number in numbers.items()}
    low = [f.name for f in part.fields if f.min is not None and counted[f.name] < f.min]
    over = [one for one, other in part.at_most if counted[one] > counted[other]]
    if low or over:
        failed = tuple(f"{part.name}:{name}" for name in (*low, *over))
        return _Outcome(verdict=Verdict.FAIL, failed=failed)
    judged = part.at_most or any(field.min is not None for field in part.fields)
    return _PASS if judged else _SILENT


def _ratio(where: str, part: Ratio, value: object) -> _Outcome:
    numbers = _object(where, value, ("numerator", "denominator"))
    over = _integer(f"{where}.numerator", numbers["numerator"])
    under = _integer(f"{where}.denominator", numbers["denominator"])
    if part.min is None:
        return _SILENT
    if under == 0:
        return _QUESTION
    # Cross-multiplied exactly: 0.6 is a share of the law, not a float.
    least = Fraction(part.min)
    if over * least.denominator < least.numerator * under:
        return _Outcome(verdict=Verdict.FAIL, failed=(part.name,))
    return _PASS


def _sample(where: str, part: Sample, value: object) -> _Outcome:
    numbers = _object(where, value, ("population", "checked", "failed"))
    # Of three there are no five to check: all three are the whole sample then.
    wanted = min(part.n, _integer(f"{where}.population", numbers["population"], 0, LARGEST))
    checked = _integer(f"{where}.checked", numbers["checked"], 0, wanted)
    failed = _integer(f"{where}.failed", numbers["failed"], 0, checked)
    if failed:
        return _Outcome(verdict=Verdict.FAIL, failed=(part.name,))
    if checked == 0:
        return _QUESTION
    return _Outcome(verdict=Verdict.PASS, reason_needed=checked < wanted)


def _location(where: str, value: object) -> None:
    place = _object(where, value, ("lat", "lon", "acc_cm", "crs"))
    _integer(f"{where}.lat", place["lat"], -_ANY_LAT, _ANY_LAT)
    _integer(f"{where}.lon", place["lon"], -_ANY_LON, _ANY_LON)
    _integer(f"{where}.acc_cm", place["acc_cm"])
    if place["crs"] not in ("wgs84", "gcj02", "bd09", "?"):
        raise _wrong(f"{where}.crs", ["wgs84", "gcj02", "bd09", "?"])


def answer_of(item: str, body: Mapping[str, Any]) -> Answer:
    """Build an answer from the decoded body of an operation.

    Raises: WrongAnswer ("checklist.wrong_answer") for unknown or ill-typed keys.
    """
    try:
        return decode({**body, "item": item}, Answer)
    except Mismatch as wrong:
        raise WrongAnswer(field=item, item=item, expected=wrong.first.message) from None
