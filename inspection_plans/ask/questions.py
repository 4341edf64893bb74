"""Questions as records: how one is read, and what the handlers share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from inspection_plans.ask.refusals import (
    MissingField,
    QuestionRefusal,
    UnknownField,
    UnknownWord,
    WrongField,
)
from inspection_plans.deadlines import Counting
from inspection_plans.records import Flaw, Meta, Mismatch, Record, decode
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import Clause, JurisdictionCode, Setting

Answer = dict[str, Any]
Q = TypeVar("Q", bound="Question")

Natural = Annotated[int, Meta(ge=0, le=10**15)]
Decimal = Annotated[str, Meta(pattern=r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,30})?")]

_REFUSED: dict[Flaw, type[QuestionRefusal]] = {
    Flaw.MISSING: MissingField,
    Flaw.UNKNOWN_KEY: UnknownField,
    Flaw.UNKNOWN_VALUE: UnknownWord,
    Flaw.MALFORMED: WrongField,
}


class Question(Record, frozen=True, kw_only=True):
    """What every question has: its name."""

    ask: str


class Placed(Question, frozen=True, kw_only=True):
    """A question about a place."""

    jurisdiction: JurisdictionCode


@dataclass(frozen=True)
class Handler(Generic[Q]):
    """How one kind of question is read and answered."""

    shape: type[Q]
    answer: Callable[[Q, Rulebook], Answer]

    def __call__(self, data: Mapping[str, Any], rules: Rulebook) -> Answer:
        """Read the question strictly and answer it; an answer without settings has no basis.

        Raises: QuestionRefusal ("question.*").
        """
        question = read(data, self.shape)
        place = getattr(question, "jurisdiction", None)
        if place is not None:
            known_place(place, rules)
        return {"basis": [], **self.answer(question, rules)}


def read(data: Mapping[str, Any], shape: type[Q]) -> Q:
    """Read a question as its record.

    Raises: MissingField ("question.missing_field"), UnknownField ("question.unknown_field"),
    WrongField ("question.wrong_field"), UnknownWord ("question.unknown_value").
    """
    try:
        return decode(data, shape)
    except Mismatch as wrong:
        fault = wrong.first
        field = ".".join(str(step) for step in fault.path) or None
        raise _REFUSED[fault.flaw](fault.message, field=field) from None


def known_place(jurisdiction: str, rules: Rulebook) -> None:
    """Refuse a well-formed code of a province that there is not.

    Raises: UnknownWord ("question.unknown_value").
    """
    if not rules.knows(jurisdiction):
        raise UnknownWord(f"no such place: {jurisdiction}", field="jurisdiction")


def cited(clauses: Iterable[Clause], *concepts: str) -> dict[str, list[Any]]:
    """Return the ids of the clauses of some concepts, for an answer without any setting."""
    return {
        "clauses": [clause.id for clause in clauses if clause.concept in concepts],
        "basis": [],
    }


def why(rules: Rulebook, *codes: str) -> Answer:
    """Say in both languages why there is no figure, or why it is zero."""
    said = [rules.figures.say(code) for code in codes]
    return {"why": "; ".join(one.en for one in said), "why_zh": "；".join(one.zh for one in said)}


def basis(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    """Show what is a setting and not a sentence of a notice, with why it is so."""
    return [
        {
            "setting": setting.name,
            "value": setting.value,
            "jurisdiction": setting.jurisdiction,
            "kind": setting.basis.kind.value,
            "zh": setting.basis.zh,
            "en": setting.basis.en,
            "clauses": list(setting.basis.clauses),
        }
        for setting in settings
    ]


def counted(counting: Counting) -> dict[str, Any]:
    """Show how a term is counted where no notice says it, with why it is so."""
    return {
        "setting": f"{counting.concept}.counting",
        "value": counting.ends.value,
        "kind": counting.basis.kind.value,
        "zh": counting.basis.zh,
        "en": counting.basis.en,
        "clauses": list(counting.basis.clauses),
    }
