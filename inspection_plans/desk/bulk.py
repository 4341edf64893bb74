"""Filings in bulk: one row a line, so that no document is ever held whole."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from inspection_plans.desk.view import View
from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.filings import Register, registers
from inspection_plans.filings.words import Filed
from inspection_plans.records import Mismatch, decode

_AT_ONCE = 5_000


class LineRefused(RuleRefusal):
    """A line is no row of a register; ``line`` counts from 1, ``field`` is the path in the row."""

    code: ClassVar[str] = "filings.line_refused"
    family: ClassVar[Family] = Family.MALFORMED


def read_lines(lines: Iterable[str | bytes]) -> View:
    """Read ``{"register": ..., "row": {...}}`` a line; ``"row": null`` says a register is empty.

    Raises: LineRefused ("filings.line_refused"), FiledTwice ("filings.filed_twice").
    """
    known = {name: register for register, name in registers().items()}
    view = View()
    held: dict[Register, list[Filed]] = {}
    words: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        register, row = _line(line, number, known)
        rows = held.setdefault(register, [])
        if row is not None:
            rows.append(_row(register, _shared(row, words), number))
        if len(rows) >= _AT_ONCE:
            view.give(register, rows)
            rows.clear()
            words.clear()
    for register, rows in held.items():
        view.give(register, rows)
    return view


def _line(
    line: str | bytes, number: int, known: dict[str, Register]
) -> tuple[Register, dict[str, Any] | None]:
    try:
        found = json.loads(line)
        register, row = known[found["register"]], found["row"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LineRefused(line=number, message="no row of a register") from None
    return register, row


def _row(register: Register, row: object, number: int) -> Filed:
    try:
        return decode(row, register)
    except Mismatch as wrong:
        fault = wrong.first
        field = ".".join(str(step) for step in fault.path) or None
        raise LineRefused(field=field, line=number, message=fault.message) from None


def _shared(row: object, words: dict[str, str]) -> object:
    """Keep one copy of a text that many rows say, such as the key of their class."""
    if isinstance(row, dict):
        for key, value in row.items():
            if isinstance(value, str):
                row[key] = words.setdefault(value, value)
            elif isinstance(value, list):
                row[key] = [
                    words.setdefault(one, one) if isinstance(one, str) else one for one in value
                ]
    return row
