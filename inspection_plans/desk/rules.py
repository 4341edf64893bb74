"""What a desk rule says and rests on, read from the packs; the words of its results."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from string import Formatter
from typing import Annotated

from inspection_plans.records import Meta, Record
from inspection_plans.vocabulary import (
    Bilingual,
    ClauseCode,
    Code,
    JurisdictionCode,
    Line,
    Severity,
)

RuleId = Annotated[str, Meta(pattern=r"DR-\d{2,3}")]


class Verdict(StrEnum):
    """What a rule comes to; ``question`` asks a person, ``not_computable`` says what lacks."""

    OK = "ok"
    FINDING = "finding"
    QUESTION = "question"
    NOT_COMPUTABLE = "not_computable"


class Saying(Record, frozen=True, kw_only=True):
    """One outcome of a rule: its verdict and its sentence; ``{name}`` stands for an input."""

    verdict: Verdict
    zh: Line
    en: Line

    @property
    def names(self) -> frozenset[str]:
        """The inputs its sentences name."""
        parsed = [*Formatter().parse(self.zh), *Formatter().parse(self.en)]
        return frozenset(name for _, name, _, _ in parsed if name is not None)


class DeskRule(Record, frozen=True, kw_only=True):
    """案头规则: everything of a rule that is not its judgement.

    ``words``: how a word of a clause is called in the filings, or which outcome a clause asks for.
    """

    id: RuleId
    zh: Line
    en: Line
    formula: Bilingual
    severity: Severity
    jurisdictions: Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1)]
    clauses: Annotated[tuple[ClauseCode, ...], Meta(min_length=1)]
    says: Mapping[Code, Saying]
    settings: tuple[Code, ...] = ()
    words: Mapping[str, Code] = {}


MISSING = Saying(
    verdict=Verdict.NOT_COMPUTABLE,
    zh="缺少 {missing}，无法判断。",
    en="{missing} is missing, so it cannot be judged.",
)
_JOINED = {"zh": "、", "en": ", "}
_NOTHING = "—"


def spoken(
    saying: Saying, inputs: Mapping[str, object], words: Mapping[str, Bilingual]
) -> dict[str, str]:
    """Put the inputs, as JSON values, into the sentences of an outcome."""
    said: dict[str, str] = {}
    for language, text in (("zh", saying.zh), ("en", saying.en)):
        told = {name: _said(inputs[name], language, words) for name in saying.names}
        said[language] = text.format_map(told)
    return said


def _said(value: object, language: str, words: Mapping[str, Bilingual]) -> str:
    """Say a value as a person would: a word by its name, a list with commas, nothing as a dash."""
    if value is None:
        return _NOTHING
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _JOINED[language].join(_said(one, language, words) for one in value)
    text = str(value)
    if text in words:
        return str(getattr(words[text], language))
    register, dot, field = text.partition(".")
    if dot and register in words:
        return f"{getattr(words[register], language)}.{field}"
    return text
