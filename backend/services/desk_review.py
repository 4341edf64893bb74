"""Desk review 案头审查 on change: only the rules that look at what changed judge again.

Its hits are suspicions with their formula and inputs; a person judges them (``desk_hits``).
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, desk_orders, desk_views, filed_rows, regions, tasks
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.desk_views import Looked
from backend.services.errors import Absent
from inspection_plans.desk.frame import Result
from inspection_plans.desk.review import Judged, Review
from inspection_plans.desk.rules import Verdict
from inspection_plans.desk.table import CHECKS
from inspection_plans.filings import registers
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook
from inspection_plans.records import plain

SHOWN = (Verdict.FINDING, Verdict.QUESTION)
OVER = {check.name: registers()[check.over] for check in CHECKS}
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
OWNER = "select region from institution where id = $1"
LAST = "select true from desk_run where institution = $1"
HELD = """
select id, judgement, row_key, about, outcome, on_day, inputs, clauses, state, gone_at
from desk_hit where institution = $1
"""
INSERT = """
insert into desk_hit (id, region, institution, rule, judgement, row_key, about, outcome, verdict,
  severity, on_day, inputs, clauses, state, found_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'suspected', $14, $14)
"""
# What was dismissed was dismissed for these inputs: other ones are a new suspicion.
CHANGE = """
update desk_hit set on_day = $2, inputs = $3, clauses = $4, changed_at = $5, gone_at = null,
  state = case when state = 'dismissed' and inputs <> $3 then 'suspected' else state end,
  reason = case when state = 'dismissed' and inputs <> $3 then null else reason end
where id = $1
"""
GONE = "update desk_hit set gone_at = $2 where id = any($1)"
SEEN = """
update filed_row set reviewed = body where institution = $1 and reviewed is distinct from body
"""
RAN = """
insert into desk_run (institution, region, as_of, whole, judged, lacking, reviewed_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (institution) do update set as_of = excluded.as_of, whole = excluded.whole,
  judged = excluded.judged, lacking = excluded.lacking, reviewed_at = excluded.reviewed_at
"""
BELOW = "select id, region from institution where region = any(regions_below($1)) order by id"
ALL = "select institution as id, region from desk_run order by institution"
Key = tuple[str, str, str, str]


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a review did: how many judgements, how many hits are new or changed, and gone."""

    whole: bool
    judged: int
    told: int
    gone: int


async def review(institution_id: UUID, *, act: Act, rules: Library, whole: bool = False) -> Ran:
    """Look at one institution: at what changed since the last review, or at everything.

    The first review looks at everything. Runs as the product. Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(LOCK, f"desk review {institution_id}")
        region = await DB.connection.fetchval(OWNER, institution_id)
        if region is None:
            raise Absent
        await filed_rows.bring_up(institution_id, act=act)
        whole = whole or await DB.connection.fetchval(LAST, institution_id) is None
        looked = await desk_views.look(
            institution_id, region=region, above=regions.lineage(region)
        )
        today = on_day(act.at)
        judged, lacking = _judge(looked, rules.jurisdiction_of(region), today, whole=whole)
        told, gone = await _keep(institution_id, region, judged, whole=whole, act=act)
        changed = bool(looked.changes)
        await DB.connection.execute(SEEN, institution_id)
        await DB.connection.execute(
            RAN, institution_id, region, today, whole, len(judged), lacking, act.at
        )
        if told or gone:
            await audit.record(
                act,
                "desk.reviewed",
                "institution",
                institution_id,
                region=region,
                title=f"+{told} -{gone}",
            )
        if changed:
            for other in sorted(looked.others):
                await _again(other, act)
    return Ran(whole=whole, judged=len(judged), told=told, gone=gone)


def _judge(
    looked: Looked, jurisdiction: str, today: date, *, whole: bool
) -> tuple[list[Judged], list[str]]:
    rulebook = load_rulebook()
    view = looked.view(before=not whole)
    review = Review(rulebook, view, jurisdiction, today)  # type: ignore[arg-type]  # checked by the caller
    judged = list(review.everything()) if whole else review.update(looked.changes)
    mine = [one for one in judged if (OVER[one.subject[0]], one.subject[1]) in looked.own]
    lacking = sorted(name for record, name in registers().items() if not view.known(record))
    return mine, lacking


async def _keep(
    institution: UUID, region: int, judged: Iterable[Judged], *, whole: bool, act: Act
) -> tuple[int, int]:
    """Write what is new or changed and mark what is gone; how many of each."""
    held = {_key(row): row for row in await DB.connection.fetch(HELD, institution)}
    found: dict[Key, tuple[str, Result]] = {}
    subjects = set()
    for one in judged:
        subjects.add(one.subject)
        for result in one.results:
            if result.verdict in SHOWN:
                key = (*one.subject, result.about, result.outcome)
                found[key] = (one.subject[0], result)
    told = 0
    for key, (_, result) in sorted(found.items(), key=lambda pair: pair[0]):
        told += await _tell(institution, region, key, result, held.get(key), act)
    gone = [
        row["id"]
        for key, row in held.items()
        if row["gone_at"] is None and key not in found and (whole or key[:2] in subjects)
    ]
    if gone:
        await DB.connection.execute(GONE, gone, act.at)
    return told, len(gone)


def _key(row: Any) -> Key:  # noqa: ANN401 - a row of the driver
    return row["judgement"], row["row_key"], row["about"], row["outcome"]


async def _tell(
    institution: UUID,
    region: int,
    key: Key,
    result: Result,
    held: Any,  # noqa: ANN401 - a row of the driver or None
    act: Act,
) -> bool:
    inputs, clauses = plain(result.inputs), [str(clause) for clause in result.clauses]
    if held is None:
        await DB.connection.execute(
            INSERT,
            act.new_id(),
            region,
            institution,
            result.rule.id,
            *key,
            result.verdict.value,
            result.rule.severity.value,
            result.on,
            inputs,
            clauses,
            act.at,
        )
        return True
    same = (held["on_day"], held["inputs"], held["clauses"]) == (result.on, inputs, clauses)
    if same and held["gone_at"] is None:
        return False
    await DB.connection.execute(CHANGE, held["id"], result.on, inputs, clauses, act.at)
    return True


async def _again(institution: UUID, act: Act) -> None:
    """Have another institution, whose rows touch those that changed, looked at as a whole."""
    region = await DB.connection.fetchval(OWNER, institution)
    if region is not None:
        await _order_whole(institution, region, act.at)


async def _order_whole(institution: UUID, region: int, at: datetime) -> None:
    await tasks.renew(
        desk_orders.REVIEW,
        {"institution": str(institution), "whole": True},
        region=region,
        at=at,
        run_at=at,
        dedupe=f"{institution} whole",
    )


async def order_whole(region: int | None, *, act: Act) -> int:
    """Order a whole review of every institution below a region, after what its office filed.

    Without a region: of every institution that was reviewed before, because days pass.
    """
    async with DB.transaction(act.by.scope):
        if region is not None:
            await filed_rows.bring_up_office(region, act=act)
        arguments = () if region is None else (region,)
        rows = await DB.connection.fetch(ALL if region is None else BELOW, *arguments)
        for row in rows:
            await _order_whole(row["id"], row["region"], act.at)
    return len(rows)
