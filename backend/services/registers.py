"""The registers 备案与报送: what each is, for what span it is filed, and until when."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
import yaml

from backend.services.errors import ServiceRefusal
from backend.services.payloads import PAYLOADS, Payload
from inspection_plans.deadlines import quarter_end, year_end
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.records import Record, decode
from inspection_plans.vocabulary import ClauseCode

FILE = Path(__file__).parent / "data" / "registers.yaml"
YEAR = re.compile(r"(20\d{2})\Z")
QUARTER = re.compile(r"(20\d{2})Q([1-4])\Z")
CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,39}\Z")
FORMS = {"year": "2026", "quarter": "2026Q1", "class": "C001", "batch": "B001"}


class RegisterUnknown(ServiceRefusal):
    """No register has this number."""

    code: ClassVar[str] = "filing.register_unknown"
    family: ClassVar[Family] = Family.ABSENT


class PeriodMalformed(ServiceRefusal):
    """Not a span of the register's kind; ``expected`` shows the form."""

    code: ClassVar[str] = "filing.period_malformed"
    family: ClassVar[Family] = Family.INVALID


class PayloadInvalid(ServiceRefusal):
    """The payload does not fit the register; ``field`` is the path, ``why`` what is wrong."""

    code: ClassVar[str] = "filing.payload_invalid"
    family: ClassVar[Family] = Family.INVALID


class Register(Record, frozen=True, kw_only=True):
    """One register: ``filer`` files it for a ``period``, ``clause`` asks for it."""

    zh: str
    en: str
    period: Literal["year", "quarter", "class", "batch"]
    filer: Literal["institution", "office"]
    clause: ClauseCode
    due: Literal["period_end"] | None = None


@cache
def registers() -> dict[str, Register]:
    """Every register by its number."""
    return decode(yaml.safe_load(FILE.read_text("utf-8")), dict[str, Register])


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


def read(code: str, payload: dict[str, Any]) -> Payload:
    """The payload as the register's Struct.

    Raises: RegisterUnknown ("filing.register_unknown"), PayloadInvalid.
    """
    register(code)
    try:
        return msgspec.convert(payload, PAYLOADS[code])
    except msgspec.ValidationError as wrong:
        why, _, path = str(wrong).partition(" - at `$")
        field = f"payload{path.rstrip('`')}"
        raise PayloadInvalid(field=field, why=why) from None


def period_end(period: str) -> date:
    """The last day of a year or a quarter whose form was checked."""
    return quarter_end(period) if QUARTER.match(period) else year_end(int(period))


def due_on(code: str, period: str, region: int, rules: Library) -> date | None:
    """The last day to file, where a clause in force at the place names one; else None.

    Source: weihai-2023-25/6.2/quarterly-form (每季度末: the last day of the quarter).
    """
    found = register(code)
    if found.due is None:
        return None
    last = period_end(period)
    in_force = rules.packs_in_force(rules.jurisdiction_of(region), last)
    asking = rules.clause(found.clause).pack
    return last if any(pack.id == asking for pack in in_force) else None
