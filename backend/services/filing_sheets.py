"""Filings as workbooks: a template with headings, hints and choices, read back cell by cell.

A sheet that is there replaces what the draft has; one that is not leaves it. Nothing is saved
while a cell is wrong, and the errors can be had as the same workbook with the cells marked.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec

from backend.services import filing_shapes, filings, registers
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.filing_shapes import HEAD, Field, Shape
from backend.services.filings import Filing
from backend.services.imports import cells, process, refusals, rows, sheets
from backend.services.imports.process import Table
from backend.services.records.imports import CellError
from backend.services.registers import LISTS, PayloadInvalid
from backend.services.texts import wording
from inspection_plans.errors import Family
from inspection_plans.library import Library

TOLD = 100
FEN = 100
SEPARATOR = ";"
SPLIT = re.compile(r"[;；]")
PLACE = re.compile(r"payload(\.lists)?\.(\w+)(?:\[(\d+)\])?(?:\.(\w+))?")
YUAN = re.compile(r"\d{1,13}(\.\d{1,2})?\Z")
PLAIN = {"integer": "integer", "boolean": "boolean", "date": "date", "text": "text"}


class SheetsRefused(ServiceRefusal):
    """Some cells are wrong; facts name them, nothing was saved."""

    code: ClassVar[str] = "filing.sheets_refused"
    family: ClassVar[Family] = Family.INVALID


class SheetsForeign(ServiceRefusal):
    """No sheet of the workbook is one of the register's; ``known`` names those."""

    code: ClassVar[str] = "filing.sheets_foreign"
    family: ClassVar[Family] = Family.INVALID


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What a workbook says: the payload, and what is wrong in which cell."""

    payload: dict[str, Any]
    errors: tuple[CellError, ...]


class _Sheet(msgspec.Struct, frozen=True):
    """One sheet as it was read: keys by column, row numbers, values as JSON."""

    shape: Shape
    title: str
    letters: dict[str, str]
    numbers: list[int]
    values: list[dict[str, Any]]


def _head(field: Field) -> str:
    yuan = filing_shapes.guide().yuan
    unit = (f"（{yuan.zh}）", f" ({yuan.en})") if field.kind == "money" else ("", "")
    return f"{field.name.zh}{unit[0]} / {field.name.en}{unit[1]}"


def _order(shape: Shape, lines: list[list[str]], marks: list[tuple[int, int]]) -> dict[str, Any]:
    numbered = list(enumerate(shape.fields))
    return {
        "title": shape.name.zh,
        "heads": [_head(field) for field in shape.fields],
        "rows": lines,
        "lists": {
            str(place): list(_choices(field).values())
            for place, field in numbered
            if field.kind in ("choice", "boolean")
        },
        "hints": {str(place): _hint(field) for place, field in numbered},
        "marks": marks,
    }


def _choices(field: Field) -> dict[str, str]:
    return _column(field).choices if field.kind == "boolean" else field.choices


def _hint(field: Field) -> str:
    said = filing_shapes.note(field.kind)
    names = "、".join(field.choices.values())
    return f"{said.zh} / {said.en}" + (f"：{names}" if names else "")


def _column(field: Field) -> sheets.Column:
    return sheets.Column(
        key=field.key,
        zh=field.name.zh,
        en=field.name.en,
        type=PLAIN.get(field.kind, "text"),  # type: ignore[arg-type]  # the four are types of columns
        required=field.required,
        least=field.least,
        most=field.most,
    )


def _guide(shapes: tuple[Shape, ...]) -> dict[str, Any]:
    words = filing_shapes.guide()
    lines = [list(words.heads)]
    for shape in shapes:
        lines += [
            [shape.name.zh, _head(field), words.required if field.required else "", _hint(field)]
            for field in shape.fields
        ]
    return {"title": words.title, "lines": lines}


def order(register: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the child needs to write the workbook of a register.

    Raises: RegisterUnknown ("filing.register_unknown").
    """
    shapes = filing_shapes.shapes(register)
    orders = [_order(one, _lines(one, payload), []) for one in shapes]
    return {"sheets": orders, "guide": _guide(shapes)}


async def template(register: str, payload: Mapping[str, Any] | None = None) -> bytes:
    """The workbook of a register, empty or with what a filing says.

    Raises: RegisterUnknown ("filing.register_unknown").
    """
    return await process.write_book(order(register, payload or {}))


def _lines(shape: Shape, payload: Mapping[str, Any]) -> list[list[str]]:
    if not payload:
        return []
    if shape.single:
        found = [payload]
    else:
        found = (payload.get(LISTS, {}) if shape.listed else payload).get(shape.key, [])
    return [[_text(field, row.get(field.key)) for field in shape.fields] for row in found]


def _text(field: Field, value: Any) -> str:  # noqa: ANN401 - a JSON value
    """The cell that ``_parse`` reads as this value."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return SEPARATOR.join(field.choices.get(one, str(one)) for one in value)
    if isinstance(value, bool):
        return _choices(field)["yes" if value else "no"]
    if field.kind == "money":
        return f"{Decimal(value) / FEN:.2f}"
    return field.choices.get(value, str(value))


def _parse(field: Field, text: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value of a cell, None when blank; raises a CellRefusal."""
    column = _column(field)
    if field.kind in PLAIN:
        value = cells.parse(column, text)
        return value.isoformat() if isinstance(value, date) else value
    said = cells.parse(msgspec.structs.replace(column, most=filing_shapes.MOST_TEXT), text)
    if said is None:
        return None
    if field.kind == "money":
        return _fen(field, said)
    if field.kind == "choice":
        return _choice(field, said)
    parts = [part.strip() for part in SPLIT.split(said) if part.strip()]
    return [_choice(field, part) for part in parts] if field.kind == "choices" else parts


def _fen(field: Field, said: str) -> int:
    if not YUAN.match(said):
        raise refusals.WrongForm(field=field.key, expected="1980.00")
    return int(Decimal(said) * FEN)


def _choice(field: Field, said: str) -> str:
    for code, name in field.choices.items():
        if said in (code, name):
            return code
    raise refusals.WrongChoice(field=field.key, known=list(field.choices.values()))


def _keys(shape: Shape, table: Table) -> list[str | None]:
    """The field under each heading, None where it is blank; raises WrongColumns."""
    names = {
        name: field.key
        for field in shape.fields
        for name in (_head(field), field.key, field.name.zh)
    }
    heads = [head.strip() for head in table.lines[0].cells]
    keys = [names.get(head) for head in heads]
    unknown = [head for head, key in zip(heads, keys, strict=True) if head and key is None]
    missing = [_head(field) for field in shape.fields if field.key not in keys]
    known = [key for key in keys if key]
    twice = sorted({key for key in known if known.count(key) > 1})
    if unknown or missing or twice:
        raise refusals.WrongColumns(
            sheet=table.sheet, missing=missing, unknown=unknown, twice=twice
        )
    return keys


def _source(sheet: _Sheet) -> rows.Source:
    return rows.Source(sheet.title, sheet.letters, [])


def _sheet(shape: Shape, table: Table) -> tuple[_Sheet, list[CellError]]:
    keys = _keys(shape, table)
    letters = {key: rows.letter(place) for place, key in enumerate(keys) if key}
    made = _Sheet(shape, table.sheet, letters, [], [])
    errors: list[CellError] = []
    for line in table.lines[1:]:
        said = {key: cell for key, cell in zip(keys, line.cells, strict=False) if key}
        values: dict[str, Any] = {}
        for field in shape.fields:
            try:
                value = _parse(field, said.get(field.key, ""))
            except refusals.CellRefusal as refusal:
                errors.append(rows.error_of(_source(made), line.number, refusal))
            else:
                values |= {} if value is None else {field.key: value}
        made.numbers.append(line.number)
        made.values.append(values)
    return made, errors


def _known(register: str, tables: list[Table]) -> list[tuple[Shape, Table]]:
    by_name = {
        name: shape
        for shape in filing_shapes.shapes(register)
        for name in (shape.name.zh, shape.name.en)
    }
    found = [(by_name[one.sheet], one) for one in tables if one.sheet in by_name]
    if not found:
        raise SheetsForeign(known=[s.name.zh for s in filing_shapes.shapes(register)])
    return found


def _payload(read: list[_Sheet], draft: Mapping[str, Any]) -> dict[str, Any]:
    payload = {key: value for key, value in draft.items() if key != LISTS}
    lists = dict(draft.get(LISTS, {}))
    for sheet in read:
        if sheet.shape.listed:
            lists[sheet.shape.key] = sheet.values
        elif sheet.shape.single:
            own = {field.key for field in sheet.shape.fields}
            payload = {key: value for key, value in payload.items() if key not in own}
            payload |= sheet.values[0] if sheet.values else {}
        else:
            payload[sheet.shape.key] = sheet.values
    return payload | ({LISTS: lists} if lists else {})


def _faults(wrong: PayloadInvalid, read: list[_Sheet]) -> Iterator[CellError]:
    """Say a fault of the whole payload as one of the cell it stands in, as far as one is known."""
    found_in = cast("list[dict[str, str]]", wrong.facts["faults"])
    told = found_in or [{"field": str(wrong.field), "why": str(wrong.facts["why"])}]
    by_key = {(sheet.shape.listed, sheet.shape.key): sheet for sheet in read}
    first = read[0]
    for fault in told:
        found = PLACE.match(fault["field"])
        listed, key, place, field = found.groups() if found else (None, HEAD, None, None)
        sheet = by_key.get((bool(listed), str(key))) or by_key.get((False, HEAD)) or first
        known = place is not None and int(place) < len(sheet.numbers)
        row = sheet.numbers[int(str(place))] if known else (sheet.numbers or [1])[0]
        name = str(field or key)
        words = {language: wording(wrong.code, language) for language in ("zh", "en")}
        yield CellError(
            sheet=sheet.title,
            row=row,
            column=sheet.letters.get(name, ""),
            key=name,
            code=wrong.code,
            facts={"why": fault["why"]},
            reason_zh=f"{words['zh'].title}：{fault['why']}",
            reason_en=f"{words['en'].title}: {fault['why']}",
        )


async def read(
    register: str, period: str, content: bytes, *, draft: Mapping[str, Any] | None = None
) -> Read:
    """What a workbook says of a register, every wrong cell named; saves nothing.

    Raises: RegisterUnknown, PeriodMalformed, SheetsForeign ("filing.…"); EmptyFile, Unreadable,
    TooHeavy, TooLong, WrongColumns ("import.…").
    """
    registers.require_period(register, period)
    return judge(register, period, await process.read_sheets(content), draft=draft)


def judge(
    register: str, period: str, tables: list[Table], *, draft: Mapping[str, Any] | None = None
) -> Read:
    """What sheets say of a register, as ``read`` does.

    Raises: SheetsForeign ("filing.sheets_foreign"), WrongColumns ("import.columns").
    """
    made, errors = [], []
    for shape, table in _known(register, tables):
        sheet, wrong = _sheet(shape, table)
        made.append(sheet)
        errors += wrong
    payload = _payload(made, draft or {})
    if not errors:
        try:
            registers.read(register, period, payload)
        except PayloadInvalid as fault:
            errors += _faults(fault, made)
    return Read(payload=payload, errors=tuple(errors))


async def take(
    institution_id: UUID | None,
    register: str,
    period: str,
    content: bytes,
    *,
    act: Act,
    rules: Library,
) -> Filing:
    """Save a workbook as the draft of its register and period.

    Raises: those of ``read`` and of ``filings.save``; SheetsRefused ("filing.sheets_refused").
    """
    draft = await filings.payload_of(institution_id, register, period, act=act)
    found = await read(register, period, content, draft=draft)
    if found.errors:
        told = msgspec.to_builtins(found.errors[:TOLD])
        raise SheetsRefused(error_count=len(found.errors), errors=told)
    return await filings.save(
        institution_id, register, period, found.payload, act=act, rules=rules
    )


async def marked(
    register: str, period: str, content: bytes, *, draft: Mapping[str, Any] | None = None
) -> bytes:
    """The same workbook with its wrong cells marked and the reasons in a column behind.

    Raises: those of ``read``.
    """
    registers.require_period(register, period)
    tables = await process.read_sheets(content)
    errors = judge(register, period, tables, draft=draft).errors
    orders = []
    for shape, table in _known(register, tables):
        keys = _keys(shape, table)
        own = [error for error in errors if error.sheet == table.sheet]
        lines, marks = [], []
        for place, line in enumerate(table.lines[1:]):
            wrong = [error for error in own if error.row == line.number]
            cells_of = {key: cell for key, cell in zip(keys, line.cells, strict=False) if key}
            why = "\n".join(dict.fromkeys(f"{e.column} {e.reason_zh}".strip() for e in wrong))
            lines.append([*(cells_of.get(field.key, "") for field in shape.fields), why])
            names = [field.key for field in shape.fields]
            marks += [(place, names.index(e.key)) for e in wrong if e.key in names]
        order = _order(shape, lines, marks)
        order["heads"].append(filing_shapes.guide().errors)
        orders.append(order)
    return await process.write_book({"sheets": orders, "guide": None})
