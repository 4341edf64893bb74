"""Information registers R39 to R45 as cards: what the papers say, place by place."""

from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import yaml

from backend.services.errors import Absent
from inspection_plans.library import Library
from inspection_plans.records import Record, decode
from inspection_plans.vocabulary import Clause, Code

FILE = Path(__file__).parent / "data" / "cards.yaml"


class _Card(Record, frozen=True, kw_only=True):
    zh: str
    en: str
    concepts: tuple[Code, ...]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One clause: which paper, which section, for whom, what it says."""

    clause: str
    pack: str
    jurisdiction: str
    section: str
    concept: str
    subjects: tuple[str, ...]
    zh: str
    en: str
    terms: tuple[str, ...]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """信息卡: one register of information; the nation's papers first."""

    code: str
    zh: str
    en: str
    lines: tuple[Line, ...]


@cache
def _shipped() -> dict[str, _Card]:
    return decode(yaml.safe_load(FILE.read_text("utf-8")), dict[str, _Card])


def codes() -> tuple[str, ...]:
    """The numbers of the cards."""
    return tuple(_shipped())


def cards(region: int, on: date, rules: Library) -> tuple[Card, ...]:
    """All cards with the clauses in force at a place on a day."""
    in_force = rules.effective_set(rules.jurisdiction_of(region), on)
    return tuple(_made(code, found, in_force, rules) for code, found in _shipped().items())


def card(code: str, region: int, on: date, rules: Library) -> Card:
    """One card; raises Absent ("thing.absent")."""
    found = _shipped().get(code)
    if found is None:
        raise Absent
    in_force = rules.effective_set(rules.jurisdiction_of(region), on)
    return _made(code, found, in_force, rules)


def _made(code: str, found: _Card, in_force: tuple[Clause, ...], rules: Library) -> Card:
    lines = [
        Line(
            clause=clause.id,
            pack=clause.pack,
            jurisdiction=rules.packs[clause.pack].jurisdiction,
            section=clause.section,
            concept=clause.concept,
            subjects=tuple(clause.subject),
            zh=clause.rule.zh,
            en=clause.rule.en,
            terms=clause.key_terms,
        )
        for concept in found.concepts
        for clause in in_force
        if clause.concept == concept
    ]
    return Card(code=code, zh=found.zh, en=found.en, lines=tuple(lines))
