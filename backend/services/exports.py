"""Directories go out: the sheets that the import reads, so that a file can make the round trip."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from backend.db.queries.directories import EXPORTS
from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.imports import child, process
from backend.services.imports.cells import text_of
from backend.services.imports.sheets import Column, Sheet, guide, sheet
from inspection_plans.errors import Family

Form = Literal["xlsx", "csv"]


class TooManyRows(ServiceRefusal):
    """More rows than one file takes; ``region`` narrows the export."""

    code: ClassVar[str] = "export.too_many"
    family: ClassVar[Family] = Family.INVALID


def _guide_line(column: Column) -> list[str]:
    required = guide().required if column.required else ""
    names = [f"{name} ({code})" for code, name in column.choices.items()]
    return [column.title, required, "; ".join(names), column.note]


def _order(described: Sheet, rows: Sequence[Sequence[str]], *, guided: bool) -> dict[str, Any]:
    """What the child needs to write a workbook; several values in a cell get no list."""
    lists = {
        str(place): list(column.choices.values())
        for place, column in enumerate(described.columns)
        if column.choices and column.type not in ("choices", "levels")
    }
    words = guide()
    lines = [list(words.heads), *map(_guide_line, described.columns)]
    return {
        "title": described.zh,
        "heads": [column.title for column in described.columns],
        "rows": rows,
        "lists": lists,
        "guide": {"title": words.title, "lines": lines} if guided else None,
    }


def _texts(described: Sheet, row: Mapping[str, Any]) -> list[str]:
    return [text_of(column, row[column.key]) for column in described.columns]


def write(kind: str, rows: Sequence[Mapping[str, str]], form: Form) -> bytes:
    """A file of rows that come as text by column key; a column left out is blank.

    Raises: KindUnknown ("import.kind_unknown").
    """
    described = sheet(kind)
    lines = [[row.get(column.key, "") for column in described.columns] for row in rows]
    if form == "csv":
        return child.write_csv([column.title for column in described.columns], lines)
    return child.write_xlsx(_order(described, lines, guided=False))


def template(kind: str, form: Form) -> bytes:
    """An empty file with the headings; the workbook explains them on a second sheet.

    Raises: KindUnknown ("import.kind_unknown").
    """
    described = sheet(kind)
    if form == "csv":
        return child.write_csv([column.title for column in described.columns], [])
    return child.write_xlsx(_order(described, [], guided=True))


async def export(kind: str, form: Form, *, act: Act, region: int | None = None) -> bytes:
    """The caller's rows of one directory, those under ``region`` if given.

    Raises: KindUnknown ("import.kind_unknown"), TooManyRows ("export.too_many").
    """
    described = sheet(kind)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(EXPORTS[kind], region, child.ROWS + 1)
    if len(rows) > child.ROWS:
        raise TooManyRows(most=child.ROWS)
    lines = [_texts(described, row) for row in rows]
    if form == "csv":
        return child.write_csv([column.title for column in described.columns], lines)
    # Thousands of rows would hold the interpreter for a second; the child has its own.
    return await process.write(_order(described, lines, guided=False))
