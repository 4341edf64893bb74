"""Sentences that papers and pages print whole, with their facts, in Chinese and English."""

from functools import cache
from pathlib import Path

import msgspec
import yaml

from backend.services.texts import Language

FILE = Path(__file__).parent.parent / "texts" / "phrases.yaml"


@cache
def _phrases() -> dict[str, dict[Language, str]]:
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), dict[str, dict[Language, str]])


def phrase(name: str, language: Language, **facts: object) -> str:
    """One sentence; an unknown name is a fault of the build (KeyError)."""
    return _phrases()[name][language].format(**facts)
