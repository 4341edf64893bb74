"""Cases 案件: opened from a notice that failed or a critical finding, verified."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from backend.db.queries.paging import newest
from backend.db.tables.cases import CaseFile as Row
from backend.piccolo_conf import DB
from backend.services import audit, locks, notices, office_recusals, policy, reviews
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.notices import Notice
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

SPOKE = """
select min(body ->> 'stated_on') from case_step where case_file = $1 and kind = 'statement'
"""


class NoGround(ServiceRefusal):
    """A case needs critical verified findings of one institution, or a notice that failed."""

    code = "case.no_ground"
    family = Family.GATE


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """案件: its findings, its reason, how far it has come and how it ended."""

    id: UUID
    region: int
    institution: UUID
    notice: UUID | None
    findings: tuple[UUID, ...]
    state: str
    reason: str
    opened_by: UUID
    closed_by: UUID | None
    outcome: str | None
    opened_at: datetime
    closed_at: datetime | None


async def open_from_notice(notice_id: UUID, *, rev: int, reason: str, act: Act) -> Case:
    """Escalate a notice that is overdue or was refused too often; its findings become the case.

    Source: casework 4, 5. Raises: Absent, Denied, Changed, NoticeWrongState, NotExhausted,
    PartyNotHeard, Stayed.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        notice = await notices.lock(notice_id, act=act, rev=rev)
        await reviews.give_up(notice, "escalate", act=act)
        return await _open(notice, reason=reason, act=act)


async def _open(notice: Notice, *, reason: str, act: Act) -> Case:
    left = [line.finding for line in notice.findings if line.outcome != "accepted"]
    subject: dict[str, object] = {
        "region": notice.region,
        "institution": notice.institution,
        "notice": notice.id,
    }
    return await _insert(subject, left, reason=reason, act=act)


async def open_critical(findings: tuple[UUID, ...], *, reason: str, act: Act) -> Case:
    """Open a case from verified critical findings of one institution.

    Source: casework 5. Raises: Absent, Denied, FindingNotVerified, NoGround ("case.no_ground").
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(
            "select region, institution, severity, state from finding where id = any ($1)"
            " order by id for update",
            list(findings),
        )
        if len(rows) != len(set(findings)):
            raise Absent
        gates.verified_only(row["state"] for row in rows)
        subjects = {(row["region"], row["institution"]) for row in rows}
        if len(subjects) != 1 or any(row["severity"] != "critical" for row in rows):
            raise NoGround(field="findings")
        subject: dict[str, object] = dict(rows[0])
        return await _insert(subject, sorted(set(findings)), reason=reason, act=act)


async def _insert(
    subject: dict[str, object], findings: list[UUID], *, reason: str, act: Act
) -> Case:
    await office_recusals.refuse(UUID(str(subject["institution"])), act=act)
    case_id = act.new_id()
    await Row.insert(
        Row(
            {
                Row.id: case_id,
                Row.region: subject["region"],
                Row.institution: subject["institution"],
                Row.notice: subject.get("notice"),
                Row.findings: findings,
                Row.state: states.initial(Noun.CASE),
                Row.reason: reason,
                Row.opened_by: act.by.id,
                Row.opened_at: act.at,
            }
        )
    )
    case = await lock(case_id)
    await _entered(case, "case.opened", act=act, reason=reason)
    await locks.order(case_id, region=case.region, act=act)
    return case


async def lock(case_id: UUID) -> Case:
    """The case, held until COMMIT; raises Absent."""
    row = await DB.connection.fetchrow("select * from case_file where id = $1 for update", case_id)
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Case)


async def _entered(case: Case, verb: str, *, act: Act, reason: str = "") -> None:
    await audit.record(act, verb, "case", case.id, region=case.region, reason=reason)


async def verify(case_id: UUID, *, act: Act) -> Case:
    """The facts hold: every finding is verified and the party was heard about the notice.

    Source: casework 1 (G4, G5), 5. Raises: Absent, Denied, CaseWrongState, FindingNotVerified,
    PartyNotHeard.
    """
    policy.require(act.by, "cases.write")
    async with DB.transaction(act.by.scope):
        case = await lock(case_id)
        await office_recusals.refuse(case.institution, act=act)
        state = states.require(Noun.CASE, case.state, "verify")
        rows = await DB.connection.fetch(
            "select state from finding where id = any ($1)", list(case.findings)
        )
        gates.verified_only(row["state"] for row in rows)
        await heard(case, act=act)
        await Row.update({Row.state: state}).where(Row.id == case_id)
        await _entered(case, "case.verified", act=act)
        # What was proved since the case was filed is locked as hard.
        await locks.order(case_id, region=case.region, act=act)
        return await lock(case_id)


async def move(case: Case, verb: str, *, act: Act) -> Case:
    """Carry the case on; the step that does it is its entry. Raises: CaseWrongState."""
    state = states.require(Noun.CASE, case.state, verb)
    await Row.update({Row.state: state}).where(Row.id == case.id)
    # What was proved since the case was filed is locked as hard.
    await locks.order(case.id, region=case.region, act=act)
    return await lock(case.id)


async def heard(case: Case, *, act: Act) -> None:
    """G5: the party spoke to the case, or its term to speak about a served notice ran out.

    The notice is the case's own, or any that carries a finding. Raises: PartyNotHeard.
    """
    spoke = await DB.connection.fetchval(SPOKE, case.id)
    if spoke is not None:
        gates.party_heard(
            stated_on=date.fromisoformat(spoke), term_ends_on=None, today=on_day(act.at)
        )
        return
    notice_id = case.notice or await DB.connection.fetchval(
        "select n.id from notice n join notice_finding nf on nf.notice = n.id"
        " where nf.finding = any ($1) and n.served_on is not null order by n.id limit 1",
        list(case.findings),
    )
    if notice_id is None:
        gates.party_heard(stated_on=None, term_ends_on=None, today=on_day(act.at))
        return
    await reviews.heard(await notices.load(notice_id, act=act), today=on_day(act.at))


async def get(case_id: UUID, *, act: Act) -> Case:
    """One case; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from case_file where id = $1", case_id)
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Case)


async def page(
    *, act: Act, state: str | None = None, after: UUID | None = None, limit: int = 50
) -> tuple[Case, ...]:
    """Cases of the scope, newest first, those older than ``after``."""
    tests = (("state = {0}", state), ("id < {0}", after))
    statement, values = newest("select * from case_file", tests, limit)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(statement, *values)
    return tuple(msgspec.convert(dict(row), Case) for row in rows)
