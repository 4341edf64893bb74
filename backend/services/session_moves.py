"""Sessions that do not take place: the next session day of the same class takes the visit."""

from datetime import date
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import teams, withdrawals
from backend.services.draw_events import Clerk
from backend.services.records.draw_events import Withdrawal
from backend.services.withdrawals import used
from inspection_plans.draw.activities import next_session
from inspection_plans.draw.canon import digest

# By filing and checked by the product: nobody's choice, and no person's name.
BY, SECOND = "filed schedule", "operator"
PAPER = "class_session"
STANDS = """
select v.id, s.status, s.on_date from visit v join class_session s on s.id = v.class_session
  join draw d on d.id = v.draw
where d.origin = 'here' and d.state = 'drawn' and s.status in ('moved', 'cancelled')
  and v.started_at is null and v.state in ('drawn', 'assigned', 'recused')
  and ($1::uuid is null or v.draw = $1)
order by v.draw, v.code
"""
ADD = """
insert into withdrawal (id, region, draw, visit, object, reason, paper, evidence_sha256, state,
  proposed_by, proposed_at, decided_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'confirmed', $9, $10, $10) returning *
"""


async def follow(*, clerk: Clerk, draw: UUID | None = None) -> int:
    """Move every visit whose session was moved or cancelled by filing; how many.

    Later, never earlier, and by rule: without a later session the visit is a shortfall.
    Source: draw.md section 6b.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(STANDS, draw)
        for row in rows:
            await _one(row["id"], row["status"], row["on_date"], clerk=clerk)
    return len(rows)


async def _one(visit_id: UUID, status: str, on: date, *, clerk: Clerk) -> None:
    act = clerk.act
    visit = await teams.lock_visit(visit_id)
    here = await teams.stand(visit["draw"], act=act, keys=clerk.keys)
    ident = here.object_of(visit)
    filed = {"session": ident, "status": status, "on": on.isoformat()}
    row = await DB.connection.fetchrow(
        ADD,
        act.new_id(),
        here.draw.region,
        here.draw.id,
        visit_id,
        ident,
        f"session_{status}",
        PAPER,
        digest("sha256", filed),
        act.by.id,
        act.at,
    )
    one: Withdrawal = withdrawals.to_withdrawal(row)
    here = await withdrawals.withdraw(here, visit, one, (BY, SECOND), clerk=clerk)
    later = next_session(here.kept.frames["objects"], ident, used(here))
    made = await withdrawals.replace(here, ident, later, clerk=clerk)
    await DB.connection.execute(
        "update withdrawal set replacement = $2 where id = $1", one.id, made
    )
