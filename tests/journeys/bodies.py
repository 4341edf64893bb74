"""The least body that the OpenAPI document accepts, with the ids a test wants in it."""

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from hypothesis import find
from hypothesis import strategies as st

Schema = Mapping[str, Any]
Ids = Callable[[str], UUID]
BY_FORMAT = {"date": "2026-03-02", "date-time": "2026-03-02T01:00:00Z"}
# Values by field name that carry a call past the checks of form, to the thing it names.
KNOWN: dict[str, Any] = {
    "region": 140000,
    "register": "R06",
    "period": "2026",
    "payload": {"items": [{"occupation": "ai", "persons": 100}]},
    "mime": "image/jpeg",
    "size": 1000,
    "role": "inspector",
}
BY_TYPE: dict[str, Any] = {"boolean": True, "null": None}


class Document:
    """An OpenAPI document that can spell instances of its schemas."""

    def __init__(self, doc: Schema) -> None:
        self.doc = doc

    def plain(self, schema: Schema) -> Schema:
        """The schema behind references; of alternatives the first that is not null."""
        while True:
            if "$ref" in schema:
                schema = self.doc["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            elif choices := schema.get("oneOf") or schema.get("anyOf"):
                schema = next(one for one in choices if one.get("type") != "null")
            else:
                return schema

    def names_a_thing(self, schema: Schema) -> bool:
        """Whether an instance holds an id."""
        schema = self.plain(schema)
        inner = [*schema.get("properties", {}).values()]
        inner += [schema["items"]] if schema.get("items") else []
        return schema.get("format") == "uuid" or any(self.names_a_thing(one) for one in inner)

    def instance(self, schema: Schema, ids: Ids, name: str = "") -> Any:
        """The least value: what is required, and every field that names a thing."""
        schema = self.plain(schema)
        if schema.get("format") != "uuid" and (given := _given(schema, name)) is not None:
            return given
        kind = schema.get("type")
        if kind == "object":
            needed = set(schema.get("required", ()))
            return {
                key: self.instance(part, ids, key)
                for key, part in schema.get("properties", {}).items()
                if key in needed or self.names_a_thing(part)
            }
        if kind == "array":
            part = schema.get("items", {})
            some = schema.get("minItems", 0) or self.names_a_thing(part)
            return [self.instance(part, ids, name)] if some else []
        if kind == "string":
            return _text(schema, ids, name)
        return BY_TYPE[str(kind)] if kind in BY_TYPE else int(schema.get("minimum", 1))


def _given(schema: Schema, name: str) -> Any:
    """A value that the name or the schema itself gives; None when neither does."""
    return KNOWN.get(name, schema.get("const", next(iter(schema.get("enum", ())), None)))


def _text(schema: Schema, ids: Ids, name: str) -> str:
    form, least = schema.get("format", ""), schema.get("minLength", 1)
    if form == "uuid":
        return str(ids(name))
    if form in BY_FORMAT:
        return BY_FORMAT[form]
    if pattern := schema.get("pattern"):
        return _matching(pattern, least)
    return "x" * least


@functools.cache
def _matching(pattern: str, least: int) -> str:
    """A run of one sign when that matches, else what hypothesis finds simplest."""
    for sign, length in itertools.product("0aA", (least, 2, 4, 16, 64, 128)):
        if length >= least and re.search(pattern, sign * length):
            return sign * length
    texts = st.from_regex(pattern.replace(r"\Z", "$"), fullmatch=True)
    return find(texts, lambda text: len(text) >= least and text.isascii())
