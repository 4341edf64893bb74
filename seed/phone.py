"""A phone of the fictional year: the operations, manifests and uploads that a real one sends.

The only place of the scenario that speaks HTTP, and only to addresses pinned for one upload.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import msgspec

from backend.services import bundles, evidence, ops, receipts, timetokens, uploads
from backend.services.bundles import Task
from backend.services.deeds import Tools
from backend.services.op_kinds import Told
from media import base64url, canon, manifest
from media import ops as envelopes
from media.keys import Tag
from media.manifest import FIRST_PREV, Anchor, App, Location, Manifest, Media, Roll, Times
from media.presign import Presigned
from media.receipt import Log, SignedReceipt
from media.receipt import verify as verify_receipt
from seed.answers import Scene
from seed.images import SIZE
from seed.people import Phone
from seed.stage import Stage, Stuck

Store = httpx.AsyncClient
JPEG = "image/jpeg"
BATCH = ops.BATCH_MAX
TOGETHER = 4  # uploads at a time
JITTER_E7 = 900  # about ten metres
BOOTED_MS, ROUND_TRIP_MS, SHUTTER_MS = 60_000, 45, 1_500
APP = App(ver="0.1.0", build_sha256=sha256(b"fictional").hexdigest(), persisted=True)


@dataclass(frozen=True)
class Capture:
    """One picture on the phone: its bytes, and the body of the operation that declares it."""

    id: UUID
    raw: bytes
    body: dict[str, Any]

    @property
    def listed(self) -> dict[str, str]:
        """How a claim names it."""
        return {"id": str(self.id), "sha256": sha256(self.raw).hexdigest()}


@dataclass
class Handset:
    """A phone with its counters, what it holds, and what receipts let it free."""

    stage: Stage
    phone: Phone
    store: Store
    inst_epoch: str
    seq: int = 0
    shots: int = 0
    prev: str = FIRST_PREV
    since: str = "0"
    heard: int = 0
    held: dict[UUID, str] = field(default_factory=dict)
    freed: int = 0

    @classmethod
    def of(cls, stage: Stage, phone: Phone, store: Store) -> "Handset":
        """A phone whose storage was never wiped."""
        epoch = stage.secret("epoch", phone.inspector).hex()[:16]
        return cls(stage, phone, store, epoch)

    @property
    def device(self) -> UUID:
        """The id under which the phone is enrolled."""
        if self.phone.person.device is None:
            raise Stuck(f"{self.phone.person.name} has no phone")
        return self.phone.person.device

    async def sync(self) -> tuple[Task, ...]:
        """Fetch the task bundle: what is new since the last time."""
        stage = self.stage
        bundle = await bundles.bundle(
            self.since,
            act=stage.act(self.phone.person),
            keys=stage.jobs.keys,
            rules=stage.jobs.rules,
        )
        self.since = bundle.cursor
        return bundle.tasks

    def op(self, task: Task, kind: str, body: dict[str, Any]) -> bytes:
        """A signed operation with the next number."""
        self.seq += 1
        now = int(self.stage.clock.tick(1).timestamp() * 1000)
        return envelopes.build_op(
            self.phone.key,
            kind,
            {"visit": str(task.visit), "at": now} | body,
            op_id=str(self.stage.ids()),
            dev=str(self.device),
            inst_epoch=self.inst_epoch,
            seq=self.seq,
            base=envelopes.Base(task.asg_epoch, task.sheet_digest),
        )

    async def send(self, batch: Sequence[bytes], *, again: bool = False) -> int:
        """Send operations a batch at a time; how many were applied.

        Raises: Stuck unless each is applied, or, sent ``again``, told to be a duplicate.
        """
        wanted = "duplicate" if again else "applied"
        for start in range(0, len(batch), BATCH):
            told = await self._apply(batch[start : start + BATCH])
            if wrong := [line for line in told if line.result != wanted]:
                raise Stuck(f"operation not {wanted}: {msgspec.json.encode(wrong[0]).decode()}")
        return len(batch)

    async def _apply(self, batch: Sequence[bytes]) -> tuple[Told, ...]:
        tools = Tools(keys=self.stage.jobs.keys, rules=self.stage.jobs.rules)
        return await ops.apply(batch, act=self.stage.act(self.phone.person), tools=tools)

    def position(self, scene: Scene) -> dict[str, Any]:
        """Where the phone says it is, as an operation carries it."""
        place: dict[str, Any] = msgspec.to_builtins(self._location(scene))
        return place

    def _location(self, scene: Scene) -> Location:
        """At the door, give or take what a receiver is off by; no two readings are equal."""
        rng = self.stage.rng("position", self.phone.inspector, self.stage.clock().isoformat())
        return Location(
            st="ok",
            crs="wgs84",
            n=rng.randint(3, 8),
            lat=scene.lat_e7 + rng.randint(-JITTER_E7, JITTER_E7),
            lon=scene.lon_e7 + rng.randint(-JITTER_E7, JITTER_E7),
            acc_cm=rng.randint(450, 2_400),
            age_ms=rng.randint(80, 900),
        )

    def capture(
        self,
        task: Task,
        scene: Scene,
        item: str,
        raw: bytes,
        *,
        roll: Roll | None = None,
    ) -> Capture:
        """Take a picture: a manifest signed at the shutter, chained to the one before."""
        self.shots += 1
        made = self._manifest(task, scene, item, raw, roll)
        spelled = manifest.build(made)
        self.prev = manifest.digest(spelled)
        self.held[UUID(made.id)] = made.media.sha256
        body = {
            "manifest": msgspec.json.decode(spelled),
            "sig": base64url.encode(self.phone.key.sign(Tag.CAPTURE, spelled)),
            "transport": {
                "enc": "none",
                "sha256": made.media.sha256,
                "size": made.media.size,
            },
        }
        return Capture(UUID(made.id), raw, body)

    def _manifest(
        self, task: Task, scene: Scene, item: str, raw: bytes, roll: Roll | None
    ) -> Manifest:
        width, height = SIZE
        return Manifest(
            typ="mingcha.capture/1",
            alg="ES256",
            kid=self.phone.key.kid,
            id=str(self.stage.ids()),
            dev=str(self.device),
            inst_epoch=self.inst_epoch,
            seq=self.shots,
            prev=self.prev,
            asg=str(task.assignment),
            asg_epoch=task.asg_epoch,
            visit=str(task.visit),
            org=str(task.institution.id),
            plan=task.sheet_digest,
            item=item,
            media=Media(
                sha256=sha256(raw).hexdigest(),
                size=len(raw),
                mime=JPEG,
                src="stream",
                w=width,
                h=height,
            ),
            t=self._times(),
            loc=self._location(scene),
            chal=task.challenge,
            people=tuple(str(member.inspector) for member in task.team),
            app=APP,
            roll=roll,
        )

    def _times(self) -> Times:
        at = self.stage.clock.tick(5)
        now = timetokens.issue(self.stage.jobs.keys.server, at=at, fresh=self.stage.ids())
        return Times(
            wall=now.srv + SHUTTER_MS,
            mono=BOOTED_MS + SHUTTER_MS,
            session=self.inst_epoch,
            tz_min=480,
            anchor=Anchor(srv=now.srv, mono=BOOTED_MS, rtt=ROUND_TRIP_MS, tok=now.token),
        )

    async def upload(self, captures: Sequence[Capture]) -> None:
        """Send every picture's bytes to the address pinned for it, a few at a time."""
        gate = asyncio.Semaphore(TOGETHER)

        async def one(capture: Capture) -> None:
            async with gate:
                act = self.stage.act(self.phone.person)
                bucket = self.stage.jobs.bucket
                address = await evidence.urls(capture.id, act=act, bucket=bucket)
                if address.put is not None:
                    await put(self.store, address.put, capture.raw)
                await uploads.complete(
                    capture.id, act=act, bucket=bucket, spool=self.stage.jobs.spool
                )

        await asyncio.gather(*map(one, captures))

    async def collect(self) -> int:
        """Fetch receipts; free what a sealed one proves: signature, way to the head, hash.

        Raises: Stuck for a receipt of other bytes than the phone holds.
        """
        jobs = self.stage.jobs
        log = Log(jobs.settings.log_origin, jobs.keys.log.public)
        got = await receipts.of_device(self.heard, act=self.stage.act(self.phone.person))
        for record in got:
            self.heard = record.number
            signed = SignedReceipt(record.receipt.encode(), base64url.decode(record.signature))
            said = verify_receipt(signed, public=jobs.keys.server.public, log=log)
            if self.held.get(record.evidence) != said.sha256 or said.state != "sealed":
                raise Stuck(f"receipt {record.number} is not of what this phone holds")
            del self.held[record.evidence]
            self.freed += 1
        return len(got)


def open_store() -> Store:
    """The way to the object store: loopback, whatever proxy the environment names."""
    return httpx.AsyncClient(trust_env=False, timeout=30)


async def put(store: Store, address: Presigned, raw: bytes) -> None:
    """Put bytes where the address says; raises Stuck unless the store takes them."""
    answer = await store.put(address.url, content=raw, headers=address.headers)
    if answer.status_code != httpx.codes.OK:
        raise Stuck(f"the store answered {answer.status_code}: {answer.text[:200]}")


def answers_sha(told: Sequence[dict[str, Any]]) -> str:
    """SHA-256 of the canonical list of answers, which come sorted by item."""
    return sha256(b"[" + b",".join(canon.encode(one) for one in told) + b"]").hexdigest()
