"""The JSON Schema of the filings document, made from its records."""

import dataclasses
import inspect
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from inspection_plans.filings import Filings
from inspection_plans.records import Meta, Record

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    date: {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
}
_BOUNDS = (("ge", "minimum"), ("le", "maximum"))
_LENGTHS = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}


def schema(examples: Mapping[str, list[Any]] | None = None) -> Schema:
    """Return the schema; ``examples`` by register stand beside the register they show."""
    known: dict[str, Schema] = {}
    document = _record(Filings, known)
    for name, shown in (examples or {}).items():
        document["properties"][name]["examples"] = [shown]
    return {"$schema": DRAFT, "title": "filings", **document, "$defs": dict(sorted(known.items()))}


def _record(shape: type[Record], known: dict[str, Schema]) -> Schema:
    hints = get_type_hints(shape, include_extras=True)
    fields = dataclasses.fields(shape)
    found: Schema = {
        "type": "object",
        "description": inspect.cleandoc(shape.__doc__ or ""),
        "additionalProperties": False,
        "properties": {one.name: _of(hints[one.name], known) for one in fields},
    }
    required = [
        one.name
        for one in fields
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]
    return found | {"required": required} if required else found


def _of(shape: Any, known: dict[str, Schema]) -> Schema:  # noqa: ANN401 - a type
    if isinstance(shape, type) and issubclass(shape, Record):
        if shape.__name__ not in known:
            known[shape.__name__] = {}
            known[shape.__name__] = _record(shape, known)
        return {"$ref": f"#/$defs/{shape.__name__}"}
    if isinstance(shape, NewType):
        return _of(shape.__supertype__, known)
    if shape in _PLAIN:
        return dict(_PLAIN[shape])
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return {"enum": [str(member) for member in shape]}
    return _composed(get_origin(shape), get_args(shape), known)


def _composed(origin: Any, inner: tuple[Any, ...], known: dict[str, Schema]) -> Schema:  # noqa: ANN401 - a type
    if origin is Annotated:
        return _bounded(_of(inner[0], known), inner[1:])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return {"anyOf": [_of(one, known) for one in inner]}
    return {"type": "array", "items": _of(inner[0], known)}


def _bounded(found: Schema, marks: tuple[Any, ...]) -> Schema:
    for mark in marks:
        if not isinstance(mark, Meta):
            continue
        found |= {word: getattr(mark, name) for name, word in _BOUNDS if _said(mark, name)}
        least, most = _LENGTHS.get(found.get("type", ""), ("minLength", "maxLength"))
        lengths = (("min_length", least), ("max_length", most))
        found |= {word: getattr(mark, name) for name, word in lengths if _said(mark, name)}
        if mark.pattern is not None:
            # A record's pattern is the whole text; a schema's may be anywhere in it.
            inner = mark.pattern.removeprefix("^").removesuffix("$")
            found["pattern"] = f"^(?:{inner})$"
    return found


def _said(mark: Meta, name: str) -> bool:
    return getattr(mark, name) is not None
