"""Re-inspections 复查: a visit that looks at findings again, by the same team or a drawn one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.queries.frames import INSPECTORS, RELATIONS
from backend.db.tables.reinspections import Reinspection as Row
from backend.piccolo_conf import DB
from backend.services import audit, errands, notices, terms, visits
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.notices import Notice
from backend.services.visits import NewAssignment, NewVisit
from inspection_plans import policy
from inspection_plans.loader import applied_sheet, jurisdiction_of

ORIGIN = """
select v.id, v.code, v.kind, v.sheet, v.jurisdiction, v.training_class,
  array(select a.inspector from assignment a where a.visit = v.id and a.state = 'active'
    order by a.place) as team,
  (select count(*) from visit o where o.region = v.region
    and starts_with(o.code, v.code || '-F')) as before
from finding f join visit v on v.id = f.visit where f.id = $1
"""
# A visit ordered for this notice that nobody has begun takes another finding along.
WAITING = """
select r.visit from reinspection r join visit v on v.id = r.visit
where r.notice = $1 and v.state in ('drawn', 'assigned') for update of r
"""
HEAD = "select size, encode(root, 'hex') as root from aud.checkpoint order by size desc limit 1"
OF = """
select r.*, v.code, v.on_date, v.state from reinspection r join visit v on v.id = r.visit
where r.notice = $1 and v.sealed_until <= $2 order by v.code
"""
Way = Literal["same_team", "draw", "open"]


class Reinspection(msgspec.Struct, frozen=True, kw_only=True):
    """复查: the visit, how its team was found, and what a drawn team can be recomputed from.

    ``candidates`` sorted by SHA-256 of ``seed`` and their id: the first are the team. ``open``
    means that nobody could be sent and a person assigns the team.
    """

    visit: UUID
    notice: UUID
    findings: tuple[UUID, ...]
    way: Way
    seed: str | None
    candidates: tuple[UUID, ...]
    code: str
    on_date: date
    state: str
    ordered_at: datetime


def ranked(seed: str, candidates: Sequence[UUID]) -> list[UUID]:
    """The candidates in the order that the seed gives them."""
    return sorted(candidates, key=lambda one: sha256(f"{seed}:{one}".encode()).digest())


async def order(notice: Notice, finding: UUID, *, act: Act) -> UUID:
    """Make the visit that looks at a finding again, or add the finding to one that waits.

    Call it in the deed's transaction.
    Source: casework 4 (creates a visit, by draw or the same team as policy says), 1 (G1).
    """
    if waiting := await DB.connection.fetchval(WAITING, notice.id):
        await DB.connection.execute(
            "update reinspection set findings = array_append(findings, $2)"
            " where visit = $1 and not $2 = any (findings)",
            waiting,
            finding,
        )
        return UUID(str(waiting))
    origin = await DB.connection.fetchrow(ORIGIN, finding)
    on = terms.term(terms.REINSPECT, trigger=on_day(act.at), region=notice.region).due_on
    way, seed, candidates, team = await _team(notice, origin, on)
    visit = act.new_id()
    await visits.create([_visit(visit, notice, origin, on, team, act)], act=act)
    await Row.insert(
        Row(
            {
                Row.visit: visit,
                Row.region: notice.region,
                Row.notice: notice.id,
                Row.findings: [finding],
                Row.way: way,
                Row.seed: seed,
                Row.candidates: candidates,
                Row.ordered_by: act.by.id,
                Row.ordered_at: act.at,
            }
        )
    )
    await audit.record(
        act,
        "visit.reinspection_ordered",
        "visit",
        visit,
        region=notice.region,
        title=notice.number or "",
        reason=way,
        after_sha256=sha256(seed.encode()).hexdigest() if seed else "",
    )
    return visit


async def _able(notice: Notice, on: date) -> list[UUID]:
    """Who may go by gate G1: available, with a certificate valid on the day and no relation."""
    rows = await DB.connection.fetch(INSPECTORS, notice.region, on.year)
    fit = [row["id"] for row in rows if row["available"] and row["licence_until"] >= on]
    related = await DB.connection.fetch(RELATIONS, [notice.institution], fit)
    lasting = {row["inspector"] for row in related if row["until"] is None or row["until"] >= on}
    return sorted(set(fit) - lasting)


async def _team(
    notice: Notice, origin: Mapping[str, Any], on: date
) -> tuple[Way, str | None, list[UUID], list[UUID]]:
    """How the team is found: the way, its seed, the candidates, the team in order."""
    place = jurisdiction_of(notice.region)
    size, able = policy.number("team_size", place), await _able(notice, on)
    same = [one for one in origin["team"] if one in able]
    if policy.policy("reinspection_team", place).value == "same_team" and len(same) >= size:
        return "same_team", None, same, same
    head = await DB.connection.fetchrow(HEAD)
    if len(able) < size or head is None:
        return "open", None, able, []
    seed = f"{head['size']}:{head['root']}:{notice.id}:{origin['before']}"
    return "draw", seed, able, ranked(seed, able)[:size]


def _visit(
    ident: UUID, notice: Notice, origin: Mapping[str, Any], on: date, team: list[UUID], act: Act
) -> NewVisit:
    """The visit: unannounced, sealed until its morning unless a person must find the team."""
    place = str(origin["jurisdiction"])
    hour = policy.number("tasks_open_at_hour", jurisdiction_of(notice.region))
    return NewVisit(
        id=ident,
        region=notice.region,
        institution=notice.institution,
        code=f"{origin['code']}-F{origin['before'] + 1}",
        kind=origin["kind"],
        unannounced=True,
        selection="reinspection",
        sheet=origin["sheet"],
        sheet_digest=applied_sheet(origin["sheet"], place, on)[1],
        jurisdiction=place,
        on_date=on,
        sealed_until=errands.opens(on, hour) if team else act.at,
        team=tuple(
            NewAssignment(inspector=one, place=number, lead=number == 1)
            for number, one in enumerate(team, 1)
        ),
        origin_notice=notice.id,
        training_class=origin["training_class"],
    )


async def of(notice_id: UUID, *, act: Act) -> tuple[Reinspection, ...]:
    """The visits ordered for a notice; one that is sealed still is told to nobody.

    Raises: Absent.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await notices.load(notice_id, act=act)
        rows = await DB.connection.fetch(OF, notice_id, act.at)
    names = Reinspection.__struct_fields__
    return tuple(msgspec.convert({n: row[n] for n in names}, Reinspection) for row in rows)
