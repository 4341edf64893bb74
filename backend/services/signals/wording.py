"""What a signal is called, why it was raised, what may be harmless about it: two languages."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import yaml

from backend.services.texts import Language

FILE = Path(__file__).parents[2] / "texts" / "signals.yaml"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``title`` names it, ``why`` explains it by facts, ``harmless`` says what else it may be."""

    title: str
    why: str
    harmless: str


class _Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``words`` translate facts that are words themselves."""

    signals: dict[str, dict[Language, Words]]
    words: dict[str, dict[Language, str]]


@cache
def texts() -> _Texts:
    """All texts of signals, read once."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), _Texts)


def words(kind: str, facts: Mapping[str, int | str]) -> dict[str, Words]:
    """A signal in words, by language; a kind without words is a fault of the build (KeyError)."""
    known = texts()
    # A fact ``what`` tells two forms of one kind apart.
    named = f"{kind}.{facts['what']}" if "what" in facts else kind
    found = known.signals[named]
    return {language: _filled(found[language], facts, language) for language in LANGUAGES}


def _filled(found: Words, facts: Mapping[str, int | str], language: Language) -> Words:
    known = texts().words
    said = {
        name: known[value][language] if value in known else value
        for name, value in ((name, str(value)) for name, value in facts.items())
    }
    return Words(
        title=found.title,
        why=found.why.format(**said),
        harmless=found.harmless.format(**said),
    )
