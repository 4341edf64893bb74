"""疑似问题: failing answers to suspected findings, each with the clauses it rests on."""

from collections.abc import Collection, Iterable

from inspection_plans.checklist import Judged
from inspection_plans.sheets import Choice, Item, MultiChoice, Sheet
from inspection_plans.vocabulary import Clause, ClauseId, Record, Severity, Verdict


class Finding(Record, frozen=True, kw_only=True):
    """问题, suspected until a person verifies it; never without a clause.

    ``consequences`` is empty where the papers in force state none: report to the province then.
    """

    item: str
    severity: Severity
    clauses: tuple[ClauseId, ...]
    consequences: tuple[ClauseId, ...] = ()
    failed: tuple[str, ...] = ()


def suspected(
    sheet: Sheet, judged: Iterable[Judged], effective: Collection[Clause]
) -> tuple[Finding, ...]:
    """Return one suspected finding per failing item, in the order given.

    ``sheet`` is the version the visit began with, ``effective`` the clauses of its place and day;
    a cited clause that the packs have lost since stays cited. A ticked option
    narrows the finding to the clauses of its concepts; severity comes from the item.
    Source: national-2021-71/6.3/exit-catalogue (一经调查核实); design, step 5 (findings).
    """
    in_force = {clause.id: clause for clause in effective}
    findings = []
    for answer in judged:
        item = sheet.item(answer.item)
        if item is None or answer.verdict is not Verdict.FAIL:
            continue
        clauses = _clauses(item, answer.failed, in_force)
        findings.append(
            Finding(
                item=item.code,
                severity=item.severity,
                clauses=clauses,
                consequences=consequences(clauses, in_force),
                failed=answer.failed,
            )
        )
    return tuple(findings)


def consequences(
    clauses: Iterable[ClauseId], in_force: dict[ClauseId, Clause]
) -> tuple[ClauseId, ...]:
    """Return what follows a breach of these clauses, from the papers in force, none twice.

    Source: ``consequence`` and ``also_consequences`` of each clause.
    """
    found: dict[ClauseId, None] = {}
    for clause_id in clauses:
        clause = in_force.get(clause_id)
        for target in (clause.consequence, *clause.also_consequences) if clause else ():
            if target is not None and target in in_force:
                found[target] = None
    return tuple(found)


def _clauses(
    item: Item, failed: Collection[str], in_force: dict[ClauseId, Clause]
) -> tuple[ClauseId, ...]:
    if not failed:
        return item.clauses
    concepts: set[str] = set()
    for name in failed:
        named = _concepts(item, name)
        if not named:
            return item.clauses
        concepts |= named
    narrowed = tuple(
        clause
        for clause in item.clauses
        if clause in in_force and in_force[clause].concept in concepts
    )
    return narrowed or item.clauses


def _concepts(item: Item, failed: str) -> set[str]:
    part_name, _, code = failed.partition(":")
    for part in item.answer:
        if part.name == part_name and isinstance(part, Choice | MultiChoice):
            return {word for o in part.options if o.code == code for word in o.concepts}
    return set()
