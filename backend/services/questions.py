"""What is asked and told on site 现场问卷与告知: questions by code, and sentences to read out."""

from functools import cache
from pathlib import Path

import msgspec
import yaml

FILE = Path(__file__).parent.parent / "texts" / "questions.yaml"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in both languages."""

    zh: str
    en: str


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One possible answer; ``code`` is what is counted."""

    code: str
    zh: str
    en: str


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of the anonymous questionnaire."""

    code: str
    zh: str
    en: str
    options: tuple[Choice, ...]


class Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it, as the file says it."""

    anonymous: tuple[Question, ...]
    formal: tuple[Said, ...]
    rights: Said
    obstruction: Said
    preservation: Said


@cache
def questions() -> Questions:
    """The file; one of another form is a fault of the build (msgspec.ValidationError)."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), Questions)
