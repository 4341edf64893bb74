"""What follows a breach 后果 by the papers in force: clause by clause, or that none is stated."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import verdict
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.loader import jurisdiction_of

FACTS = """
select f.id, f.item, f.title_zh, f.severity, f.clauses, f.region,
  coalesce(v.jurisdiction, '') as jurisdiction,
  coalesce(v.on_date, (f.created_at at time zone 'Asia/Shanghai')::date) as on_date
from finding f left join visit v on v.id = f.visit where f.id = any ($1) order by f.item, f.id
"""


class NoneStated(ServiceRefusal):
    """The papers in force at the place and day state no such consequence for these findings."""

    code = "case.no_consequence_stated"
    family = Family.GATE


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """One clause that says what follows, in both languages."""

    clause: str
    concept: str
    zh: str
    en: str


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What follows one finding; ``none_stated`` where the papers state nothing.

    ``clauses`` are those it breaks, from the papers of the place and the day.
    """

    finding: UUID
    item: str
    title_zh: str
    severity: str
    clauses: tuple[str, ...]
    consequences: tuple[Consequence, ...]
    none_stated: bool


async def of_findings(findings: Sequence[UUID], *, rules: Library) -> tuple[Following, ...]:
    """What follows findings by the clauses of their place and day, in the running transaction.

    Source: casework 5 (computed from the effective clause set).
    """
    rows = await DB.connection.fetch(FACTS, list(findings))
    found = []
    for row in rows:
        place = row["jurisdiction"] or jurisdiction_of(row["region"])
        force = {clause.id: clause for clause in rules.effective_set(place, row["on_date"])}
        follows = tuple(
            Consequence(
                clause=one,
                concept=force[one].concept,
                zh=force[one].rule.zh,
                en=force[one].rule.en,
            )
            for one in verdict.consequences(row["clauses"], force)
        )
        found.append(
            Following(
                finding=row["id"],
                item=row["item"],
                title_zh=row["title_zh"],
                severity=row["severity"],
                clauses=tuple(row["clauses"]),
                consequences=follows,
                none_stated=not follows,
            )
        )
    return tuple(found)


async def of_case(case_id: UUID, *, rules: Library, act: Act) -> tuple[Following, ...]:
    """What follows a case's findings; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        findings = await DB.connection.fetchval(
            "select findings from case_file where id = $1", case_id
        )
        if findings is None:
            raise Absent
        return await of_findings(findings, rules=rules)


async def stated(
    findings: Sequence[UUID], concepts: Sequence[str], *, rules: Library
) -> tuple[str, ...]:
    """The clauses that state a consequence of one of these kinds, each once.

    Raises: NoneStated ("case.no_consequence_stated").
    """
    every = await of_findings(findings, rules=rules)
    clauses = {
        one.clause: None
        for following in every
        for one in following.consequences
        if one.concept in concepts
    }
    if not clauses:
        raise NoneStated(field="findings", concepts=list(concepts))
    return tuple(clauses)
