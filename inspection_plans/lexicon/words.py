"""Records of the word lists of advertisements 宣传用语: what is sought, what excuses it."""

from enum import StrEnum
from typing import Annotated

from inspection_plans.records import Meta, Record
from inspection_plans.vocabulary import Basis, Code, JurisdictionCode

Word = Annotated[str, Meta(min_length=1, max_length=40)]
# Plain characters, one of several in [..], an optional one by ?, a digit by \d, a number by #:
# nothing that can repeat without bound, so a search is linear in the length of the text.
Form = Annotated[str, Meta(pattern=r"([\w%#]|\\d|\[[\w\\-]+\]|(?<=[\w\]])\?)+", max_length=80)]


class Mark(StrEnum):
    """What a place in a text comes to; a question is for a person to answer."""

    HIT = "hit"
    NEGATED = "negated"
    QUESTION = "question"


class Entry(Record, frozen=True, kw_only=True):
    """词条: the forms of one word, under the concept of the clauses that forbid it.

    No hit after ``after`` (unless after ``unless_after``) nor before ``before`` (unless
    ``unless_before``); commas may stand inside the word after ``across``.
    """

    concept: Code
    term: Word
    forms: Annotated[tuple[Form, ...], Meta(min_length=1)]
    after: tuple[Word, ...] = ()
    unless_after: tuple[Word, ...] = ()
    before: tuple[Word, ...] = ()
    unless_before: tuple[Word, ...] = ()
    across: tuple[Word, ...] = ()
    mark: Mark = Mark.HIT


class Lawful(Record, frozen=True, kw_only=True):
    """合法用语: a phrase in which no word is reported, unless one of these follows it."""

    phrase: Word
    unless_before: tuple[Word, ...] = ()


class Reach(Record, frozen=True, kw_only=True):
    """How many characters of the folded text a judgement looks."""

    forbids: Annotated[int, Meta(ge=1, le=200)]
    condemns: Annotated[int, Meta(ge=1, le=200)]
    quoted: Annotated[int, Meta(ge=1, le=200)]
    beside: Annotated[int, Meta(ge=1, le=200)]


class Contexts(Record, frozen=True, kw_only=True):
    """上下文: what around a word makes it lawful, denied, told of, or asked.

    ``forbids`` reaches to the end of the sentence unless one of ``turns`` follows; ``denies``
    only over ``fillers``; ``condemns`` stands after the word unless one of ``cancels`` is before.
    """

    basis: Basis
    lawful: tuple[Lawful, ...]
    forbids: Annotated[tuple[Word, ...], Meta(min_length=1)]
    harmless: tuple[Word, ...]
    turns: Annotated[tuple[Word, ...], Meta(min_length=1)]
    denies: Annotated[tuple[Word, ...], Meta(min_length=1)]
    fillers: Annotated[tuple[Word, ...], Meta(min_length=1)]
    condemns: Annotated[tuple[Word, ...], Meta(min_length=1)]
    cancels: Annotated[tuple[Word, ...], Meta(min_length=1)]
    sells: Annotated[tuple[Word, ...], Meta(min_length=1)]
    asks_after: Annotated[tuple[Word, ...], Meta(min_length=1)]
    asks_before: Annotated[tuple[Word, ...], Meta(min_length=1)]
    reach: Reach


class Places(Record, frozen=True, kw_only=True):
    """省份: names of provinces whose standing beside ``words`` is a question of ``concept``."""

    concept: Code
    words: Annotated[tuple[Word, ...], Meta(min_length=1)]
    provinces: dict[JurisdictionCode, tuple[Word, ...]]
    after: tuple[Word, ...]
    unless_after: tuple[Word, ...]
    before: tuple[Word, ...]
    not_followed: Annotated[tuple[Word, ...], Meta(min_length=1)]


class Folding(Record, frozen=True, kw_only=True):
    """繁简对照: traditional characters, each before its simplified one, in pairs."""

    traditional: Annotated[
        tuple[Annotated[str, Meta(pattern=r"\S\S( \S\S)*")], ...], Meta(min_length=1)
    ]
