"""Acts of two persons on one piece of evidence: admit it, make it void, lift its lock.

One proposes with a reason, another decides with a reason; nothing is ever deleted.
Source: evidence spec 5 (quarantined), 12.2 (two-person acts).
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import policy, tasks
from backend.services.act import Act
from backend.services.arrivals import VERIFY
from backend.services.errors import Absent, ServiceRefusal
from backend.services.locks import UNLOCK
from backend.services.stored import LOCK, record, stored
from inspection_plans import custody, gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

Kind = Literal["admit", "void", "unlock"]

COLUMNS = """
select a.*, e.visit, e.state as evidence_state
from custody_act a join evidence e on e.id = a.evidence
"""
ONE = COLUMNS + "where a.id = $1 for no key update of a"
OF_EVIDENCE = COLUMNS + "where a.evidence = $1 order by a.id"
PAGE = (
    COLUMNS
    + """
where ($1::text is null or a.state = $1) and ($2::uuid is null or a.id < $2)
order by a.id desc limit $3
"""
)
PROPOSE = """
insert into custody_act (id, region, evidence, kind, state, reason, proposed_by, proposed_at)
values ($1, $2, $3, $4, 'proposed', $5, $6, $7)
on conflict (evidence, kind) where state = 'proposed' do nothing returning id
"""
DECIDE = """
update custody_act set state = $2, decided_by = $3, decided_at = $4, decision = $5 where id = $1
"""
ADMIT = "update evidence set state = $2, reason = null, flags = flags || $3::text[] where id = $1"
VOID = "update evidence set state = $2, reason = $3 where id = $1"


class ActOpen(ServiceRefusal):
    """The same is proposed for this piece already and waits for a second person."""

    code = "evidence.act_open"
    family = Family.CONFLICT


class ActDecided(ServiceRefusal):
    """A second person has decided this already."""

    code = "evidence.act_decided"
    family = Family.CONFLICT


class CustodyAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act: who proposed it and why, who decided it and why."""

    id: UUID
    region: int
    evidence: UUID
    visit: UUID | None
    evidence_state: str
    kind: Kind
    state: Literal["proposed", "approved", "refused"]
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None


def _act(row: Any) -> CustodyAct:  # noqa: ANN401 - a row of asyncpg or None
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), CustodyAct)


def _allowed(row: Any, kind: Kind, now: datetime) -> str:  # noqa: ANN401 - a row of asyncpg
    """The state that the act leads to; raises what stands against it."""
    if kind == "admit":
        target = states.require(Noun.EVIDENCE, row["state"], "release")
        custody.admission(row["reason"])
        return target
    if kind == "void":
        return states.require(Noun.EVIDENCE, row["state"], "void")
    custody.lifting(retain_until=row["retain_until"], now=now)
    return str(row["state"])


async def propose(evidence_id: UUID, kind: Kind, reason: str, *, act: Act) -> CustodyAct:
    """Propose an act on a piece, with a reason.

    Raises: Absent, Denied, EvidenceWrongState, NotAdmissible, StillRetained, ActOpen
    ("evidence.…").
    """
    policy.require(act.by, "evidence.propose")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, evidence_id)
        if row is None:
            raise Absent
        _allowed(row, kind, act.at)
        act_id = act.new_id()
        proposed = await DB.connection.fetchval(
            PROPOSE, act_id, row["region"], evidence_id, kind, reason, act.by.id, act.at
        )
        if proposed is None:
            raise ActOpen(field="kind", kind=kind)
        await record(stored(row), f"evidence.{kind}_proposed", act, reason=reason)
        return _act(await DB.connection.fetchrow(ONE, act_id))


async def decide(act_id: UUID, reason: str, *, approve: bool, act: Act) -> CustodyAct:
    """Approve or refuse a proposed act, by a second person, with a reason.

    An admitted piece is proved anew, the key's fault excepted; one that is void stays where it is
    and may be looked at; a lock is lifted by the worker.
    Raises: Absent, Denied, ActDecided, EvidenceSamePerson ("evidence.same_person"), and those of
    ``propose`` about the piece.
    """
    policy.require(act.by, "evidence.decide")
    async with DB.transaction(act.by.scope):
        found = _act(await DB.connection.fetchrow(ONE, act_id))
        if found.state != "proposed":
            raise ActDecided(state=found.state)
        gates.second_person(Noun.EVIDENCE, author=found.proposed_by, approver=act.by.id)
        row = await DB.connection.fetchrow(LOCK, found.evidence)
        piece = stored(row)
        if approve:
            await _carry_out(found, row, act)
        else:
            await record(piece, f"evidence.{found.kind}_refused", act, reason=reason)
        state = "approved" if approve else "refused"
        await DB.connection.execute(DECIDE, act_id, state, act.by.id, act.at, reason)
        if approve:
            await record(piece, f"evidence.{found.kind}_approved", act, reason=reason)
        return _act(await DB.connection.fetchrow(ONE, act_id))


async def _carry_out(found: CustodyAct, row: Any, act: Act) -> None:  # noqa: ANN401 - a row
    target = _allowed(row, found.kind, act.at)
    if found.kind == "admit":
        flag = custody.admitted_flag(row["reason"])
        await DB.connection.execute(ADMIT, found.evidence, target, [flag])
    elif found.kind == "void":
        await DB.connection.execute(VOID, found.evidence, target, found.reason)
        return
    await tasks.enqueue(
        VERIFY if found.kind == "admit" else UNLOCK,
        {"evidence": str(found.evidence)},
        region=found.region,
        at=act.at,
        dedupe=str(found.evidence),
    )


async def of_evidence(evidence_id: UUID, *, act: Act) -> tuple[CustodyAct, ...]:
    """All acts on one piece, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval(
            "select true from evidence where id = $1", evidence_id
        ):
            raise Absent
        rows = await DB.connection.fetch(OF_EVIDENCE, evidence_id)
    return tuple(_act(row) for row in rows)


async def page(
    *, act: Act, state: str | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[CustodyAct, ...]:
    """Acts of the caller's regions, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, state, after, limit)
    return tuple(_act(row) for row in rows)
