"""The registers 备案与报送: what each is, for what span it is filed, and until when."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
import yaml

from backend.services.errors import ServiceRefusal
from backend.services.payloads import PAYLOADS, Payload, Rows
from inspection_plans import filings
from inspection_plans.deadlines import Deadline, quarter_end, year_end
from inspection_plans.errors import Family
from inspection_plans.filings.words import Filed
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook
from inspection_plans.records import Mismatch, Record, decode, plain
from inspection_plans.vocabulary import ClauseCode, Code

FILE = Path(__file__).parent / "data" / "registers.yaml"
YEAR = re.compile(r"(20\d{2})\Z")
QUARTER = re.compile(r"(20\d{2})Q([1-4])\Z")
CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,39}\Z")
FORMS = {"year": "2026", "quarter": "2026Q1", "class": "C001", "batch": "B001"}
LISTS = "lists"
FAULTS_TOLD = 100
Trigger = Literal["period", "class_start", "class_end", "exam_day"]


class RegisterUnknown(ServiceRefusal):
    """No register has this number."""

    code: ClassVar[str] = "filing.register_unknown"
    family: ClassVar[Family] = Family.ABSENT


class PeriodMalformed(ServiceRefusal):
    """Not a span of the register's kind; ``expected`` shows the form."""

    code: ClassVar[str] = "filing.period_malformed"
    family: ClassVar[Family] = Family.INVALID


class PayloadInvalid(ServiceRefusal):
    """The payload does not fit the register; ``field`` is the path, ``why`` what is wrong.

    ``faults`` names further places in the lists of rows, at most a hundred.
    """

    code: ClassVar[str] = "filing.payload_invalid"
    family: ClassVar[Family] = Family.INVALID


class DueRule(Record, frozen=True, kw_only=True):
    """By which term a filing is due, and the day that term runs from."""

    concept: Code
    trigger: Trigger


class Register(Record, frozen=True, kw_only=True):
    """One register: ``filer`` files it for a ``period``, ``clause`` asks for it.

    ``about``: one institution, or the office itself. ``to``: who receives it. ``lists``: which
    registers of the desk review's document its rows fill. ``barred``: new plans and enrolments,
    which a bad record forbids.
    """

    zh: str
    en: str
    period: Literal["year", "quarter", "class", "batch"]
    filer: Literal["institution", "office"]
    clause: ClauseCode
    to: tuple[Code, ...]
    about: Literal["institution", "office"] = "institution"
    due: DueRule | None = None
    lists: tuple[Code, ...] = ()
    barred: bool = False


class Content(msgspec.Struct, frozen=True):
    """What a payload says: the form's own fields, and rows by list."""

    head: Payload
    lists: dict[str, tuple[Filed, ...]]

    def written(self) -> dict[str, Any]:
        """The payload as it is kept: JSON values."""
        kept: dict[str, Any] = msgspec.to_builtins(self.head)
        return kept | ({LISTS: plain(self.lists)} if self.lists else {})


@cache
def registers() -> dict[str, Register]:
    """Every register by its number."""
    return decode(yaml.safe_load(FILE.read_text("utf-8")), dict[str, Register])


@cache
def records() -> dict[str, type[Filed]]:
    """The record of the rows of every list."""
    return {name: record for record, name in filings.registers().items()}


def register(code: str) -> Register:
    """One register.

    Raises: RegisterUnknown ("filing.register_unknown").
    """
    try:
        return registers()[code]
    except KeyError:
        raise RegisterUnknown(field="register", known=sorted(registers())) from None


def require_period(code: str, period: str) -> None:
    """Check the form of a period.

    Raises: RegisterUnknown ("filing.register_unknown"), PeriodMalformed.
    """
    kind = register(code).period
    pattern = {"year": YEAR, "quarter": QUARTER}.get(kind, CODE)
    if not pattern.match(period):
        raise PeriodMalformed(field="period", expected=FORMS[kind])


def read(code: str, period: str, payload: Mapping[str, Any]) -> Content:
    """The payload as the register's Struct and rows; what the period says is filled in.

    Raises: RegisterUnknown ("filing.register_unknown"), PayloadInvalid.
    """
    found = register(code)
    head = {name: value for name, value in payload.items() if name != LISTS}
    try:
        form = msgspec.convert(head, PAYLOADS.get(code, Rows))
    except msgspec.ValidationError as wrong:
        why, _, path = str(wrong).partition(" - at `$")
        raise PayloadInvalid(field=f"payload{path.rstrip('`')}", why=why, faults=[]) from None
    given = payload.get(LISTS, {})
    if not isinstance(given, dict) or (unknown := sorted(given.keys() - set(found.lists))):
        why = "no such list" if isinstance(given, dict) else "an object was expected"
        field = f"payload.{LISTS}" + (f".{unknown[0]}" if isinstance(given, dict) else "")
        raise PayloadInvalid(field=field, why=why, faults=[])
    return Content(form, {name: _rows(name, given[name], found, period) for name in given})


def implied(record: type[Filed], found: Register, period: str) -> dict[str, str]:
    """The fields that a filing's institution and period already say."""
    names = set(record.__annotations__)
    said = {"institution_id": "own"} if "institution_id" in names else {}
    if f"{found.period}_id" in names:
        said[f"{found.period}_id"] = period
    if filings.registers()[record] == "exam_batches":
        said["id"] = period
    return said


def _rows(name: str, given: object, found: Register, period: str) -> tuple[Filed, ...]:
    record = records()[name]
    said = implied(record, found, period)
    rows = given if isinstance(given, list) else [given]
    filled = [
        said | {key: value for key, value in row.items() if value is not None}
        if isinstance(row, dict)
        else row
        for row in rows
    ]
    try:
        read_rows: tuple[Filed, ...] = decode(filled, tuple[record, ...])  # type: ignore[valid-type]
    except Mismatch as wrong:
        told = [{"field": _where(name, f.path), "why": f.message} for f in wrong.faults]
        first = told[0]
        raise PayloadInvalid(
            field=first["field"], why=first["why"], faults=told[:FAULTS_TOLD]
        ) from None
    twice = [key for key, n in Counter(map(filings.key_of, read_rows)).items() if n > 1]
    if twice:
        raise PayloadInvalid(field=f"payload.{LISTS}.{name}", why=f"twice: {twice[0]}", faults=[])
    return read_rows


def _where(name: str, path: tuple[str | int, ...]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"payload.{LISTS}.{name}{steps}"


def period_end(period: str) -> date:
    """The last day of a year or a quarter whose form was checked."""
    return quarter_end(period) if QUARTER.match(period) else year_end(int(period))


def deadline(
    code: str, period: str, region: int, rules: Library, days: Mapping[Trigger, date | None]
) -> Deadline | None:
    """Until when to file, by the strictest term in force at the place; None where none is.

    ``days``: the days of the class or batch that a term may run from, as far as they are known.
    Source: casework 3 (local overrides come from the clause register).
    """
    rule = register(code).due
    if rule is None:
        return None
    start = period_end(period) if rule.trigger == "period" else days.get(rule.trigger)
    if start is None:
        return None
    clock = load_rulebook().clock
    return clock.deadline(rule.concept, rules.jurisdiction_of(region), start)


def due_on(code: str, period: str, region: int, rules: Library) -> date | None:
    """The last day to file what is filed for a year or a quarter; else None.

    Source: weihai-2023-25/6.2/quarterly-form (每季度末: the last day of the quarter).
    """
    found = deadline(code, period, region, rules, {})
    return None if found is None else found.due


def of_period(kind: str) -> Iterator[tuple[str, Register]]:
    """The registers that an institution files for this kind of span, with their numbers."""
    for code, found in registers().items():
        if found.period == kind and found.filer == "institution":
            yield code, found


def written() -> dict[str, Any]:
    """Every register by its number, as JSON values."""
    found: dict[str, Any] = plain(registers())
    return found
