"""What a register asks for, field by field: the shape of its forms and of its workbook."""

import dataclasses
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
import yaml

from backend.services import registers
from backend.services.payloads import PAYLOADS, Payload, Rows
from backend.services.registers import Register
from inspection_plans.loader import load_rulebook

FILE = Path(__file__).parent / "data" / "filing_fields.yaml"
HEAD = "head"
MONEY = "_fen"
Kind = Literal["text", "integer", "money", "boolean", "date", "choice", "choices", "words"]
MOST_TEXT = 1_000  # a cell of a workbook takes no more


class Name(msgspec.Struct, frozen=True):
    """How something is called."""

    zh: str
    en: str


class Guide(msgspec.Struct, frozen=True):
    """Words of the workbook's last sheet, which explains the others."""

    title: str
    heads: tuple[str, str, str, str]
    required: str
    errors: str
    yuan: Name


class _Words(msgspec.Struct, frozen=True):
    head: Name
    guide: Guide
    notes: dict[Kind, Name]
    values: dict[str, Name]
    fields: dict[str, Name]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: ``kind`` says how a cell is read, ``choices`` name the values by code.

    ``least`` and ``most`` bound a number, ``most`` also the length of a text.
    """

    key: str
    name: Name
    kind: Kind
    required: bool
    least: int = 0
    most: int = MOST_TEXT
    choices: dict[str, str] = {}


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet: the form's own fields (one row), a list inside the form, or a list of rows."""

    key: str
    name: Name
    fields: tuple[Field, ...]
    single: bool = False
    listed: bool = False


@cache
def _words() -> _Words:
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), _Words)


def guide() -> Guide:
    """The words of the guide."""
    return _words().guide


@cache
def words() -> dict[str, Name]:
    """Every list, field and value of a filing by its code: the forms' own words first."""
    named = {code: Name(one.zh, one.en) for code, one in load_rulebook().filing_words.items()}
    return named | _words().values | _words().fields


def note(kind: Kind) -> Name:
    """What a cell of this kind takes."""
    return _words().notes[kind]


def _value(code: str) -> str:
    own = _words().values.get(code)
    if own is not None:
        return own.zh
    word = load_rulebook().filing_words.get(code)
    return word.zh if word else code


@cache
def shapes(code: str) -> tuple[Shape, ...]:
    """The sheets of a register, its form's own fields first.

    Raises: RegisterUnknown ("filing.register_unknown").
    """
    found = registers.register(code)
    made = [*_forms(PAYLOADS.get(code, Rows))]
    made += [_list(name, found) for name in found.lists]
    return tuple(made)


def _forms(head: type[Payload]) -> list[Shape]:
    hints = get_type_hints(head, include_extras=True)
    single, made = [], []
    for field in msgspec.structs.fields(head):
        inner = _rows_of(hints[field.name])
        if inner is None:
            single.append(_field(field.name, hints[field.name], required=field.required))
        else:
            nested = get_type_hints(inner, include_extras=True)
            columns = tuple(
                _field(one.name, nested[one.name], required=one.required)
                for one in msgspec.structs.fields(inner)
            )
            name = _words().fields[field.name]
            made.append(Shape(key=field.name, name=name, fields=columns))
    own = Shape(key=HEAD, name=_words().head, fields=tuple(single), single=True)
    return [own, *made] if single else made


def _rows_of(shape: Any) -> type[Payload] | None:  # noqa: ANN401 - a type
    """The struct of the rows where a form's field is a list of them."""
    inner = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    if get_origin(inner) is not tuple:
        return None
    row = get_args(inner)[0]
    found = isinstance(row, type) and issubclass(row, Payload)
    return cast("type[Payload]", row) if found else None


def _list(name: str, found: Register) -> Shape:
    record = registers.records()[name]
    said = registers.implied(record, found, "")
    hints = get_type_hints(record, include_extras=True)
    columns = tuple(
        _field(one.name, hints[one.name], required=_required(one))
        for one in dataclasses.fields(cast("Any", record))
        if one.name not in said
    )
    word = load_rulebook().filing_words[name]
    return Shape(key=name, name=Name(word.zh, word.en), fields=columns, listed=True)


def _required(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _field(key: str, shape: Any, *, required: bool) -> Field:  # noqa: ANN401 - a type
    kind, marks, choices = _kind(key, shape)
    bounds = {name: value for mark in marks for name, value in _bounds(mark).items()}
    return Field(
        key=key,
        name=_words().fields[key],
        kind=kind,
        required=required,
        choices={code: _value(code) for code in choices},
        **bounds,
    )


def _bounds(mark: Any) -> dict[str, int]:  # noqa: ANN401 - a Meta of msgspec or of the rules
    said = {"least": mark.ge, "most": mark.le if mark.le is not None else mark.max_length}
    return {name: value for name, value in said.items() if value is not None}


def _kind(key: str, shape: Any) -> tuple[Kind, list[Any], tuple[str, ...]]:  # noqa: ANN401 - a type
    """How a cell of a field is read, its bounds, and its choices."""
    origin, inner = get_origin(shape), get_args(shape)
    if origin is Annotated:
        kind, marks, choices = _kind(key, inner[0])
        return kind, [*marks, *shape.__metadata__], choices
    if origin in (Union, UnionType):
        return _kind(key, next(one for one in inner if one is not NoneType))
    if origin is Literal:
        return "choice", [], inner
    if origin is tuple:
        kind, _, choices = _kind(key, inner[0])
        return ("choices", [], choices) if kind == "choice" else ("words", [], ())
    if shape is int:
        return ("money" if key.endswith(MONEY) else "integer"), [], ()
    return {bool: "boolean", str: "text"}.get(shape, "date"), [], ()  # type: ignore[return-value]  # the three are kinds
