"""Signals as reviewers see them: of one visit, page by page, and counted; never on the phone.

A person who was of the team does not see the signals about that visit, whatever else the person
may do. What a signal points at in other offices is told as their province alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import policy
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.signals import wording
from backend.services.signals.wording import Words

VerdictWord = Literal["confirmed", "explained", "unfounded"]
Standing = Literal["open", "judged", "changed"]
PROVINCE = 10_000

# Judged is a signal whose last verdict is later than its last change.
COLUMNS = """
select s.id, s.region, s.institution, i.name as institution_name, s.visit, s.notice,
  s.training_class, s.kind, s.strength, s.score, s.facts, s.links, s.evidence, s.found_at,
  s.changed_at, s.gone_at, d.verdict, d.reason, d.decided_by, d.decided_at,
  case when d.id is null then 'open' when d.decided_at < s.changed_at then 'changed'
    else 'judged' end as standing
from signal s join institution i on i.id = s.institution
left join lateral (select id, verdict, reason, decided_by, decided_at from signal_verdict
  where signal = s.id order by id desc limit 1) d on true
"""
NOT_MINE = """
and not exists (select from assignment a where a.visit = s.visit and a.inspector = $1)
"""
OF_VISIT = f"""{COLUMNS}
where coalesce(s.visit, s.notice, s.training_class)
  in ($2, (select training_class from visit where id = $2))
{NOT_MINE} order by s.gone_at is not null, s.score desc, s.id
"""  # noqa: S608 - our own constants
OF_NOTICE = f"""{COLUMNS}
where coalesce(s.visit, s.notice, s.training_class) = $2 and s.notice is not null
{NOT_MINE} order by s.gone_at is not null, s.score desc, s.id
"""
PAGE = f"""{COLUMNS}
where s.region = any ($2) and ($3::uuid is null or s.id < $3) and ($4::text is null or s.kind = $4)
  and ($5::text is null or s.strength = $5) and ($6::uuid is null or s.institution = $6)
  and s.gone_at is null and ($7::text is null or $7 = case when d.id is null then 'open'
    when d.decided_at < s.changed_at then 'changed' else 'judged' end)
{NOT_MINE} order by s.id desc limit $8
"""
ONE = f"{COLUMNS} where s.id = $2 {NOT_MINE}"
# The last verdict since the facts last changed; an earlier one is history.
LAST = """
left join lateral (select verdict from signal_verdict
  where signal = s.id and decided_at >= s.changed_at order by id desc limit 1) d on true
"""
COUNTS = f"""
select s.kind, s.strength, count(*)::int as signals,
  count(*) filter (where d.verdict is null)::int as open,
  count(*) filter (where d.verdict = 'confirmed')::int as confirmed,
  count(*) filter (where d.verdict = 'explained')::int as explained,
  count(*) filter (where d.verdict = 'unfounded')::int as unfounded
from signal s {LAST}
where s.region = any ($1) and s.gone_at is null and s.found_at >= $2
group by s.kind, s.strength order by s.kind, s.strength
"""  # noqa: S608 - our own constant
PLACES = f"""
select s.institution as id, i.name, count(*)::int as signals,
  count(*) filter (where s.strength = 'strong')::int as strong
from signal s join institution i on i.id = s.institution {LAST}
where s.region = any ($1) and s.gone_at is null and s.found_at >= $2
  and (d.verdict is null or d.verdict = 'confirmed')
group by s.institution, i.name order by strong desc, signals desc, i.name limit 20
"""  # noqa: S608 - our own constant
ELSEWHERE = """
select 'evidence' as noun, e.id, v.id as visit, v.code, i.name, e.captured_at as at
from evidence e join institution i on i.id = e.institution left join visit v on v.id = e.visit
where e.id = any ($1)
union all select 'visit', v.id, v.id, v.code, i.name, v.started_at
from visit v join institution i on i.id = v.institution where v.id = any ($2)
union all select 'training_class', c.id, null, c.code, i.name, c.starts_on::timestamptz
from training_class c join institution i on i.id = c.institution where c.id = any ($3)
"""
NOUNS = ("evidence", "visit", "training_class")


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal points at: the thing itself where the reader may see it, else its province."""

    noun: str
    province: int
    id: UUID | None = None
    visit: UUID | None = None
    code: str | None = None
    institution_name: str | None = None
    at: datetime | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer said of it last, and why."""

    verdict: VerdictWord
    reason: str
    by: UUID
    at: datetime


class SignalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """疑点: what was computed, told in two languages, and what a person thinks of it.

    ``score`` 0 to 100; ``standing`` ``changed`` when the facts moved on after the verdict.
    """

    id: UUID
    region: int
    institution: UUID
    institution_name: str
    visit: UUID | None
    notice: UUID | None
    training_class: UUID | None
    kind: str
    strength: Literal["strong", "moderate", "weak"]
    score: int
    words: dict[str, Words]
    facts: dict[str, int | str]
    evidence: tuple[UUID, ...]
    elsewhere: tuple[Elsewhere, ...]
    found_at: datetime
    changed_at: datetime
    gone_at: datetime | None
    standing: Standing
    verdict: Decided | None


class KindCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many signals of a kind stand, and what became of them."""

    kind: str
    strength: str
    signals: int
    open: int
    confirmed: int
    explained: int
    unfounded: int


class PlaceCount(msgspec.Struct, frozen=True, kw_only=True):
    """An institution with signals that nobody explained."""

    id: UUID
    name: str
    signals: int
    strong: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Signals of the reader's regions since an instant: by kind, and where most of them are."""

    since: datetime
    kinds: tuple[KindCount, ...]
    institutions: tuple[PlaceCount, ...]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals a list shows; nothing set means all that stand."""

    kind: str | None = None
    strength: str | None = None
    institution: UUID | None = None
    standing: str | None = None


async def _elsewhere(rows: Sequence[Any]) -> dict[tuple[str, str], Any]:
    """Things in other places that the reader's own scope shows."""
    ids = {
        noun: sorted(
            {UUID(one["id"]) for row in rows for one in row["links"] if one["noun"] == noun}
        )
        for noun in NOUNS
    }
    if not any(ids.values()):
        return {}
    found = await DB.connection.fetch(ELSEWHERE, *(ids[noun] for noun in NOUNS))
    return {(row["noun"], str(row["id"])): row for row in found}


def _pointed(link: Mapping[str, Any], seen: Mapping[tuple[str, str], Any]) -> Elsewhere:
    province = link["region"] // PROVINCE * PROVINCE
    row = seen.get((link["noun"], link["id"]))
    if row is None:
        return Elsewhere(noun=link["noun"], province=province)
    return Elsewhere(
        noun=link["noun"],
        province=province,
        id=row["id"],
        visit=row["visit"],
        code=row["code"],
        institution_name=row["name"],
        at=row["at"],
    )


def _record(row: Any, seen: Mapping[tuple[str, str], Any]) -> SignalRecord:  # noqa: ANN401 - a row
    decided = (
        Decided(
            verdict=row["verdict"],
            reason=row["reason"],
            by=row["decided_by"],
            at=row["decided_at"],
        )
        if row["verdict"]
        else None
    )
    same = set(SignalRecord.__struct_fields__) - {"words", "evidence", "elsewhere", "verdict"}
    return SignalRecord(
        **{name: row[name] for name in same},
        words=wording.words(row["kind"], row["facts"]),
        evidence=tuple(row["evidence"]),
        elsewhere=tuple(_pointed(link, seen) for link in row["links"]),
        verdict=decided,
    )


async def _read(act: Act, sql: str, *args: object) -> tuple[SignalRecord, ...]:
    rows = await DB.connection.fetch(sql, act.by.inspector, *args)
    seen = await _elsewhere(rows)
    return tuple(_record(row, seen) for row in rows)


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[SignalRecord, ...]:
    """Signals of a visit and of the class it was about, the gravest first, gone ones last.

    Raises: Absent, Denied.
    """
    policy.require(act.by, "signals.read")
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from visit where id = $1", visit_id):
            raise Absent
        return await _read(act, OF_VISIT, visit_id)


async def of_notice(notice_id: UUID, *, act: Act) -> tuple[SignalRecord, ...]:
    """Signals of the files of a reply, the gravest first; raises Absent, Denied."""
    policy.require(act.by, "signals.read")
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval("select true from notice where id = $1", notice_id):
            raise Absent
        return await _read(act, OF_NOTICE, notice_id)


async def page(
    wanted: Wanted, *, act: Act, after: UUID | None = None, limit: int = 100
) -> tuple[SignalRecord, ...]:
    """Signals that stand in the caller's regions, newest first, those before ``after``."""
    policy.require(act.by, "signals.read")
    async with DB.transaction(act.by.scope, readonly=True):
        return await _read(
            act,
            PAGE,
            list(act.by.regions),
            after,
            wanted.kind,
            wanted.strength,
            wanted.institution,
            wanted.standing,
            limit,
        )


async def one(signal_id: UUID, *, act: Act) -> SignalRecord:
    """One signal; raises Absent, Denied."""
    policy.require(act.by, "signals.read")
    async with DB.transaction(act.by.scope, readonly=True):
        found = await _read(act, ONE, signal_id)
    if not found:
        raise Absent
    return found[0]


async def overview(since: datetime, *, act: Act) -> Overview:
    """How many signals of which kind stand, and at which institutions most; raises Denied."""
    policy.require(act.by, "signals.read")
    regions = list(act.by.regions)
    async with DB.transaction(act.by.scope, readonly=True):
        kinds = await DB.connection.fetch(COUNTS, regions, since)
        places = await DB.connection.fetch(PLACES, regions, since)
    return Overview(
        since=since,
        kinds=tuple(KindCount(**dict(row)) for row in kinds),
        institutions=tuple(PlaceCount(**dict(row)) for row in places),
    )
