"""An honest phone over HTTP: it works offline, sends what is due, believes only what is signed.

Every call may be cut: ``httpx.TransportError`` means that nobody knows what became of it. The
same model speaks to an app in this process and to one behind a bad line.
Source: evidence spec 2, 3, 4, 5, 11.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import msgspec
from msgspec import Raw, Struct

from media import base64url, canon, manifest, ops, receipt
from media.errors import MediaRefusal
from media.keys import DeviceKey, Tag
from media.manifest import FIRST_PREV
from tests.faults.history import Event, History
from tests.faults.shelf import Kept, Letter, Shelf, Stand

JPEG = "image/jpeg"
OPS = "/api/v1/ops"
BATCH = 100
Login = Callable[[], Awaitable[tuple[str, str] | None]]
STANDS: dict[str, Stand] = {"applied": "applied", "blocked": "blocked", "rejected": "dead"}


class Line(Struct, frozen=True):
    """One line of the answer to a batch; the outcome as its exact bytes."""

    op_id: str
    result: str
    outcome: Raw = Raw(b"")
    after_s: int = 0


class Lines(Struct, frozen=True):
    results: list[Line]


class Word(Struct, frozen=True):
    """What every stored outcome says first."""

    result: str


_lines = msgspec.json.Decoder(Lines)
_word = msgspec.json.Decoder(Word)


@dataclass(frozen=True)
class Trust:
    """Pinned at enrolment: the server's key and the log whose heads count."""

    public: bytes
    log: receipt.Log


@dataclass
class Phone:
    """A phone with its key, its task bundle and its strict store.

    ``login`` gives an access and a refresh token, or None when the device may not sign in.
    ``skew_ms`` is how far its clock is off.
    """

    name: str
    http: httpx.AsyncClient
    store: httpx.AsyncClient
    clock: Callable[[], datetime]
    ids: Callable[[], UUID]
    key: DeviceKey
    dev: UUID
    inspector: UUID
    login: Login
    trust: Trust
    history: History
    shelf: Shelf = field(default_factory=lambda: Shelf("00112233445566aa", FIRST_PREV))
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: tuple[str, str] | None = None
    nonce: str = ""
    server_ms: int = 0
    since: str = "0"
    skew_ms: int = 0
    locked: bool = False

    @property
    def wall_ms(self) -> int:
        """What its clock says."""
        return int(self.clock().timestamp() * 1000) + self.skew_ms

    # Calls

    async def call(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] = {}
    ) -> httpx.Response | None:
        """One call with token and proof, mended once when either is over; None: nobody knows."""
        for _ in range(3):
            if not await self._ready():
                return None
            answer = await self._once(method, path, content, headers)
            if answer is None or not self._worn(answer):
                return answer
        return answer

    async def _ready(self) -> bool:
        """Hold a token and a nonce."""
        if self.tokens is None and not self.locked:
            self.tokens = await self.login()
            self.locked = self.tokens is None
        if self.locked:
            return False
        if not self.nonce:
            answer = await self._ask("/api/v1/time")
            if answer is None or answer.status_code != httpx.codes.OK:
                if answer is not None:
                    self._worn(answer)
                return self.tokens is None and await self._ready()
            told = answer.json()
            self.nonce, self.server_ms = told["token"], max(self.server_ms, told["srv"])
        return True

    async def _once(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        proof = ops.build_proof(
            self.key,
            method=method,
            path=path,
            body=content,
            nonce=self.nonce,
            jti=str(self.ids()),
        )
        sent = {"Content-Type": "application/json", **headers, "Device-Proof": proof}
        return await self._send(method, path, content, sent)

    async def _send(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        bearer = {"Authorization": f"Bearer {self.tokens[0]}"} if self.tokens else {}
        try:
            return await self.http.request(
                method, path, content=content, headers={**headers, **bearer}
            )
        except httpx.TransportError:
            return None

    async def _ask(self, path: str) -> httpx.Response | None:
        return await self._send("GET", path, b"", {})

    def _worn(self, answer: httpx.Response) -> bool:
        """Whether token or nonce is over; drops the one that is."""
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self.tokens = None
            return True
        silent = answer.request.method == "HEAD" and answer.status_code == httpx.codes.FORBIDDEN
        if silent or code_of(answer) == "device.proof_stale":
            self.nonce = ""
            return True
        return False

    async def get(self, path: str) -> Any:
        """The JSON of a question, or None when there was no good answer."""
        for _ in range(2):
            if self.tokens is None and not await self._ready():
                return None
            answer = await self._ask(path)
            if answer is None or not self._worn(answer):
                break
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        return answer.json()

    # Work without signal

    def draft(self, kind: str, visit: str, body: Mapping[str, Any], **changes: Any) -> Letter:
        """Sign an operation with the next number and put it into the outbox."""
        letter = self.signed(kind, visit, body, **changes)
        self.shelf.letters.append(letter)
        return letter

    def signed(self, kind: str, visit: str, body: Mapping[str, Any], **changes: Any) -> Letter:
        """An operation that is not put into the outbox; ``seq`` may be given."""
        if "seq" not in changes:
            self.shelf.seq += 1
        task = self.tasks[visit]
        said: dict[str, Any] = {
            "op_id": str(self.ids()),
            "dev": str(self.dev),
            "inst_epoch": self.shelf.inst_epoch,
            "seq": self.shelf.seq,
            "base": ops.Base(task["asg_epoch"], task["sheet_digest"]),
        } | changes
        full = {"visit": visit, "at": max(0, self.wall_ms), **body}
        raw = ops.build_op(self.key, kind, full, **said)
        return Letter(said["op_id"], said["seq"], kind, visit, raw)

    def answer(self, visit: str, *answers: dict[str, Any]) -> Letter:
        """Answer items; the last answer to an item counts."""
        held = self.shelf.answers.setdefault(visit, {})
        held |= {one["item"]: one for one in answers}
        return self.draft("answer.set", visit, {"answers": list(answers)})

    def snap(self, visit: str, raw: bytes, item: str, mime: str = JPEG) -> Kept:
        """Take a picture: kept, hashed, signed at the shutter, chained; then its declaration."""
        shelf = self.shelf
        said = self.manifest(visit, raw, item, mime)
        body = self.declaration(said)
        spelled = canon.encode(said)
        shelf.shots, shelf.prev = said["seq"], manifest.digest(spelled)
        digest = said["media"]["sha256"]
        kept = Kept(
            said["id"], visit, item, mime, digest, len(raw), shelf.shots, spelled, body, raw
        )
        shelf.captures[kept.id] = kept
        self.history.note(self.name, "capture", id=kept.id, sha256=kept.sha256, visit=visit)
        self.draft("evidence.declare", visit, body)
        return kept

    def declaration(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The body that brings a manifest, signed."""
        media = said["media"]
        return {
            "manifest": dict(said),
            "sig": base64url.encode(self.key.sign(Tag.CAPTURE, canon.encode(said))),
            "transport": {"enc": "none", "sha256": media["sha256"], "size": media["size"]},
        }

    def manifest(
        self, visit: str, raw: bytes, item: str, mime: str = JPEG, **changes: Any
    ) -> dict[str, Any]:
        """What is signed about a picture, as the next of this phone's chain."""
        task = self.tasks[visit]
        media = {"sha256": sha256(raw).hexdigest(), "size": len(raw), "mime": mime}
        return {
            "typ": "mingcha.capture/1",
            "alg": "ES256",
            "kid": self.key.kid,
            "id": str(self.ids()),
            "dev": str(self.dev),
            "inst_epoch": self.shelf.inst_epoch,
            "seq": self.shelf.shots + 1,
            "prev": self.shelf.prev,
            "asg": task["assignment"],
            "asg_epoch": task["asg_epoch"],
            "visit": visit,
            "org": task["institution"]["id"],
            "plan": task["sheet_digest"],
            "item": item,
            "media": {**media, "src": "stream"},
            "t": self._times(),
            "loc": {"st": "denied", "crs": "?", "n": 0},
            "chal": task["challenge"],
            "people": [str(self.inspector)],
            "app": {"ver": "0.1.0", "build_sha256": "ef" * 32, "persisted": True},
            **changes,
        }

    def _times(self) -> dict[str, Any]:
        anchor = {"srv": self.server_ms, "mono": 1000, "rtt": 40, "tok": self.nonce or "none"}
        wall = max(0, self.wall_ms)
        return {"wall": wall, "mono": 1000, "session": "00" * 8, "tz_min": 480, "anchor": anchor}

    def finalize(self, visit: str, also: Sequence[dict[str, str]] = ()) -> Letter:
        """Claim everything that this phone holds of a visit, and what colleagues showed it."""
        own = [
            one.listed
            for one in self.shelf.captures.values()
            if one.visit == visit and not one.withdrawn
        ]
        body = {"items": [*own, *also], "answers_sha": self.answers_sha(visit)}
        return self.draft("visit.finalize", visit, body)

    def answers_sha(self, visit: str) -> str:
        """SHA-256 of the canonical list of the latest answers, sorted by item."""
        held = self.shelf.answers.get(visit, {})
        pieces = [canon.encode(held[item]) for item in sorted(held)]
        return sha256(b"[" + b",".join(pieces) + b"]").hexdigest()

    # Sending

    async def push(self, letters: Sequence[Letter]) -> bool:
        """Send operations as one batch and keep what was told; whether there was an answer."""
        begun = [
            self.history.invoke(self.name, "op", op_id=one.op_id, kind=one.kind, raw=one.raw)
            for one in letters
        ]
        body = b'{"ops":[' + b",".join(one.raw for one in letters) + b"]}"
        answer = await self.call("POST", OPS, body)
        if answer is None or answer.status_code != httpx.codes.OK:
            for one in begun:
                self.history.end(one, "unknown" if answer is None else "fail")
            return False
        told = _lines.decode(answer.content).results
        for letter, line, one in zip(letters, told, begun, strict=True):
            self._told(letter, line, one)
        return True

    def _told(self, letter: Letter, line: Line, begun: Event) -> None:
        outcome = bytes(line.outcome)
        self.history.end(begun, "ok", result=line.result, outcome=outcome, claimed=line.op_id)
        if line.result == "retry":
            return
        said = _word.decode(outcome).result if outcome else "rejected"
        letter.stand, letter.outcome = STANDS[said], outcome

    async def pull_receipts(self) -> None:
        """Fetch receipts, verify each, and note for which captures the seven days begin."""
        found = await self.get(f"/api/v1/devices/me/receipts?after={self.shelf.receipts_after}")
        for one in (found or {"receipts": []})["receipts"]:
            self._check(one)
            self.shelf.receipts_after = max(self.shelf.receipts_after, one["number"])

    def _check(self, told: Mapping[str, Any]) -> None:
        """Signature, proof, and this phone's own hash; anything less changes nothing."""
        raw = told["receipt"].encode()
        signed = receipt.SignedReceipt(raw, base64url.decode(told["signature"]))
        try:
            said = receipt.verify(signed, public=self.trust.public, log=self.trust.log)
        except MediaRefusal as refusal:
            self.history.note(self.name, "receipt", evidence=told["evidence"], fault=refusal.code)
            return
        kept = self.shelf.captures.get(said.id)
        own = kept is None or (said.sha256, said.size) == (kept.sha256, kept.size)
        fault = "" if own else "other_bytes"
        self.history.note(
            self.name, "receipt", evidence=said.id, fault=fault, raw=raw, state=said.state
        )
        if kept is not None and own and said.state == "sealed":
            kept.sealed_ms, kept.receipt, kept.state, kept.sent = said.t, raw, "sealed", True

    async def free(self) -> None:
        """Ask for the time; then free what has been sealed for seven days."""
        found = await self.get("/api/v1/time")
        if found is not None:
            self.nonce, self.server_ms = found["token"], found["srv"]
        for one in self.shelf.free(self.server_ms):
            self.history.note(self.name, "freed", evidence=one.id, receipt=one.receipt)

    async def ask_cursor(self) -> bool:
        """Send again what the server lacks; whether it answered."""
        found = await self.get(f"/api/v1/devices/me/cursor?inst_epoch={self.shelf.inst_epoch}")
        if found is None:
            return False
        holes = [range(hole["first"], hole["last"] + 1) for hole in found["holes"]]
        for letter in self.shelf.letters:
            lost = letter.seq > found["highest"] or any(letter.seq in hole for hole in holes)
            if lost and letter.stand == "applied":
                letter.stand = "queued"
        for ident in found["expected_items"]:
            kept = self.shelf.captures.get(ident)
            if kept is not None and kept.sealed_ms is None:
                kept.sent = False
        return True

    async def fetch_tasks(self) -> bool:
        """Fetch the tasks that changed; whether the server answered."""
        found = await self.get(f"/api/v1/tasks?since={self.since}")
        if found is None:
            return False
        self.since = found["cursor"]
        self.tasks |= {task["visit"]: task for task in found["tasks"]}
        self.history.note(self.name, "bundle", visits=[one["visit"] for one in found["tasks"]])
        return True

    def wipe(self, inst_epoch: str) -> None:
        """The storage is gone: operations and captures that were not sent are lost with it."""
        gone = [one.id for one in self.shelf.captures.values() if one.sealed_ms is None]
        self.history.note(self.name, "wiped", dev=str(self.dev), captures=gone)
        self.shelf = Shelf(inst_epoch, FIRST_PREV)
        self.since = "0"


def code_of(answer: httpx.Response) -> str:
    """The stable code of a refusal, or nothing."""
    if not answer.content or "json" not in answer.headers.get("content-type", ""):
        return ""
    found = answer.json()
    return str(found.get("code", "")) if isinstance(found, dict) else ""
