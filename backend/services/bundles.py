"""The task bundle 任务包: everything a phone needs of its visits to work without signal.

A sealed task is not sent before its hour, which alone is told; every look is an audit entry.
Source: evidence spec 3, settled points 2 and 16.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, histories, rollcalls, samples, sheet_versions, task_cursors
from backend.services.act import Act
from backend.services.errors import Denied
from backend.services.histories import History
from backend.services.rollcalls import Roster
from backend.services.samples import Drawn
from inspection_plans import completeness, policy, states
from inspection_plans.library import Library
from inspection_plans.sheets import Sheet
from inspection_plans.states import Noun
from media import tokens

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
# What may have changed since a cursor: $4 is the oldest transaction that was open then (null for
# everything), $5 the time. A sealed task changes by its hour alone.
NEWS = """
($4::text is null or v.sealed_until > $5 or v.touched >= $4::text::xid8
  or a.touched >= $4::text::xid8 or i.touched >= $4::text::xid8
  or c.touched >= $4::text::xid8 or exists (
    select from assignment b join inspector p on p.id = b.inspector where b.visit = v.id
      and (b.touched >= $4::text::xid8 or b.state = 'active' and p.touched >= $4::text::xid8)))
"""
OWN = """
from assignment a join visit v on v.id = a.visit join institution i on i.id = v.institution
left join training_class c on c.id = v.training_class
where a.inspector = $1 and a.state = 'active' and v.sealed_until <= $2
"""
MINE = f"""
select v.id, v.region, v.code, v.kind, v.unannounced, v.on_date, v.sealed_until, v.state, v.epoch,
  v.sheet, v.sheet_digest, v.jurisdiction, v.challenge, v.training_class, v.class_session,
  v.selection, v.sample_seed, v.roster_sha256, v.review_reason, a.id as assignment,
  i.id as institution, i.name as institution_name, i.kinds as institution_kinds,
  i.credit_code, i.address, i.phone, i.lat_e7, i.lon_e7, i.crs
{OWN} and v.state = any ($3) and {NEWS} order by v.on_date, v.id
"""
OVER = f"""
select v.id as visit, v.state {OWN} and v.state <> all ($3) and {NEWS} order by v.id
"""
GONE = """
select distinct a.visit from assignment a where a.inspector = $1 and a.state <> 'active'
  and ($2::text is null or a.touched >= $2::text::xid8)
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
OPEN = """
with first as (select id from visit where id = any ($1) and state = $2 order by id
  for no key update)
update visit v set state = $3, opened_at = coalesce(v.opened_at, $4) from first
where v.id = first.id returning v.id
"""
ROSTER = """
update visit v set roster_sha256 = t.sha256 from unnest($1::uuid[], $2::text[]) as t (id, sha256)
where v.id = t.id and v.roster_sha256 is null
"""


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
    history: History


class Over(msgspec.Struct, frozen=True):
    """A visit of this inspector's that is no open task any more."""

    visit: UUID
    state: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks changed since; the sheets they began with by digest, and the clauses these cite.

    ``gone`` are visits this inspector no longer has, ``over`` those that are done; ``next_at`` is
    when to ask again at the latest, if a task opens later; ``cursor`` is the next ``since``.
    ``whole``: these are all open tasks, whatever the phone had before.
    """

    cursor: str
    whole: bool
    tasks: tuple[Task, ...]
    gone: tuple[UUID, ...]
    over: tuple[Over, ...]
    next_at: datetime | None
    sheets: dict[str, dict[str, Any]]
    clauses: dict[str, str]


class _Extras(msgspec.Struct, frozen=True):
    """What tasks are made of beside their rows; rosters are by class and institution."""

    teams: dict[UUID, tuple[Colleague, ...]]
    rosters: dict[tuple[UUID, UUID], Roster]
    samples: dict[UUID, tuple[Drawn, ...]]
    histories: dict[UUID, History]


async def bundle(since: str, *, act: Act, keys: Keyring, rules: Library) -> Bundle:
    """The caller's open tasks that changed after the cursor ``since``, opening those it sends.

    A cursor that was not told to this phone (the first one, or one from before a restore) asks
    for everything. The number of questions does not grow with the number of tasks.
    Raises: Denied for somebody who is no inspector.
    """
    inspector = act.by.inspector
    if inspector is None:
        raise Denied(action="field.sync")
    async with DB.transaction(act.by.scope):
        place = await task_cursors.place(since, act=act)
        asked = (inspector, act.at, OPEN_STATES, place.oldest, place.at)
        rows = [dict(row) for row in await DB.connection.fetch(MINE, *asked)]
        sheets = {
            digest: await sheet_versions.of(digest)
            for digest in sorted({row["sheet_digest"] for row in rows})
        }
        await _first_looks(rows, act)
        extras = await _extras(rows, sheets, act)
        over = () if place.whole else await DB.connection.fetch(OVER, *asked)
        gone = await DB.connection.fetch(GONE, inspector, place.oldest)
        opens = await DB.connection.fetchval(NEXT, inspector, act.at)
        news = place.whole or bool(rows or over or gone)
        cursor = await task_cursors.told(place, act=act) if news else since
    return Bundle(
        cursor=cursor,
        whole=place.whole,
        tasks=tuple(_task(row, extras, keys) for row in rows),
        gone=tuple(row["visit"] for row in gone),
        over=tuple(Over(*row) for row in over),
        next_at=opens,
        sheets={digest: sheet_versions.document(digest) for digest in sheets},
        clauses=_clauses(sheets.values(), rules),
    )


async def _first_looks(rows: list[dict[str, Any]], act: Act) -> None:
    """Open what is looked at first, give seeds, log every look; the rows say so afterwards."""
    waiting = [row["id"] for row in rows if row["state"] == "assigned"]
    opened: set[UUID] = set()
    target = states.require(Noun.VISIT, "assigned", "open")
    if waiting:
        done = await DB.connection.fetch(OPEN, waiting, "assigned", target, act.at)
        opened = {row["id"] for row in done}
    unseeded = [row["id"] for row in rows if row["sample_seed"] is None]
    seeds = await samples.give_seeds(unseeded, act=act)
    entries = []
    for row in rows:
        row["state"] = target if row["state"] == "assigned" else row["state"]
        row["sample_seed"] = row["sample_seed"] or seeds[row["id"]]
        verb = "visit.opened" if row["id"] in opened else "visit.looked"
        entry = audit.compose(
            act, verb, "visit", row["id"], region=row["region"], title=row["code"]
        )
        entries.append((row["region"], entry))
    await audit.record_all(entries)


async def _extras(rows: list[dict[str, Any]], sheets: Mapping[str, Sheet], act: Act) -> _Extras:
    """Teams, rosters, samples and records of all tasks, a question or two each."""
    classes = {row["training_class"] for row in rows if row["training_class"]}
    rosters = await rollcalls.rosters_of(list(classes)) if classes else {}
    first = {
        row["id"]: _roster_of(row, rosters).sha256
        for row in rows
        if row["training_class"] and row["roster_sha256"] is None
    }
    if first:
        await DB.connection.execute(ROSTER, list(first), list(first.values()))
    sources = [
        samples.Source(
            visit=row["id"],
            region=row["region"],
            seed=row["sample_seed"],
            sheet=sheets[row["sheet_digest"]],
        )
        for row in rows
    ]
    return _Extras(
        teams=await _teams([row["id"] for row in rows]),
        rosters=rosters,
        samples=await samples.draw(sources, act=act),
        histories=await histories.of(row["institution"] for row in rows),
    )


def _roster_of(row: dict[str, Any], rosters: Mapping[tuple[UUID, UUID], Roster]) -> Roster:
    return rosters.get((row["training_class"], row["institution"])) or rollcalls.EMPTY


async def _teams(visits: list[UUID]) -> dict[UUID, tuple[Colleague, ...]]:
    found: dict[UUID, tuple[Colleague, ...]] = {}
    for row in await DB.connection.fetch(TEAM, visits):
        fields = {name: row[name] for name in Colleague.__struct_fields__}
        found[row["visit"]] = (*found.get(row["visit"], ()), Colleague(**fields))
    return found


def _task(row: dict[str, Any], extras: _Extras, keys: Keyring) -> Task:
    """One task from its row."""
    place = {name: row[name] for name in Place.__struct_fields__ if name in row}
    return Task(
        visit=row["id"],
        assignment=row["assignment"],
        asg_epoch=row["epoch"],
        code=row["code"],
        kind=row["kind"],
        unannounced=row["unannounced"],
        on_date=row["on_date"],
        state=row["state"],
        review_reason=row["review_reason"],
        institution=Place(**(place | {"id": row["institution"], "name": row["institution_name"]})),
        team=extras.teams.get(row["id"], ()),
        sheet=row["sheet"],
        sheet_digest=row["sheet_digest"],
        training_class=row["training_class"],
        class_session=row["class_session"],
        roster=_roster_of(row, extras.rosters) if row["training_class"] else None,
        challenge=tokens.issue_challenge(
            keys.server,
            srv=int(row["sealed_until"].timestamp() * 1000),
            nonce=bytes.fromhex(row["challenge"]),
            asg=str(row["assignment"]),
        ),
        policy=_policy(row["jurisdiction"]),
        facts=completeness.facts(**{name: row[name] for name in FACTS}),
        sample_seed=row["sample_seed"],
        samples=extras.samples[row["id"]],
        history=extras.histories.get(row["institution"], histories.NONE),
    )


@cache
def _policy(jurisdiction: str) -> dict[str, int]:
    return {name: policy.number(name, jurisdiction) for name in SETTINGS}


def _clauses(sheets: Iterable[Sheet], rules: Library) -> dict[str, str]:
    """The short text of every clause that the sheets cite, by its id."""
    cited = {clause for sheet in sheets for item in sheet.items for clause in item.clauses}
    return {code: rules.clause(code).rule.zh for code in sorted(cited) if code in rules.clauses}
