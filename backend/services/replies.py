"""Replies 陈述申辩与整改答复: drafts saved at once, sent for good with a signed receipt."""

import unicodedata
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.tables.notices import Notice as NoticeRow
from backend.db.tables.replies import Reply as Row
from backend.piccolo_conf import DB
from backend.services import audit, notices, public_objections
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, Denied, ServiceRefusal
from backend.services.notices import Notice
from backend.services.reviews import line_of
from inspection_plans import states
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media import base64url, canon
from media.keys import ServerKey

FILES_MAX = 20
BYTES_MAX = 500 * 1024 * 1024
# First bytes under a reply's receipt, so that no other signature of this key can stand for it.
DOMAIN = b"MINGCHA-REPLY-V1\n"
# Office rows never hold drafts back from the institution, nor show them to the office.
PAGE = """
select * from reply where notice = $1 and (state = 'submitted' or institution = $2) order by id
"""
PIECES = """
select id, sha256, size, state from evidence
where id = any ($1) and notice = $2 and channel = 'portal' order by id
"""
INSERT = """
insert into reply (id, region, institution, notice, finding, kind, text, evidence, state, digest,
  by_account, created_at, wanted_on)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', $9, $10, $11, $12)
on conflict (id) do nothing returning id
"""
# Every file drafted or sent for one finding since it was last decided, whichever reply names it.
NAMED = """
select count(distinct piece) from (select unnest(r.evidence) as piece from reply r
  left join notice_finding nf on nf.notice = r.notice and nf.finding = r.finding
  where r.notice = $1 and r.id <> $2 and r.finding is not distinct from $3
    and (r.submitted_at is null or nf.decided_at is null or r.submitted_at > nf.decided_at)
  union select unnest($4::uuid[])) named
"""


class AlreadySent(ServiceRefusal):
    """A reply that was sent stays as it is; an addition is a new one."""

    code = "reply.already_sent"
    family = Family.CONFLICT


class EvidenceUnfit(ServiceRefusal):
    """Evidence of another notice, or withdrawn, missing or in quarantine."""

    code = "reply.evidence_unfit"
    family = Family.GATE


class TooManyFiles(ServiceRefusal):
    """More than 20 files for one finding."""

    code = "reply.too_many_files"
    family = Family.LIMIT


class TooLarge(ServiceRefusal):
    """More than 500 MB in one reply."""

    code = "reply.too_large"
    family = Family.LIMIT


class Empty(ServiceRefusal):
    """A reply says something; an empty draft cannot be sent."""

    code = "reply.empty"


class DayMissing(ServiceRefusal):
    """A request for more time names the day until which, after today; nothing else names one."""

    code = "reply.day_missing"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What the institution writes: to one finding, or to the notice as a whole.

    ``wanted_on`` is the day until which more time is asked for.
    """

    kind: Literal["rectified", "statement", "objection", "extension", "admission"]
    text: str
    finding: UUID | None = None
    evidence: tuple[UUID, ...] = ()
    wanted_on: date | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the institution keeps: ``digest`` covers words, evidence ids and their SHA-256.

    ``raw`` and ``signature`` are base64url; the signature is Ed25519 over the domain and ``raw``.
    """

    digest: str
    sent_at: datetime
    addition: bool
    kid: str
    raw: str
    signature: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; ``digest`` is the version of a draft, the content's SHA-256 either way."""

    id: UUID
    notice: UUID
    finding: UUID | None
    kind: str
    text: str
    evidence: tuple[UUID, ...]
    wanted_on: date | None
    state: str
    digest: str
    receipt: Receipt | None
    created_at: datetime
    submitted_at: datetime | None


class _Piece(msgspec.Struct, frozen=True):
    id: UUID
    sha256: str
    size: int
    state: str


def _digest(words: Words, pieces: tuple[_Piece, ...]) -> str:
    content = {
        "kind": words.kind,
        "text": words.text,
        "finding": str(words.finding or ""),
        "evidence": [{"id": str(piece.id), "sha256": piece.sha256} for piece in pieces],
    }
    if words.wanted_on:
        content["wanted_on"] = words.wanted_on.isoformat()
    return sha256(canon.encode(content)).hexdigest()


async def _pieces(words: Words, notice_id: UUID, reply_id: UUID) -> tuple[_Piece, ...]:
    """The evidence named, each of this notice and not refused; bytes may still be on their way."""
    wanted = set(words.evidence)
    files = await DB.connection.fetchval(NAMED, notice_id, reply_id, words.finding, list(wanted))
    if files > FILES_MAX:
        raise TooManyFiles(field="evidence", files=files, max=FILES_MAX)
    rows = await DB.connection.fetch(PIECES, list(wanted), notice_id)
    found = tuple(msgspec.convert(dict(row), _Piece) for row in rows)
    bad = wanted - {piece.id for piece in found}
    bad |= {p.id for p in found if p.state in ("quarantined", "missing", "withdrawn")}
    if bad:
        raise EvidenceUnfit(field="evidence", ids=sorted(map(str, bad)))
    if (total := sum(piece.size for piece in found)) > BYTES_MAX:
        raise TooLarge(field="evidence", bytes=total, max=BYTES_MAX)
    return found


def _record(row: dict[str, Any]) -> Reply:
    return msgspec.convert({**row, "digest": row["digest"] or ""}, Reply)


def _own(act: Act) -> UUID:
    if act.by.institution is None:
        raise Denied(action="notices.reply")
    return act.by.institution


async def save(
    notice_id: UUID, reply_id: UUID, words: Words, *, base: str | None, act: Act
) -> Reply:
    """Keep a draft under the id its writer made; ``base`` is the digest they started from.

    Repeating the same words is one draft. Raises: Absent, NotOpen, ForeignFinding, AlreadySent,
    Changed ("thing.changed"), EvidenceUnfit, TooManyFiles, TooLarge.
    """
    institution = _own(act)
    words = msgspec.structs.replace(words, text=unicodedata.normalize("NFC", words.text))
    async with DB.transaction(act.by.scope):
        notice = await notices.open_for_reply(notice_id, act=act)
        if words.finding is not None:
            line_of(notice, words.finding)
        digest = _digest(words, await _pieces(words, notice_id, reply_id))
        added = await DB.connection.fetchval(
            INSERT,
            reply_id,
            notice.region,
            institution,
            notice_id,
            words.finding,
            words.kind,
            words.text,
            sorted(set(words.evidence)),
            digest,
            act.by.id,
            act.at,
            words.wanted_on,
        )
        if added is None:
            await _rewrite(notice_id, reply_id, words, digest, base=base, act=act)
        return await _load(reply_id)


async def _rewrite(
    notice_id: UUID, reply_id: UUID, words: Words, digest: str, *, base: str | None, act: Act
) -> None:
    # The id stands: another institution's row is not visible here, and is absent.
    old = await DB.connection.fetchrow(
        "select state, digest from reply where id = $1 and notice = $2 for update",
        reply_id,
        notice_id,
    )
    if old is None:
        raise Absent
    if old["digest"] == digest:
        return
    if old["state"] != "draft":
        raise AlreadySent
    if old["digest"] != base:
        raise Changed(field="base", digest=old["digest"])
    await Row.update(
        {
            Row.finding: words.finding,
            Row.kind: words.kind,
            Row.text: words.text,
            Row.evidence: sorted(set(words.evidence)),
            Row.wanted_on: words.wanted_on,
            Row.digest: digest,
            Row.by_account: act.by.id,
        }
    ).where(Row.id == reply_id)


async def _load(reply_id: UUID) -> Reply:
    row = await DB.connection.fetchrow("select * from reply where id = $1", reply_id)
    return _record(dict(row))


async def send(
    notice_id: UUID, reply_ids: tuple[UUID, ...], *, key: ServerKey, act: Act
) -> tuple[Reply, ...]:
    """Send drafts for good; each gets a receipt, and what follows the first sending is marked.

    Bytes still on their way do not hold a reply back: the receipt's digest binds their SHA-256.
    Sending the same again changes nothing. Raises: Absent, NotOpen, Empty, EvidenceUnfit.
    """
    institution = _own(act)
    async with DB.transaction(act.by.scope):
        notice = await notices.open_for_reply(notice_id, act=act)
        rows = await DB.connection.fetch(
            "select * from reply where id = any ($1) and notice = $2 and institution = $3"
            " order by id for update",
            list(reply_ids),
            notice_id,
            institution,
        )
        if len(rows) != len(set(reply_ids)):
            raise Absent
        earlier = await DB.connection.fetchval(
            "select true from reply where notice = $1 and state = 'submitted' limit 1", notice_id
        )
        drafts = [dict(row) for row in rows if row["state"] == "draft"]
        for row in drafts:
            await _seal(notice, row, addition=bool(earlier), key=key, act=act)
        kinds = {row["kind"] for row in drafts}
        if kinds - {"extension"}:
            await _answered(notice, act=act)
        if "objection" in kinds:
            await public_objections.mark(notice, act=act)
        return tuple([await _load(row["id"]) for row in rows])


async def _seal(
    notice: Notice, row: dict[str, Any], *, addition: bool, key: ServerKey, act: Act
) -> None:
    words = msgspec.convert(row, Words)
    if not words.text.strip() and not words.evidence:
        raise Empty(field="text", reply=str(row["id"]))
    wanted, asks = words.wanted_on, words.kind == "extension"
    if asks != (wanted is not None) or (wanted and wanted <= on_day(act.at)):
        raise DayMissing(field="wanted_on", reply=str(row["id"]))
    digest = _digest(words, await _pieces(words, notice.id, row["id"]))
    raw = canon.encode(
        {
            "typ": "mingcha.reply-receipt/1",
            "kid": key.kid,
            "notice": str(notice.id),
            "number": notice.number or "",
            "reply": str(row["id"]),
            "digest": digest,
            "addition": addition,
            "t": int(act.at.timestamp() * 1000),
        }
    )
    receipt = Receipt(
        digest=digest,
        sent_at=act.at,
        addition=addition,
        kid=key.kid,
        raw=base64url.encode(raw),
        signature=base64url.encode(key.sign(DOMAIN + raw)),
    )
    await Row.update(
        {
            Row.state: "submitted",
            Row.submitted_at: act.at,
            Row.digest: digest,
            Row.receipt: msgspec.to_builtins(receipt),
        }
    ).where(Row.id == row["id"])
    await audit.record(
        act,
        "reply.added" if addition else "reply.submitted",
        "reply",
        row["id"],
        region=notice.region,
        title=notice.number or "",
        after_sha256=digest,
    )


async def _answered(notice: Notice, *, act: Act) -> None:
    """The first sending answers the notice; later ones add to what is there already."""
    if notice.state == "served":
        state = states.require(Noun.NOTICE, notice.state, "answer")
        await notices.save(notice, {NoticeRow.state: state}, "notice.answered", act=act)


async def of(notice_id: UUID, *, act: Act) -> tuple[Reply, ...]:
    """Replies to a notice, oldest first: all of their own, to the office only what was sent.

    Raises: Absent (also for another institution's notice).
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(PAGE, notice_id, act.by.institution)
    return tuple(_record(dict(row)) for row in rows)
