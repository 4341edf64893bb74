"""One cell's text to one value: a pure function a column type, the refusal says what is wrong."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any

from backend.services import credit_code, regions
from backend.services.imports import refusals
from backend.services.imports.sheets import Column

SEPARATOR = ";"
E7 = 10_000_000
DATE_FORM = "2026-01-31"
TIME_FORM = "09:00"
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*\Z")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?\Z")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?\Z")
_DEGREES = re.compile(r"-?\d{1,3}(\.\d{1,7})?\Z")
_ID_TAIL = re.compile(r"\d{3}[\dX]\Z")
_SPLIT = re.compile(r"[;；、]")
# Full-width forms of ASCII: they look right and compare unequal.
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")

Value = Any


def _half_width(column: Column, text: str) -> str:
    if _FULL_WIDTH.search(text):
        expected = unicodedata.normalize("NFKC", text)
        raise refusals.FullWidth(field=column.key, expected=expected)
    return text


def _text(column: Column, text: str) -> str:
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise refusals.ControlCharacter(field=column.key)
    if len(text) > column.most:
        raise refusals.CellTooLong(field=column.key, most=column.most)
    return text


def _matched(column: Column, pattern: re.Pattern[str], text: str, form: str) -> re.Match[str]:
    found = pattern.match(_half_width(column, text))
    if found is None:
        raise refusals.WrongForm(field=column.key, expected=form)
    return found


def _code(column: Column, text: str) -> str:
    return _text(column, _matched(column, _CODE, text, "A-1").string)


def _credit_code(column: Column, text: str) -> str:
    code = _half_width(column, text).upper()
    if not credit_code.is_valid(code):
        raise refusals.WrongCreditCode(field=column.key)
    return code


def _choice(column: Column, text: str) -> str:
    choices = column.choices
    if text in choices:
        return text
    for code, name in choices.items():
        if text == name:
            return code
    raise refusals.WrongChoice(field=column.key, known=list(choices.values()))


def _choices(column: Column, text: str) -> tuple[str, ...]:
    """Each value once, in the order in which the column knows them."""
    chosen = {_choice(column, part) for part in _parts(text)}
    return tuple(code for code in column.choices if code in chosen)


def _boolean(column: Column, text: str) -> bool:
    return _choice(column, text.lower()) == "yes"


def _parts(text: str) -> list[str]:
    return [part for raw in _SPLIT.split(text) if (part := raw.strip())]


def _words(column: Column, text: str) -> tuple[str, ...]:
    return tuple(sorted({_text(column, part) for part in _parts(text)}))


def _integer(column: Column, text: str) -> int:
    if not re.match(r"\d{1,9}\Z", _half_width(column, text)):
        raise refusals.WrongForm(field=column.key, expected="12")
    number = int(text)
    if not column.least <= number <= column.most:
        raise refusals.OutOfRange(field=column.key, least=column.least, most=column.most)
    return number


def _degrees(column: Column, text: str) -> int:
    """Degrees as 1e-7 degrees: a float would lose the last place on the way back."""
    _matched(column, _DEGREES, text, "37.5130000")
    number = Decimal(text)
    if abs(number) > column.most:
        raise refusals.OutOfRange(field=column.key, least=-column.most, most=column.most)
    return int(number * E7)


def _date(column: Column, text: str) -> date:
    found = _matched(column, _DATE, text, DATE_FORM)
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise refusals.WrongForm(field=column.key, expected=DATE_FORM) from None


def _time(column: Column, text: str) -> time:
    hour, minute = map(int, _matched(column, _TIME, text, TIME_FORM).groups())
    try:
        return time(hour, minute)
    except ValueError:
        raise refusals.WrongForm(field=column.key, expected=TIME_FORM) from None


def _region(column: Column, text: str) -> int:
    if not re.match(r"\d{6}\Z", _half_width(column, text)):
        raise refusals.WrongForm(field=column.key, expected="371000")
    if int(text) not in regions.shipped():
        raise refusals.UnknownRegion(field=column.key)
    return int(text)


def _regions(column: Column, text: str) -> tuple[int, ...]:
    return tuple(sorted({_region(column, part) for part in _parts(text)}))


def _id_tail(column: Column, text: str) -> str:
    return _matched(column, _ID_TAIL, text.upper(), "123X").string


_PARSERS: dict[str, Callable[[Column, str], Value]] = {
    "boolean": _boolean,
    "choice": _choice,
    "choices": _choices,
    "code": _code,
    "credit_code": _credit_code,
    "date": _date,
    "degrees": _degrees,
    "id_tail": _id_tail,
    "integer": _integer,
    "level": _choice,
    "levels": _choices,
    "occupation": _choice,
    "region": _region,
    "regions": _regions,
    "text": _text,
    "time": _time,
    "words": _words,
}


def parse(column: Column, raw: str) -> Value:
    """The value of a cell; None when blank. Text is NFC without blanks around it.

    Raises: a CellRefusal whose ``field`` is the column's key.
    """
    text = unicodedata.normalize("NFC", raw).strip()
    if not text:
        if column.required:
            raise refusals.CellEmpty(field=column.key)
        return None
    value = _PARSERS[column.type](column, text)
    if value == ():
        raise refusals.CellEmpty(field=column.key)
    return value


def text_of(column: Column, value: Value) -> str:
    """The cell that ``parse`` reads as this value: the inverse, with Chinese names."""
    if isinstance(value, tuple | list):
        return SEPARATOR.join(text_of(column, part) for part in value)
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = column.choices["yes" if value else "no"]
    elif isinstance(value, time):
        text = value.strftime("%H:%M")
    elif column.type == "degrees":
        text = f"{Decimal(value) / E7:.7f}"
    else:
        text = column.choices.get(value, str(value))
    return text
