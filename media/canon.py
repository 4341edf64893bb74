"""The canonical form of everything signed or hashed: JCS narrowed to integers and NFC text.

Source: evidence-and-sync 1.  The draw has a narrower form of its own; shared vectors cover both.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import msgspec
import rfc8785

from media.errors import Family, MediaRefusal

_sorted = msgspec.json.Encoder(order="sorted")

MAX_INT = 2**53 - 1
MAX_DEPTH = 8
MAX_BYTES = 65_536  # the largest signed thing is an operation's envelope


class NotCanonical(MediaRefusal):
    """Not the one canonical spelling of a JSON object; ``reason`` says which rule is broken."""

    code: ClassVar[str] = "not_canonical"
    family: ClassVar[Family] = Family.MALFORMED


def canonical(raw: bytes, *, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read an object whose bytes are exactly its canonical form.

    Shapes: ``raw`` at most ``limit`` bytes of UTF-8.
    Raises: NotCanonical ("not_canonical").
    Source: evidence-and-sync 1.
    """
    if len(raw) > limit:
        raise NotCanonical(reason="too_long", limit_bytes=limit)
    try:
        value = json.loads(
            raw.decode(),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except RecursionError:
        raise NotCanonical(reason="depth") from None
    except ValueError:
        raise NotCanonical(reason="not_json") from None
    # json keeps the last of two equal keys, forgives white space and many spellings of one
    # string: comparing with our own spelling refuses all of them at once.
    if encode(value) != raw:
        raise NotCanonical(reason="spelling")
    return dict(value)


def encode(value: Mapping[str, Any]) -> bytes:
    """Spell an object canonically: the bytes that are hashed, signed and stored.

    Raises: NotCanonical ("not_canonical") for a value outside the narrowed form.
    Source: evidence-and-sync 1.
    """
    if not isinstance(value, Mapping):
        raise NotCanonical(reason="top")
    _walk(value, depth=1)
    return rfc8785.dumps(dict(value))


def spell(value: msgspec.Struct) -> bytes:
    """Spell a typed record canonically, as ``encode`` would its fields, at compiled speed.

    The compiled encoder spells as JCS does while keys are ASCII, which field names are; a record
    says by its types that it holds integers, texts and lists of them.
    Raises: NotCanonical ("not_canonical").
    Source: evidence-and-sync 1.
    """
    try:
        raw = _sorted.encode(value)
    except UnicodeEncodeError:  # a lone surrogate: encode says which rule it breaks
        raw = b"\\u0000"
    return raw if _plain(raw) else encode(msgspec.to_builtins(value))


def spelled(raw: bytes, value: object) -> None:
    """Make sure that ``raw``, which was decoded to the typed ``value``, is canonical.

    Typed fields know no floats and no nulls. What the compiled encoder spells differently is read
    again by ``canonical``, which decides.
    Raises: NotCanonical ("not_canonical").
    Source: evidence-and-sync 1.
    """
    if not (_same(raw, value) and _plain(raw)):
        canonical(raw)


def _same(raw: bytes, value: object) -> bool:
    """Whether the compiled encoder spells ``value`` as ``raw``; a lone surrogate it cannot."""
    try:
        return _sorted.encode(value) == raw
    except UnicodeEncodeError:
        return False


def _plain(raw: bytes) -> bool:
    """Whether the text needs no second look: UTF-8, no NUL, composed characters only."""
    if b"\\u0000" in raw:
        return False
    if raw.isascii():
        return True
    try:
        return unicodedata.is_normalized("NFC", raw.decode())
    except UnicodeDecodeError:  # bytes that are kept raw were never looked into
        return False


def _refuse_number(_text: str) -> NoReturn:
    raise NotCanonical(reason="number")


def _integer(text: str) -> int:
    # 16 digits and a sign hold every permitted integer; int() on 5,000 digits is work for nothing.
    if len(text) > len(str(-MAX_INT)):
        raise NotCanonical(reason="number")
    return int(text)


def _walk(value: object, *, depth: int) -> None:
    match value:
        case str():
            _text(value)
        case bool():
            return
        case int() if abs(value) <= MAX_INT:
            return
        case int() | float():
            raise NotCanonical(reason="number")
        case Mapping() | list() | tuple():
            if depth > MAX_DEPTH:
                raise NotCanonical(reason="depth", limit=MAX_DEPTH)
            _inside(value, depth=depth + 1)
        case None:
            raise NotCanonical(reason="null")
        case _:
            raise NotCanonical(reason="type")


def _inside(
    container: Mapping[object, object] | list[object] | tuple[object, ...], *, depth: int
) -> None:
    if not isinstance(container, Mapping):
        for item in container:
            _walk(item, depth=depth)
        return
    for key, item in container.items():
        if not isinstance(key, str):
            raise NotCanonical(reason="type")
        _text(key)
        _walk(item, depth=depth)


def _text(text: str) -> None:
    if "\0" in text:
        raise NotCanonical(reason="nul")
    if text.isascii():
        return
    # A lone surrogate passes json and has no UTF-8 bytes to sign.
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise NotCanonical(reason="surrogate")
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical(reason="nfc")
