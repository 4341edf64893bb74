"""Reads canonical JSON and holds it against the forms that stand in a bundle."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from typing import Any, NoReturn

LARGEST = 2**53 - 1
DEEPEST = 8
JSON_MOST = 1 << 24
DIGITS_MOST = 17


class Fault(Exception):  # noqa: N818 - a finding, not an error
    """Something that does not hold: which check, a code that has words, and where."""

    def __init__(self, check: str, code: str, subject: str = "") -> None:
        super().__init__(check, code, subject)
        self.check, self.code, self.subject = check, code, subject


class Unfit(ValueError):  # noqa: N818 - a finding, not an error
    """Text that is not canonical, or a value that is not of its form."""


# One line a form: name of a field -> what it holds. `?` may be absent, `=a|b` is one of these,
# `{x}` is an object of form x, `[...]` a list; `*` lets fields that are not named pass.
FORMS: dict[str, dict[str, str]] = {
    "extraction": {
        "typ": "=mingcha.bundle/1",
        "id": "uuid",
        "audience": "=office|institution",
        "subject": "{subject}",
        "by": "{person}",
        "witness": "?text",
        "case": "?{paper}",
        "purpose": "text",
        "how": "text",
        "ordered": "int",
        "made": "int",
        "origin": "text",
        "server": "hex16",
        "log": "hex16",
        "entry": "int",
        "items": "[{item}]",
        "left_out": "[{left}]",
        "keys": "[hex16]",
        "entries": "[int]",
        "stamps": "[name]",
    },
    "subject": {"kind": "=visit|case", "id": "uuid", "code": "text", "institution": "text"},
    "person": {"id": "uuid", "name": "text", "role": "text"},
    "item": {
        "id": "uuid",
        "kind": "=capture|intake",
        "file": "?name",
        "withheld": "?text",
        "state": "text",
        "flags": "[text]",
        "received": "int",
        "verified": "int",
        "anchored": "?int",
    },
    "paper": {"id": "uuid", "number": "text", "entry": "int"},
    "left": {"id": "uuid", "state": "text", "reason": "text", "sha256": "hex64"},
    "key": {
        "typ": "=mingcha.key/1",
        "kid": "hex16",
        "role": "=device|server|log",
        "alg": "text",
        "spki": "base64url",
        "dev": "?uuid",
        "owner": "?{owner}",
        "enrolled": "?int",
        "enrolled_entry": "?int",
        "revoked": "?int",
        "revoked_entry": "?int",
        "since": "?int",
    },
    "owner": {"id": "uuid", "name": "text"},
    "derivation": {"typ": "=mingcha.derivation/1", "files": "[{derivative}]"},
    "derivative": {
        "id": "uuid",
        "parent": "uuid",
        "parent_sha256": "hex64",
        "kind": "text",
        "file": "name",
        "sha256": "hex64",
        "at": "int",
        "recipe": "text",
    },
    "consistency": {
        "typ": "=mingcha.consistency/1",
        "old": "int",
        "new": "int",
        "proof": "[hex64]",
    },
    "inclusion": {
        "typ": "=mingcha.inclusion/1",
        "index": "int",
        "size": "int",
        "leaf": "hex64",
        "proof": "[hex64]",
    },
    "entry": {"t": "int", "verb": "text", "after_sha": "text", "object": "{thing}", "*": "any"},
    "thing": {"id": "text", "title_snapshot": "text", "*": "any"},
    "capture": {
        "typ": "=mingcha.capture/1",
        "alg": "text",
        "kid": "hex16",
        "id": "uuid",
        "dev": "uuid",
        "inst_epoch": "hex16",
        "seq": "int",
        "prev": "hex64",
        "asg": "uuid",
        "asg_epoch": "int",
        "visit": "uuid",
        "org": "uuid",
        "plan": "hex64",
        "item": "text",
        "media": "{media}",
        "t": "{times}",
        "loc": "{location}",
        "chal": "text",
        "people": "[uuid]",
        "app": "{app}",
        "code": "?text",
        "roll": "?{roll}",
    },
    "media": {
        "sha256": "hex64",
        "size": "int",
        "mime": "text",
        "src": "=stream|intent|gallery|file",
        "w": "?int",
        "h": "?int",
        "dur_ms": "?int",
    },
    "times": {
        "wall": "int",
        "mono": "int",
        "session": "hex16",
        "tz_min": "any",
        "anchor": "{anchor}",
    },
    "anchor": {"srv": "int", "mono": "int", "rtt": "int", "tok": "text"},
    "location": {
        "st": "=ok|denied|timeout|off",
        "crs": "text",
        "n": "int",
        "lat": "?any",
        "lon": "?any",
        "acc_cm": "?int",
        "age_ms": "?int",
    },
    "roll": {"roster": "hex64", "present": "int", "absent": "int", "count": "int"},
    "app": {"ver": "text", "build_sha256": "hex64", "persisted": "any"},
    "intake": {
        "typ": "=mingcha.intake/1",
        "kid": "hex16",
        "id": "uuid",
        "sha256": "hex64",
        "size": "int",
        "mime": "text",
        "account": "uuid",
        "channel": "text",
        "notice": "uuid",
        "t": "int",
    },
    "time": {"typ": "=mingcha.time/1", "kid": "hex16", "srv": "int", "nonce": "hex16"},
}
PATTERNS = {
    "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "hex64": "[0-9a-f]{64}",
    "hex16": "[0-9a-f]{16}",
    "name": "[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?",
    "base64url": "[A-Za-z0-9_-]{0,800}",
}
_COMPILED = {name: re.compile(text) for name, text in PATTERNS.items()}


def canonical(raw: bytes) -> dict[str, Any]:
    """Read an object whose bytes are its one canonical spelling. Raises: Unfit.

    Source: evidence-and-sync 1.
    """
    if len(raw) > JSON_MOST:
        raise Unfit("too long")
    try:
        value = json.loads(
            raw.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse, parse_int=_integer
        )
        if not isinstance(value, dict) or _spell(value, 1).encode("utf-8") != raw:
            raise Unfit("spelling")
    except (ValueError, RecursionError):
        raise Unfit("not canonical") from None
    return value


def _refuse(_text: str) -> NoReturn:
    raise Unfit("number")


def _integer(text: str) -> int:
    if len(text) > DIGITS_MOST:
        raise Unfit("number")
    return int(text)


def _spell(value: object, depth: int) -> str:
    if isinstance(value, str):
        return _spell_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) <= LARGEST:
        return str(value)
    if depth > DEEPEST or not isinstance(value, (dict, list)):
        raise Unfit("type")
    if isinstance(value, list):
        return "[" + ",".join([_spell(one, depth + 1) for one in value]) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    pairs = [_spell_text(key) + ":" + _spell(value[key], depth + 1) for key in keys]
    return "{" + ",".join(pairs) + "}"


def _spell_text(text: str) -> str:
    if "\0" in text or not (text.isascii() or unicodedata.is_normalized("NFC", text)):
        raise Unfit("text")
    return json.dumps(text, ensure_ascii=False)


def shaped(value: object, form: str) -> bool:
    """Whether a value is what a form asks for."""
    if form.startswith("["):
        return isinstance(value, list) and all(shaped(one, form[1:-1]) for one in value)
    if form.startswith("{"):
        return isinstance(value, dict) and _fields(value, FORMS[form[1:-1]])
    if form.startswith("="):
        return isinstance(value, str) and value in form[1:].split("|")
    if form == "int":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if form in _COMPILED:
        return isinstance(value, str) and bool(_COMPILED[form].fullmatch(value))
    return form == "any" or isinstance(value, str)


def _fields(value: dict[str, Any], fields: dict[str, str]) -> bool:
    if "*" not in fields and not set(value) <= set(fields):
        return False
    for key, form in fields.items():
        if key in value:
            if not shaped(value[key], form.lstrip("?")):
                return False
        elif key != "*" and not form.startswith("?"):
            return False
    return True


def record(raw: bytes, form: str) -> dict[str, Any]:
    """Read a canonical object of one form. Raises: Unfit."""
    value = canonical(raw)
    if not _fields(value, FORMS[form]):
        raise Unfit("form")
    return value


def base64url(text: str) -> bytes:
    """Read unpadded base64url that has this one spelling. Raises: Unfit."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("base64url") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise Unfit("base64url")
    return raw
