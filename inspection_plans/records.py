"""Frozen records by declaration, strict reading of decoded YAML or JSON into them, and back.

Standard library only. ``decode(data, shape)`` reads, ``plain(value)`` writes. A shape is a
``Record``, str, int, bool, None, date, a StrEnum, Literal, NewType, ``Annotated[..., Meta(...)]``,
tuple, list, dict, Mapping, Any, or a union of these; a union of records is told apart by their
tags. Floats have no shape: the rules count in integers and exact decimal strings.
"""

import dataclasses
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, StrEnum
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
Path = tuple[str | int, ...]
Reader = Callable[[Any], Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Meta:
    """Bounds of an ``Annotated`` field: of a number, of a length, of a whole text."""

    ge: int | None = None
    le: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Flaw(StrEnum):
    """What can be wrong with one value."""

    MISSING = "missing"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_VALUE = "unknown_value"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Fault:
    """One wrong value: where it stands (keys and 0-based positions), what and why."""

    path: Path
    flaw: Flaw
    message: str


class Mismatch(ValueError):  # noqa: N818 - told on as a refusal by whoever knows file or question
    """Data does not have its shape; ``faults`` are all that was found, in order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in self.faults))

    @property
    def first(self) -> Fault:
        """The fault to tell where only one is told."""
        return self.faults[0]


def _wrong(flaw: Flaw, message: str) -> Mismatch:
    return Mismatch([Fault((), flaw, message)])


def _below(step: str | int, found: Mismatch) -> Iterator[Fault]:
    """Move faults one level down."""
    for fault in found.faults:
        yield dataclasses.replace(fault, path=(step, *fault.path))


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class _Declared(type):
    """Makes every declared record a frozen, keyword-only dataclass with slots."""

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        tag: str | None = None,
        tag_field: str | None = None,
        **_settled: bool,
    ) -> "_Declared":
        """``tag`` and ``tag_field`` tell the members of a union apart.

        ``frozen``, ``kw_only``, ``forbid_unknown_fields`` and ``omit_defaults`` may be written
        for the reader; they hold for all records.
        """
        made = super().__new__(cls, name, bases, namespace)
        if "__dataclass_fields__" in namespace:
            return made  # the dataclass machinery builds the class again to give it slots
        if tag is not None:
            made.__tag__ = tag  # type: ignore[attr-defined]  # a name of Record, not of type
        if tag_field is not None:
            made.__tag_field__ = tag_field  # type: ignore[attr-defined]  # as above
        for key, value in namespace.items():
            if isinstance(value, dict | list) and key in namespace.get("__annotations__", {}):
                setattr(made, key, field(default_factory=type(value)))
        return cast("_Declared", dataclass(frozen=True, kw_only=True, slots=True)(made))


class Record(metaclass=_Declared):
    """Root of all records: keywords only, nothing unknown, nothing changed afterwards.

    Declared like ``class Clause(Record, frozen=True, kw_only=True)``; an empty list or dict may
    stand as a default.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    __tag__: ClassVar[str | None] = None
    __tag_field__: ClassVar[str] = "type"


def decode(data: object, shape: type[T]) -> T:
    """Read decoded YAML or JSON as ``shape``; nothing unknown, nothing guessed.

    A day is a date or "YYYY-MM-DD", a list may stand for a tuple, a bool is no integer.
    Raises: Mismatch with every fault that was found; TypeError for a shape that is none.
    """
    return cast("T", _reader(cast("Hashable", shape))(data))


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Turn a record and what it holds into JSON values; fields at their default are left out."""
    if isinstance(value, Record):
        return _plain_record(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _plain_record(record: Record) -> dict[str, Any]:
    written = {} if record.__tag__ is None else {record.__tag_field__: record.__tag__}
    for known in dataclasses.fields(record):
        value = getattr(record, known.name)
        empty = known.default_factory is not dataclasses.MISSING and not value
        if not empty and (known.default is dataclasses.MISSING or value != known.default):
            written[known.name] = plain(value)
    return written


@cache
def _reader(shape: Any) -> Reader:  # noqa: ANN401, PLR0911, C901 - one line per form
    """Build the reader of a shape, once."""
    if isinstance(shape, _Declared):
        return _record(shape)
    if isinstance(shape, NewType):
        return _reader(shape.__supertype__)
    if shape in _SIMPLE:
        return _SIMPLE[shape]
    origin, inner = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return _bounded(_reader(inner[0]), inner[1:])
    if origin in (Union, UnionType):
        return _union(inner)
    if origin is Literal:
        return _word({value: value for value in inner})
    if origin is tuple and inner[-1] is not Ellipsis:
        return _fixed(inner)
    if origin in (tuple, list):
        return _sequence(_reader(inner[0]), origin)
    if origin in (dict, Mapping):
        return _mapping(*inner)
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return _word({member.value: member for member in shape})
    raise TypeError(f"no shape of a record's field: {shape!r}")


def _typed(kind: type, expected: str) -> Reader:
    def read(data: object) -> object:
        # The exact type: True is an int to Python, and never a number of the law.
        if type(data) is not kind:
            raise _wrong(Flaw.MALFORMED, f"expected {expected}, got {_named(data)}")
        return data

    return read


def _named(data: object) -> str:
    return "nothing" if data is None else type(data).__name__


# Filings say the same days over and over: one copy of each is kept while it is in use.
_parsed = lru_cache(maxsize=4096)(date.fromisoformat)


def _day(data: object) -> date:
    if isinstance(data, date) and not isinstance(data, datetime):
        return data
    if isinstance(data, str) and _DAY.fullmatch(data):
        try:
            return _parsed(data)
        except ValueError as wrong:
            raise _wrong(Flaw.MALFORMED, f"no such day: {wrong}") from None
    raise _wrong(Flaw.MALFORMED, f"expected a day YYYY-MM-DD, got {_named(data)}")


_SIMPLE: dict[Any, Reader] = {
    str: _typed(str, "text"),
    int: _typed(int, "an integer"),
    bool: _typed(bool, "true or false"),
    NoneType: _typed(NoneType, "nothing"),
    None: _typed(NoneType, "nothing"),
    date: _day,
    Any: lambda data: data,
    object: lambda data: data,
}


def _word(known: Mapping[Any, object]) -> Reader:
    def read(data: object) -> object:
        if not isinstance(data, str | int) or isinstance(data, bool):
            raise _wrong(Flaw.MALFORMED, f"expected one of {sorted(known)}, got {_named(data)}")
        if data not in known:
            raise _wrong(Flaw.UNKNOWN_VALUE, f"expected one of {sorted(known)}, got {data!r}")
        return known[data]

    return read


def _bounded(read: Reader, marks: Iterable[object]) -> Reader:
    bounds = [mark for mark in marks if isinstance(mark, Meta)]
    patterns = [re.compile(mark.pattern) for mark in bounds if mark.pattern is not None]

    def check(data: object) -> object:
        value = read(data)
        for mark in bounds:
            _measure(mark, value)
        for pattern in patterns:
            if not pattern.fullmatch(value):
                raise _wrong(Flaw.MALFORMED, f"expected text like {pattern.pattern}")
        return value

    return check


def _measure(mark: Meta, value: Any) -> None:  # noqa: ANN401 - read before
    if mark.ge is not None and value < mark.ge:
        raise _wrong(Flaw.MALFORMED, f"expected {mark.ge} or more")
    if mark.le is not None and value > mark.le:
        raise _wrong(Flaw.MALFORMED, f"expected {mark.le} or less")
    if mark.min_length is not None and len(value) < mark.min_length:
        raise _wrong(Flaw.MALFORMED, f"expected a length of {mark.min_length} or more")
    if mark.max_length is not None and len(value) > mark.max_length:
        raise _wrong(Flaw.MALFORMED, f"expected a length of {mark.max_length} or less")


def _union(members: tuple[Any, ...]) -> Reader:
    tagged = [member for member in members if getattr(member, "__tag__", None) is not None]
    others = [_reader(member) for member in members if member not in tagged]
    if tagged:
        others.append(_tagged(tagged))

    def read(data: object) -> object:
        deepest: Mismatch | None = None
        for reader in others:
            try:
                return reader(data)
            except Mismatch as wrong:
                # What came furthest says best what was meant; None is never what was meant.
                depth = len(wrong.first.path)
                if deepest is None or depth >= len(deepest.first.path):
                    deepest = wrong if reader is not _SIMPLE[NoneType] else deepest or wrong
        raise deepest or _wrong(Flaw.MALFORMED, "nothing is allowed here")

    return read


def _tagged(members: list[Any]) -> Reader:
    key = members[0].__tag_field__
    choice = _word({member.__tag__: member for member in members})

    def read(data: object) -> object:
        if not isinstance(data, Mapping):
            raise _wrong(Flaw.MALFORMED, f"expected an object, got {_named(data)}")
        if key not in data:
            raise Mismatch([Fault((key,), Flaw.MISSING, f"missing key {key}")])
        try:
            member = choice(data[key])
        except Mismatch as wrong:
            raise Mismatch(
                Fault((key,), Flaw.MALFORMED, fault.message) for fault in wrong.faults
            ) from None
        return _reader(member)(data)

    return read


def _each(pairs: Iterable[tuple[Any, Reader, Any]]) -> list[Any]:
    """Read (step, reader, value) one by one; gather the faults of all."""
    found: list[Any] = []
    faults: list[Fault] = []
    for step, read, value in pairs:
        try:
            found.append(read(value))
        except Mismatch as wrong:
            faults.extend(_below(step, wrong))
    if faults:
        raise Mismatch(faults)
    return found


def _sequence(read: Reader, kind: type) -> Reader:
    def gather(data: object) -> object:
        if not isinstance(data, list | tuple):
            raise _wrong(Flaw.MALFORMED, f"expected a list, got {_named(data)}")
        return kind(_each((place, read, item) for place, item in enumerate(data)))

    return gather


def _fixed(members: tuple[Any, ...]) -> Reader:
    readers = [_reader(member) for member in members]

    def gather(data: object) -> object:
        if not isinstance(data, list | tuple) or len(data) != len(readers):
            raise _wrong(Flaw.MALFORMED, f"expected a list of {len(readers)}")
        numbered = enumerate(zip(readers, data, strict=True))
        return tuple(_each((place, read, item) for place, (read, item) in numbered))

    return gather


def _mapping(key: Any, value: Any) -> Reader:  # noqa: ANN401 - shapes
    read_key, read = _reader(key), _reader(value)

    def gather(data: object) -> object:
        if not isinstance(data, Mapping):
            raise _wrong(Flaw.MALFORMED, f"expected an object, got {_named(data)}")
        keys = _each((step, read_key, step) for step in data)
        return dict(zip(keys, _each((k, read, v) for k, v in data.items()), strict=True))

    return gather


def _record(shape: Any) -> Reader:  # noqa: ANN401 - a record class
    """Read one record; its fields are looked up at the first use, so records may nest."""
    table: dict[str, tuple[Reader, bool]] = {}

    def look_up() -> None:
        hints = get_type_hints(shape, include_extras=True)
        for known in dataclasses.fields(shape):
            given = (known.default, known.default_factory)
            table[known.name] = (
                _reader(hints[known.name]),
                given == (dataclasses.MISSING, dataclasses.MISSING),
            )

    def read(data: object) -> object:
        if not isinstance(data, Mapping):
            raise _wrong(Flaw.MALFORMED, f"expected an object, got {_named(data)}")
        if not table:
            look_up()
        return shape(**_fields(shape, table, data))

    return read


def _fields(
    shape: Any,  # noqa: ANN401 - a record class
    table: Mapping[str, tuple[Reader, bool]],
    data: Mapping[Any, Any],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in data.items():
        if name in table:
            try:
                values[name] = table[name][0](value)
            except Mismatch as wrong:
                faults.extend(_below(name, wrong))
        elif shape.__tag__ is None or name != shape.__tag_field__:
            faults.append(Fault((str(name),), Flaw.UNKNOWN_KEY, f"unknown key {name}"))
        elif value != shape.__tag__:
            faults.append(Fault((name,), Flaw.MALFORMED, f"expected {shape.__tag__}"))
    faults += [
        Fault((name,), Flaw.MISSING, f"missing key {name}")
        for name, (_, required) in table.items()
        if required and name not in data
    ]
    if faults:
        raise Mismatch(faults)
    return values
