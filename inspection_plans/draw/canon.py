"""Canonical JSON of the draw: a strict subset of RFC 8785 without floats (draw.md section 2.1)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from .digest import hexdigest
from .errors import DrawRefusal

LARGEST = 2**53 - 1
ID_BYTES = 128

_KEY = re.compile(r"[a-z0-9_]+")
UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# A longer run of digits is out of range whatever it says; int() refuses more than 4,300 of them.
_DIGITS = 20
_WRITER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


class _Pairs:
    """An object as read, before its keys were looked at: repetition and order still show."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, object]]:
        return self.pairs


def check_text(text: str, field: str = "") -> str:
    """Give the text back. Raises: E_CONTROL or E_SURROGATE (the first such), E_NFC."""
    unfit = UNFIT.search(text)
    if unfit:
        surrogate = unfit.group() >= "\ud800"
        raise DrawRefusal("E_SURROGATE" if surrogate else "E_CONTROL", field, at=unfit.start())
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise DrawRefusal("E_NFC", field)
    return text


def check_id(value: object, field: str = "id") -> str:
    """Give back an id: text of 1 to 128 bytes. Raises: E_ID, then the errors of text."""
    size = len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0
    if not isinstance(value, str) or not 0 < size <= ID_BYTES:
        raise DrawRefusal("E_ID", field)
    return check_text(value, field)


def _check_key(key: object) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DrawRefusal("E_KEY", str(key)[:ID_BYTES])
    return key


def _plain(value: object, field: str) -> object:
    """Check the value depth first in input order, each key before its value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_text(value, field)
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise DrawRefusal("E_NUMBER", field)
        return value
    if isinstance(value, (dict, _Pairs)):
        return _plain_object(value.items())
    if isinstance(value, (list, tuple)):
        return [_plain(item, field) for item in value]
    raise DrawRefusal("E_TYPE", field)


def _plain_object(pairs: Iterable[tuple[object, object]]) -> dict[str, object]:
    plain: dict[str, object] = {}
    for raw, value in pairs:
        key = _check_key(raw)
        if key in plain:
            raise DrawRefusal("E_KEY", key)
        plain[key] = _plain(value, key)
    return plain


def canonical(value: object) -> str:
    """Write the one text of a value; ``.encode()`` gives its bytes.

    Raises: E_TYPE, E_NUMBER, E_KEY, E_CONTROL, E_SURROGATE, E_NFC: the first in input order.
    """
    try:
        return _WRITER.encode(_plain(value, ""))
    except RecursionError:
        raise DrawRefusal("E_TYPE", facts="nested too deeply") from None


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else LARGEST + 1


def _no_constant(name: str) -> object:
    raise DrawRefusal("E_TYPE", name)


def parse(text: str) -> object:
    """Read a JSON text whose value has a canonical form; the text itself need not be canonical.

    Raises: E_TYPE for text that is not JSON, else as `canonical`.
    """
    try:
        read = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_integer, parse_constant=_no_constant
        )
        return _plain(read, "")
    except (ValueError, TypeError, RecursionError):
        raise DrawRefusal("E_TYPE", "text") from None


def digest(alg: str, value: object) -> str:
    """Give the digest of the canonical bytes, 64 hexadecimal digits."""
    return hexdigest(alg, canonical(value).encode())
