"""The risk class 信用风险分类 of an institution: its facts, their grade, and its record."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, versions
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.imports.institutions import INSTITUTIONS
from backend.services.records.directories import Institution
from inspection_plans import risk
from inspection_plans.loader import jurisdiction_of, load_settings
from inspection_plans.risk import Breach, Fact, Facts, Grade, Overdue, RiskClass, Start
from inspection_plans.vocabulary import Severity

ONE = "select * from institution where id = $1"
LOCKED = ONE + " for update"
# The class a directory was given from outside; what this module recorded came from no import.
START = """
select payload ->> 'risk_class' as risk_class, valid_from from directory_version
where kind = 'institution' and subject = $1 and import_run is not null and valid_from <= $2
order by rev desc limit 1
"""
# An objection is an appeal until the office has decided on the finding it is about.
APPEALED = """
exists (select from reply r where r.notice = nf.notice and r.kind = 'objection'
  and r.state = 'submitted' and r.submitted_at <= $2 and (r.finding is null or r.finding = f.id)
  and (nf.decided_at is null or nf.decided_at < r.submitted_at))
"""
BREACHES = f"""
select f.severity, coalesce(f.verified_at, f.created_at) as at,
  f.verified_at is not null as verified,
  exists (select from notice_finding nf where nf.finding = f.id and {APPEALED}) as in_appeal
from finding f where f.institution = $1 and f.state <> 'dismissed' and f.created_at <= $2
  and (f.verified_at is null or f.verified_at <= $2)
"""  # noqa: S608 - fixed text
OVERDUE = f"""
select coalesce(nf.due_on, n.due_on) as due_on,
  case when nf.outcome = 'not_accepted' then null else
  (select max(r.submitted_at) from reply r where r.notice = n.id and r.kind = 'rectified'
    and r.state = 'submitted' and r.submitted_at <= $2 and (r.finding is null or r.finding = f.id))
  end as done_at, {APPEALED} as in_appeal
from notice n join notice_finding nf on nf.notice = n.id join finding f on f.id = nf.finding
where n.institution = $1 and n.kind = 'order' and n.served_on is not null
  and coalesce(nf.due_on, n.due_on) is not null
"""  # noqa: S608 - fixed text
# A refusal is a fact once a person has reviewed or concluded the visit.
OBSTRUCTIONS = """
select e.recorded_at as at, v.reviewed_at is not null or v.concluded_at is not null as verified
from visit_event e join visit v on v.id = e.visit
where v.institution = $1 and e.kind = 'obstruction.record' and e.body ->> 'outcome' = 'refused'
  and e.recorded_at <= $2
"""
CLEAN = """
select concluded_at as at from visit v where institution = $1 and state = 'concluded'
  and concluded_at <= $2 and submitted_at is not null
  and not exists (select from finding f where f.visit = v.id and f.state <> 'dismissed')
"""
CASE = "select exists (select from case_file where institution = $1 and closed_at is null)"
REGRADE = """
update institution set risk_class = $2, rev = rev + 1, updated_at = $3 where id = $1 returning *
"""
# Without a fact of its own an institution keeps the class its directory was imported with.
KNOWN = """
select id from institution i where exists (select from finding f where f.institution = i.id
  and f.verified_at is not null) or exists (select from visit v where v.institution = i.id
  and (v.concluded_at is not null or v.reviewed_at is not null)) order by id
"""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's class as recorded, and what its facts come to, with every factor."""

    institution: UUID
    recorded: str
    grade: Grade


async def standing(institution_id: UUID, *, act: Act) -> Standing:
    """Explain the grade of an institution as of now; changes nothing.

    Source: design, step 10 (published, explained, appealable).
    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        held = await _load(ONE, institution_id)
        found = await _grade(held, act.at)
    return Standing(institution=held.id, recorded=held.risk_class, grade=found)


async def regrade(institution_id: UUID, *, act: Act) -> Standing:
    """Record the grade where it differs: a new version of the directory, with its audit entry.

    The next draw's strata read the class from the directory; a second call changes nothing.
    Source: design, step 10; gates, G4.
    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope):
        held = await _load(LOCKED, institution_id)
        found = await _grade(held, act.at)
        if found.risk_class == held.risk_class:
            return Standing(institution=held.id, recorded=held.risk_class, grade=found)
        row = await DB.connection.fetchrow(REGRADE, held.id, found.risk_class.value, act.at)
        now = Institution.of(row)
        await versions.record("institution", await INSTITUTIONS.changes([now]), act=act, run=None)
        await audit.record(
            act,
            "institution.regraded",
            "institution",
            now.id,
            region=now.region,
            title=now.name,
            rev=now.rev,
            reason=_reason(held, found),
        )
    return Standing(institution=now.id, recorded=now.risk_class, grade=found)


async def regrade_all(*, act: Act) -> int:
    """Regrade every institution in scope that has facts, each by itself; how many changed."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(KNOWN)
        before = dict(await DB.connection.fetch("select id, risk_class from institution"))
    changed = 0
    for row in rows:
        changed += (await regrade(row["id"], act=act)).recorded != before[row["id"]]
    return changed


async def _load(query: str, institution_id: UUID) -> Institution:
    row = await DB.connection.fetchrow(query, institution_id)
    if row is None:
        raise Absent
    return Institution.of(row)


async def _grade(held: Institution, at: datetime) -> Grade:
    facts = await _facts(held, at)
    place = jurisdiction_of(held.region)
    return risk.grade(facts, load_settings(), place, on_day(at))


async def _facts(held: Institution, at: datetime) -> Facts:
    """Load what is known of an institution at an instant, inside the caller's transaction."""
    start = await DB.connection.fetchrow(START, held.id, at)
    breaches = await DB.connection.fetch(BREACHES, held.id, at)
    overdue = await DB.connection.fetch(OVERDUE, held.id, at)
    obstructions = await DB.connection.fetch(OBSTRUCTIONS, held.id, at)
    clean = await DB.connection.fetch(CLEAN, held.id, at)
    in_case = await DB.connection.fetchval(CASE, held.id)
    return Facts(
        start=_start(start),
        breaches=tuple(
            Breach(
                on=on_day(row["at"]),
                verified=row["verified"],
                in_appeal=row["in_appeal"],
                severity=Severity(row["severity"]),
            )
            for row in breaches
        ),
        overdue=tuple(
            Overdue(
                due_on=row["due_on"],
                done_on=on_day(row["done_at"]) if row["done_at"] else None,
                in_appeal=row["in_appeal"],
            )
            for row in overdue
        ),
        obstructions=tuple(
            Fact(on=on_day(row["at"]), verified=row["verified"]) for row in obstructions
        ),
        clean=tuple(on_day(row["at"]) for row in clean),
        not_below=RiskClass(held.risk_class) if in_case else None,
    )


def _start(row: Any) -> Start | None:  # noqa: ANN401 - a driver's row or None
    if row is None:
        return None
    return Start(risk_class=RiskClass(row["risk_class"]), on=on_day(row["valid_from"]))


def _reason(held: Institution, found: Grade) -> str:
    """Say the change and its factors in one line of the log."""
    parts = ", ".join(f"{one.name} {one.points}" for one in found.factors if one.points)
    return f"{held.risk_class} -> {found.risk_class}: {found.points} ({parts})"
