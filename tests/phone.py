"""A phone as the server sees it: signed operations, manifests, proofs and uploads over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from backend.clock import new_id
from media import manifest, ops
from media.base64url import encode as base64url
from media.keys import DeviceKey, Tag
from media.manifest import FIRST_PREV
from tests.conftest import StillClock

JPEG = "image/jpeg"


@dataclass
class Capture:
    """One picture on the phone: its bytes, its manifest and the operation's body."""

    id: str
    raw: bytes
    body: dict[str, Any]

    @property
    def sha256(self) -> str:
        return sha256(self.raw).hexdigest()

    @property
    def listed(self) -> dict[str, str]:
        """How a finalize names it."""
        return {"id": self.id, "sha256": self.sha256}


@dataclass
class Phone:
    """An enrolled phone with its key, its counters and one task."""

    http: httpx.AsyncClient
    clock: StillClock
    key: DeviceKey
    dev: UUID
    inspector: UUID
    headers: dict[str, str]
    inst_epoch: str = "00112233445566aa"
    seq: int = 0
    shots: int = 0
    prev: str = FIRST_PREV
    nonce: str = ""
    task: dict[str, Any] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    async def post(self, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """A POST with its Device-Proof."""
        return await self.call(
            "POST", path, content, {"Content-Type": "application/json"} | headers
        )

    async def call(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        """A call with its Device-Proof."""
        if not self.nonce:
            self.nonce = (await self.http.get("/api/v1/time", headers=self.headers)).json()[
                "token"
            ]
        proof = ops.build_proof(
            self.key, method=method, path=path, body=content, nonce=self.nonce, jti=str(new_id())
        )
        sent = {**self.headers, "Device-Proof": proof, **headers}
        return await self.http.request(method, path, content=content, headers=sent)

    async def get(self, path: str) -> Any:
        """The JSON of a question."""
        answer = await self.http.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fetch_task(self, visit: UUID) -> dict[str, Any]:
        """Fetch the bundle and keep the task of this visit."""
        bundle = await self.get("/api/v1/tasks")
        self.task = next(task for task in bundle["tasks"] if task["visit"] == str(visit))
        found: dict[str, Any] = bundle
        return found

    def op(self, kind: str, body: dict[str, Any], **changes: Any) -> bytes:
        """A signed operation with the next number; ``changes`` replace envelope fields."""
        self.seq += 1
        base = ops.Base(self.task["asg_epoch"], self.task["sheet_digest"])
        said = {
            "op_id": str(new_id()),
            "dev": str(self.dev),
            "inst_epoch": self.inst_epoch,
            "seq": self.seq,
            "base": base,
        } | changes
        full = {"visit": self.task["visit"], "at": self.now_ms} | body
        return ops.build_op(self.key, kind, full, **said)

    async def send(self, *envelopes: bytes) -> list[dict[str, Any]]:
        """Send a batch and return its results."""
        answer = await self.post("/api/v1/ops", batch(*envelopes))
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def capture(self, raw: bytes, item: str = "TI-01", **changes: Any) -> Capture:
        """Take a picture: manifest signed at the shutter, chained to the one before."""
        self.shots += 1
        mime = changes.pop("mime", JPEG)
        media = {"sha256": sha256(raw).hexdigest(), "size": len(raw), "mime": mime}
        said: dict[str, Any] = {
            "typ": "mingcha.capture/1",
            "alg": "ES256",
            "kid": self.key.kid,
            "id": str(new_id()),
            "dev": str(self.dev),
            "inst_epoch": self.inst_epoch,
            "seq": self.shots,
            "prev": self.prev,
            "asg": self.task["assignment"],
            "asg_epoch": self.task["asg_epoch"],
            "visit": self.task["visit"],
            "org": self.task["institution"]["id"],
            "plan": self.task["sheet_digest"],
            "item": item,
            "media": media | {"src": "stream"} | changes.pop("media", {}),
            "t": self._times() | changes.pop("t", {}),
            "loc": {"st": "denied", "crs": "?", "n": 0},
            "chal": self.task["challenge"],
            "people": [str(self.inspector)],
            "app": {"ver": "0.1.0", "build_sha256": "ef" * 32, "persisted": True},
        } | changes
        spelled = manifest.canon.encode(said)
        self.prev = sha256(spelled).hexdigest()
        body = {
            "manifest": said,
            "sig": base64url(self.key.sign(Tag.CAPTURE, spelled)),
            "transport": {
                "enc": "none",
                "sha256": said["media"]["sha256"],
                "size": said["media"]["size"],
            },
        }
        return Capture(said["id"], raw, body)

    def _times(self) -> dict[str, Any]:
        anchor = {"srv": self.now_ms, "mono": 1000, "rtt": 40, "tok": self.nonce}
        return {
            "wall": self.now_ms,
            "mono": 1000,
            "session": "00" * 8,
            "tz_min": 480,
            "anchor": anchor,
        }

    async def upload(self, capture: Capture, raw: bytes | None = None) -> httpx.Response:
        """Ask for the address and put the bytes there, as the headers say; the store's answer."""
        answer = await self.post(f"/api/v1/evidence/{capture.id}/urls")
        assert answer.status_code == 200, answer.text
        url = answer.json()["urls"][0]
        async with httpx.AsyncClient() as store:
            return await store.put(
                url["url"], content=capture.raw if raw is None else raw, headers=url["headers"]
            )

    async def complete(self, capture: Capture) -> httpx.Response:
        """Say that the bytes are there."""
        return await self.post(f"/api/v1/evidence/{capture.id}/complete")


def batch(*envelopes: bytes) -> bytes:
    """The body of a batch, each operation as its exact bytes."""
    return b'{"ops":[' + b",".join(envelopes) + b"]}"


def answers_sha(answers: list[dict[str, Any]]) -> str:
    """SHA-256 of the canonical list of a device's latest answers, sorted by item."""
    pieces = [manifest.canon.encode(one) for one in sorted(answers, key=lambda one: one["item"])]
    return sha256(b"[" + b",".join(pieces) + b"]").hexdigest()
