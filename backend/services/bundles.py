"""The task bundle 任务包: everything a phone needs of its visits to work without signal.

A sealed task is not sent before its hour, which alone is told; every look is an audit entry.
Source: evidence spec 3, settled points 2 and 16.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, rollcalls, samples, sheet_versions
from backend.services.act import Act
from backend.services.errors import Denied
from backend.services.rollcalls import Roster
from backend.services.samples import Drawn
from inspection_plans import completeness, policy, states
from inspection_plans.library import Library
from inspection_plans.sheets import Sheet
from inspection_plans.states import Noun
from media import tokens

# Rows of a transaction that was still open when the last bundle was made come a second time.
OVERLAP = timedelta(seconds=30)
SETTINGS = (
    "geofence_m",
    "location_accuracy_m",
    "scene_long_edge_px",
    "document_long_edge_px",
    "phone_keep_days",
    "team_size",
)
FACTS = ("kind", "unannounced", "selection", "jurisdiction", "institution_kinds")
OPEN_STATES = ("assigned", "opened", "started", "submitted", "returned", "needs_decision")
MINE = """
select v.id, v.region, v.code, v.kind, v.unannounced, v.on_date, v.sealed_until, v.state, v.epoch,
  v.sheet, v.sheet_digest, v.jurisdiction, v.challenge, v.training_class, v.class_session,
  v.selection, v.sample_seed, v.review_reason, a.id as assignment, i.id as institution,
  i.name as institution_name, i.kinds as institution_kinds,
  i.credit_code, i.address, i.phone, i.lat_e7, i.lon_e7, i.crs
from assignment a join visit v on v.id = a.visit join institution i on i.id = v.institution
where a.inspector = $1 and a.state = 'active' and v.sealed_until <= $2 and v.state = any ($3)
  and greatest(v.sealed_until, a.created_at, v.reviewed_at) > $4
order by v.on_date, v.id limit 200
for no key update of v
"""
GONE = """
select distinct a.visit from assignment a where a.inspector = $1 and a.ended_at > $2
  and not exists (select from assignment b where b.visit = a.visit and b.inspector = $1
    and b.state = 'active')
"""
NEXT = """
select min(v.sealed_until) from assignment a join visit v on v.id = a.visit
where a.inspector = $1 and a.state = 'active' and v.sealed_until > $2
"""
TEAM = """
select a.visit, a.inspector, i.name, i.licence_no, a.place, a.lead
from assignment a join inspector i on i.id = a.inspector
where a.visit = any ($1) and a.state = 'active' order by a.visit, a.place
"""
OPEN = "update visit set state = $2, opened_at = coalesce(opened_at, $3) where id = $1"
ROSTER = "update visit set roster_sha256 = $2 where id = $1 and roster_sha256 is null"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The institution to visit and where it says it is."""

    id: UUID
    name: str
    credit_code: str
    address: str | None
    phone: str | None
    lat_e7: int | None
    lon_e7: int | None
    crs: str | None


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """One of the team."""

    inspector: UUID
    name: str
    licence_no: str
    place: int
    lead: bool


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One visit; ``challenge`` is to be signed into check-in and captures.

    ``facts`` is what the sheet's conditions may ask of it. ``sample_seed`` decides its samples:
    those of filed populations are in ``samples``, the phone draws those that it counts itself.
    """

    visit: UUID
    assignment: UUID
    asg_epoch: int
    code: str
    kind: str
    unannounced: bool
    on_date: date
    state: str
    review_reason: str | None
    institution: Place
    team: tuple[Colleague, ...]
    sheet: str
    sheet_digest: str
    training_class: UUID | None
    class_session: UUID | None
    roster: Roster | None
    challenge: str
    policy: dict[str, int]
    facts: dict[str, Any]
    sample_seed: str
    samples: tuple[Drawn, ...]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks changed since; the sheets they began with by digest, and the clauses these cite.

    ``gone`` are visits this inspector no longer has; ``next_at`` is when to ask again at the
    latest, if a task opens later; ``cursor`` is the next ``since``.
    """

    cursor: int
    tasks: tuple[Task, ...]
    gone: tuple[UUID, ...]
    next_at: datetime | None
    sheets: dict[str, dict[str, Any]]
    clauses: dict[str, str]


async def bundle(since: int, *, act: Act, keys: Keyring, rules: Library) -> Bundle:
    """The caller's open tasks that changed after ``since`` (0 = all), opening those it sends.

    Raises: Denied for somebody who is no inspector.
    """
    inspector = act.by.inspector
    if inspector is None:
        raise Denied(action="field.sync")
    # A cursor ahead of our clock is from before the clock was set back: everything is new.
    known = since if since <= act.at.timestamp() * 1000 else 0
    after = datetime.fromtimestamp(known / 1000, act.at.tzinfo) - OVERLAP
    async with DB.transaction(act.by.scope):
        rows = [
            dict(row)
            for row in await DB.connection.fetch(MINE, inspector, act.at, OPEN_STATES, after)
        ]
        team = await _team([row["id"] for row in rows])
        tasks = [await _task(row, team.get(row["id"], ()), act, keys) for row in rows]
        gone = await DB.connection.fetch(GONE, inspector, after)
        opens = await DB.connection.fetchval(NEXT, inspector, act.at)
        digests = {row["sheet_digest"] for row in rows}
        sheets = {digest: await sheet_versions.of(digest) for digest in sorted(digests)}
    return Bundle(
        cursor=int(act.at.timestamp() * 1000),
        tasks=tuple(tasks),
        gone=tuple(row["visit"] for row in gone),
        next_at=opens,
        sheets={digest: sheet_versions.document(digest) for digest in sheets},
        clauses=_clauses(sheets.values(), rules),
    )


async def _team(visits: list[UUID]) -> dict[UUID, tuple[Colleague, ...]]:
    found: dict[UUID, tuple[Colleague, ...]] = {}
    for row in await DB.connection.fetch(TEAM, visits):
        fields = {name: row[name] for name in Colleague.__struct_fields__}
        found[row["visit"]] = (*found.get(row["visit"], ()), Colleague(**fields))
    return found


async def _task(row: dict[str, Any], team: tuple[Colleague, ...], act: Act, keys: Keyring) -> Task:
    """One task; the first look opens the visit, and every look is logged."""
    state = await _opened(row, act)
    roster = None
    if row["training_class"] is not None:
        roster = await rollcalls.roster_of(row["training_class"], row["institution"])
        await DB.connection.execute(ROSTER, row["id"], roster.sha256)
    seed = row["sample_seed"] or await samples.give_seed(row["id"], act=act)
    place = {name: row[name] for name in Place.__struct_fields__ if name in row}
    return Task(
        visit=row["id"],
        assignment=row["assignment"],
        asg_epoch=row["epoch"],
        code=row["code"],
        kind=row["kind"],
        unannounced=row["unannounced"],
        on_date=row["on_date"],
        state=state,
        review_reason=row["review_reason"],
        institution=Place(**(place | {"id": row["institution"], "name": row["institution_name"]})),
        team=team,
        sheet=row["sheet"],
        sheet_digest=row["sheet_digest"],
        training_class=row["training_class"],
        class_session=row["class_session"],
        roster=roster,
        challenge=tokens.issue_challenge(
            keys.server,
            srv=int(row["sealed_until"].timestamp() * 1000),
            nonce=bytes.fromhex(row["challenge"]),
            asg=str(row["assignment"]),
        ),
        policy={name: policy.number(name, row["jurisdiction"]) for name in SETTINGS},
        facts=completeness.facts(**{name: row[name] for name in FACTS}),
        sample_seed=seed,
        samples=await _samples(row, seed, act),
    )


async def _samples(row: dict[str, Any], seed: str, act: Act) -> tuple[Drawn, ...]:
    source = samples.Source(
        visit=row["id"],
        region=row["region"],
        institution=row["institution"],
        training_class=row["training_class"],
        on_date=row["on_date"],
        seed=seed,
    )
    return await samples.draw(source, await sheet_versions.of(row["sheet_digest"]), act=act)


async def _opened(row: dict[str, Any], act: Act) -> str:
    state: str = row["state"]
    first = state == "assigned"
    if first:
        state = states.require(Noun.VISIT, state, "open")
        await DB.connection.execute(OPEN, row["id"], state, act.at)
    await audit.record(
        act,
        "visit.opened" if first else "visit.looked",
        "visit",
        row["id"],
        region=row["region"],
        title=row["code"],
    )
    return state


def _clauses(sheets: Iterable[Sheet], rules: Library) -> dict[str, str]:
    """The short text of every clause that the sheets cite, by its id."""
    cited = {clause for sheet in sheets for item in sheet.items for clause in item.clauses}
    return {code: rules.clause(code).rule.zh for code in sorted(cited) if code in rules.clauses}
