"""Sentences of the audit log in two languages: faults, gaps, anchors, what papers say."""

from functools import cache
from pathlib import Path

import msgspec
import yaml

from backend.services.log_replay import Fact, Fault
from backend.services.texts import Language

FILE = Path(__file__).parent.parent / "texts" / "log.yaml"


@cache
def sentences() -> dict[str, dict[Language, str]]:
    """Every sentence by its name."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), dict[str, dict[Language, str]])


def say(name: str, language: Language, /, **facts: Fact) -> str:
    """One sentence; an unknown name is a fault of the build (KeyError)."""
    return sentences()[name][language].format(**facts)


def fault(found: Fault, language: Language) -> str:
    """What a fault or a gap means."""
    return say(found.code, language, **found.facts)
