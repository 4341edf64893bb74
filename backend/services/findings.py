"""Findings 问题: suspected until a person verifies them and names the evidence (一经调查核实)."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from backend.db.queries.paging import newest
from backend.db.tables.findings import Finding as Row
from backend.piccolo_conf import DB
from backend.services import audit, office_recusals, policy, sheet_versions, visit_records
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.visit_records import Failed
from inspection_plans import gates, states, verdict
from inspection_plans.checklist import Judged
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.sheets import Sheet
from inspection_plans.states import Noun
from inspection_plans.vocabulary import Clause, Verdict

# clauses travel as one text a row: unnest flattens an array of arrays.
INSERT = """
insert into finding (id, region, institution, visit, item, source, title_zh, detail, severity,
  clauses, state, evidence, created_at)
select t.id, $1, $2, $3, t.item, 'checklist', t.title, t.detail, t.severity,
  string_to_array(t.clauses, ' '), 'suspected', '{}', $4
from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
  as t (id, item, title, detail, severity, clauses)
on conflict (visit, item) do nothing returning id, title_zh
"""
FIT = """
select id from evidence where id = any ($1) and visit = $2 and state in ('verified', 'sealed')
"""
# What desk review found rests on filings; evidence of a later visit may be named as well.
FIT_FILED = """
select id from evidence where id = any ($1) and institution = $2
  and state in ('verified', 'sealed')
union all
select id from filing where id = any ($1) and institution = $2
  and state in ('submitted', 'accepted')
"""


class EvidenceUnfit(ServiceRefusal):
    """Named evidence is not of this visit, or its bytes are not verified yet."""

    code = "finding.evidence_unfit"
    family = Family.GATE


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """问题: what failed, by which clauses, how grave, and how far it has come."""

    id: UUID
    region: int
    institution: UUID
    visit: UUID | None
    item: str
    source: str
    title_zh: str
    detail: str
    severity: str
    clauses: tuple[str, ...]
    state: str
    evidence: tuple[UUID, ...]
    verified_by: UUID | None
    verified_at: datetime | None
    reason: str | None
    created_at: datetime


async def derive(visit_id: UUID, *, act: Act, rules: Library) -> tuple[UUID, ...]:
    """Suspect every item that any device of the visit answered with a fail; ids of the new ones.

    Runs in the transaction that completes the visit; a repeat adds nothing. Items outside the
    visit's own version of the sheet, or not asked there, make no finding.
    Source: casework 1 (G4). Raises: Absent, VersionLost ("sheet.version_lost").
    """
    async with DB.transaction(act.by.scope):
        visit = await DB.connection.fetchrow(
            "select region, institution, sheet_digest, jurisdiction, on_date from visit"
            " where id = $1",
            visit_id,
        )
        if visit is None:
            raise Absent
        place, day = visit["jurisdiction"], visit["on_date"]
        judged, details = _together(await visit_records.failing(visit_id))
        sheet = await sheet_versions.of(visit["sheet_digest"])
        titles = {item.code: item.zh for item in sheet.items}
        found = verdict.suspected(sheet, judged, _in_force(sheet, rules, place, day))
        added = await DB.connection.fetch(
            INSERT,
            visit["region"],
            visit["institution"],
            visit_id,
            act.at,
            [act.new_id() for _ in found],
            [one.item for one in found],
            [titles[one.item] for one in found],
            [details[one.item] for one in found],
            [one.severity.value for one in found],
            [" ".join(one.clauses) for one in found],
        )
        for row in added:
            await audit.record(
                act,
                "finding.suspected",
                "finding",
                row["id"],
                region=visit["region"],
                title=row["title_zh"],
            )
    return tuple(row["id"] for row in added)


def _together(failing: Sequence[Failed]) -> tuple[list[Judged], dict[str, str]]:
    """What all devices say failed, item by item, and their reasons as one text."""
    judged, details = [], {}
    for item in sorted({one.item for one in failing}):
        said = [one for one in failing if one.item == item]
        parts = sorted({part for one in said for part in one.failed})
        judged.append(Judged(item=item, verdict=Verdict.FAIL, failed=tuple(parts)))
        details[item] = "；".join(sorted({one.reason for one in said if one.reason}))
    return judged, details


def _in_force(sheet: Sheet, rules: Library, place: str, day: date) -> tuple[Clause, ...]:
    """The clauses of place and day, and what the visit's version of its sheet cites besides."""
    found = {clause.id: clause for clause in rules.effective_set(place, day)}
    cited = {code for item in sheet.items for code in item.clauses if code in rules.clauses}
    return tuple((found | {code: rules.clauses[code] for code in sorted(cited)}).values())


async def _lock(finding_id: UUID) -> Finding:
    row = await DB.connection.fetchrow(
        "select * from finding where id = $1 for update", finding_id
    )
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Finding)


async def _settled(finding: Finding, verb: str, *, act: Act, reason: str = "") -> Finding:
    await office_recusals.refuse(finding.institution, act=act)
    await audit.record(
        act,
        verb,
        "finding",
        finding.id,
        region=finding.region,
        title=finding.title_zh,
        reason=reason,
    )
    return await _lock(finding.id)


async def verify(finding_id: UUID, *, evidence: tuple[UUID, ...], act: Act) -> Finding:
    """A person states that the finding is true and names verified evidence of the same visit.

    A finding of desk review has no visit: what it rests on are filings of the institution.
    Source: casework 1 (G4). Raises: Absent, Denied, FindingWrongState, VerificationUnfounded
    ("finding.no_evidence_named"), EvidenceUnfit ("finding.evidence_unfit").
    """
    policy.require(act.by, "findings.verify")  # a job has no roles, and may not verify
    async with DB.transaction(act.by.scope):
        finding = await _lock(finding_id)
        state = states.require(Noun.FINDING, finding.state, "verify")
        gates.verification(evidence)
        fit = await DB.connection.fetch(
            FIT if finding.visit else FIT_FILED,
            list(evidence),
            finding.visit or finding.institution,
        )
        if unfit := set(evidence) - {row["id"] for row in fit}:
            raise EvidenceUnfit(field="evidence", ids=sorted(map(str, unfit)))
        await Row.update(
            {
                Row.state: state,
                Row.evidence: sorted(set(evidence)),
                Row.verified_by: act.by.id,
                Row.verified_at: act.at,
            }
        ).where(Row.id == finding_id)
        return await _settled(finding, "finding.verified", act=act)


async def dismiss(finding_id: UUID, *, reason: str, act: Act) -> Finding:
    """The suspicion was wrong; the reason stays with it. Raises: Absent, FindingWrongState."""
    return await _end(finding_id, "dismiss", "finding.dismissed", reason=reason, act=act)


async def waive(finding_id: UUID, *, reason: str, act: Act) -> Finding:
    """Verified, and nothing is ordered; the reason stays. Raises: Absent, FindingWrongState."""
    return await _end(finding_id, "waive", "finding.no_action", reason=reason, act=act)


async def _end(finding_id: UUID, verb: str, entry: str, *, reason: str, act: Act) -> Finding:
    async with DB.transaction(act.by.scope):
        finding = await _lock(finding_id)
        state = states.require(Noun.FINDING, finding.state, verb)
        await Row.update({Row.state: state, Row.reason: reason}).where(Row.id == finding_id)
        return await _settled(finding, entry, act=act, reason=reason)


async def get(finding_id: UUID, *, act: Act) -> Finding:
    """One finding; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from finding where id = $1", finding_id)
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Finding)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings a list shows; nothing set means all of the scope."""

    state: str | None = None
    visit: UUID | None = None
    institution: UUID | None = None


async def page(
    wanted: Wanted, *, act: Act, after: UUID | None = None, limit: int = 50
) -> tuple[Finding, ...]:
    """Findings of the scope, newest first, those older than ``after``."""
    tests = (
        ("state = {0}", wanted.state),
        ("visit = {0}", wanted.visit),
        ("institution = {0}", wanted.institution),
        ("id < {0}", after),
    )
    statement, values = newest("select * from finding", tests, limit)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(statement, *values)
    return tuple(msgspec.convert(dict(row), Finding) for row in rows)
