"""What computed figures are called: levels, indicators, measures, and the sentences about them."""

from collections.abc import Mapping
from typing import Annotated

from inspection_plans.records import Meta, Record
from inspection_plans.vocabulary import Bilingual, Code, Line


class Counted(Record, frozen=True, kw_only=True):
    """One number of a share, under the field it is asked by."""

    field: Code
    zh: Line
    en: Line


class Indicator(Record, frozen=True, kw_only=True):
    """指标: a share by its definition; ``concept`` is that of the clauses it rests on."""

    zh: Line
    en: Line
    concept: Code
    numerator: Counted
    denominator: Counted


class Figures(Record, frozen=True, kw_only=True):
    """Names and sentences of everything that is computed.

    ``levels``: lowest first, under the words of the notices; ``measures``: of the quarterly
    form, in the order of its columns; ``header`` and ``attachments``: of that form, in its order;
    ``sentences``: by code, with the numbers in braces.
    """

    levels: Annotated[dict[Code, Bilingual], Meta(min_length=1)]
    indicators: Annotated[dict[Code, Indicator], Meta(min_length=1)]
    measures: Annotated[dict[Code, Bilingual], Meta(min_length=1)]
    header: Annotated[dict[Code, Bilingual], Meta(min_length=1)]
    attachments: Annotated[dict[Code, Bilingual], Meta(min_length=1)]
    sentences: Annotated[dict[Code, Bilingual], Meta(min_length=1)]

    def say(self, code: str, numbers: Mapping[str, object] | None = None) -> Bilingual:
        """Return the sentence of a code with its numbers put in.

        Raises: KeyError for a code or a number that the sentence has and the caller has not,
        which is a fault of the rules and not of the question.
        """
        known = self.sentences[code]
        facts = numbers or {}
        return Bilingual(zh=known.zh.format_map(facts), en=known.en.format_map(facts))

    def rank(self, level: str) -> int:
        """Return the rank of a level by its code, the lowest 0."""
        return list(self.levels).index(level)
