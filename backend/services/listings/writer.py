"""Writes one export in a process of its own: rows come as they are read, a file grows on disk.

Run by path as ``python -I writer.py FORM FILE``: on standard input a MessagePack head
``{"title", "keys", "heads"}`` and then batches of rows, each message after its length in
eight bytes. It imports nothing of ours and holds one batch at a time.
"""

import csv
import json
import resource
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

MEMORY_BYTES = 768 << 20
EXACT = 10**15  # Excel keeps fifteen digits of a number
CELL_MOST = 32_767  # characters of a cell of Excel
BOM = "\ufeff"
# What a spreadsheet would run as a formula, half- and full-width, and our own quote.
ACTIVE = frozenset("=+-@\t\r＝＋－＠'")
E7 = 10**7
PLACE = ("lat_e7", "lon_e7", "crs")
Row = list[Any]
Batches = Iterator[list[Row]]


def batches(source: BinaryIO) -> Iterator[Any]:
    """Messages of a stream, each after its length."""
    while head := source.read(8):
        yield msgspec.msgpack.decode(source.read(int.from_bytes(head)))


def write_csv(path: str, head: dict[str, Any], rows: Batches) -> None:
    """UTF-8 with a BOM, CRLF, no cell that would run."""
    active = ACTIVE
    with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - no pathlib here
        file.write(BOM)
        writer = csv.writer(file)
        writer.writerow(head["heads"])
        for batch in rows:
            writer.writerows(
                [
                    "'" + cell if type(cell) is str and cell and cell[0] in active else cell
                    for cell in row
                ]
                for row in batch
            )


def write_xlsx(path: str, head: dict[str, Any], rows: Batches) -> None:
    """A workbook of text and whole numbers, a line at a time in memory."""
    import xlsxwriter  # noqa: PLC0415 - the other forms need none

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(path, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#EEF1F5"})
        sheet = book.add_worksheet(head["title"][:31])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(head["heads"]) - 1, 20)
        for place, text in enumerate(head["heads"]):
            sheet.write_string(0, place, text, bold)
        lines = (row for batch in rows for row in batch)
        for line, row in enumerate(lines, 1):
            _write_line(sheet, line, row)


def _write_line(sheet: Any, line: int, row: Row) -> None:  # noqa: ANN401 - untyped
    for place, cell in enumerate(row):
        if type(cell) is str:
            sheet.write_string(line, place, cell[:CELL_MOST])
        elif cell is not None and -EXACT < cell < EXACT:
            sheet.write_number(line, place, cell)
        elif cell is not None:
            sheet.write_string(line, place, str(cell))


def write_json(path: str, head: dict[str, Any], rows: Batches) -> None:
    """An array of objects, one a line."""
    keys, encode = head["keys"], msgspec.json.encode
    with open(path, "wb") as file:  # noqa: PTH123 - no pathlib here
        file.write(b"[")
        first = True
        for batch in rows:
            for row in batch:
                file.write(b"\n" if first else b",\n")
                file.write(encode(dict(zip(keys, row, strict=True))))
                first = False
        file.write(b"\n]\n")


def _point(
    lat_e7: int | None = None, lon_e7: int | None = None, crs: str | None = None
) -> dict[str, Any] | None:
    if crs != "wgs84" or lat_e7 is None or lon_e7 is None:
        return None
    return {"type": "Point", "coordinates": [lon_e7 / E7, lat_e7 / E7]}


def write_geojson(path: str, head: dict[str, Any], rows: Batches) -> None:
    """A FeatureCollection (RFC 7946); only WGS 84 makes a point, other systems stay properties.

    What lies nowhere is a feature without geometry (RFC 7946, 3.2).
    """
    keys = head["keys"]
    places = [keys.index(key) for key in PLACE if key in keys]
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - no pathlib here
        file.write('{"type":"FeatureCollection","features":[')
        first = True
        for batch in rows:
            for row in batch:
                feature = {
                    "type": "Feature",
                    "geometry": _point(*(row[place] for place in places)),
                    "properties": dict(zip(keys, row, strict=True)),
                }
                file.write("\n" if first else ",\n")
                file.write(json.dumps(feature, ensure_ascii=False))
                first = False
        file.write("\n]}\n")


FORMS: dict[str, Callable[[str, dict[str, Any], Batches], None]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "json": write_json,
    "geojson": write_geojson,
}


def main(form: str, path: str) -> None:
    """Write what comes on standard input; the file is whole when this process ends well."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    messages = batches(sys.stdin.buffer)
    FORMS[form](path, next(messages), messages)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
