"""A tus client from PyPI as an enrolled phone: every call carries its proof, nothing else differs.

The library knows the protocol; here it is told the headers of each call before it makes it.
"""

import asyncio
import io
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader import Uploader

from backend.clock import new_id
from media import ops
from tests.faults.model import Phone
from tests.faults.shelf import Kept

CHUNK = 256 << 10
TOKEN_S = 300.0  # an access token lives ten minutes
PATH = "/api/v1/uploads"


@dataclass
class Badge:
    """What a call of this phone carries: a token that lives, and a proof of the call."""

    phone: Phone
    loop: asyncio.AbstractEventLoop
    since: float = 0.0

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """For one call; asked in a thread beside the loop."""
        if time.monotonic() - self.since > TOKEN_S:
            login = asyncio.run_coroutine_threadsafe(self._login(), self.loop)
            self.phone.tokens = login.result(60)
            self.since = time.monotonic()
        assert self.phone.tokens is not None
        proof = ops.build_proof(
            self.phone.key,
            method=method,
            path=path,
            body=body,
            nonce=self.phone.nonce,
            jti=str(new_id()),
        )
        return {"Authorization": f"Bearer {self.phone.tokens[0]}", "Device-Proof": proof}

    async def _login(self) -> tuple[str, str] | None:
        return await self.phone.login()


class Resumer(Uploader):  # type: ignore[misc]  # the library ships no types
    """The library's own uploader, with a badge."""

    def __init__(self, badge: Badge, raw: bytes, **said: Any) -> None:
        self.badge, self.raw, self.verb = badge, raw, "PATCH"
        super().__init__(file_stream=io.BytesIO(raw), **said)

    def get_headers(self) -> dict[str, str]:
        """The library's headers and those of the badge."""
        path, body = PATH, b""
        if self.verb != "POST":
            path = urlsplit(self.url).path
        if self.verb == "PATCH":
            body = self.raw[self.offset : self.offset + self.get_request_length()]
        return {**super().get_headers(), **self.badge.headers(self.verb, path, body)}

    def get_url_creation_headers(self) -> dict[str, str]:
        return self._as("POST", super().get_url_creation_headers)

    def get_offset(self) -> int:
        return self._as("HEAD", super().get_offset)

    def _as(self, verb: str, call: Any) -> Any:
        before, self.verb = self.verb, verb
        try:
            return call()
        finally:
            self.verb = before


async def send(phone: Phone, kept: Kept, origin: str, *, chunk: int = CHUNK) -> None:
    """Send one declared piece to its end, through whatever cuts there are."""
    assert kept.raw is not None
    badge = Badge(phone, asyncio.get_running_loop())
    said = {
        "client": TusClient(f"{origin}{PATH}"),
        "chunk_size": chunk,
        "metadata": {"filename": "x", "evidence": kept.id},
        "retries": 400,
        "retry_delay": 0.2,
        "upload_checksum": True,
    }
    raw = kept.raw

    def upload() -> None:
        one = Resumer(badge, raw, **said)
        while one.url is None:  # the library tries chunks again, a creation it does not
            with suppress(TusCommunicationError):
                one.set_url(one.create_url())
        while True:
            # What came by the other lane is asked for first; an answer that was cut within its
            # headers is none, though the library takes it for one.
            with suppress(TypeError, TusCommunicationError, requests.RequestException):
                one.offset = one.get_offset()
                if one.offset == len(raw):
                    return
                one.upload()

    await asyncio.to_thread(upload)
