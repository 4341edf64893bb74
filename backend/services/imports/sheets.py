"""What the files of the directories look like: sheets and columns, read from one data file."""

from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
import yaml

from backend.services import occupations
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

FILE = Path(__file__).parent.parent / "data" / "sheets.yaml"

ColumnType = Literal[
    "boolean",
    "choice",
    "choices",
    "code",
    "credit_code",
    "date",
    "degrees",
    "id_tail",
    "integer",
    "level",
    "levels",
    "occupation",
    "region",
    "regions",
    "text",
    "time",
    "words",
]


class KindUnknown(ServiceRefusal):
    """No directory has this name."""

    code: ClassVar[str] = "import.kind_unknown"
    family: ClassVar[Family] = Family.ABSENT


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column; ``least`` and ``most`` bound numbers, ``most`` also the length of a text."""

    key: str
    zh: str
    en: str
    type: ColumnType
    required: bool = False
    values: str | None = None
    least: int = 0
    most: int = 40
    note: str = ""

    @property
    def title(self) -> str:
        return f"{self.zh} / {self.en}"

    @property
    def names(self) -> tuple[str, ...]:
        """Headings by which a file may name the column."""
        return (self.key, self.zh, self.en, self.title)

    @property
    def choices(self) -> dict[str, str]:
        """Chinese name by code of what a cell may say; empty where anything fits."""
        if self.type == "boolean":
            return _shipped().values["boolean"]
        if self.type in ("level", "levels"):
            return {code: name.zh for code, name in occupations.shipped().levels.items()}
        if self.type == "occupation":
            return {code: name.zh for code, name in occupations.shipped().occupations.items()}
        return _shipped().values[self.values] if self.values else {}


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One directory's file: its name and its columns in order."""

    zh: str
    en: str
    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of the template's second sheet, which explains the columns."""

    title: str
    heads: tuple[str, str, str, str]
    required: str


class _Shipped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    guide: Guide
    values: dict[str, dict[str, str]]
    sheets: dict[str, Sheet]


@cache
def _shipped() -> _Shipped:
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), _Shipped)


def guide() -> Guide:
    """The words of the templates' second sheet."""
    return _shipped().guide


def kinds() -> tuple[str, ...]:
    """The directories in the order in which they are imported."""
    return tuple(_shipped().sheets)


def sheet(kind: str) -> Sheet:
    """The file of one directory.

    Raises: KindUnknown ("import.kind_unknown").
    """
    try:
        return _shipped().sheets[kind]
    except KeyError:
        raise KindUnknown(field="kind", known=list(kinds())) from None
