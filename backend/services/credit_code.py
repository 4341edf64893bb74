"""统一社会信用代码: eighteen characters, the last a check over the others (GB 32100-2015)."""

import re
from typing import ClassVar

from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
# Weight of place i (from 0) is 3**i modulo 31.
_WEIGHTS = tuple(pow(3, place, len(ALPHABET)) for place in range(17))
_BODY = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{9}}\Z")


class MalformedBody(ServiceRefusal):
    """The first seventeen characters are not those of a credit code."""

    code: ClassVar[str] = "credit_code.malformed"
    family: ClassVar[Family] = Family.INVALID


def check_digit(body: str) -> str:
    """Return the eighteenth character for the first seventeen.

    Raises: MalformedBody ("credit_code.malformed").
    """
    if not _BODY.match(body):
        raise MalformedBody(field="credit_code")
    total = sum(_VALUE[sign] * weight for sign, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[-total % len(ALPHABET)]


def complete(body: str) -> str:
    """Return the whole code for its first seventeen characters.

    Raises: MalformedBody ("credit_code.malformed").
    """
    return body + check_digit(body)


def is_valid(code: str) -> bool:
    """Whether the eighteen characters are well formed and the last one fits."""
    body = code[:-1]
    return bool(_BODY.match(body)) and code[-1:] == check_digit(body)
