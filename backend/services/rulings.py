"""What becomes of operations in doubt 存疑操作的处理: adopted, attached or voided, with a reason.

Source: evidence spec 3 (reassignment), 12.2 (admit a revoked key's items).
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, ops, policy, signers, visit_reviews, visits
from backend.services.act import Act
from backend.services.deeds import DOUBTS, REVOKED, Tools
from backend.services.errors import Absent, ServiceRefusal
from backend.services.gaps import NotProposed
from backend.services.ops import Hand
from inspection_plans import gates
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media import ops as envelopes

Decision = Literal["adopted", "attached", "voided"]
# As the phone made them: a claim is judged after what it claims.
ROWS = """
select d.op_id, d.kind, d.dev, d.grounds, d.standing, d.proposed_by, d.reason, o.envelope
from op_doubt d join op o on o.op_id = d.op_id
where d.visit = $1 and d.op_id = any ($2) order by o.dev, o.inst_epoch, o.seq for update of d
"""
PROPOSE = "update op_doubt set proposed_by = $2, reason = $3 where op_id = any ($1)"
DECIDE = """
update op_doubt set standing = $2, reason = $3, decided_by = $4, decided_at = $5
where op_id = any ($1)
"""


class DoubtDecided(ServiceRefusal):
    """Somebody decided about one of these operations before."""

    code = "op.doubt_decided"
    family = Family.CONFLICT


class CaptureStays(ServiceRefusal):
    """A capture is voided by two persons, as evidence, not by one as an operation."""

    code = "op.capture_stays"
    family = Family.GATE


class Ruled(msgspec.Struct, frozen=True):
    """Operations that were decided, and those that wait for a second person now."""

    decided: tuple[UUID, ...]
    proposed: tuple[UUID, ...] = ()


async def decide(
    visit_id: UUID,
    op_ids: Sequence[UUID],
    decision: Decision,
    reason: str,
    *,
    act: Act,
    tools: Tools,
) -> Ruled:
    """Adopt operations as if they had not been in doubt, attach them beside, or void them.

    Adopted ones are carried out now, in the order of their phones; one refusal undoes all. Those
    under a revoked key are only proposed: a second person adopts them. Nothing is deleted.
    Raises: Absent, Denied, DoubtDecided, CaptureStays ("op.…"), every refusal of the kinds.
    Source: evidence spec 3 (reassignment).
    """
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        visit = await visit_reviews.lock(visit_id)
        rows = await _rows(visit_id, op_ids)
        captures = [row["op_id"] for row in rows if row["kind"] == "evidence.declare"]
        if captures and decision == "voided":
            raise CaptureStays(field="ops", ops=list(map(str, captures)))
        second = [row for row in rows if decision == "adopted" and REVOKED in row["grounds"]]
        if second:
            ids = [row["op_id"] for row in second]
            await DB.connection.execute(PROPOSE, ids, act.by.id, reason)
            await _record("op.adoption_proposed", second, visit, reason, act)
        rest = [row for row in rows if row not in second]
        await _close(rest, decision, reason, visit, act, tools)
    return Ruled(_ids(rest), _ids(second))


async def approve(visit_id: UUID, op_ids: Sequence[UUID], *, act: Act, tools: Tools) -> Ruled:
    """A second person adopts what a first proposed to adopt.

    Raises: Absent, Denied, DoubtDecided ("op.…"), NotProposed, VisitSamePerson ("visit.…").
    Source: evidence spec 12.2 (two-person acts).
    """
    policy.require(act.by, "visits.approve")
    async with DB.transaction(act.by.scope):
        visit = await visit_reviews.lock(visit_id)
        rows = await _rows(visit_id, op_ids)
        for row in rows:
            if row["proposed_by"] is None:
                raise NotProposed(field="ops")
            gates.second_person(Noun.VISIT, author=row["proposed_by"], approver=act.by.id)
        await _close(rows, "adopted", rows[0]["reason"], visit, act, tools)
    return Ruled(_ids(rows))


def _ids(rows: Sequence[dict[str, Any]]) -> tuple[UUID, ...]:
    return tuple(row["op_id"] for row in rows)


async def _rows(visit_id: UUID, op_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    rows = [dict(row) for row in await DB.connection.fetch(ROWS, visit_id, list(op_ids))]
    if {row["op_id"] for row in rows} != set(op_ids):
        raise Absent(field="ops")
    if decided := [str(row["op_id"]) for row in rows if row["standing"] != "waiting"]:
        raise DoubtDecided(field="ops", ops=decided)
    return rows


async def _close(
    rows: Sequence[dict[str, Any]],
    decision: Decision,
    reason: str,
    visit: dict[str, Any],
    act: Act,
    tools: Tools,
) -> None:
    """Write the decision, carry out what was adopted, and look whether the visit is complete."""
    await DB.connection.execute(DECIDE, list(_ids(rows)), decision, reason, act.by.id, act.at)
    await _record(f"op.{decision}", rows, visit, reason, act)
    if decision == "adopted":
        for row in rows:
            await _adopt(row, act, tools)
    await visits.complete_if_ready(visit["id"], act=act, rules=tools.rules)


async def _adopt(row: dict[str, Any], act: Act, tools: Tools) -> None:
    """Carry out one operation without its doubts; a capture was taken when it came."""
    if row["kind"] == "evidence.declare":
        return
    known = await signers.of([row["dev"]], act=act, mine=False)
    if str(row["dev"]) not in known:
        raise Absent(field="device")
    raw = bytes(row["envelope"])
    hand = Hand(
        act=msgspec.structs.replace(act, op_id=row["op_id"]),
        tools=tools,
        signers=known,
        lifted=tuple(sorted(DOUBTS)),
    )
    await ops.carry_out(envelopes.parse(raw), raw, hand, again=True)


async def _record(
    verb: str,
    rows: Sequence[dict[str, Any]],
    visit: dict[str, Any],
    reason: str,
    act: Act,
) -> None:
    for row in rows:
        await audit.record(
            act,
            verb,
            "op",
            row["op_id"],
            region=visit["region"],
            title=row["kind"],
            reason=reason,
        )
