"""The record of a visit as its sheet sees it: what is answered, what it lacks, what failed."""

from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import sheet_versions
from inspection_plans import completeness, scoring
from inspection_plans.checklist import Judged
from inspection_plans.completeness import Carrier, Told
from inspection_plans.sheets import Sheet
from inspection_plans.vocabulary import Verdict

VISIT = """
select v.kind, v.unannounced, v.selection, v.jurisdiction, v.sheet_digest,
  i.kinds as institution_kinds
from visit v join institution i on i.id = v.institution where v.id = $1
"""
ANSWERS = """
select item, dev, value, verdict, failed, reason, canon::jsonb ->> 'without' as without
from answer a where visit = $1 and not exists (select from answer_choice c
  where c.visit = a.visit and c.item = a.item and c.keep <> a.dev and c.compared = (
    select jsonb_object_agg(b.dev, b.op_id) from answer b
    where b.visit = a.visit and b.item = a.item))
order by item, dev
"""
# A piece belongs to the record when a claim lists it, the colleague's by its hash as well; what
# is on its way counts too, because the claim itself waits for the bytes. A phone that two persons
# closed makes no claim: what came from it counts. Before the first claim whatever is proved does.
PIECES = """
with c as (select dev, items, closed_by from claim where visit = $1)
select e.item, split_part(e.mime, '/', 1) as kind, count(*)::int as pieces from evidence e
where e.visit = $1 and e.item is not null
  and (e.state in ('verified', 'sealed', 'declared', 'uploading', 'received') and exists (
      select from c where c.items
        @> jsonb_build_array(jsonb_build_object('id', e.id, 'sha256', e.sha256)))
    or e.state in ('verified', 'sealed') and (not exists (select from c)
      or exists (select from c where c.dev = e.dev and c.closed_by is not null)))
group by e.item, kind
"""
# These belong to the visit, not to one item: one conversation serves every item that asks for it.
EVENTS = """
select count(*) filter (where kind = 'interview.record')::int as interview,
  count(*) filter (where kind = 'visit.checkin' and body -> 'loc' ->> 'st' = 'ok')::int as location
from visit_event where visit = $1
"""
GRAVER = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.COULD_NOT_CHECK, Verdict.FAIL)
FILMED = frozenset({Carrier.IMAGE, Carrier.VIDEO, Carrier.AUDIO})


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """What one device says failed at one item that was asked."""

    item: str
    failed: tuple[str, ...]
    reason: str


class Points(msgspec.Struct, frozen=True, kw_only=True):
    """得分 of a sheet that scores: ``points`` of ``possible``, ``open`` of them not checked."""

    points: int
    possible: int
    open: int


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    sheet: Sheet
    facts: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    told: tuple[Told, ...]


async def facts_of(visit_id: UUID) -> dict[str, Any]:
    """What conditions may ask of a visit, inside the caller's transaction."""
    row = await DB.connection.fetchrow(VISIT, visit_id)
    return _facts(row)


async def lacks(visit_id: UUID) -> tuple[str, ...]:
    """What the visit's record lacks by its sheet, inside the caller's transaction.

    Words: ``answer:TI-01`` (no answer), ``capture:TI-08.contract`` (evidence that is asked for),
    ``bound:CV-10.0`` (a value beyond its bound, without a reason).
    Source: evidence spec 3 (completion predicate, required items).
    """
    record = await _record(visit_id)
    found = completeness.lacking(
        record.sheet, record.told, record.facts, await _held(record, visit_id)
    )
    return (
        *(f"answer:{item}" for item in found.items),
        *dict.fromkeys(f"capture:{one.item}.{one.kind}" for one in found.evidence),
        *(f"bound:{one.item}.{one.constraint}" for one in found.bounds),
    )


async def failing(visit_id: UUID) -> tuple[Failed, ...]:
    """Answers that fail an item which is asked, inside the caller's transaction."""
    record = await _record(visit_id)
    counted = completeness.counting(record.sheet, record.told, record.facts)
    asked = {(one.device, one.item) for one in counted}
    return tuple(
        Failed(item=row["item"], failed=tuple(row["failed"]), reason=row["reason"] or "")
        for row in record.rows
        if row["verdict"] == Verdict.FAIL and (str(row["dev"]), row["item"]) in asked
    )


async def points(visit_id: UUID) -> Points | None:
    """The score of the visit's record, inside the caller's transaction; None without scoring.

    Where devices disagree the gravest verdict counts.
    """
    record = await _record(visit_id)
    counted = completeness.counting(record.sheet, record.told, record.facts)
    verdicts = {one.item: one.verdict for one in sorted(counted, key=_weight)}
    judged = [Judged(item=item, verdict=verdict) for item, verdict in verdicts.items()]
    found = scoring.score(record.sheet, judged, _asked(record))
    if found is None:
        return None
    return Points(points=found.points, possible=found.possible, open=found.open)


def _weight(one: Told) -> int:
    return GRAVER.index(one.verdict)


def _asked(record: _Record) -> set[str]:
    """Items that any device of the visit is asked."""
    seen = completeness.views(record.told, record.facts).values()
    return {code for known in seen for code in completeness.relevant_items(record.sheet, known)}


def _facts(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of asyncpg
    return completeness.facts(
        kind=row["kind"],
        unannounced=row["unannounced"],
        selection=row["selection"],
        jurisdiction=row["jurisdiction"],
        institution_kinds=row["institution_kinds"],
    )


async def _record(visit_id: UUID) -> _Record:
    row = await DB.connection.fetchrow(VISIT, visit_id)
    rows = tuple(dict(one) for one in await DB.connection.fetch(ANSWERS, visit_id))
    told = tuple(
        Told(
            device=str(one["dev"]),
            item=one["item"],
            verdict=Verdict(one["verdict"]),
            value=one["value"],
            without=bool(one["without"]),
            reasoned=bool(one["reason"]),
        )
        for one in rows
    )
    sheet = await sheet_versions.of(row["sheet_digest"])
    return _Record(sheet=sheet, facts=_facts(row), rows=rows, told=told)


async def _held(record: _Record, visit_id: UUID) -> dict[str, dict[str, int]]:
    """Pieces by item and carrier; what belongs to the visit is there for every item."""
    events = await DB.connection.fetchrow(EVENTS, visit_id)
    held = {item.code: dict(events) for item in record.sheet.items}
    for row in await DB.connection.fetch(PIECES, visit_id):
        if row["item"] in held:
            carrier = row["kind"] if row["kind"] in FILMED else Carrier.FILE.value
            pieces = held[row["item"]]
            pieces[carrier] = pieces.get(carrier, 0) + row["pieces"]
    return held
