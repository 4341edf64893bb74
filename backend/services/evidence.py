"""Evidence 证据: declared by its manifest, sent to a pinned address, verified from stored bytes.

Source: evidence spec 2, 4, 5. No hash of a client is trusted; original bytes never change; what is
late, stale or under a revoked key is flagged or quarantined, never dropped.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import arrivals, settling, sheet_versions, timetokens
from backend.services.act import Act
from backend.services.bodies import EvidenceDeclare, EvidenceWithdraw
from backend.services.deeds import STALE, Blocked, Deed, Effect, Site
from backend.services.errors import Absent, ServiceRefusal
from backend.services.settling import Lab
from backend.services.stored import AWAITED, LOCK, Stored, stored
from inspection_plans import policy, states
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.sheets import Sheet
from inspection_plans.states import Noun
from inspection_plans.vocabulary import NATIONAL
from media import base64url, keys, kinds, manifest, sealing
from media.bucket import Bucket, StoreAbsent
from media.errors import Family as MediaFamily
from media.errors import MediaRefusal
from media.manifest import Manifest
from media.presign import Presigned

CLOCK_SLACK_MS = 120_000
LATE = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})
CANCELLED = frozenset({"recused", "reserve"})
# What a capture shows that belongs to no item of the sheet.
OCCASIONS = frozenset({"roll", "interview", "paper", "obstruction", "signature"})

# The chain of captures is judged here: a neighbour that is there must fit; one that has not come
# yet may come in any order, so its absence is no flag.
DECLARE = """
insert into evidence (id, region, institution, visit, channel, item, dev, kid, inst_epoch, seq,
  manifest, manifest_sha256, signature, sha256, size, mime, source, transport, state, reason,
  flags, late, disclosed, object_key, captured_at, location, declared_at)
select $1::uuid, $2, $3, $4, 'phone', $5, $6::uuid, $7, $8::text, $9::bigint, $10, $11::text, $12,
  $13, $14, $15, $16, $17, $18, $19, $20::text[]
  || array(select 'prev_mismatch' from evidence p where p.dev = $6 and p.inst_epoch = $8
       and (p.seq = $9 - 1 and p.manifest_sha256 <> $21::text
         or p.seq = $9 + 1 and convert_from(p.manifest, 'UTF8')::jsonb ->> 'prev' <> $11)
       limit 1)
  || array(select 'seq_reused' from evidence p where p.dev = $6 and p.inst_epoch = $8
       and p.seq = $9 and p.id <> $1 limit 1),
  $22, false, $23, $24, $25, $26
on conflict (id) do nothing returning flags
"""
SUSPEND = "update visit set state = $2 where id = $1"
LISTED = "select true from claim where visit = $1 and items @> $2 limit 1"
HELD = "select true from device where id = $1 and account = $2"
WITHDRAW = "update evidence set state = $2, reason = $3 where id = $1"


class DigestTaken(ServiceRefusal):
    """The id belongs to another capture; ids are made once."""

    code = "evidence.id_taken"
    family = Family.CONFLICT


class OtherVisit(ServiceRefusal):
    """The manifest is of another visit, institution or device than the operation."""

    code = "evidence.other_visit"


class TransportMismatch(ServiceRefusal):
    """Plain bytes are the original's own; sealed ones have the size that sealing gives them."""

    code = "evidence.transport_mismatch"


class Listed(ServiceRefusal):
    """The signed record lists this capture."""

    code = "evidence.listed"
    family = Family.CONFLICT


class NotSent(ServiceRefusal):
    """The store holds no object of the declared size yet; send it, then say complete."""

    code = "upload.not_there"
    family = Family.CONFLICT


class Upload(msgspec.Struct, frozen=True):
    """Where one piece stands, and the address to send it to while it is not there."""

    id: UUID
    state: str
    put: Presigned | None = None


async def declare(deed: Deed, body: EvidenceDeclare) -> Effect:
    """Take a capture's manifest; no address is opened yet.

    An unknown key, a broken chain, a clock that is off or an old assignment are flags.
    Raises: OtherVisit, TransportMismatch, DigestTaken ("evidence.…"), those of ``manifest`` and
    ``kinds.declare``.
    Source: evidence spec 2, 4, settled point 2.
    """
    site, raw = deed.site, bytes(body.manifest)
    capture, known = _read(raw, base64url.decode(body.sig, field="sig"), deed)
    _agrees(capture, body, deed)
    kinds.declare(capture.media.mime, capture.media.size)
    sheet = await sheet_versions.of(site.sheet_digest)
    captured_at, odd = _judged(capture, deed, sheet)
    flags = [*deed.flags, *odd, *(() if known else ("unknown_key",))]
    found = await DB.connection.fetchval(
        DECLARE,
        UUID(capture.id),
        site.region,
        site.institution,
        site.id,
        capture.item,
        deed.dev,
        capture.kid,
        capture.inst_epoch,
        capture.seq,
        raw,
        manifest.digest(raw),
        base64url.decode(body.sig),
        capture.media.sha256,
        capture.media.size,
        capture.media.mime,
        capture.media.src,
        msgspec.to_builtins(body.transport),
        states.initial(Noun.EVIDENCE),
        body.late_reason,
        flags,
        capture.prev,
        site.state in LATE,
        f"{site.region}/{capture.id}/{body.transport.sha256}",
        captured_at,
        msgspec.to_builtins(capture.loc),
        deed.act.at,
    )
    if found is None:
        raise DigestTaken(field="manifest.id")
    if _cancelled(site, flags, deed.seq):
        target = states.require(Noun.VISIT, site.state, "suspend")
        await DB.connection.execute(SUSPEND, site.id, target)
    added = tuple(flag for flag in found if flag not in deed.flags)
    return Effect(object_type="evidence", object_id=UUID(capture.id), flags=added)


def _cancelled(site: Site, flags: Sequence[str], seq: int) -> bool:
    """Whether a capture of a cancelled visit asks for a person's decision.

    One that its maker took before recusing is part of what the recusal ended.
    """
    open_again = site.state in CANCELLED and STALE not in flags
    return site.withdrawn or (open_again and not site.before_recusal(seq))


def _read(raw: bytes, signature: bytes, deed: Deed) -> tuple[Manifest, bool]:
    """The manifest and whether the device's key signed it; another key's is kept, unproved."""
    capture = manifest.parse(raw)
    if capture.kid != keys.key_id(deed.spki):
        return capture, False
    keys.verify_device(deed.spki, keys.Tag.CAPTURE, raw, signature)
    return capture, True


def _agrees(capture: Manifest, body: EvidenceDeclare, deed: Deed) -> None:
    """Hold the manifest against the operation that brings it."""
    said = {
        "visit": (capture.visit, str(deed.site.id)),
        "org": (capture.org, str(deed.site.institution)),
        "dev": (capture.dev, str(deed.dev)),
    }
    for field, (one, other) in said.items():
        if one != other:
            raise OtherVisit(field=f"manifest.{field}")
    sent, size = body.transport, capture.media.size
    if sent.enc == "none":
        fits = (sent.sha256, sent.size, sent.wrapped_key) == (capture.media.sha256, size, None)
    else:
        fits = sent.size == sealing.sealed_size(size) and sent.wrapped_key is not None
    if not fits:
        raise TransportMismatch(field="transport")


def _judged(capture: Manifest, deed: Deed, sheet: Sheet) -> tuple[datetime, list[str]]:
    """The time claimed by server token and monotonic clock, and what is odd about the capture.

    Source: evidence spec 2 (time is an interval), 10 (clock).
    """
    anchor, server = capture.t.anchor, deed.tools.keys.server
    proved = timetokens.time_of(anchor.tok, server)
    passed = capture.t.mono - anchor.mono
    claimed = anchor.srv + passed if proved == anchor.srv and passed >= 0 else capture.t.wall
    site = deed.site
    odd = {
        "time_unproved": proved != anchor.srv or passed < 0,
        "clock_off": abs(capture.t.wall - claimed) > CLOCK_SLACK_MS,
        "challenge_invalid": not timetokens.is_challenge(
            capture.chal, server, asg=str(site.assignment)
        ),
        "item_unknown": capture.item not in OCCASIONS and sheet.item(capture.item) is None,
        STALE: capture.asg != str(site.assignment) or capture.asg_epoch < site.epoch,
    }
    at = datetime.fromtimestamp(claimed / 1000, UTC)
    return at, [name for name, holds in odd.items() if holds and name not in deed.flags]


async def withdraw(deed: Deed, body: EvidenceWithdraw) -> Effect:
    """Withdraw a capture with a reason; manifest and number stay, the bytes are not deleted.

    What a signed record lists stays: the record would say more than it holds.
    Raises: Blocked while it is not declared, Listed ("evidence.listed"), EvidenceWrongState.
    Source: evidence spec 5 (withdrawn).
    """
    row = await DB.connection.fetchrow(LOCK, UUID(body.evidence))
    if row is None or row["visit"] != deed.site.id or row["dev"] != deed.dev:
        raise Blocked((body.evidence,))
    if deed.site.state in LATE and await DB.connection.fetchval(
        LISTED, deed.site.id, [{"id": body.evidence, "sha256": row["sha256"]}]
    ):
        raise Listed(field="evidence")
    target = states.require(Noun.EVIDENCE, row["state"], "withdraw")
    await DB.connection.execute(WITHDRAW, row["id"], target, body.reason)
    return Effect(object_type="evidence", object_id=row["id"])


async def own(evidence_id: UUID, act: Act) -> Stored:
    """The caller's own piece, locked: of the own phones, or of the institution; raises Absent.

    Who lost a phone or had it revoked sends what it declared from another one.
    """
    row = await DB.connection.fetchrow(LOCK, evidence_id)
    if row is None:
        raise Absent
    found = stored(row)
    mine = found.dev is not None and (
        found.dev == act.by.device or await DB.connection.fetchval(HELD, found.dev, act.by.id)
    )
    ours = found.channel == "portal" and found.institution == act.by.institution
    if not (mine or ours):
        raise Absent
    return found


async def urls(evidence_id: UUID, *, act: Act, bucket: Bucket) -> Upload:
    """An address pinned to this piece's length, type and hash, for 15 minutes.

    Raises: Absent, QuotaUsed ("upload.quota").
    Source: evidence spec 4.1.
    """
    async with DB.transaction(act.by.scope):
        found = await begin(await own(evidence_id, act), act)
    there = found.state not in AWAITED
    return Upload(found.id, found.state, None if there else address(found, act, bucket))


def address(found: Stored, act: Act, bucket: Bucket) -> Presigned:
    """Where an awaited piece is sent to, in one."""
    return bucket.presign_put(
        found.object_key, size=found.size, mime=found.mime, sha256_hex=found.sha256, now=act.at
    )


async def begin(found: Stored, act: Act) -> Stored:
    """The piece as one whose bytes are on their way, by whichever lane; else as it stands.

    Raises: QuotaUsed ("upload.quota").
    """
    return (await arrivals.begin([found], act))[0]


async def receive(found: Stored, *, act: Act, bucket: Bucket) -> Upload:
    """Take a piece as received when the store has its object, and have it verified; repeatable.

    Raises: NotSent ("upload.not_there"), StoreUnavailable.
    Source: evidence spec 4.1, 5 (received).
    """
    if found.state not in AWAITED:
        return Upload(found.id, found.state)
    (held,) = await arrivals.look([found], bucket)
    if held is None:
        raise NotSent(field="evidence")
    if held.size != found.size:
        raise NotSent(field="evidence", held_bytes=held.size, declared_bytes=found.size)
    return Upload(found.id, await arrivals.receive([found], {found.id: held}, act))


async def verify(evidence_id: UUID, *, act: Act, lab: Lab, rules: Library) -> None:
    """Prove the stored bytes: open what is sealed, hash, examine, copy under lock: ``verified``.

    The store is spoken to outside any transaction. A file that is not what it says becomes
    ``quarantined`` with the reason, one that is gone ``missing``; safe to repeat. The visit may
    be complete afterwards.
    Raises: refusals of family unavailable, for which the task is tried again.
    Source: evidence spec 4 (transport), 5, 12.4.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, evidence_id)
        key = await settling.key_of(row["dev"]) if row else None
    if row is None or row["state"] != "received":
        return
    found = stored(row)
    if reason := settling.key_fault(found, key):
        await settling.quarantine(found, reason, {}, act)
        return
    years = policy.number("evidence_retention_years", NATIONAL)
    retain_until = act.at + timedelta(days=366 * years)
    try:
        proved = await asyncio.to_thread(settling.prove, found, lab, retain_until)
    except StoreAbsent:
        await settling.miss(found, act)
        return
    except MediaRefusal as refusal:
        if refusal.family is MediaFamily.UNAVAILABLE:
            raise
        await settling.quarantine(found, refusal.code, refusal.facts, act)
        return
    await settling.settle(found, proved, act=act, rules=rules)
