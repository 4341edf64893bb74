"""The lines of a file become rows of values; every wrong cell is named."""

from collections.abc import Mapping, Sequence

import msgspec

from backend.services.imports import cells, refusals
from backend.services.imports.process import Table
from backend.services.imports.sheets import Column, Sheet
from backend.services.imports.world import Values
from backend.services.records.imports import CellError
from backend.services.texts import Language, wording


class Row(msgspec.Struct, frozen=True):
    """One row: its number in the file and the text of its cells by column key."""

    number: int
    cells: Mapping[str, str]


class Source(msgspec.Struct, frozen=True):
    """All rows of one sheet; ``letters`` says in which column of the file a key stands."""

    sheet: str
    letters: dict[str, str]
    rows: Sequence[Row]


def letter(place: int) -> str:
    """The letters of a column, counted from 0: 0 is A, 26 is AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _heads(sheet: Sheet, heads: Sequence[str]) -> list[str | None]:
    """The column key under each heading; None where a heading is blank.

    Raises: WrongColumns ("import.columns").
    """
    by_name = {name: column.key for column in sheet.columns for name in column.names}
    named = [head.strip() for head in heads]
    keys = [by_name.get(head) for head in named]
    unknown = [head for head, key in zip(named, keys, strict=True) if head and key is None]
    missing = [column.title for column in sheet.columns if column.key not in keys]
    known = [key for key in keys if key]
    twice = sorted({key for key in known if known.count(key) > 1})
    if unknown or missing or twice:
        raise refusals.WrongColumns(missing=missing, unknown=unknown, twice=twice)
    return keys


def of_table(sheet: Sheet, table: Table) -> Source:
    """The rows of a file whose first line holds the headings.

    Raises: WrongColumns ("import.columns"), EmptyFile ("import.empty") without a row.
    """
    keys = _heads(sheet, table.lines[0].cells)
    if len(table.lines) == 1:
        raise refusals.EmptyFile
    rows = [
        Row(
            line.number,
            {key: cell for key, cell in zip(keys, line.cells, strict=False) if key},
        )
        for line in table.lines[1:]
    ]
    letters = {key: letter(place) for place, key in enumerate(keys) if key}
    return Source(table.sheet, letters, rows)


def of_mappings(sheet: Sheet, rows: Sequence[Mapping[str, str]]) -> Source:
    """Rows that were never a file, numbered as if they stood under a heading.

    Raises: WrongColumns ("import.columns") for a key that is no column, EmptyFile.
    """
    known = {column.key for column in sheet.columns}
    if unknown := sorted({key for row in rows for key in row} - known):
        raise refusals.WrongColumns(missing=[], unknown=unknown, twice=[])
    if not rows:
        raise refusals.EmptyFile
    letters = {column.key: letter(place) for place, column in enumerate(sheet.columns)}
    return Source(sheet.en, letters, [Row(n, row) for n, row in enumerate(rows, 2)])


def _reason(code: str, language: Language) -> str:
    words = wording(code, language)
    return f"{words.title}：{words.todo}" if language == "zh" else f"{words.title}: {words.todo}"


def error_of(source: Source, row: int, refusal: refusals.CellRefusal) -> CellError:
    """The refusal as a line of the report."""
    key = refusal.field or ""
    return CellError(
        sheet=source.sheet,
        row=row,
        column=source.letters.get(key, ""),
        key=key,
        code=refusal.code,
        facts=refusal.facts,
        reason_zh=_reason(refusal.code, "zh"),
        reason_en=_reason(refusal.code, "en"),
    )


def _values(columns: Sequence[Column], row: Row) -> tuple[Values, list[refusals.CellRefusal]]:
    values: Values = {}
    wrong: list[refusals.CellRefusal] = []
    for column in columns:
        try:
            values[column.key] = cells.parse(column, row.cells.get(column.key, ""))
        except refusals.CellRefusal as refusal:
            wrong.append(refusal)
    return values, wrong


def parse(sheet: Sheet, source: Source) -> tuple[list[tuple[int, Values]], list[CellError]]:
    """The rows whose cells are all right, with their numbers, and every wrong cell."""
    good: list[tuple[int, Values]] = []
    errors: list[CellError] = []
    for row in source.rows:
        values, wrong = _values(sheet.columns, row)
        errors += [error_of(source, row.number, refusal) for refusal in wrong]
        if not wrong:
            good.append((row.number, values))
    return good, errors
