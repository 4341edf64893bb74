"""Reads and writes office files in a process of its own with little memory and little time.

Run by path as ``python -I child.py read|sheets|write|book``: bytes come on standard input, JSON
or bytes leave on standard output. It imports nothing of ours, so a broken file can reach nothing.
"""

import csv
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

MEMORY_BYTES = 512 << 20
CPU_S = 10
UNPACKED_BYTES = 64 << 20
MEMBERS = 500
ROWS = 20_000
SHEETS = 12
LISTED = 255  # characters that Excel takes for the choices of a cell, and for a hint
COLUMNS = 64
CELL = 1_000
EXACT = 10**15  # Excel keeps fifteen digits of a number
ZIP_MARK = b"PK\x03\x04"
BOM = "\ufeff"
# What a spreadsheet would run as a formula, half- and full-width.
ACTIVE = "=+-@\t\r＝＋－＠"

Line = tuple[int, list[str]]


class Refused(Exception):  # noqa: N818 - told to the parent as a code
    """The file is refused; ``code`` is that of a refusal of the parent."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.answer = {"refused": code, "facts": facts}


def limit() -> None:
    """Bound this process before it has read a byte; exceeding kills it, the parent sees that."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)


def _text(value: object) -> str:
    """A cell as the text a person would have typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def _weigh(raw: bytes) -> None:
    """Refuse an archive by its own table of contents before anything is unpacked."""
    try:
        members = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Refused("import.unreadable") from None
    if len(members) > MEMBERS or sum(member.file_size for member in members) > UNPACKED_BYTES:
        raise Refused("import.too_heavy")


def _workbook(raw: bytes, most: int) -> Iterator[tuple[str, Iterator[Line]]]:
    """The first sheets of a workbook, ``most`` of them."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - CSV needs none

    _weigh(raw)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        names = book.sheet_names[:most]
        sheets = [book.get_sheet_by_index(place) for place in range(len(names))]
    except (CalamineError, IndexError):
        raise Refused("import.unreadable") from None
    if not names:
        raise Refused("import.unreadable")
    for name, sheet in zip(names, sheets, strict=True):
        yield name, _lines(sheet)


def _lines(sheet: Any) -> Iterator[Line]:  # noqa: ANN401 - the library ships no types
    if sheet.total_height > ROWS + 1 or sheet.total_width > COLUMNS:
        raise Refused("import.too_long", rows=ROWS, columns=COLUMNS, characters=CELL)
    rows = sheet.to_python(skip_empty_area=False)
    return ((place, [_text(cell) for cell in row]) for place, row in enumerate(rows, 1))


def _unescaped(cell: str) -> str:
    """Take back the quote that our own export puts before what would run as a formula."""
    quoted = len(cell) > 1 and cell[0] == "'" and cell[1] in ACTIVE + "'"
    return cell[1:] if quoted else cell


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("import.unreadable")


def _table(raw: bytes) -> Iterator[Line]:
    text = _decoded(raw)
    if "\0" in text:
        raise Refused("import.unreadable")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield reader.line_num, [_unescaped(cell) for cell in row]
    except csv.Error:
        raise Refused("import.unreadable") from None


def _bounded(lines: Iterator[Line]) -> list[Line]:
    """The lines that say something, with the numbers they have in the file."""
    kept: list[Line] = []
    for place, row in lines:
        if len(row) > COLUMNS or any(len(cell) > CELL for cell in row) or len(kept) > ROWS:
            raise Refused("import.too_long", rows=ROWS, columns=COLUMNS, characters=CELL)
        if any(cell.strip() for cell in row):
            kept.append((place, row))
    return kept


def read(raw: bytes) -> dict[str, Any]:
    """The first sheet as ``{"sheet", "lines": [[row number, [text, ...]], ...]}``."""
    try:
        packed = raw.startswith(ZIP_MARK)
        name, lines = next(_workbook(raw, 1)) if packed else ("CSV", _table(raw))
        return {"sheet": name, "lines": _bounded(lines)}
    except Refused as refused:
        return refused.answer
    except MemoryError:
        return Refused("import.too_heavy").answer


def read_sheets(raw: bytes) -> dict[str, Any]:
    """Every sheet of a workbook as ``{"sheets": [{"sheet", "lines"}, ...]}``."""
    if not raw.startswith(ZIP_MARK):
        return Refused("import.unreadable").answer
    try:
        found = [
            {"sheet": name, "lines": _bounded(lines)} for name, lines in _workbook(raw, SHEETS)
        ]
    except Refused as refused:
        return refused.answer
    except MemoryError:
        return Refused("import.too_heavy").answer
    return {"sheets": found}


def _escaped(cell: str) -> str:
    return "'" + cell if cell[:1] and cell[0] in ACTIVE + "'" else cell


def write_csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """CSV that Excel opens as UTF-8 and that runs nothing."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([_escaped(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()


def write_xlsx(order: dict[str, Any]) -> bytes:
    """A workbook of one sheet; ``order`` has title, heads, rows, lists and a guide."""
    return write_book({"sheets": [order], "guide": order["guide"]})


def write_book(order: dict[str, Any]) -> bytes:
    """A workbook of text cells: ``sheets`` as for one, with hints and marked cells, and a guide.

    ``hints``: what is told where a cell of a column is chosen; ``marks``: cells that are wrong,
    by row of the list, from 0, and column.
    """
    import xlsxwriter  # noqa: PLC0415 - reading needs none

    out = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
        wrong = book.add_format({"num_format": "@", "bg_color": "#FFC7CE"})
        for one in order["sheets"]:
            _sheet(book.add_worksheet(one["title"]), one, (text, bold, wrong))
        if order["guide"]:
            _guide(book, order["guide"], bold)
    return out.getvalue()


def _sheet(sheet: Any, order: dict[str, Any], formats: tuple[Any, Any, Any]) -> None:  # noqa: ANN401 - untyped
    text, bold, wrong = formats
    marks = {(line, place) for line, place in order.get("marks", [])}
    sheet.freeze_panes(1, 0)
    for place, head in enumerate(order["heads"]):
        sheet.set_column(place, place, 24, text)
        sheet.write_string(0, place, head, bold)
    for line, row in enumerate(order["rows"]):
        for place, cell in enumerate(row):
            sheet.write_string(line + 1, place, cell, wrong if (line, place) in marks else text)
    hints = order.get("hints", {})
    for place in sorted({*order["lists"], *hints}, key=int):
        rule = _rule(order["lists"].get(place, []), hints.get(place, ""))
        sheet.data_validation(1, int(place), ROWS, int(place), rule)


def _rule(names: list[str], hint: str) -> dict[str, Any]:
    """What Excel checks in a column; a list that is too long for it is in the guide alone."""
    rule: dict[str, Any] = {"validate": "any"}
    if names and len(",".join(names)) <= LISTED:
        rule = {"validate": "list", "source": names, "error_type": "warning"}
    return rule | ({"input_message": hint[:LISTED]} if hint else {})


def _guide(book: Any, guide: dict[str, Any], bold: Any) -> None:  # noqa: ANN401 - untyped
    sheet = book.add_worksheet(guide["title"])
    sheet.set_column(0, 3, 36)
    for line, row in enumerate(guide["lines"]):
        for place, cell in enumerate(row):
            sheet.write_string(line, place, cell, bold if line == 0 else None)


def main(verb: str) -> None:
    """Answer one question on standard input and end."""
    limit()
    raw = sys.stdin.buffer.read()
    if verb in ("read", "sheets"):
        answer = read(raw) if verb == "read" else read_sheets(raw)
        sys.stdout.buffer.write(json.dumps(answer).encode())
    else:
        make = write_xlsx if verb == "write" else write_book
        sys.stdout.buffer.write(make(json.loads(raw)))


if __name__ == "__main__":
    main(sys.argv[1])
