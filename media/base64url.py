"""Base64url without padding, one spelling per value: how signatures travel inside JSON."""

import base64
import binascii
from typing import ClassVar

from media.errors import Family, MediaRefusal


class NotBase64url(MediaRefusal):
    """The text is not the one unpadded base64url spelling of some bytes."""

    code: ClassVar[str] = "encoding.not_base64url"
    family: ClassVar[Family] = Family.MALFORMED


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str, *, field: str | None = None) -> bytes:
    """Read what ``encode`` wrote and nothing else.

    Raises: NotBase64url ("encoding.not_base64url").
    Source: evidence-and-sync 1 (signatures base64url).
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotBase64url(field=field) from None
    # Spare bits in the last letter and foreign alphabets would give one value several spellings.
    if encode(raw) != text:
        raise NotBase64url(field=field)
    return raw
