"""Assignments 派单: another team under a raised epoch; what the old one still sends is flagged."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit, policy, visit_reviews
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.visits import NewAssignment, assign
from inspection_plans import gates, states
from inspection_plans import policy as settings
from inspection_plans.errors import Family
from inspection_plans.states import Noun

MEMBERS = """
select i.id, i.licence_until, exists (select from inspector_relation r where r.inspector = i.id
    and r.institution = $2 and (r.until is null or r.until >= $3))
  or exists (select from office_recusal o join account a on a.office = o.office
    where a.id = i.account and o.institution = $2 and o.ended_at is null) as related
from inspector i where i.id = any ($1)
"""
END = """
update assignment set state = 'replaced', ended_at = $2, reason = $3
where visit = $1 and state = 'active'
"""
RELEASED = """
select inspector from assignment where visit = $1 and inspector = any ($2) and state = 'recused'
union
select inspector from recusal_request
where visit = $1 and inspector = any ($2) and state = 'granted'
"""
MOVE = "update visit set state = $2, epoch = $3 where id = $1"


class Released(ServiceRefusal):
    """An inspector was released from this visit; nobody returns to a visit after a recusal."""

    code = "visit.released"
    family = Family.GATE


async def sound(ids: Sequence[UUID], institution: UUID, *, on: date, jurisdiction: str) -> None:
    """Hold a team against gate G1 inside the running transaction.

    Raises: Absent, DeclaredRelation, CertificateExpired, TeamTooSmall ("visit.…").
    """
    found = await DB.connection.fetch(MEMBERS, list(ids), institution, on)
    if {one["id"] for one in found} != set(ids):
        raise Absent(field="team")
    gates.team(
        [gates.Member(one["id"], one["licence_until"]) for one in found],
        [one["id"] for one in found if one["related"]],
        on=on,
        minimum=settings.number("team_size", jurisdiction),
    )


async def reassign(
    visit_id: UUID, team: tuple[NewAssignment, ...], reason: str, *, act: Act
) -> int:
    """Give the visit to another team, with a reason, and return the new epoch.

    A recused visit, one in reserve and one that needs a decision become ``assigned``; one already
    under way keeps its state. The draw's reserve order is the caller's to respect.
    Raises: Absent, Denied, Released ("visit.released"), DeclaredRelation, CertificateExpired,
    TeamTooSmall ("visit.…", G1), VisitWrongState.
    Source: evidence spec 3 (reassignment); draw.md section 8.
    """
    policy.require(act.by, "visits.assign")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        ids = [member.inspector for member in team]
        if gone := await DB.connection.fetch(RELEASED, visit_id, ids):
            raise Released(field="team", inspectors=[str(one["inspector"]) for one in gone])
        await sound(
            ids,
            row["institution"],
            on=row["on_date"],
            jurisdiction=row["jurisdiction"],
        )
        epoch: int = row["epoch"] + 1
        await DB.connection.execute(END, visit_id, act.at, reason)
        await DB.connection.execute(MOVE, visit_id, _after(row["state"]), epoch)
        await assign([(visit_id, row["region"], team)], epoch=epoch, act=act)
        await audit.record(
            act,
            "visit.reassigned",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            rev=epoch,
            reason=reason,
        )
    return epoch


def _after(state: str) -> str:
    """The state after a new team: under way stays under way, waiting becomes assigned."""
    if state == "recused":
        state = states.require(Noun.VISIT, state, "replace")
    if state in ("assigned", "opened", "started", "submitted", "returned"):
        return state
    return states.require(Noun.VISIT, state, "assign")
