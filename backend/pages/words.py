"""Words of the pages: one flat table in files by topic, two languages, no sentence in code."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from litestar import Request

FOLDER = Path(__file__).parent.parent / "texts" / "pages"
Language = Literal["zh", "en"]


class Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    zh: str
    en: str


@cache
def words() -> dict[str, Both]:
    """Every text by its key; raises ValueError for a key that stands twice."""
    found: dict[str, Both] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        part = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), dict[str, Both])
        if twice := found.keys() & part.keys():
            raise ValueError(f"{path.name}: {sorted(twice)}")
        found |= part
    return found


def say(key: str, language: Language, **facts: object) -> str:
    """The text of a key; raises KeyError where the table has a gap."""
    both = words()[key]
    text = both.en if language == "en" else both.zh
    return text.format(**facts) if facts else text


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Chinese unless the address asks for English."""
    return "en" if request.query_params.get("lang") == "en" else "zh"
