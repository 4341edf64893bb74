"""审核: a supervisor accepts a complete visit or returns it with a reason, and concludes it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit, office_recusals, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import gates, states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

LOCK = """
select id, region, institution, code, state, epoch, jurisdiction, on_date, sealed_until,
  completed_at, gap_reason, gap_proposed_by, doubted_at from visit where id = $1 for no key update
"""
REVIEW = """
update visit set state = $2, reviewed_at = $3, reviewed_by = $4, review_reason = $5 where id = $1
"""
CONCLUDE = "update visit set state = $2, concluded_at = $3 where id = $1"
RECORD = """
select (select count(distinct e.body ->> 'inspector') from visit_event e join assignment a
    on a.visit = e.visit and a.inspector::text = e.body ->> 'inspector' and a.state = 'active'
    where e.visit = $1 and e.kind = 'signature.record' and e.body ->> 'role' = 'inspector')
    as signatures,
  exists (select from visit_event where visit = $1 and kind = 'signature.record'
    and body ->> 'role' = 'party') as party,
  exists (select from visit_event where visit = $1 and kind = 'signature.record'
    and body ->> 'role' = 'refusal') as refusal,
  exists (select from visit_event where visit = $1 and kind = 'certificate.shown') as shown
"""


class EvidenceLost(ServiceRefusal):
    """An original that the record lists is lost or altered; nobody may build on it unseen."""

    code = "visit.evidence_lost"
    family = Family.GATE


def proved(row: Mapping[str, Any]) -> None:
    """Raise EvidenceLost ("visit.evidence_lost") for a visit that is in doubt."""
    if row["doubted_at"] is not None:
        raise EvidenceLost(since=row["doubted_at"].isoformat())


async def lock(visit_id: UUID) -> dict[str, Any]:
    """The visit's row for a change, in the caller's transaction; raises Absent."""
    row = await DB.connection.fetchrow(LOCK, visit_id)
    if row is None:
        raise Absent
    return dict(row)


async def _reviewed(visit_id: UUID, verb: str, reason: str | None, act: Act) -> None:
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await lock(visit_id)
        await office_recusals.refuse(row["institution"], act=act)
        target = states.require(Noun.VISIT, row["state"], verb)
        if verb == "accept":
            proved(row)
        await DB.connection.execute(REVIEW, visit_id, target, act.at, act.by.id, reason)
        await audit.record(
            act,
            f"visit.{target}",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            reason=reason or "",
        )


async def accept(visit_id: UUID, *, act: Act) -> None:
    """Accept a complete visit; raises Absent, Denied, VisitWrongState, EvidenceLost."""
    await _reviewed(visit_id, "accept", None, act)


async def send_back(visit_id: UUID, reason: str, *, act: Act) -> None:
    """Return a complete visit to its team with a reason; raises as ``accept``."""
    await _reviewed(visit_id, "return", reason, act)


async def conclude(visit_id: UUID, *, act: Act) -> None:
    """Conclude an accepted visit, or one that could not be made.

    An accepted one has its licences shown (G2) and its record complete and signed (G3).
    Raises: Absent, Denied, VisitWrongState, EvidenceLost, CertificateNotShown, RecordIncomplete
    ("visit.…").
    """
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await lock(visit_id)
        await office_recusals.refuse(row["institution"], act=act)
        target = states.require(Noun.VISIT, row["state"], "conclude")
        if row["state"] == "accepted":
            proved(row)
            await _record_holds(row)
        await DB.connection.execute(CONCLUDE, visit_id, target, act.at)
        await audit.record(
            act, "visit.concluded", "visit", visit_id, region=row["region"], title=row["code"]
        )


async def _record_holds(row: dict[str, Any]) -> None:
    held = await DB.connection.fetchrow(RECORD, row["id"])
    gates.certificate_shown(held["shown"])
    gates.record_complete(
        complete=row["completed_at"] is not None,
        signatures=held["signatures"],
        party_signed=held["party"],
        refusal_witnessed=held["refusal"],
    )
