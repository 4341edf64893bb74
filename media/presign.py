"""Upload and download addresses for a phone: SigV4 arithmetic with every header pinned.

Source: evidence-and-sync 4.1, 12.7.  The SDK's own presigner signs the host alone, so that any
body of any type and size would pass.  A presigned address is a secret: never logged or printed.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, urlsplit

PUT_SECONDS = 900
GET_SECONDS = 60
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """A store as the *phone* reaches it; the host is signed, so no proxy may rewrite it."""

    base_url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    def host(self) -> str:
        """Host as a browser writes it: a scheme's default port is left out."""
        parts = urlsplit(self.base_url)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        if parts.port in {None, DEFAULT_PORTS.get(parts.scheme)}:
            return f"{name}"
        return f"{name}:{parts.port}"


@dataclass(frozen=True)
class Presigned:
    """One request: method, address, and the headers the sender must set as they are.

    ``content-length`` is pinned too but not listed: browsers set it themselves and forbid it.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str]


def presign(
    endpoint: Endpoint,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    now: datetime,
    expires_s: int,
) -> str:
    """Sign one request with all ``headers``; ``path`` starts with the bucket, ``now`` is UTC.

    Source: evidence-and-sync 4.1, AWS Signature Version 4 (query parameters).
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{stamp[:8]}/{endpoint.region}/s3/aws4_request"
    pinned = {"host": endpoint.host(), **{name.lower(): headers[name] for name in headers}}
    names = ";".join(sorted(pinned))
    fields = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{endpoint.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": names,
        **query,
    }
    asked = "&".join(f"{_escape(name)}={_escape(fields[name])}" for name in sorted(fields))
    where = quote(path, safe="/-_.~")
    lines = "".join(f"{name}:{pinned[name]}\n" for name in sorted(pinned))
    request = f"{method}\n{where}\n{asked}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    digest = sha256(request.encode()).hexdigest()
    said = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(_key_of(endpoint, stamp[:8]), said.encode(), "sha256").hex()
    return f"{endpoint.base_url.rstrip('/')}{where}?{asked}&X-Amz-Signature={signature}"


@lru_cache(maxsize=8)
def _key_of(endpoint: Endpoint, day: str) -> bytes:
    """The key that a day's requests are signed with."""
    key = b"AWS4" + endpoint.secret_key.encode()
    for part in (day, endpoint.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def put_object(
    endpoint: Endpoint, path: str, *, size: int, mime: str, sha256_hex: str, now: datetime
) -> Presigned:
    """Address for one whole object, once, within 15 minutes.

    Other bytes are answered 400, another type or length 403, a second PUT 412.
    Source: evidence-and-sync 4.1, 12.7.
    """
    sent = {
        "content-type": mime,
        "if-none-match": "*",
        "x-amz-checksum-sha256": _checksum(sha256_hex),
    }
    return _put(endpoint, path, sent, size=size, query={}, now=now)


def put_part(
    endpoint: Endpoint,
    path: str,
    *,
    upload_id: str,
    number: int,
    size: int,
    sha256_hex: str,
    now: datetime,
) -> Presigned:
    """Address for part ``number`` (from 1) of an upload the server opened.

    Source: evidence-and-sync 4.1.
    """
    sent = {"x-amz-checksum-sha256": _checksum(sha256_hex)}
    query = {"partNumber": str(number), "uploadId": upload_id}
    return _put(endpoint, path, sent, size=size, query=query, now=now)


def get_object(
    endpoint: Endpoint,
    path: str,
    *,
    version: str | None,
    filename: str,
    mime: str,
    now: datetime,
) -> Presigned:
    """Address to fetch an object as attachment within 60 seconds.

    Always an attachment: JPEG and HTML or ZIP polyglots pass every sniffer.
    Source: evidence-and-sync 12.4, 12.7.
    """
    name = quote(filename, safe="")
    query = {
        "response-cache-control": "private, no-store",
        "response-content-disposition": f"attachment; filename*=UTF-8''{name}",
        "response-content-type": mime,
    }
    if version is not None:
        query["versionId"] = version
    url = presign(endpoint, "GET", path, headers={}, query=query, now=now, expires_s=GET_SECONDS)
    return Presigned("GET", url, {})


def _put(
    endpoint: Endpoint,
    path: str,
    sent: Mapping[str, str],
    *,
    size: int,
    query: Mapping[str, str],
    now: datetime,
) -> Presigned:
    pinned = {**sent, "content-length": str(size)}
    url = presign(
        endpoint, "PUT", path, headers=pinned, query=query, now=now, expires_s=PUT_SECONDS
    )
    return Presigned("PUT", url, sent)


def _checksum(sha256_hex: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()


def _escape(text: str) -> str:
    return quote(text, safe="-_.~")
