"""The one module that asks a time-stamp authority, over HTTP (RFC 3161 3.4).

Source: evidence-and-sync 8 (anchor b), 12.6: the address is the operator's, no redirect is
followed, no proxy is taken from the environment, an answer has a size limit and a time limit.
Calls block: callers use ``asyncio.to_thread`` and never hold a transaction meanwhile.
"""

from http import HTTPStatus
from typing import ClassVar

import httpx

from media.errors import Family, MediaRefusal
from media.timestamps import REPLY_MAX_BYTES

ASK_SECONDS = 10
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class StampSilent(MediaRefusal):
    """The authority does not answer, or answers with something else than a reply."""

    code: ClassVar[str] = "stamp.silent"
    family: ClassVar[Family] = Family.UNAVAILABLE


def ask(url: str, request: bytes) -> bytes:
    """Send a request and return the raw reply, which nobody has verified yet.

    Raises: StampSilent ("stamp.silent").
    """
    headers = {"Content-Type": QUERY, "Accept": REPLY}
    try:
        with (
            httpx.Client(trust_env=False, timeout=ASK_SECONDS, follow_redirects=False) as http,
            http.stream("POST", url, content=request, headers=headers) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise StampSilent(status=answer.status_code)
            if answer.headers.get("Content-Type", "").partition(";")[0].strip() != REPLY:
                raise StampSilent(reason="content_type")
            return _read(answer)
    except httpx.HTTPError as fault:
        raise StampSilent(reason=type(fault).__name__) from fault


def _read(answer: httpx.Response) -> bytes:
    found = bytearray()
    for piece in answer.iter_bytes():
        found += piece
        if len(found) > REPLY_MAX_BYTES:
            raise StampSilent(reason="too_long")
    return bytes(found)
