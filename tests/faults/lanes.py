"""How an honest phone sends bytes: pinned addresses, or the weak-link lane, or one after another.

Source: evidence spec 4. A promised offset is remembered: a server that takes it back is noted.
"""

import base64
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from tests.faults.model import Phone, code_of
from tests.faults.shelf import Kept

PART = 5 << 20
CHUNK = 256 << 10
Part = dict[str, Any]
TUS = {"Tus-Resumable": "1.0.0"}
AWAITED = frozenset({"declared", "uploading", "missing"})
TAKEN = frozenset({httpx.codes.OK, httpx.codes.PRECONDITION_FAILED})  # 412: it is there already


async def direct(phone: Phone, kept: Kept, *, first: int = 1, most: int = 20) -> bool:
    """Send a piece, or its parts from ``first`` on, to pinned addresses; whether all is there."""
    raw = kept.raw or b""
    parts = _parts(raw)
    wanted = parts[first - 1 : first - 1 + most]
    told = await _urls(phone, kept, wanted if len(parts) > 1 else [])
    if told is None:
        return False
    sent = [await _put(phone, raw, url, alone=len(parts) == 1) for url in told]
    return all(sent) and (kept.state not in AWAITED or len(wanted) == len(parts))


async def twins(phone: Phone, kept: Kept) -> None:
    """Send the last part wrong, then right: both addresses were asked for before."""
    raw = kept.raw or b""
    rotten = raw[:-1] + bytes([raw[-1] ^ 1])
    kept.twice_from = (kept.size - 1) // PART * PART
    asked = [await _urls(phone, kept, _parts(one)[-1:]) for one in (rotten, raw)]
    for one, told in zip((rotten, raw), asked, strict=True):
        for url in told or []:
            await _put(phone, one, url, alone=False)


async def _urls(phone: Phone, kept: Kept, parts: list[Part]) -> list[dict[str, Any]] | None:
    body = msgspec.json.encode({"parts": parts}) if parts else b""
    answer = await phone.call("POST", f"/api/v1/evidence/{kept.id}/urls", body)
    if answer is None or answer.status_code != httpx.codes.OK:
        return None
    told = answer.json()
    kept.state = told["state"]
    found: list[dict[str, Any]] = told["urls"]
    return found


def _parts(raw: bytes) -> list[Part]:
    pieces = [raw[at : at + PART] for at in range(0, len(raw), PART)]
    return [
        {"n": number, "size": len(piece), "sha256": sha256(piece).hexdigest()}
        for number, piece in enumerate(pieces, 1)
    ]


async def _put(phone: Phone, raw: bytes, url: dict[str, Any], *, alone: bool) -> bool:
    number = int(url["n"])
    piece = raw if alone else raw[(number - 1) * PART : number * PART]
    try:
        answer = await phone.store.put(url["url"], content=piece, headers=url["headers"])
    except httpx.TransportError:
        return False
    return answer.status_code in TAKEN


async def complete(phone: Phone, kept: Kept) -> bool:
    """Say that the bytes are there; whether the server found them."""
    begun = phone.history.invoke(phone.name, "complete", evidence=kept.id)
    answer = await phone.call("POST", f"/api/v1/evidence/{kept.id}/complete")
    if answer is None:
        phone.history.end(begun, "unknown")
        return False
    if answer.status_code != httpx.codes.OK:
        phone.history.end(begun, "fail", code=code_of(answer))
        return False
    kept.state = answer.json()["state"]
    phone.history.end(begun, "ok", state=kept.state)
    kept.sent = kept.state not in AWAITED
    return kept.sent


async def tus(
    phone: Phone, kept: Kept, *, chunk: int = CHUNK, most: int = 1000, raw: bytes | None = None
) -> bool:
    """Send the next chunks by the weak-link lane; whether every byte is promised.

    ``raw`` sends other bytes than the capture's own: a phone whose memory has rotted.
    """
    data = kept.raw if raw is None else raw
    if data is None or (not kept.opened and not await _open(phone, kept)):
        return False
    at = await _offset(phone, kept)
    for _ in range(most):
        if at is None or at >= kept.size:
            break
        at = await _chunk(phone, kept, at, data[at : at + chunk])
    kept.sent = at is not None and at >= kept.size
    return kept.sent


async def _open(phone: Phone, kept: Kept) -> bool:
    ident = base64.b64encode(kept.id.encode()).decode()
    headers = {**TUS, "Upload-Length": str(kept.size), "Upload-Metadata": f"evidence {ident}"}
    answer = await phone.call("POST", "/api/v1/uploads", headers=headers)
    if answer is None or answer.status_code != httpx.codes.CREATED:
        return False
    kept.opened, kept.promised = True, 0
    return True


def _path(kept: Kept) -> str:
    return f"/api/v1/uploads/{kept.id}"


async def _offset(phone: Phone, kept: Kept) -> int | None:
    answer = await phone.call("HEAD", _path(kept), headers=TUS)
    if answer is None:
        return None
    if answer.status_code in (httpx.codes.GONE, httpx.codes.NOT_FOUND):
        kept.opened = False
        return None
    if answer.status_code != httpx.codes.OK:
        return None
    return _promised(phone, kept, answer)


def _promised(phone: Phone, kept: Kept, answer: httpx.Response) -> int:
    """The offset of an answer. Taken back it may be once, to a part the phone contradicted."""
    at = int(answer.headers["upload-offset"])
    if at < kept.promised and at == kept.twice_from:
        kept.twice_from = None
    elif at < kept.promised:
        phone.history.note(
            phone.name, "promise_broken", evidence=kept.id, promised=kept.promised, now=at
        )
    kept.promised = at
    return at


async def _chunk(phone: Phone, kept: Kept, at: int, piece: bytes) -> int | None:
    headers = {
        **TUS,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(at),
        "Upload-Checksum": f"sha256 {base64.b64encode(sha256(piece).digest()).decode()}",
    }
    answer = await phone.call("PATCH", _path(kept), piece, headers)
    if answer is None:
        return None
    if answer.status_code == httpx.codes.NO_CONTENT:
        return _promised(phone, kept, answer)
    if code_of(answer) == "upload.torn":
        phone.history.note(phone.name, "promise_broken", evidence=kept.id, promised=at, now=0)
        await phone.call("DELETE", _path(kept), headers=TUS)
        kept.opened = False
    return None
