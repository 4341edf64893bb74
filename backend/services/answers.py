"""Answers 检查记录: checked against the visit's sheet, kept beside other devices' answers."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import doubts, sheet_versions
from backend.services.act import Act
from backend.services.bodies import Answered, AnswerSet
from backend.services.deeds import AFTER, Deed, Effect
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import checklist
from inspection_plans.errors import Family
from media import canon
from media import ops as envelopes

# One JSON text, because arrays of sixty texts cost the driver twice as much processor time.
# An answer that a later one of the same device has overtaken changes nothing. The value is taken
# out of the exact text, so that what is read is what was signed.
RECORD = """
insert into answer (visit, dev, item, region, institution, inspector, seq, value, verdict, failed,
  reason, flags, canon, op_id, recorded_at, wave)
select $1, $2, t.item, $3, $4, $5, $6, t.canon::jsonb -> 'value', t.verdict,
  coalesce(string_to_array(nullif(t.failed, ''), ' '), '{}'), t.canon::jsonb ->> 'reason', $7,
  t.canon, $8, $9, $11
from json_to_recordset($10::json) as t (item text, verdict text, failed text, canon text)
on conflict (visit, dev, item) do update set inspector = excluded.inspector, seq = excluded.seq,
  value = excluded.value, verdict = excluded.verdict, failed = excluded.failed,
  reason = excluded.reason, flags = excluded.flags, canon = excluded.canon, op_id = excluded.op_id,
  recorded_at = excluded.recorded_at, wave = excluded.wave
where (answer.wave, answer.seq) < (excluded.wave, excluded.seq)
"""
OVERTAKEN = """
select count(*) from answer where visit = $1 and dev = $2 and item = any ($3)
  and (wave, seq) >= ($4, $5)
"""
OF_VISIT = """
select item, dev, inspector, seq, value, verdict, failed, reason, flags, recorded_at from answer
where visit = $1 order by item, dev
"""
# After these the record has been signed and judged; an answer may no longer change it.
CLOSED = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})
REMEMBERED = 65_536

_answered = msgspec.json.Decoder(Answered)


class RecordClosed(ServiceRefusal):
    """The visit's record is complete; a late answer belongs to a new record."""

    code = "answer.record_closed"
    family = Family.CONFLICT


class AnswerInvalid(ServiceRefusal):
    """An element of the answers does not have the form of an answer."""

    code = "answer.invalid"


class Judged(msgspec.Struct, frozen=True):
    """One answer with its verdict; ``failed`` are its failing parts, separated by spaces."""

    item: str
    verdict: str
    failed: str


async def record(deed: Deed, body: AnswerSet) -> Effect:
    """Keep a set of answers; within a device the last by number counts.

    They are judged by the version of the sheet that the visit began with. What comes after the
    record was signed is in doubt.
    Raises: AnswerInvalid, AnsweredTwice, those of ``checklist.judge``, NotCanonical.
    Source: evidence spec 3 (answers), settled points 2 and 3.
    """
    site = deed.site
    raws = [bytes(raw) for raw in body.answers]
    await sheet_versions.of(site.sheet_digest)
    judged = [_judged(site.sheet_digest, raw) for raw in raws]
    items = [answer.item for answer in judged]
    if len(set(items)) != len(items):
        raise checklist.AnsweredTwice(field="answers")
    if site.state in CLOSED:
        return await _late(deed, items)
    await DB.connection.execute(
        RECORD,
        site.id,
        deed.dev,
        site.region,
        site.institution,
        deed.inspector,
        deed.seq,
        deed.flags,
        deed.op_id,
        deed.act.at,
        _rows(judged, raws),
        site.wave,
    )
    return Effect(object_id=site.id)


async def _late(deed: Deed, items: list[str]) -> Effect:
    """Answers to a record that was signed: beside it, unless later ones had overtaken them all.

    Raises: RecordClosed for one that a person wants to adopt; the visit is returned first.
    """
    site = deed.site
    if deed.adopted:
        raise RecordClosed(field="visit", state=site.state)
    overtaken = await DB.connection.fetchval(
        OVERTAKEN, site.id, deed.dev, items, site.wave, deed.seq
    )
    if overtaken == len(items):
        return Effect(object_id=site.id)
    await doubts.note(deed, AFTER)
    return Effect(object_id=site.id, flags=(AFTER,))


def _rows(judged: Sequence[Judged], raws: Sequence[bytes]) -> str:
    """The verdicts beside the exact texts, as ``RECORD`` reads them."""
    rows = [
        {"item": one.item, "verdict": one.verdict, "failed": one.failed, "canon": raw.decode()}
        for one, raw in zip(judged, raws, strict=True)
    ]
    return msgspec.json.encode(rows).decode()


@lru_cache(maxsize=REMEMBERED)
def _judged(digest: str, raw: bytes) -> Judged:
    """Judge one answer from its exact bytes; the same answer on the same sheet is judged once."""
    try:
        answered = _answered.decode(raw)
    except msgspec.ValidationError as error:
        raise AnswerInvalid(field=envelopes.path_of(error), detail=str(error)) from None
    canon.spelled(raw, answered)
    found = checklist.judge(
        sheet_versions.held(digest),
        checklist.Answer(
            item=answered.item,
            value=answered.value,
            skip=answered.skip,
            reason=answered.reason,
            without=answered.without,
        ),
    )
    return Judged(found.item, str(found.verdict), " ".join(found.failed))


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """检查记录: one device's latest answer to one item."""

    item: str
    dev: UUID
    inspector: UUID
    seq: int
    value: Any
    verdict: str
    failed: tuple[str, ...]
    reason: str | None
    flags: tuple[str, ...]
    recorded_at: datetime


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[AnswerRecord, ...]:
    """Every device's latest answers, by item; raises Absent.

    Where devices disagree both stand; ``choices`` is how a person resolves it.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from visit where id = $1", visit_id):
            raise Absent
        rows = await DB.connection.fetch(OF_VISIT, visit_id)
    return tuple(record_of(row) for row in rows)


def record_of(row: Any) -> AnswerRecord:  # noqa: ANN401 - a row of asyncpg
    """The record of one row that has at least its columns."""
    fields = {name: row[name] for name in AnswerRecord.__struct_fields__}
    return msgspec.convert(fields, AnswerRecord, strict=False)
