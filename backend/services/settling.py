"""What becomes of a piece whose bytes are here: opened, proved, locked away; or quarantined.

Source: evidence spec 4 (transport), 5 (verified, quarantined), 7, 12.4.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import examination, visits
from backend.services.act import Act
from backend.services.examination import Examined, Piece
from backend.services.scrubs import losses
from backend.services.signals import orders, pictures
from backend.services.stored import LOCK, Stored, record
from inspection_plans import custody, states
from inspection_plans.library import Library
from inspection_plans.states import Noun
from media import sealing
from media.bucket import Bucket, HashMismatch, Room, StoreAbsent
from media.darkroom import Darkroom
from media.keys import TransportKey
from media.scanner import Malware, Scanned, Scanner

KEY_OF = "select revoked_at, compromised_since from device where id = $1"
QUARANTINE = """
update evidence set state = $2, reason = $3,
  facts = coalesce(facts, '{}') || jsonb_build_object('refusal', $4::jsonb)
where id = $1 and state = 'received'
"""
MISS = "update evidence set state = $2, reason = $3 where id = $1"
# The original may lie under another key than the wire's bytes came under.
VERIFIED = """
update evidence set state = $2, reason = null, verified_at = $3, object_key = $4, version_id = $5,
  flags = flags || $6::text[], facts = $7, entry = $8, retain_until = $9, lock_mode = 'governance'
where id = $1
"""
DERIVE = """
insert into derivative (id, region, institution, evidence, kind, parent_sha256, sha256, size,
  object_key, recipe, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (evidence, kind, variant) do nothing
"""


class Lab(msgspec.Struct, frozen=True):
    """What bytes are proved with: store, decoder, scanner, and the keys that open sealed ones."""

    bucket: Bucket
    darkroom: Darkroom
    scanner: Scanner
    transports: Mapping[str, TransportKey]


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """A piece whose bytes hold: where its original lies now, and what was found in it."""

    seen: Examined
    scan: Scanned
    object_key: str
    version: str | None
    retain_until: datetime


async def key_of(dev: UUID | None) -> Any:  # noqa: ANN401 - a row of asyncpg
    """The standing of a device's key, or None; in the caller's transaction."""
    return await DB.connection.fetchrow(KEY_OF, dev) if dev else None


def key_fault(found: Stored, key: Any) -> str:  # noqa: ANN401 - a row of asyncpg
    """Why the key does not vouch for the piece: unknown, or revoked at capture or receipt.

    Empty as well when two persons admitted the piece in spite of it.
    """
    reason = ""
    if "unknown_key" in found.flags:
        reason = "unknown_key"
    elif key is not None and key["revoked_at"] is not None and found.received_at is not None:
        since = key["compromised_since"] or key["revoked_at"]
        late = found.captured_at is None or found.captured_at >= since
        reason = "revoked_key" if late or found.received_at >= key["revoked_at"] else ""
    return "" if custody.admitted_flag(reason) in found.flags else reason


def prove(found: Stored, lab: Lab, retain_until: datetime) -> Proved:
    """Open, hash, examine, scan, and copy under lock; blocks, so run it in a thread.

    Raises: HashMismatch ("media.hash_mismatch"), Malware, the refusals of ``sealing`` and of
    ``examination.examine``, StoreUnavailable.
    """
    piece = _opened(found, lab) if found.wrapped_key is not None else _plain(found)
    seen = examination.examine(piece, lab.bucket, lab.darkroom)
    scan = lab.scanner.scan(lab.bucket.stream(Room.QUARANTINE, piece.object_key, piece.version))
    if scan.state == "found":
        raise Malware(name=scan.detail)
    held = lab.bucket.promote(
        piece.object_key,
        version=piece.version,
        sha256_hex=piece.sha256,
        retain_until=retain_until,
    )
    return Proved(
        seen=seen,
        scan=scan,
        object_key=piece.object_key,
        version=held.version,
        retain_until=retain_until,
    )


def _plain(found: Stored) -> Piece:
    return Piece(
        id=found.id,
        region=found.region,
        sha256=found.original.sha256,
        size=found.original.size,
        mime=found.original.mime,
        object_key=found.object_key,
        version=found.version_id,
    )


def _opened(found: Stored, lab: Lab) -> Piece:
    """The plain bytes of a sealed piece, beside it in quarantine; one part is held at a time."""
    key = sealing.unwrap(found.wrapped_key or "", found.id, lab.transports)
    digest, original = sha256(), found.original

    def wire() -> Any:  # noqa: ANN401 - a generator of bytes
        for chunk in lab.bucket.stream(Room.QUARANTINE, found.object_key, found.version_id):
            digest.update(chunk)
            yield chunk

    where = f"{found.region}/{found.id}/{original.sha256}"
    plain = sealing.opened(wire(), found.id, key, size=original.size)
    held = lab.bucket.put_flow(where, plain, original.size, original.mime)
    if digest.hexdigest() != found.sha256:
        raise HashMismatch(expected=found.sha256, found=digest.hexdigest())
    return msgspec.structs.replace(_plain(found), object_key=where, version=held.version)


async def quarantine(found: Stored, reason: str, facts: Mapping[str, object], act: Act) -> None:
    """Keep a piece apart with the reason, and what the refusal said of it."""
    target = states.require(Noun.EVIDENCE, found.state, "quarantine")
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(QUARANTINE, found.id, target, reason, dict(facts))
        await record(found, "evidence.quarantined", act, reason=reason)


async def miss(found: Stored, act: Act) -> None:
    """What was received is not in the store any more: awaited again, and the log says so.

    Source: evidence spec 5 (missing).
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, found.id)
        if row["state"] != found.state:
            return
        target = states.require(Noun.EVIDENCE, found.state, "lose")
        await DB.connection.execute(MISS, found.id, target, StoreAbsent.code)
        await record(found, "evidence.lost", act, reason=StoreAbsent.code)


async def settle(found: Stored, proved: Proved, *, act: Act, rules: Library) -> None:
    """Write that a piece is verified, with its previews; its visit may be complete then."""
    async with DB.transaction(act.by.scope):
        if found.visit is not None:
            await visits.hold(found.visit)
        row = await DB.connection.fetchrow(LOCK, found.id)
        if row is None or row["state"] != "received":
            return
        target = states.require(Noun.EVIDENCE, row["state"], "verify")
        entry = await record(found, "evidence.verified", act)
        seen = proved.seen
        await DB.connection.execute(
            VERIFIED,
            found.id,
            target,
            act.at,
            proved.object_key,
            proved.version,
            list(seen.flags),
            seen.facts | {"scan": msgspec.to_builtins(proved.scan)},
            entry,
            proved.retain_until,
        )
        await _keep_previews(found, seen, act)
        await _compare(found, row["notice"], seen, act)
        if found.visit is not None:
            await visits.complete_if_ready(found.visit, act=act, rules=rules)
            await losses.settle(found.visit, act=act)


async def _compare(found: Stored, notice: UUID | None, seen: Examined, act: Act) -> None:
    """Keep what a picture looks like, and have the piece held against all others soon."""
    occasion = found.visit or notice
    if occasion is None:
        return
    if seen.look is not None:
        await pictures.keep(found.id, occasion, seen.look, region=found.region, at=act.at)
    kind = orders.VISIT if found.visit else orders.NOTICE
    await orders.order(kind, occasion, region=found.region, at=act.at)


async def _keep_previews(found: Stored, seen: Examined, act: Act) -> None:
    for made in seen.derivatives:
        await DB.connection.execute(
            DERIVE,
            act.new_id(),
            found.region,
            found.institution,
            found.id,
            made.kind,
            found.original.sha256,
            made.sha256,
            made.size,
            made.object_key,
            seen.recipe,
            act.at,
        )
