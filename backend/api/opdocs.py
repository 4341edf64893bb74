"""The OpenAPI of operations: envelope and bodies, of which a handler sees only exact bytes."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody

from backend.services import bodies, op_kinds, ops
from media.manifest import Manifest
from media.ops import Envelope

# Fields that travel as exact bytes, and what those bytes are.
EXACT: dict[tuple[str, str], type] = {
    ("AnswerSet", "answers"): bodies.Answered,
    ("EvidenceDeclare", "manifest"): Manifest,
}


def _inline(schema: Any, defs: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The schema without references, its patterns as JSON Schema writes them."""
    if isinstance(schema, list):
        return [_inline(one, defs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(defs[schema["$ref"].rpartition("/")[2]], defs)
    found = {name: _inline(value, defs) for name, value in schema.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = found["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    return found


def schema_of(shape: type) -> dict[str, Any]:
    """The JSON Schema of a Struct, self-contained."""
    found = msgspec.json.schema(shape)
    plain: dict[str, Any] = _inline({"$ref": found["$ref"]}, found["$defs"])
    for (owner, field), exact in EXACT.items():
        if shape.__name__ == owner:
            inner = schema_of(exact)
            old = plain["properties"][field]
            plain["properties"][field] = old | {"items": inner} if "items" in old else inner
    return plain


def _envelopes() -> dict[str, Any]:
    """One alternative a kind: the envelope with that kind and its body."""
    envelope = schema_of(Envelope)
    return {
        "oneOf": [
            envelope
            | {
                "title": name,
                "properties": envelope["properties"]
                | {"kind": {"const": name}, "body": schema_of(kind.body)},
            }
            for name, kind in op_kinds.KINDS.items()
        ]
    }


@dataclass
class Batch(Operation):
    """``POST /api/v1/ops`` with its request documented."""

    def __post_init__(self) -> None:
        schema = {
            "type": "object",
            "required": ["ops"],
            "additionalProperties": False,
            "properties": {
                "ops": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": ops.BATCH_MAX,
                    "items": _envelopes(),
                }
            },
        }
        media = OpenAPIMediaType(schema=schema)  # type: ignore[arg-type]  # passed on as it is
        self.request_body = RequestBody(content={"application/json": media}, required=True)
