"""The handbook 执法手册: what a phone looks up without signal at one place on one day."""

from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from backend.services.questions import Questions, questions
from inspection_plans.records import plain
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import Jurisdiction, Kind

KEPT = 64  # places and days whose handbook is at hand


class ClauseText(msgspec.Struct, frozen=True):
    """A clause in short, the paper it stands in and where."""

    zh: str
    en: str
    paper: str
    section: str


class WordLists(msgspec.Struct, frozen=True):
    """The lexicon's own records; ``banned`` are the clauses in force by what they forbid."""

    entries: tuple[dict[str, Any], ...]
    contexts: dict[str, Any]
    places: dict[str, Any]
    folding: dict[str, Any]
    banned: dict[str, tuple[str, ...]]


class Handbook(msgspec.Struct, frozen=True, kw_only=True):
    """Clauses in force by id, words of advertisements, and what is asked and told on site."""

    place: str
    on: date
    clauses: dict[str, ClauseText]
    lexicon: WordLists
    questions: Questions


@lru_cache(maxsize=KEPT)
def of(place: Jurisdiction, on: date, rules: Rulebook) -> Handbook:
    """The handbook of a jurisdiction on a day.

    Source: settled point 4 (clauses are inherited from the places above).
    """
    in_force = rules.in_force(place, on)
    lexicon = rules.lexicon
    banned: dict[str, tuple[str, ...]] = {}
    for clause in in_force:
        if clause.kind is Kind.PROHIBITION:
            banned[clause.concept] = (*banned.get(clause.concept, ()), clause.id)
    return Handbook(
        place=place,
        on=on,
        clauses={
            one.id: ClauseText(
                one.rule.zh, one.rule.en, rules.library.packs[one.pack].number, one.section
            )
            for one in in_force
        },
        lexicon=WordLists(
            entries=tuple(plain(entry) for entry in lexicon.entries),
            contexts=plain(lexicon.contexts),
            places=plain(lexicon.places),
            folding=plain(lexicon.folding),
            banned=banned,
        ),
        questions=questions(),
    )
