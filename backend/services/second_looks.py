"""What was proposed by one person and waits for another 待第二人决定, whatever it is about."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import policy
from backend.services.act import Act

Kind = Literal["withdrawal", "recusal", "gap", "device", "exclusion", "external", "custody"]
# kind → the action that decides it
DECIDES: dict[Kind, str] = {
    "withdrawal": "draws.void",
    "recusal": "visits.approve",
    "gap": "visits.approve",
    "device": "visits.approve",
    "exclusion": "plans.approve",
    "external": "plans.approve",
    "custody": "evidence.decide",
}
# `about` is the thing on whose page it is decided. None of it speaks of a visit before its hour:
# until then nobody can propose anything about one.
OPEN = """
  select 'withdrawal' as kind, w.visit as about, v.code as title, w.paper as reason,
    w.proposed_by, w.proposed_at
    from withdrawal w join visit v on v.id = w.visit where w.state = 'proposed'
  union all select 'recusal', r.visit, v.code, r.ground, r.asked_by, r.asked_at
    from recusal_request r join visit v on v.id = r.visit where r.state = 'pending'
  union all select 'gap', id, code, gap_reason, gap_proposed_by, null from visit
    where gap_proposed_by is not null and gap_approved_by is null
      and state in ('submitted', 'needs_decision')
  union all select 'device', c.visit, v.code, c.close_reason, c.close_proposed_by, null
    from claim c join visit v on v.id = c.visit
    where c.close_proposed_by is not null and c.closed_by is null
  union all select 'exclusion', m.plan, p.title, m.reason, m.proposed_by, m.proposed_at
    from manual_exclusion m join plan p on p.id = m.plan
    where m.state = 'proposed' and p.state in ('draft', 'submitted', 'approved')
  union all select 'external', e.plan, p.title, e.platform, e.entered_by, e.entered_at
    from external_draw e join plan p on p.id = e.plan where e.confirmed_by is null
  union all select 'custody', c.evidence, coalesce(e.item, ''), c.reason, c.proposed_by,
    c.proposed_at from custody_act c join evidence e on e.id = c.evidence
    where c.state = 'proposed'
"""
PAGE = f"""
select t.kind, t.about, t.title, t.reason, t.proposed_by, t.proposed_at from ({OPEN}) t
where t.kind = any ($1) order by t.proposed_at nulls first, t.about limit $2
"""  # noqa: S608 - our own constant


class SecondLook(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal; ``about`` is the visit, plan or piece of evidence it is decided with."""

    kind: Kind
    about: UUID
    title: str
    reason: str | None
    proposed_by: UUID | None
    proposed_at: datetime | None


def kinds(act: Act) -> tuple[Kind, ...]:
    """The kinds that the caller's roles may decide."""
    return tuple(
        kind
        for kind, action in DECIDES.items()
        if policy.allowed(action, act.by.roles, signed_in=True)
    )


async def page(*, act: Act, limit: int = 200) -> tuple[SecondLook, ...]:
    """What waits for the decision of a second person, the oldest first; own proposals as well."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, list(kinds(act)), limit)
    return tuple(SecondLook(**dict(row)) for row in rows)
