"""What a person is told about a refusal: title and next step by code, in Chinese and English."""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

Language = Literal["zh", "en"]
FOLDER = Path(__file__).parent.parent / "texts" / "problems"


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``title`` says what happened, ``todo`` what was kept and what to do."""

    title: str
    todo: str


@cache
def wordings() -> dict[str, dict[str, Wording]]:
    """Every code's wording by language; a code that stands twice is a fault of the build."""
    found: dict[str, dict[str, Wording]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        part = msgspec.convert(
            yaml.safe_load(file.read_text("utf-8")), dict[str, dict[str, Wording]]
        )
        if twice := found.keys() & part.keys():
            raise ValueError(f"{file.name}: worded twice: {sorted(twice)}")
        found |= part
    return found


def wording(code: str, language: Language) -> Wording:
    """The wording of a refusal code; raises KeyError where the texts have a gap."""
    return wordings()[code][language]
