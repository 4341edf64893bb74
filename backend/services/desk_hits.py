"""Hits of desk review: shown with formula and inputs, upheld or dismissed by a person.

An upheld hit becomes a suspected finding; gate G4 asks for its verification like any other's.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.desk.rules import DeskRule, spoken
from inspection_plans.errors import Family
from inspection_plans.loader import load_rulebook

State = Literal["suspected", "upheld", "dismissed"]
DESK = "desk"
PAGE = """
select h.*, i.name from desk_hit h join institution i on i.id = h.institution
where ($1::text is null or h.state = $1) and ($2::uuid is null or h.institution = $2)
  and ($3::text is null or h.rule = $3) and ($4::text is null or h.severity = $4)
  and ($5::uuid is null or h.id < $5) and (h.gone_at is null or $6)
order by h.id desc limit $7
"""
ONE = """
select h.*, i.name from desk_hit h join institution i on i.id = h.institution where h.id = $1
"""
LOCK = "select true from desk_hit where id = $1 for update"
JUDGE = """
update desk_hit set state = $2, judged_by = $3, judged_at = $4, reason = $5, finding = $6
where id = $1
"""
FIND = """
insert into finding (id, region, institution, visit, item, source, title_zh, detail, severity,
  clauses, state, evidence, created_at)
values ($1, $2, $3, null, $4, $5, $6, $7, $8, $9, 'suspected', '{}', $10)
"""
RUN = "select as_of, whole, judged, lacking, reviewed_at from desk_run where institution = $1"


class AlreadyJudged(ServiceRefusal):
    """Somebody has judged this hit before."""

    code: ClassVar[str] = "desk.already_judged"
    family: ClassVar[Family] = Family.CONFLICT


class HitGone(ServiceRefusal):
    """What was filed since does not show it any more; there is nothing to uphold."""

    code: ClassVar[str] = "desk.hit_gone"
    family: ClassVar[Family] = Family.CONFLICT


class Worded(msgspec.Struct, frozen=True):
    """One text in both languages."""

    zh: str
    en: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """案头审查提示: which rule, of which row, by which formula and inputs.

    ``about`` names the row, ``inputs`` are what the formula was counted with. ``gone_at``: what
    was filed since does not show it any more.
    """

    id: UUID
    region: int
    institution: UUID
    institution_name: str
    rule: str
    name: Worded
    formula: Worded
    explanation: Worded
    about: str
    verdict: str
    severity: str
    on_day: date
    inputs: dict[str, Any]
    clauses: tuple[str, ...]
    state: State
    found_at: datetime
    changed_at: datetime
    gone_at: datetime | None
    judged_by: UUID | None
    judged_at: datetime | None
    reason: str | None
    finding: UUID | None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which hits a list shows; nothing set means all that still stand."""

    state: State | None = None
    institution: UUID | None = None
    rule: str | None = None
    severity: str | None = None
    gone: bool = False


class LastRun(msgspec.Struct, frozen=True, kw_only=True):
    """When an institution was reviewed last; ``lacking``: registers nobody filed."""

    as_of: date
    whole: bool
    judged: int
    lacking: tuple[str, ...]
    reviewed_at: datetime


def _said(rule: DeskRule | None, outcome: str, inputs: dict[str, Any]) -> Worded:
    """The sentence of an outcome; its code where the rules no longer have it."""
    if rule is None or outcome not in rule.says:
        return Worded(outcome, outcome)
    words = spoken(rule.says[outcome], inputs, load_rulebook().filing_words)
    return Worded(words["zh"], words["en"])


def _of(row: Any) -> Hit:  # noqa: ANN401 - a row of the driver or None
    if row is None:
        raise Absent
    rule = load_rulebook().desk.get(row["rule"])  # a hit outlives its rule
    code = Worded(row["rule"], row["rule"])
    return Hit(
        id=row["id"],
        region=row["region"],
        institution=row["institution"],
        institution_name=row["name"],
        rule=row["rule"],
        name=Worded(rule.zh, rule.en) if rule else code,
        formula=Worded(rule.formula.zh, rule.formula.en) if rule else code,
        explanation=_said(rule, row["outcome"], row["inputs"]),
        about=row["about"],
        verdict=row["verdict"],
        severity=row["severity"],
        on_day=row["on_day"],
        inputs=row["inputs"],
        clauses=tuple(row["clauses"]),
        state=row["state"],
        found_at=row["found_at"],
        changed_at=row["changed_at"],
        gone_at=row["gone_at"],
        judged_by=row["judged_by"],
        judged_at=row["judged_at"],
        reason=row["reason"],
        finding=row["finding"],
    )


async def page(
    wanted: Wanted, *, act: Act, after: UUID | None = None, limit: int = 50
) -> tuple[Hit, ...]:
    """Hits of the scope, newest first, those older than ``after``."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            PAGE,
            wanted.state,
            wanted.institution,
            wanted.rule,
            wanted.severity,
            after,
            wanted.gone,
            limit,
        )
    return tuple(_of(row) for row in rows)


async def hit(hit_id: UUID, *, act: Act) -> Hit:
    """One hit; raises Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        return _of(await DB.connection.fetchrow(ONE, hit_id))


async def last_run(institution: UUID, *, act: Act) -> LastRun:
    """The last review of an institution; raises Absent where there was none yet."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(RUN, institution)
    if row is None:
        raise Absent
    return LastRun(**{**dict(row), "lacking": tuple(row["lacking"])})


async def _lock(hit_id: UUID) -> Hit:
    await DB.connection.fetchval(LOCK, hit_id)
    found = _of(await DB.connection.fetchrow(ONE, hit_id))
    if found.state != "suspected":
        raise AlreadyJudged(field="state", state=found.state)
    return found


async def _judged(found: Hit, state: State, *, reason: str, finding: UUID | None, act: Act) -> Hit:
    await DB.connection.execute(JUDGE, found.id, state, act.by.id, act.at, reason or None, finding)
    await audit.record(
        act,
        f"desk.{state}",
        "desk_hit",
        found.id,
        region=found.region,
        title=f"{found.rule} {found.about}",
        reason=reason,
    )
    return _of(await DB.connection.fetchrow(ONE, found.id))


async def uphold(hit_id: UUID, *, act: Act) -> Hit:
    """A person takes the hit up: it becomes a suspected finding, to be verified by gate G4.

    Raises: Absent, Denied, AlreadyJudged, HitGone ("desk.…").
    """
    policy.require(act.by, "desk.judge")  # a job has no roles, and judges nothing
    async with DB.transaction(act.by.scope):
        found = await _lock(hit_id)
        if found.gone_at is not None:
            raise HitGone(field="state")
        finding = act.new_id()
        await DB.connection.execute(
            FIND,
            finding,
            found.region,
            found.institution,
            found.rule,
            DESK,
            found.name.zh,
            f"{found.explanation.zh}（{found.about}）",
            found.severity,
            list(found.clauses),
            act.at,
        )
        await audit.record(
            act,
            "finding.suspected",
            "finding",
            finding,
            region=found.region,
            title=found.name.zh,
        )
        return await _judged(found, "upheld", reason="", finding=finding, act=act)


async def dismiss(hit_id: UUID, *, reason: str, act: Act) -> Hit:
    """The hit is explained or wrong; the reason stays with it, and other inputs open it again.

    Raises: Absent, Denied, AlreadyJudged ("desk.already_judged").
    """
    policy.require(act.by, "desk.judge")
    async with DB.transaction(act.by.scope):
        found = await _lock(hit_id)
        return await _judged(found, "dismissed", reason=reason, finding=None, act=act)
