"""A visit that needs a decision 待决定: a person says how it stands, with a reason."""

from typing import Literal
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import assignments, audit, policy, visit_reviews
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from inspection_plans import states
from inspection_plans.errors import Family
from inspection_plans.states import Noun

Outcome = Literal["resumed", "unreachable", "closed", "refused"]
TEAM = "select inspector from assignment where visit = $1 and state = 'active' order by place"
OBSTRUCTION = """
select true from visit_event where visit = $1 and kind = 'obstruction.record' limit 1
"""
DECIDE = """
update visit set state = $2, reviewed_at = $3, reviewed_by = $4, review_reason = $5 where id = $1
"""


class NoObstruction(ServiceRefusal):
    """A submitted visit was only not made after all when an obstruction stands in its record."""

    code = "visit.no_obstruction"
    family = Family.GATE


async def decide(visit_id: UUID, outcome: Outcome, reason: str, *, act: Act) -> str:
    """Let a visit go on with the team it has, or say why it was not made; its new state.

    A submission that cannot become complete, because the visit was obstructed before anybody
    could sign, is decided the same way.
    Raises: Absent, Denied, VisitWrongState, NoObstruction, TeamTooSmall and the like ("visit.…").
    Source: evidence spec 3 (evidence for a cancelled visit).
    """
    policy.require(act.by, "visits.review")
    async with DB.transaction(act.by.scope):
        row = await visit_reviews.lock(visit_id)
        state = row["state"]
        if state == "submitted":
            if not await DB.connection.fetchval(OBSTRUCTION, visit_id):
                raise NoObstruction(field="visit", state=state)
            state = states.require(Noun.VISIT, state, "suspend")
        if outcome == "resumed":
            team = [one["inspector"] for one in await DB.connection.fetch(TEAM, visit_id)]
            await assignments.sound(
                team, row["institution"], on=row["on_date"], jurisdiction=row["jurisdiction"]
            )
            target = states.require(Noun.VISIT, state, "assign")
        else:
            target = states.require(Noun.VISIT, state, f"mark_{outcome}")
        await DB.connection.execute(DECIDE, visit_id, target, act.at, act.by.id, reason)
        await audit.record(
            act,
            f"visit.decided_{outcome}",
            "visit",
            visit_id,
            region=row["region"],
            title=row["code"],
            reason=reason,
        )
    return target
