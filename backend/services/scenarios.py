"""What a simulation is run on: the plans of the year, their scope today, who can be sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db.queries.frames import INSPECTORS
from backend.piccolo_conf import DB
from backend.services import crews, frames, plans
from backend.services.planchecks import selection_doc
from backend.services.records.plans import PlanRecord
from inspection_plans.simulation import Candidate, Scenario, Stage

YEAR = """
select * from plan where region = $1 and year = $2 and (id = $3 or state in ('submitted',
  'approved', 'running', 'closed')) and coalesce(spec ->> 'origin', 'here') = 'here'
order by fire_at, id
"""


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the report has to know: which plans were drawn, who was left out."""

    plans: tuple[str, ...]
    filtered: dict[str, int]
    institutions: int
    inspectors: int


def _candidate(
    row: Mapping[str, Any], plan: PlanRecord, never: str, before: str
) -> tuple[Candidate, UUID]:
    bare, target = frames.of_row(row)
    one = Candidate(
        id=bare["id"],
        who=row["credit_code"],
        city=str(row["region"]),
        risk=row["risk_class"] or "",
        area=bare["area"],
        never=never,
        before=before,
        cap=frames.cap(row, plan),
        excluded=frames.standing(row) or ("MANUAL" if row["manual"] else None),
        days=tuple(bare.get("days", ())),
    )
    return one, target.institution


def _strata(
    rows: Sequence[Mapping[str, Any]], plan: PlanRecord, below: frames.Below
) -> tuple[list[str], list[str]]:
    """The strata of all rows while nobody, and once everybody, was visited in the term."""
    never, before = (
        frames.stratify([{**row, "seen": seen} for row in rows], plan, below)
        for seen in (False, True)
    )
    return never, before


async def _stage(plan: PlanRecord, who: dict[UUID, str], last: dict[str, Any]) -> Stage:
    found, below = await frames.facts(plan, at=plan.fire_at)
    rows = [dict(row) for row in found]
    never, before = _strata(rows, plan, below)
    candidates = []
    for row, one, other in zip(rows, never, before, strict=True):
        candidate, institution = _candidate(row, plan, one, other)
        candidates.append(candidate)
        who[institution] = candidate.who
        if row["last_visit"] is not None:
            last[candidate.who] = row["last_visit"]
    spec = plan.spec
    doc = selection_doc(spec, {stratum.name: stratum.name for stratum in spec.strata})
    doc["team"] = {"size": spec.team_size, "skills": sorted(set(spec.skills))}
    if spec.objects == "institution":
        doc["days"] = frames.working_days(plan, plan.fire_at)
    return Stage(
        code=plan.code,
        plan=doc,
        candidates=tuple(candidates),
        window_from=plan.window_from,
        cool_down_days=spec.cool_down_days,
    )


async def build(plan: PlanRecord) -> tuple[Scenario, Notes]:
    """The scenario of a plan and of the other plans of its office's year, in today's scope.

    Everybody starts the year unvisited and without load; exclusions that a rule computes from
    visits come from the simulated ones.  Raises: "frame.*" as a freeze would.
    """
    found = await DB.connection.fetch(YEAR, plan.region, plan.year, plan.id)
    year = [plans.to_plan(row) for row in found]
    who: dict[UUID, str] = {}
    last: dict[str, Any] = {}
    stages = [await _stage(one, who, last) for one in year]
    areas = {one.area for stage in stages for one in stage.candidates}
    staff, filtered, codes = [], Counter[str](), {}
    for row in await DB.connection.fetch(INSPECTORS, plan.region, plan.year):
        reason = crews.unfit(row, areas, max(one.window_until for one in year))
        if reason is not None:
            filtered[reason] += 1
            continue
        codes[row["id"]] = row["staff_code"]
        staff.append(row)
    pairs = await crews.recused(staff, sorted(who), plan)
    scenario = Scenario(
        stages=tuple(stages),
        inspectors=tuple(
            {
                "id": row["staff_code"],
                "lead": row["lead"],
                "skills": sorted(set(row["skills"])),
                "areas": sorted(areas.intersection(map(str, row["reach"]))),
                "cap": row["cap"],
            }
            for row in staff
        ),
        blocked=tuple(sorted((codes[inspector], who[whom]) for inspector, whom in pairs)),
        last_visits=last,
        alg=plan.spec.alg,
    )
    notes = Notes(
        plans=tuple(one.code for one in year),
        filtered=dict(filtered),
        institutions=len(set(who.values())),
        inspectors=len(staff),
    )
    return scenario, notes
