"""Visits 现场检查: created by a draw, started and submitted by phones, complete when proved so."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import (
    audit,
    findings,
    samples,
    sheet_versions,
    tasks,
    visit_events,
    visit_records,
)
from backend.services.act import Act
from backend.services.bodies import ObstructionRecord, RecusalDeclare, VisitFinalize, VisitStart
from backend.services.deeds import Deed, Effect
from inspection_plans import states
from inspection_plans.library import Library
from inspection_plans.loader import applied_sheet
from inspection_plans.states import Noun

CREATE = """
insert into visit (id, region, institution, code, plan, draw, origin_notice, kind, unannounced,
  selection, chance, training_class, class_session, sheet, sheet_digest, jurisdiction, on_date,
  sealed_until, state, challenge, sample_seed, epoch, created_at)
select t.*, 1, $1 from unnest($2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::uuid[],
  $7::uuid[], $8::uuid[], $9::text[], $10::bool[], $11::text[], $12::text[], $13::uuid[],
  $14::uuid[], $15::text[], $16::text[], $17::text[], $18::date[], $19::timestamptz[],
  $20::text[], $21::text[], $22::text[]) as t
"""
ASSIGN = """
insert into assignment (id, region, visit, inspector, place, lead, epoch, state, created_at)
select t.*, $1, 'active', $2 from unnest($3::uuid[], $4::int[], $5::uuid[], $6::uuid[], $7::int[],
  $8::bool[]) as t
"""
MOVE = """
update visit set state = $2, opened_at = coalesce(opened_at, $3),
  started_at = case when $4 then coalesce(started_at, $3) else started_at end
where id = $1
"""
CLAIM = """
with moved as (
  update visit set state = $5, opened_at = coalesce(opened_at, $8),
    started_at = coalesce(started_at, $8), submitted_at = $8
  where id = $1 and state <> $5),
claimed as (
  insert into claim (visit, dev, region, op_id, items, answers_sha256, seq, claimed_at, wave)
  values ($1, $2, $3, $4, $6, $7, $9, $8, $10)
  on conflict (visit, dev) do update set op_id = excluded.op_id, items = excluded.items,
    answers_sha256 = excluded.answers_sha256, seq = excluded.seq, claimed_at = excluded.claimed_at,
    wave = excluded.wave
  where (claim.wave, claim.seq) < (excluded.wave, excluded.seq) and claim.closed_by is null)
select count(*) from jsonb_to_recordset($6) as i (id uuid, sha256 text) where not exists (
  select from evidence e where e.id = i.id and e.visit = $1 and e.sha256 = i.sha256
    and e.state in ('verified', 'sealed'))
"""
RECUSE = """
update assignment set state = 'recused', ended_at = $2, reason = $3 where id = $1
"""
HOLD = "select true from visit where id = $1 for no key update"
READY = """
select true from visit where id = $1 and state = $2 and not exists (select from visit_missing($1))
for no key update
"""
# The predicate and the state it allows are one statement; nothing else writes this state. What
# the sheet asks for is judged just before, under the lock that every change of the record takes.
COMPLETE = """
update visit set state = $3, completed_at = $2 where id = $1 and state = $4
  and not exists (select from visit_missing($1)) returning region, code
"""
# The numbers of what this phone recorded of a visit that moves it, within one of its storages.
MOVED = """
select max(e.seq) filter (where e.kind = 'obstruction.record') as obstructed,
  greatest(max(e.seq) filter (where e.kind = 'visit.start'),
    (select max(c.seq) from claim c where c.visit = $1 and c.dev = $2 and c.wave = $3)) as begun
from visit_event e where e.visit = $1 and e.dev = $2 and e.wave = $3
  and e.kind in ('visit.start', 'obstruction.record')
"""
PENDING = frozenset({"recused", "reserve", "needs_decision"})
OBSTRUCTED = frozenset({"unreachable", "closed", "refused"})
SIGNED = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})


class NewAssignment(msgspec.Struct, frozen=True):
    """One inspector's place in the team, from 1; ``lead`` signs first."""

    inspector: UUID
    place: int
    lead: bool


class NewVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit to be made: where, by whom, with which checklist, sealed until which instant."""

    id: UUID
    region: int
    institution: UUID
    code: str
    kind: str
    unannounced: bool
    selection: Literal["random", "directed", "complaint", "reinspection"]
    sheet: str
    sheet_digest: str
    jurisdiction: str
    on_date: date
    sealed_until: datetime
    team: tuple[NewAssignment, ...]
    plan: UUID | None = None
    draw: UUID | None = None
    origin_notice: UUID | None = None
    chance: str | None = None
    training_class: UUID | None = None
    class_session: UUID | None = None


def _challenge(act: Act) -> str:
    """8 bytes nobody can foresee, from the random part of a fresh id."""
    return sha256(act.new_id().bytes).hexdigest()[:16]


def _columns(row: NewVisit, act: Act) -> tuple[object, ...]:
    """One visit in the order of ``CREATE``."""
    state = states.initial(Noun.VISIT)
    return (
        row.id,
        row.region,
        row.institution,
        row.code,
        row.plan,
        row.draw,
        row.origin_notice,
        row.kind,
        row.unannounced,
        row.selection,
        row.chance,
        row.training_class,
        row.class_session,
        row.sheet,
        row.sheet_digest,
        row.jurisdiction,
        row.on_date,
        row.sealed_until,
        states.require(Noun.VISIT, state, "assign") if row.team else state,
        _challenge(act),
        samples.fresh_seed(act),
    )


async def create(rows: Sequence[NewVisit], *, act: Act) -> None:
    """Write visits and their teams in bulk, inside the transaction of the draw that found them.

    Raises: VersionLost ("sheet.version_lost") for a sheet that is neither today's nor kept.
    Source: design, step 3 (every visit keeps how it was selected); settled point 16.
    """
    if not rows:
        return
    await _keep_versions(rows, act)
    columns = zip(*(_columns(row, act) for row in rows), strict=True)
    await DB.connection.execute(CREATE, act.at, *map(list, columns))
    await assign([(row.id, row.region, row.team) for row in rows], epoch=1, act=act)
    for row in rows:
        verb = "visit.assigned" if row.team else "visit.drawn"
        await audit.record(act, verb, "visit", row.id, region=row.region, title=row.code)


async def _keep_versions(rows: Sequence[NewVisit], act: Act) -> None:
    """Keep the sheets that visits begin with; an older version has been kept in its own time."""
    current = {}
    for sheet, place, day in {(row.sheet, row.jurisdiction, row.on_date) for row in rows}:
        applied, version = applied_sheet(sheet, place, day)
        current[version] = applied
    digests = {row.sheet_digest for row in rows}
    await sheet_versions.keep([current[one] for one in digests & set(current)], act=act)
    for digest in sorted(digests):
        await sheet_versions.of(digest)


async def assign(
    teams: Sequence[tuple[UUID, int, tuple[NewAssignment, ...]]], *, epoch: int, act: Act
) -> None:
    """Write active assignments of visits (id, region, team), inside the caller's transaction."""
    places = [
        (act.new_id(), region, visit, member.inspector, member.place, member.lead)
        for visit, region, team in teams
        for member in team
    ]
    if places:
        columns = map(list, zip(*places, strict=True))
        await DB.connection.execute(ASSIGN, epoch, act.at, *columns)


def _after(state: str, *verbs: str) -> str:
    """The state these verbs lead to; one that its state does not allow is passed over.

    Operations come in any order: a start that arrives after the submission moves nothing.
    """
    for verb in verbs:
        state = states.TRANSITIONS[Noun.VISIT][state].get(verb, state)
    return state


def _back(deed: Deed) -> tuple[str, ...]:
    """Verbs that take a visit back on which the signer was at work before the recusal."""
    recused = deed.site.state == "recused" and deed.site.before_recusal(deed.seq)
    return ("replace", "assign") if recused else ()


async def _move(deed: Deed, *verbs: str, started: bool = False) -> None:
    """Carry the visit on; ``started`` also says since when, if nothing said so before."""
    target = _after(deed.site.state, *verbs)
    if target != deed.site.state or (started and target not in PENDING):
        await DB.connection.execute(MOVE, deed.site.id, target, deed.act.at, started)


async def start(deed: Deed, _body: VisitStart) -> Effect:
    """Start a visit; a second start, or a late one, is an event and no more.

    Who found it closed and got in afterwards starts it after all; the phone's own numbers say
    which came first, in whatever order they arrive.
    """
    await visit_events.keep(deed)
    moved = await DB.connection.fetchrow(MOVED, deed.site.id, deed.dev, deed.site.wave)
    if deed.site.state in OBSTRUCTED and (moved["obstructed"] or deed.seq) >= deed.seq:
        await _move(deed, started=True)
    else:
        await _move(deed, *_back(deed), "open", "start", started=True)
    return Effect(object_id=deed.site.id)


async def obstruct(deed: Deed, body: ObstructionRecord) -> Effect:
    """Record that the visit could not be made; a start or claim after it says that it was.

    Source: design, States (unreachable, closed, refused).
    """
    await visit_events.keep(deed)
    moved = await DB.connection.fetchrow(MOVED, deed.site.id, deed.dev, deed.site.wave)
    if moved["obstructed"] == deed.seq > (moved["begun"] or 0):
        await _move(deed, "open", "start", f"mark_{body.outcome}")
    return Effect(object_id=deed.site.id)


async def recuse(deed: Deed, body: RecusalDeclare) -> Effect:
    """End the signer's own assignment 回避; before the start the visit waits for the reserve."""
    await visit_events.keep(deed)
    await DB.connection.execute(RECUSE, deed.site.assignment, deed.act.at, body.ground)
    await _move(deed, "recuse")
    await tasks.enqueue(
        "draw.refill", {"visit": str(deed.site.id)}, region=deed.site.region, at=deed.act.at
    )
    return Effect(object_type="assignment", object_id=deed.site.assignment)


async def finalize(deed: Deed, body: VisitFinalize) -> Effect:
    """Take the device's claim of all its captures and answers; ``waiting`` of ``items`` are due.

    A claim for a record that is complete already changes nothing and is told so.
    Source: evidence spec 3 (completion predicate).
    """
    site = deed.site
    if site.state in SIGNED:
        return Effect(object_id=site.id, flags=("after_signature",))
    target = _after(site.state, *_back(deed), "open", "start", "submit")
    items = [{"id": item.id, "sha256": item.sha256} for item in body.items]
    waiting = await DB.connection.fetchval(
        CLAIM,
        site.id,
        deed.dev,
        site.region,
        deed.op_id,
        target,
        items,
        body.answers_sha,
        deed.act.at,
        deed.seq,
        site.wave,
    )
    data = {"waiting": waiting, "items": len(items)}
    return Effect(object_id=site.id, data=data, may_complete=not waiting)


async def hold(visit_id: UUID) -> None:
    """Let changes of one visit's record take turns, within the caller's transaction.

    Two last captures verified at once would each see the other missing, and nobody would complete.
    """
    await DB.connection.execute(HOLD, visit_id)


async def complete_if_ready(visit_id: UUID, *, act: Act, rules: Library) -> bool:
    """Set ``complete`` when nothing listed or required is missing, and derive the findings.

    Required are the certificate shown, the signatures, the roll-call, and what the visit's own
    version of the sheet asks for. The only writer of that state.
    Source: evidence spec 0.1, 3 (completion predicate).
    """
    target = states.require(Noun.VISIT, "submitted", "complete")
    async with DB.transaction(act.by.scope):
        ready = await DB.connection.fetchval(READY, visit_id, "submitted")
        if not ready or await visit_records.lacks(visit_id):
            return False
        row = await DB.connection.fetchrow(COMPLETE, visit_id, act.at, target, "submitted")
        if row is None:
            return False
        await audit.record(
            act, "visit.completed", "visit", visit_id, region=row["region"], title=row["code"]
        )
        await findings.derive(visit_id, act=act, rules=rules)
    return True
