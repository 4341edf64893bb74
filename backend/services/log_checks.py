"""A check of the log against every anchor at hand, and what the last one found.

Source: evidence spec 8 (``log verify``, nightly and on demand), 0.6: what was not checked is said.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography import x509

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import anchors, audit, log_verify
from backend.services.act import Act
from backend.services.anchors import Found, LogKey
from backend.services.log_marks import shown
from backend.services.log_replay import Fault, Held, Kind
from backend.services.log_verify import LogReport
from backend.services.log_words import say
from backend.services.texts import Language
from media import timestamps, witnessing
from media.bucket import Bucket, StoreUnavailable
from media.cosignature import Vkey
from media.timestamps import StampInvalid
from media.witnessing import WitnessFileBroken

SEQ = Scope(role="seq")
PUBLIC = Scope(role="public")
KINDS: tuple[Kind, ...] = ("bucket", "stamp", "cosignature", "witness", "paper")
LAST = """
select verified_at, size, entries, jsonb_array_length(faults) as faults,
  jsonb_array_length(gaps) as gaps from aud.verification order by verified_at desc limit 1
"""
# The first head that no stamp covers, and the last that has one.
UNSTAMPED = """
with last as (select size, stamped_at, authority from aud.checkpoint where tsr is not null
  order by size desc limit 1)
select last.stamped_at, last.authority, h.created_at as waiting_since
from (select 1) one left join last on true
left join lateral (select created_at from aud.checkpoint
  where size > coalesce(last.size, 0) order by size limit 1) h on true
"""
CHECK_LATE, STAMP_LATE = timedelta(hours=26), timedelta(hours=2)
KEEP = """
insert into aud.verification (id, verified_at, size, entries, anchors, faults, gaps, took_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class Outside(msgspec.Struct, frozen=True):
    """What a check is given from outside the database; None or empty is said as a gap."""

    bucket: Bucket | None = None
    roots: Path | None = None
    witnesses: tuple[str, ...] = ()
    witness_files: tuple[Path, ...] = ()
    papers: tuple[Path, ...] = ()


class Summary(msgspec.Struct, frozen=True):
    """The anchors of one kind: sizes from ``first`` to ``last``, and what came of them."""

    kind: Kind
    count: int
    first: int
    last: int
    held: int
    settled: int
    bad: int


class LastCheck(msgspec.Struct, frozen=True):
    """The newest kept result; without ``faults`` the log held."""

    verified_at: datetime
    size: int
    entries: int
    faults: int
    gaps: int


async def check(key: LogKey, outside: Outside) -> LogReport:
    """Recompute the whole log against every anchor that ``outside`` leads to."""
    roots = _roots(outside.roots)
    witnesses = [Vkey.read(text) for text in outside.witnesses]
    found = anchors.joined(
        [
            await asyncio.to_thread(_bucket, outside.bucket, key),
            await anchors.of_stamps(key, roots),
            await anchors.of_cosignatures(key, witnesses),
            *(_witness(file, key) for file in outside.witness_files),
            *(_paper(file, key) for file in outside.papers),
        ]
    )
    return await log_verify.log_verify(
        origin=key.origin,
        public=key.public,
        claims=found.claims,
        faults=found.faults,
        gaps=found.gaps,
    )


def _roots(file: Path | None) -> list[x509.Certificate]:
    """The certificates of a PEM file; none where it cannot be read, which is told as a gap."""
    try:
        return [] if file is None else timestamps.roots_of(file.read_bytes())
    except (OSError, StampInvalid):
        return []


def _bucket(bucket: Bucket | None, key: LogKey) -> Found:
    try:
        return Found() if bucket is None else anchors.of_bucket(bucket, key)
    except StoreUnavailable:
        return Found(gaps=(Fault("store.silent"),))


def _witness(file: Path, key: LogKey) -> Found:
    try:
        return anchors.of_witness(witnessing.read(file), key, file=file.name)
    except (OSError, WitnessFileBroken):
        return Found(gaps=(Fault("witness.unread", {"where": str(file)}),))


def _paper(file: Path, key: LogKey) -> Found:
    try:
        note = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return Found(gaps=(Fault("witness.unread", {"where": str(file)}),))
    return anchors.of_paper(note, key, where=file.name)


def summaries(held: Sequence[Held]) -> tuple[Summary, ...]:
    """The anchors by kind; kinds without any are left out."""

    def of(kind: Kind) -> Iterator[Summary]:
        mine = [one for one in held if one.claim.kind == kind]
        sizes = [one.claim.size for one in mine]
        counts = {name: sum(one.outcome == name for one in mine) for name in ("held", "settled")}
        if mine:
            bad = len(mine) - sum(counts.values())
            yield Summary(kind, len(mine), min(sizes), max(sizes), **counts, bad=bad)

    return tuple(summary for kind in KINDS for summary in of(kind))


def told(report: LogReport, language: Language) -> tuple[str, ...]:
    """The printed proof: against which anchors the log was held, and what came of it."""
    lines = []
    for one in summaries(report.held):
        facts = {name: getattr(one, name) for name in ("count", "first", "last", "held")}
        kind = say(f"kind.{one.kind}", language)
        lines.append(
            say("line.kind", language, kind=kind, settled=one.settled, bad=one.bad, **facts)
        )
        if newest := _newest(report.held, one.kind):
            lines.append(_against(newest, language))
    lines = lines or [say("line.none", language)]
    for place, origin in report.epochs:
        lines.append(say("line.epoch", language, place=place, origin=origin))
    return tuple(lines)


def _newest(held: Sequence[Held], kind: Kind) -> Held | None:
    mine = [one for one in held if one.claim.kind == kind and one.outcome == "held"]
    return max(mine, key=lambda one: one.claim.size, default=None)


def _against(one: Held, language: Language) -> str:
    claim = one.claim
    at = "–" if claim.at_ms is None else shown(datetime.fromtimestamp(claim.at_ms / 1000, UTC))
    return say(
        "line.against",
        language,
        where=claim.where,
        at=at,
        size=claim.size,
        root=claim.root.hex(),
    )


async def last() -> LastCheck | None:
    """The newest kept result, or None before the first."""
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(LAST)
    return LastCheck(**dict(row)) if row else None


async def standing(*, at: datetime) -> tuple[tuple[str, bool, str, str], ...]:
    """Part, whether all is well, and the sentence in both languages: last check, time stamps.

    Inside the caller's transaction, whose role may read the log's heads.
    """
    row = await DB.connection.fetchrow(LAST)
    checked = LastCheck(**dict(row)) if row else None
    return _checked(checked, at=at), _stamped(await DB.connection.fetchrow(UNSTAMPED), at=at)


def _both(part: str, name: str, *, ok: bool, **facts: int | str) -> tuple[str, bool, str, str]:
    return part, ok, say(name, "zh", **facts), say(name, "en", **facts)


def _checked(last: LastCheck | None, *, at: datetime) -> tuple[str, bool, str, str]:
    if last is None:
        return _both("log check", "doctor.unchecked", ok=True)
    ok = not last.faults and at - last.verified_at < CHECK_LATE
    when = shown(last.verified_at)
    return _both("log check", "doctor.checked", ok=ok, at=when, faults=last.faults, gaps=last.gaps)


def _stamped(row: Any, *, at: datetime) -> tuple[str, bool, str, str]:  # noqa: ANN401 - asyncpg's
    waiting = row["waiting_since"]
    ok = waiting is None or at - waiting < STAMP_LATE
    if row["stamped_at"] is None:
        return _both("time stamps", "doctor.unstamped", ok=ok)
    facts = {"at": shown(row["stamped_at"]), "authority": row["authority"]}
    return _both("time stamps", "doctor.stamped" if ok else "doctor.stamp_late", ok=ok, **facts)


async def keep(report: LogReport, *, act: Act, took_ms: int) -> UUID:
    """Keep what a check found, and say so in the log itself."""
    found = act.new_id()
    async with DB.transaction(SEQ):
        await DB.connection.execute(
            KEEP,
            found,
            act.at,
            report.size,
            report.entries,
            msgspec.to_builtins(summaries(report.held)),
            msgspec.to_builtins(report.faults),
            msgspec.to_builtins(report.gaps),
            took_ms,
        )
    verb = "log.verified" if not report.faults else "log.fault_found"
    async with DB.transaction(act.by.scope):
        await audit.record(act, verb, "log", found, region=act.by.region, title=f"{report.size}")
    return found
